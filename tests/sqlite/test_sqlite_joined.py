"""A start or a signal as a part of the caller's own transaction: committed with it, or not at all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyworkflow import CompleteProcess, Manager, Process, Signal, Worker, Workflow
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.exceptions import (
    BackendUnavailable,
    ProcessAlreadyRunning,
    UnknownProcessException,
    UnsupportedBackend,
)
from pyworkflow.testing.invariants import check


class Ship(Workflow):
    def decide(self, process: Process) -> CompleteProcess | None:
        signals = [event.signal for event in process.history if event.type == "signal"]  # type: ignore[attr-defined]
        return CompleteProcess(signals[0].data) if signals else None


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(f"sqlite:///{tmp_path}/shop.db", [Ship])
    yield manager
    check(manager.backend.store)  # type: ignore[attr-defined]
    manager.close()


@pytest.fixture
def connection(manager: Manager, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE IF NOT EXISTS parcel (id TEXT PRIMARY KEY)")
    connection.commit()
    yield connection
    connection.close()


def parcels(connection: sqlite3.Connection) -> list[str]:
    return [id for (id,) in connection.execute("SELECT id FROM parcel")]


def test_a_row_and_its_process_are_committed_together(manager: Manager, connection: sqlite3.Connection) -> None:
    with connection:
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        assert manager.start_process(Process(Ship, "p1", tags=["a"]), connection=connection) == "p1"
        manager.signal_process("p1", "go", "far", connection=connection)
        with pytest.raises(UnknownProcessException):
            manager.process_by_id("p1")
    assert parcels(connection) == ["p1"]
    Worker(manager).run(burst=True)
    assert manager.result("p1", 0) == "far"


def test_neither_is_there_after_a_rollback(manager: Manager, connection: sqlite3.Connection) -> None:
    with pytest.raises(ZeroDivisionError), connection:
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        manager.signal_with_start(Process(Ship, "p1"), Signal("go"), connection=connection)
        raise ZeroDivisionError
    assert parcels(connection) == []
    assert manager.count(status="all") == 0
    assert manager.queues() == []
    manager.start_process(Process(Ship, "p1"))


def test_the_start_may_be_the_first_statement(manager: Manager, connection: sqlite3.Connection) -> None:
    manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.execute("INSERT INTO parcel VALUES ('p1')")
    connection.rollback()
    assert manager.count(status="all") == 0
    manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.commit()
    assert manager.count() == 1


def test_a_refused_start_leaves_the_transaction_as_it_was(manager: Manager, connection: sqlite3.Connection) -> None:
    manager.start_process(Process(Ship, "p1"))
    with connection:
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        with pytest.raises(ProcessAlreadyRunning):
            manager.start_process(Process(Ship, "p1"), connection=connection)
        with pytest.raises(UnknownProcessException):
            manager.signal_process("p2", "go", connection=connection)
    assert parcels(connection) == ["p1"]
    assert len(manager.history("p1")) == 1


def test_a_worker_that_waits_hears_of_the_commit(manager: Manager, connection: sqlite3.Connection) -> None:
    worker = Worker(manager)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        with connection:
            manager.signal_with_start(Process(Ship, "p1"), Signal("go", 1), connection=connection)
        assert manager.result("p1", 10) == 1
    finally:
        worker.stop()
        thread.join()


@pytest.mark.parametrize("factory", [sqlite3.Row, lambda cursor, row: {"row": row}], ids=["Row", "dictionaries"])
def test_rows_may_look_as_their_owner_likes(manager: Manager, connection: sqlite3.Connection, factory) -> None:
    connection.row_factory = factory
    with connection:
        manager.start_process(Process(Ship, "p1"), connection=connection)
        manager.signal_process("p1", "go", connection=connection)
    assert manager.count() == 1


def test_in_autocommit_mode_the_caller_begins(manager: Manager, connection: sqlite3.Connection) -> None:
    connection.isolation_level = None
    with pytest.raises(ValueError, match="BEGIN IMMEDIATE first"):
        manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.execute("BEGIN IMMEDIATE")
    manager.start_process(Process(Ship, "p1"), connection=connection)
    assert connection.in_transaction
    connection.execute("ROLLBACK")
    assert manager.count() == 0


def test_a_locked_file_is_told(manager: Manager, connection: sqlite3.Connection, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "shop.db", timeout=0.01)
    connection.execute("INSERT INTO parcel VALUES ('p1')")
    with pytest.raises(BackendUnavailable, match="locked"):
        manager.start_process(Process(Ship, "p1"), connection=other)
    connection.rollback()
    other.close()


def test_another_file_is_refused(manager: Manager, tmp_path: Path) -> None:
    for path in (":memory:", tmp_path / "other.db"):
        other = sqlite3.connect(path)
        with pytest.raises(UnsupportedBackend, match="the connection is to"):
            manager.start_process(Process(Ship), connection=other)
        other.close()
    with pytest.raises(UnsupportedBackend, match=r"joined by a sqlite3\.Connection"):
        manager.start_process(Process(Ship), connection="nonsense")


def test_memory_has_no_transactions_to_join(connection: sqlite3.Connection) -> None:
    manager = Manager(MemoryBackend(), [Ship])
    with pytest.raises(UnsupportedBackend, match="cannot join a transaction"):
        manager.start_process(Process(Ship, "p"), connection=connection)
    manager.start_process(Process(Ship, "p"))
    with pytest.raises(UnsupportedBackend, match="cannot join a transaction"):
        manager.signal_process("p", "go", connection=connection)
