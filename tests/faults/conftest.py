"""The servers of these tests: one of each for all, since what they suffer here they survive."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..servers import postgres, redis
from ..servers.proxy import LosingProxy
from .business import Business


@pytest.fixture(scope="session")
def _redis() -> Iterator[str]:
    with redis.running(port=redis.free_port()) as server:
        yield server.url


@pytest.fixture(params=["redis", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A backend's URL, with nothing in it."""
    if request.param == "postgres":
        yield f"{postgres.own_server().url}?schema={postgres.emptied()}"
    else:
        yield f"{request.getfixturevalue('_redis')}?prefix={os.urandom(4).hex()}"


@pytest.fixture
def proxy(url: str) -> Iterator[LosingProxy]:
    proxy = LosingProxy(port_of(url))
    yield proxy
    proxy.close()


def port_of(url: str) -> int:
    return int(url.partition("127.0.0.1:")[2].partition("/")[0])


@pytest.fixture
def open_business(tmp_path: Path) -> Iterator[Callable[..., Business]]:
    opened: list[Business] = []

    def open_one(url: str, *doors: str, workers: int = 1, chaos: int | None = None) -> Business:
        opened.append(Business(url, tmp_path, doors or (url,), workers, chaos))
        return opened[-1]

    yield open_one
    for business in opened:
        business.close()
