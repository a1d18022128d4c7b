"""The backends that the simulations run on: a new one is a row here."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.engine.engine import Engine
from pyworkflow_postgres import PostgresStore
from pyworkflow_redis import RedisBackend
from pyworkflow_sqlite import SQLiteBackend
from tests.servers.redis import Keyspace, shared

from ..servers import postgres as server

Clock = Callable[[], float]


@contextmanager
def memory(clock: Clock) -> Iterator[Engine]:
    yield MemoryBackend(clock)


@contextmanager
def sqlite(clock: Clock) -> Iterator[Engine]:
    """A file in memory where the machine has a place for it: what disks do is tested elsewhere."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        backend = SQLiteBackend(f"{folder}/world.db", durability="normal", clock=clock)
        try:
            yield backend
        finally:
            backend.close()


@contextmanager
def postgres(clock: Clock) -> Iterator[Engine]:
    """The tables are emptied for each world, and the connections kept."""
    server.emptied()
    store = _store()
    store.now = clock  # type: ignore[method-assign]
    yield Engine(store)


@cache
def _store() -> PostgresStore:
    return PostgresStore(server.url(), schema=server.schema(), listen=False)


@cache
def redis_server() -> Keyspace:
    """One server for all of them: until this operating-system process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return Keyspace(stack.enter_context(shared()))


@contextmanager
def redis(clock: Clock) -> Iterator[Engine]:
    server = redis_server()
    server.clear()
    server.begin()
    with server.kept():
        backend = RedisBackend(server.url, prefix=server.prefix, shards=3, clock=clock)
    try:
        yield backend
    finally:
        backend.close()


BACKENDS = {"memory": memory, "sqlite": sqlite, "postgres": postgres, "redis": redis}
