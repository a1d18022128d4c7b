"""The servers of the Redis tests, one each for all of them; every test has keys of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from redis.cluster import RedisCluster

from pyworkflow_redis.address import Address
from tests.servers.redis import cluster, shared


class Keyspace:
    """A server with a prefix for the test that runs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.number = 0

    @property
    def prefix(self) -> str:
        return f"test{self.number}"

    def clear(self) -> None:
        """Forget what earlier tests have left under any prefix of theirs."""
        client = Address(self.url).connect()
        nodes: list[redis.Redis] = [client]
        if isinstance(client, RedisCluster):
            nodes = [client.get_redis_connection(node) for node in client.get_primaries()]
        for node in nodes:
            node.flushall()
        client.close()
        self.number += 1


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Keyspace]:
    with shared() as url:
        yield Keyspace(url)


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[Keyspace]:
    with cluster() as url:
        yield Keyspace(url)
