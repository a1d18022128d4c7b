"""The first README's own examples, word for word but for its slips (`input` for `self.input`), on every backend."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow.activity import Activity, ActivityAborted
from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.decision import CompleteProcess
from pyworkflow.manager import Manager
from pyworkflow.process import Process, ProcessCompleted
from pyworkflow.workflow import Workflow


class MultiplicationActivity(Activity):
    scheduled_timeout = 300  # max seconds in queue
    execution_timeout = 10  # max execution duration

    def execute(self):
        if not type(self.input) == list and not len(self.input) == 2:  # noqa: E721
            raise ValueError("invalid input")

        if self.input[0] > 10:
            return ActivityAborted("first operand must be <= 10")

        result = 0
        for _ in range(0, self.input[0]):  # noqa: PIE808
            # multiplication is repeated addition
            result += self.input[1]

            # give a sign of life
            self.heartbeat()

        return result


def foo_bar_conditional(history: list[Any]) -> bool:
    return not any(event.type == "activity" for event in history)


class FooWorkflow(Workflow):
    activities = [MultiplicationActivity]

    def decide(self, process):
        if foo_bar_conditional(process.history):
            # shorthand for ScheduleActivity(MultiplicationActivity, input=process.input)
            return MultiplicationActivity
        return CompleteProcess()


@pytest.fixture(params=["memory", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    made = MemoryBackend() if request.param == "memory" else SQLiteBackend(str(tmp_path / "seed.db"))
    yield made
    made.close()


@pytest.fixture
def manager(backend: Backend) -> Iterator[Manager]:
    workflows = [FooWorkflow]
    manager = Manager(backend=backend, workflows=workflows)
    workers = start_workers(manager)
    yield manager
    for worker, thread in workers:
        worker.stop()
        thread.join()


def start_workers(manager: Manager) -> list[tuple[Any, threading.Thread]]:
    from pyworkflow.worker import ActivityWorker, DecisionWorker

    workers = [ActivityWorker(manager), DecisionWorker(manager)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    return list(zip(workers, threads, strict=True))


def start(manager: Manager, foo_bar: Any) -> str:
    process = Process(workflow=FooWorkflow, input=foo_bar)
    return manager.start_process(process)


def test_the_usage_chapter(manager: Manager) -> None:
    id = start(manager, [3, 7])
    assert manager.wait(id, 30) == ProcessCompleted(None)
    assert [event.type for event in manager.process_by_id(id).history] == [
        *("process_started", "decision_started", "decision", "activity_started", "activity"),
        *("decision_started", "decision"),
    ]
    assert manager.process_by_id(id).history[4].result.result == 21


def test_an_activity_that_aborts(manager: Manager) -> None:
    id = start(manager, [11, 7])
    manager.wait(id, 30)
    assert manager.process_by_id(id).history[4].result == ActivityAborted("first operand must be <= 10")


def test_an_activity_that_raises(manager: Manager) -> None:
    id = start(manager, [1])
    manager.wait(id, 30)
    result = manager.process_by_id(id).history[4].result
    assert result.type == "failed"
    assert "IndexError" in result.details


def test_stepping_by_hand_as_the_later_api_did(backend: Backend) -> None:
    from pyworkflow.managed import Manager as ManagedManager
    from pyworkflow.managed.worker import ActivityWorker, DecisionWorker

    manager = ManagedManager(backend, workflows=[FooWorkflow])
    decider, worker = DecisionWorker(manager), ActivityWorker(manager)
    id = start(manager, [2, 2])
    assert (worker.step(), decider.step(), decider.step(), worker.step(), decider.step()) == (
        *(False, True, False, True, True),
    )
    assert manager.wait(id, 0) == ProcessCompleted()
    assert list(manager.processes()) == []
