"""The Redis backend by the suites, on a cluster of three nodes, its processes in sixteen shards."""

from __future__ import annotations

import pytest

from tests.servers.redis import Keyspace

from .redis_benches import RedisBackendsTwice, RedisStoresTwice


@pytest.fixture(autouse=True, scope="class")
def _server(request: pytest.FixtureRequest, redis_cluster: Keyspace) -> None:
    request.cls.server = redis_cluster


class TestClusterStoreTwice(RedisStoresTwice):
    shards = 16


class TestClusterOnTwoMachines(RedisBackendsTwice):
    shards = 16
