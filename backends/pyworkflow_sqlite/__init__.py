"""The SQLite backend: the engine over one file, which any number of operating-system processes may share."""

from .backend import SQLiteBackend
from .store import SQLiteStore

__all__ = ["SQLiteBackend", "SQLiteStore"]
