"""The servers of the Redis suites, one each for all of them; every test has it to itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.redis import Keyspace, cluster, oldest_binary, running, shared


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Keyspace]:
    with shared() as url:
        yield from _cleared(Keyspace(url))


@pytest.fixture(scope="session")
def oldest_redis_server() -> Iterator[Keyspace]:
    with running(program=oldest_binary()) as server:
        yield from _cleared(Keyspace(server.url))


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[Keyspace]:
    with cluster() as url:
        yield from _cleared(Keyspace(url))


def _cleared(server: Keyspace) -> Iterator[Keyspace]:
    """For all tests; what they left is forgotten after them."""
    yield server
    server.clear()
