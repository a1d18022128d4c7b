"""The Postgres store and backend by the suites: one machine and two, woken and polling.

What caches of every size keep is tested in memory and on SQLite: they are the engine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyworkflow.backend import Backend
from pyworkflow.testing import BackendSuite, StoreSuite
from pyworkflow_postgres import PostgresBackend, PostgresStore, database

from ..servers import postgres
from .alternating import Alternating


@pytest.fixture(autouse=True, scope="module")
def _kept_connections() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "ConnectionPool", postgres.KeptPool)
        yield


class TestPostgresStore(StoreSuite):
    listen = True

    def make_store(self, tmp_path: Path) -> PostgresStore:
        return PostgresStore(postgres.url(), schema=postgres.emptied(), listen=self.listen)


class TestPostgresStoreTwice(TestPostgresStore):
    """Two stores in one database, as two machines have."""

    def make_other(self, store: PostgresStore, tmp_path: Path) -> PostgresStore:
        return PostgresStore(postgres.url(), schema=postgres.schema(), listen=self.listen)


class TestPostgresStorePolling(TestPostgresStoreTwice):
    listen = False


class TestPostgres(BackendSuite):
    cache_size = 1_000
    listen = True

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        postgres.emptied()
        return self.make_door(clock)

    def make_door(self, clock: Callable[[], float]) -> Backend:
        url, schema = postgres.url(), postgres.schema()
        return PostgresBackend(url, schema=schema, clock=clock, cache_size=self.cache_size, listen=self.listen)


class TestPostgresPolling(TestPostgres):
    cache_size = 0
    listen = False


class TestPostgresOnTwoMachines(TestPostgres):
    """Two backends in one database; each has a cache that the other's calls make stale."""

    def make_door(self, clock: Callable[[], float]) -> Backend:
        return Alternating([super(TestPostgresOnTwoMachines, self).make_door(clock) for _ in range(2)])
