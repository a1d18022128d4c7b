"""A start or a signal as a part of the caller's own transaction, on each database that can do that."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pyworkflow import CompleteProcess, Manager, Process, Signal, Worker, Workflow
from pyworkflow.exceptions import ProcessAlreadyRunning, UnknownProcessException


class Ship(Workflow):
    def decide(self, process: Process) -> CompleteProcess | None:
        signals = [event.signal for event in process.history if event.type == "signal"]  # type: ignore[attr-defined]
        return CompleteProcess(signals[0].data) if signals else None


class Joining:
    """Needs the fixtures `manager`, of Ship, and `connection`, with a table `parcel (id)`, and `transaction`."""

    def transaction(self, connection: Any) -> Any:
        """A context manager: committed at its end, rolled back for an error."""
        raise NotImplementedError

    def parcels(self, connection: Any) -> list[str]:
        return [id for (id,) in connection.execute("SELECT id FROM parcel")]

    def test_a_row_and_its_process_are_committed_together(self, manager: Manager, connection: Any) -> None:
        with self.transaction(connection):
            connection.execute("INSERT INTO parcel VALUES ('p1')")
            assert manager.start_process(Process(Ship, "p1", tags=["a"]), connection=connection) == "p1"
            manager.signal_process("p1", "go", "far", connection=connection)
            with pytest.raises(UnknownProcessException):
                manager.process_by_id("p1")
        assert self.parcels(connection) == ["p1"]
        Worker(manager).run(burst=True)
        assert manager.result("p1", 0) == "far"

    def test_neither_is_there_after_a_rollback(self, manager: Manager, connection: Any) -> None:
        with pytest.raises(ZeroDivisionError), self.transaction(connection):
            connection.execute("INSERT INTO parcel VALUES ('p1')")
            manager.signal_with_start(Process(Ship, "p1"), Signal("go"), connection=connection)
            raise ZeroDivisionError
        assert self.parcels(connection) == []
        assert manager.count(status="all") == 0
        assert manager.queues() == []
        manager.start_process(Process(Ship, "p1"))

    def test_the_start_may_be_the_first_statement(self, manager: Manager, connection: Any) -> None:
        manager.start_process(Process(Ship, "p1"), connection=connection)
        connection.execute("INSERT INTO parcel VALUES ('p1')")
        connection.rollback()
        assert manager.count(status="all") == 0
        manager.start_process(Process(Ship, "p1"), connection=connection)
        connection.commit()
        assert manager.count() == 1

    def test_a_refused_start_leaves_the_transaction_as_it_was(self, manager: Manager, connection: Any) -> None:
        manager.start_process(Process(Ship, "p1"))
        with self.transaction(connection):
            connection.execute("INSERT INTO parcel VALUES ('p1')")
            with pytest.raises(ProcessAlreadyRunning):
                manager.start_process(Process(Ship, "p1"), connection=connection)
            with pytest.raises(UnknownProcessException):
                manager.signal_process("p2", "go", connection=connection)
        assert self.parcels(connection) == ["p1"]
        assert len(manager.history("p1")) == 1

    def test_a_worker_that_waits_hears_of_the_commit(self, manager: Manager, connection: Any) -> None:
        worker = Worker(manager)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            with self.transaction(connection):
                manager.signal_with_start(Process(Ship, "p1"), Signal("go", 1), connection=connection)
            assert manager.result("p1", 30) == 1
        finally:
            worker.stop()
            thread.join()
