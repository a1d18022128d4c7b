"""A server of its own for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.redis import RunningServer, running


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running() as server:
        yield server
