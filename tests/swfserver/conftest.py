"""An endpoint over memory, in virtual time, and a shop in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.testing import VirtualClock
from pyworkflow_swfserver import serving

from .support import Shop


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def backend(clock: VirtualClock) -> Iterator[MemoryBackend]:
    backend = MemoryBackend(clock)
    yield backend
    backend.close()


@pytest.fixture
def url(backend: MemoryBackend) -> Iterator[str]:
    with serving(backend, long_poll=0.3) as url:
        yield url


@pytest.fixture
def shop(url: str) -> Shop:
    return Shop(url).open()
