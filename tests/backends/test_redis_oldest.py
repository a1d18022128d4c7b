"""The Redis backend by the suites on Redis 6.2, whatever newer server the others run on."""

from __future__ import annotations

import pytest

from tests.servers.redis import Keyspace

from .redis_benches import RedisBackends, RedisStores


@pytest.fixture(autouse=True, scope="class")
def _server(request: pytest.FixtureRequest, oldest_redis_server: Keyspace) -> None:
    request.cls.server = oldest_redis_server


class TestOldestRedisStore(RedisStores):
    def test_it_is_as_old_as_is_supported(self) -> None:
        assert str(self.store.info()["version"]).startswith("6.2.")


class TestOldestRedis(RedisBackends):
    pass
