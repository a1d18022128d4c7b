"""The SQLite backend by the backend suite: durable and less so, one process and several, whatever the cache keeps."""

from collections.abc import Callable
from pathlib import Path

from pyworkflow.backend import Backend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.testing import BackendSuite

from .alternating import Alternating


class TestSQLite(BackendSuite):
    cache_size = 1_000

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return SQLiteBackend(str(tmp_path / "work.db"), clock=clock, cache_size=self.cache_size)


class TestSQLiteCacheOfOne(TestSQLite):
    cache_size = 1


class TestSQLiteWithoutCache(TestSQLite):
    cache_size = 0


class TestSQLiteNormal(BackendSuite):
    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return SQLiteBackend(str(tmp_path / "work.db"), clock=clock, durability="normal")


class TestSQLiteOnTwoMachines(BackendSuite):
    """Two backends on one file; each has a cache that the other's calls make stale."""

    cache_size = 1_000

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        path = str(tmp_path / "work.db")
        return Alternating([SQLiteBackend(path, clock=clock, cache_size=self.cache_size) for _ in range(2)])


class TestSQLiteOnTwoMachinesCacheOfOne(TestSQLiteOnTwoMachines):
    cache_size = 1


class TestSQLiteOnTwoMachinesWithoutCache(TestSQLiteOnTwoMachines):
    cache_size = 0
