"""A backend of each kind, and workers in threads that end with the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import Manager, Worker
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend

from . import acts


@pytest.fixture(params=["memory", "sqlite"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    backend = MemoryBackend() if request.param == "memory" else SQLiteBackend(str(tmp_path / "workers.db"))
    acts.seen.clear()
    acts.gate.clear()
    acts.begun = threading.Semaphore(0)
    yield Manager(backend, [acts.One, acts.Many, acts.Stubborn, acts.TooMuch])
    acts.gate.set()
    backend.close()


@pytest.fixture
def run(manager: Manager) -> Iterator[Callable[..., Any]]:
    """Starts a worker in a thread: run(Worker, concurrency=2)."""
    running: list[tuple[Worker, threading.Thread]] = []

    def start(kind: type[Worker] = Worker, **options: Any) -> Worker:
        worker = kind(manager, **{"shutdown_timeout": 5.0, **options})
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread))
        return worker

    yield start
    acts.gate.set()
    for worker, thread in running:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()
