"""A start or a signal as a part of the caller's own transaction: committed with it, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from pyworkflow import CompleteProcess, Manager, Process, Signal, Worker, Workflow
from pyworkflow.exceptions import ProcessAlreadyRunning, UnknownProcessException, UnsupportedBackend
from pyworkflow.testing.invariants import check
from pyworkflow_postgres import PostgresBackend

from ..servers import postgres


class Ship(Workflow):
    def decide(self, process: Process) -> CompleteProcess | None:
        signals = [event.signal for event in process.history if event.type == "signal"]  # type: ignore[attr-defined]
        return CompleteProcess(signals[0].data) if signals else None


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(PostgresBackend(postgres.url(), schema=postgres.emptied()), [Ship])
    yield manager
    check(manager.backend.store)  # type: ignore[attr-defined]
    manager.close()


@pytest.fixture
def connection(manager: Manager) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("CREATE TABLE parcel (id TEXT PRIMARY KEY)")
        connection.commit()
        yield connection
        connection.rollback()
        connection.execute("DROP TABLE parcel")


def parcels(connection: psycopg.Connection) -> list[str]:
    return [id for (id,) in connection.execute("SELECT id FROM parcel")]


def test_a_row_and_its_process_are_committed_together(manager: Manager, connection: psycopg.Connection) -> None:
    with connection.transaction():
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        assert manager.start_process(Process(Ship, "p1", tags=["a"]), connection=connection) == "p1"
        manager.signal_process("p1", "go", "far", connection=connection)
        with pytest.raises(UnknownProcessException):
            manager.process_by_id("p1")
    assert parcels(connection) == ["p1"]
    Worker(manager).run(burst=True)
    assert manager.result("p1", 0) == "far"


def test_neither_is_there_after_a_rollback(manager: Manager, connection: psycopg.Connection) -> None:
    with pytest.raises(ZeroDivisionError), connection.transaction():
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        manager.signal_with_start(Process(Ship, "p1"), Signal("go"), connection=connection)
        raise ZeroDivisionError
    assert parcels(connection) == []
    assert manager.count(status="all") == 0
    assert manager.queues() == []


def test_the_start_may_be_the_first_statement(manager: Manager, connection: psycopg.Connection) -> None:
    manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.rollback()
    assert manager.count(status="all") == 0
    manager.start_process(Process(Ship, "p1"), connection=connection)
    connection.commit()
    assert manager.count() == 1


def test_a_refused_start_leaves_the_transaction_as_it_was(manager: Manager, connection: psycopg.Connection) -> None:
    manager.start_process(Process(Ship, "p1"))
    with connection.transaction():
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        with pytest.raises(ProcessAlreadyRunning):
            manager.start_process(Process(Ship, "p1"), connection=connection)
        with pytest.raises(UnknownProcessException):
            manager.signal_process("p2", "go", connection=connection)
    assert parcels(connection) == ["p1"]
    assert len(manager.history("p1")) == 1


def test_a_worker_that_waits_hears_of_the_commit(manager: Manager, connection: psycopg.Connection) -> None:
    worker = Worker(manager)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        with connection.transaction():
            manager.signal_with_start(Process(Ship, "p1"), Signal("go", 1), connection=connection)
        assert manager.result("p1", 30) == 1
    finally:
        worker.stop()
        thread.join()


def test_rows_may_look_as_their_owner_likes(manager: Manager, connection: psycopg.Connection) -> None:
    with psycopg.connect(postgres.url(), row_factory=psycopg.rows.dict_row) as other:  # type: ignore[arg-type]
        manager.start_process(Process(Ship, "p1"), connection=other)
        manager.signal_process("p1", "go", connection=other)
    assert manager.count() == 1


def test_in_autocommit_mode_the_caller_begins(manager: Manager) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as other:
        with pytest.raises(ValueError, match="no open transaction"):
            manager.start_process(Process(Ship, "p1"), connection=other)
        with other.transaction():
            manager.start_process(Process(Ship, "p1"), connection=other)
    assert manager.count() == 1


def test_another_database_is_refused(manager: Manager) -> None:
    refused = pytest.raises(UnsupportedBackend, match="not to the database")
    with psycopg.connect(postgres.url(), dbname="template1") as other, refused:
        manager.start_process(Process(Ship), connection=other)
    with pytest.raises(UnsupportedBackend, match=r"joined by a psycopg\.Connection"):
        manager.start_process(Process(Ship), connection="nonsense")
