"""The Redis backend: the engine over a Redis or Valkey server, a cluster of them, or a primary that Sentinels name."""

from .backend import RedisBackend
from .store import RedisStore

__all__ = ["RedisBackend", "RedisStore"]
