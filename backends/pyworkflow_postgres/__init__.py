"""The Postgres backend: the engine over one database, which workers on any number of machines share."""

from .backend import PostgresBackend
from .store import PostgresStore

__all__ = ["PostgresBackend", "PostgresStore"]
