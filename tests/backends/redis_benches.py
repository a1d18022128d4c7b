"""The suites on a Redis server: one door or two, any number of shards. The modules beside it name the servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pyworkflow.backend import Backend
from pyworkflow.backend.redis import RedisBackend, RedisStore
from pyworkflow.testing import BackendSuite, StoreSuite
from pyworkflow_redis.address import Address
from tests.servers.redis import Keyspace

from .alternating import Alternating


class OnServer:
    """`server` is set by a fixture of the module."""

    server: Keyspace
    shards = 1


class RedisStores(OnServer, StoreSuite):
    transactional = False

    def make_store(self, tmp_path: Path) -> RedisStore:
        self.server.begin()
        return self.make_door()

    def make_door(self) -> RedisStore:
        with self.server.kept():
            return RedisStore(Address(self.server.url), prefix=self.server.prefix, shards=self.shards)


class RedisStoresTwice(RedisStores):
    """Two doors, as two machines have."""

    def make_other(self, store: RedisStore, tmp_path: Path) -> RedisStore:
        return self.make_door()


class RedisBackends(OnServer, BackendSuite):
    cache_size = 1_000

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        self.server.begin()
        return self.make_door(clock)

    def make_door(self, clock: Callable[[], float]) -> Backend:
        server, size = self.server, self.cache_size
        with server.kept():
            return RedisBackend(server.url, prefix=server.prefix, shards=self.shards, clock=clock, cache_size=size)


class RedisBackendsTwice(RedisBackends):
    """Two backends on one server; each has a cache that the other's calls make stale."""

    def make_door(self, clock: Callable[[], float]) -> Backend:
        return Alternating([super(RedisBackendsTwice, self).make_door(clock) for _ in range(2)])
