"""The door to the SQLite backend."""

from pyworkflow_sqlite import SQLiteBackend, SQLiteStore

__all__ = ["SQLiteBackend", "SQLiteStore"]
