"""The Redis backend by the suites, on a real server: one shard and several, one machine and two.

What caches of every size keep is tested in memory and on SQLite: they are the engine's.
"""

from __future__ import annotations

import pytest

from tests.servers.redis import Keyspace

from .redis_benches import RedisBackends, RedisBackendsTwice, RedisStores, RedisStoresTwice


@pytest.fixture(autouse=True, scope="class")
def _server(request: pytest.FixtureRequest, redis_server: Keyspace) -> None:
    request.cls.server = redis_server


class TestRedisStore(RedisStores):
    pass


class TestRedisStoreFourShards(RedisStores):
    shards = 4


class TestRedisStoreTwice(RedisStoresTwice):
    pass


class TestRedisStoreTwiceFourShards(RedisStoresTwice):
    shards = 4


class TestRedis(RedisBackends):
    pass


class TestRedisFourShards(RedisBackends):
    cache_size = 0
    shards = 4


class TestRedisOnTwoMachines(RedisBackendsTwice):
    pass
