"""What must not end a worker: code that exits, classes that cannot be made, heartbeats that cannot be sent."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    BackendUnavailable,
    CompleteProcess,
    DecisionWorker,
    DefaultWorkflow,
    Manager,
    Process,
    ProcessCompleted,
    ScheduleActivity,
    Worker,
    WorkerThread,
    Workflow,
)
from pyworkflow.backend.memory import MemoryBackend

PATIENCE = 60


class CannotBeMadeActivity(Activity):
    def __init__(self, *arguments: Any) -> None:
        raise RuntimeError("cannot be made")


class ExitsActivity(Activity):
    def execute(self) -> None:
        sys.exit(3)


class ExitsLaterActivity(Activity):
    async def execute(self) -> None:
        sys.exit(3)


class ExitsInAProcessActivity(ExitsActivity):
    executor = "process"


class FineActivity(Activity):
    def execute(self) -> str:
        return "fine"


class BeatsActivity(Activity):
    """Beats once with what can be sent and once with what cannot; ends when its heartbeats came through thrice more."""

    heartbeat_timeout = 30
    beats = threading.Semaphore(0)

    def execute(self) -> str:
        self.heartbeat(1)
        self.heartbeat(object())  # Too soon to be sent now.
        for _ in range(3):
            assert self.beats.acquire(timeout=PATIENCE)
        return "still beating"


class TriesWorkflow(DefaultWorkflow):
    """Tries the activity that its input names, and completes with its result, or with the reason why it failed."""

    activities = [
        *(CannotBeMadeActivity, ExitsActivity, ExitsLaterActivity, ExitsInAProcessActivity, FineActivity),
        BeatsActivity,
    ]

    def initiate(self, process: Process) -> Any:
        return ScheduleActivity(process.input)

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result)

    def respond_to_interrupted_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result.reason)


class CannotBeMadeWorkflow(Workflow):
    def __init__(self) -> None:
        raise RuntimeError("cannot be made")


class ExitsWorkflow(Workflow):
    def decide(self, process: Process) -> None:
        sys.exit(3)


@pytest.fixture
def manager() -> Manager:
    return Manager(MemoryBackend(), [TriesWorkflow, CannotBeMadeWorkflow, ExitsWorkflow])


@pytest.fixture
def worker(manager: Manager) -> Iterator[Worker]:
    worker = Worker(manager, heartbeat=True, attempts=1)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    yield worker
    worker.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("activity", "reason"),
    [
        (CannotBeMadeActivity, "cannot be made"),
        (ExitsActivity, "3"),
        (ExitsLaterActivity, "3"),
        (ExitsInAProcessActivity, "3"),
    ],
)
def test_an_activity_that_ends_oddly_fails_and_the_worker_goes_on(
    manager: Manager, worker: Worker, activity: type[Activity], reason: str
) -> None:
    for number in range(2):
        manager.start_process(Process(TriesWorkflow, f"odd {number}", activity.name))
        assert manager.wait(f"odd {number}", PATIENCE) == ProcessCompleted(reason)
    manager.start_process(Process(TriesWorkflow, "p", "Fine"))
    assert manager.result("p", PATIENCE) == "fine"


@pytest.mark.parametrize("workflow", [CannotBeMadeWorkflow, ExitsWorkflow])
def test_a_decider_that_ends_oddly_fails_and_the_worker_goes_on(
    manager: Manager, worker: Worker, workflow: type[Workflow]
) -> None:
    manager.start_process(Process(workflow, "odd"))
    manager.start_process(Process(TriesWorkflow, "p", "Fine"))
    assert manager.result("p", PATIENCE) == "fine"
    assert manager.process_by_id("odd").status == "blocked"


def test_heartbeats_go_on_when_one_cannot_be_sent(
    manager: Manager, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = manager.backend.heartbeat_activity_task

    def heartbeat(task: Any, details: Any = None) -> bool:
        answer = send(task, details)
        BeatsActivity.beats.release()
        return answer

    monkeypatch.setattr(manager.backend, "heartbeat_activity_task", heartbeat)
    manager.start_process(Process(TriesWorkflow, "p", "Beats"))
    assert manager.result("p", PATIENCE) == "still beating"


def test_a_worker_thread_survives_its_backend(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange, away = manager.backend.exchange, [BackendUnavailable("away"), BackendUnavailable("still away")]

    def flaky(*arguments: Any, **options: Any) -> Any:
        if away:
            raise away.pop()
        return exchange(*arguments, **options)

    monkeypatch.setattr(manager.backend, "exchange", flaky)
    thread = WorkerThread(DecisionWorker(manager, attempts=1), delay_on_idle=0.01)
    thread.start()
    manager.start_process(Process(ExitsWorkflow, "p"))
    for _ in range(PATIENCE * 100):
        if manager.process_by_id("p").status == "blocked":
            break
        threading.Event().wait(0.01)
    assert manager.process_by_id("p").status == "blocked"
    thread.join(PATIENCE)
    assert not thread.is_alive()
