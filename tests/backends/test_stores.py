"""The stores of the memory and SQLite backends, by the store suite."""

from pathlib import Path

from pyworkflow.backend.memory import MemoryStore
from pyworkflow.testing import StoreSuite
from pyworkflow_sqlite import SQLiteStore


class TestMemoryStore(StoreSuite):
    transactional = False

    def make_store(self, tmp_path: Path) -> MemoryStore:
        return MemoryStore()


class TestSQLiteStore(StoreSuite):
    def make_store(self, tmp_path: Path) -> SQLiteStore:
        return SQLiteStore(str(tmp_path / "store.db"))


class TestSQLiteStoreTwice(TestSQLiteStore):
    """Two connections to one file, as two machines' worth of processes have."""

    def make_other(self, store: SQLiteStore, tmp_path: Path) -> SQLiteStore:
        return SQLiteStore(str(tmp_path / "store.db"))


class TestSQLiteStoreNormal(StoreSuite):
    def make_store(self, tmp_path: Path) -> SQLiteStore:
        return SQLiteStore(str(tmp_path / "store.db"), durability="normal")
