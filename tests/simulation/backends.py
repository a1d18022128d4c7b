"""The backends that the simulations run on: a new one is a row here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.engine.engine import Engine
from pyworkflow_postgres import PostgresStore
from pyworkflow_sqlite import SQLiteBackend

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


BACKENDS = {"memory": memory, "sqlite": sqlite, "postgres": postgres}
