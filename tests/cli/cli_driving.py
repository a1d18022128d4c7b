"""Driving processes by the backend's own verbs, as workers would."""

from __future__ import annotations

from typing import Any

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend import Backend, Failed, Finished
from pyworkflow.decision import CompleteProcess, Decision, FailProcess, ScheduleActivity
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask


def start(backend: Backend, id: str, workflow: str = "Order", **more: Any) -> str:
    return backend.start_process(Process(workflow, id, **more))


def decide(backend: Backend, *decisions: Decision) -> None:
    """Answer the next decision task."""
    task = backend.poll_decision_task()
    assert task is not None
    backend.complete_decision_task(task, decisions)


def complete(backend: Backend, id: str, result: Any = None) -> None:
    start(backend, id)
    decide(backend, CompleteProcess(result))


def fail(backend: Backend, id: str, reason: str = "no stock", details: Any = None) -> None:
    start(backend, id)
    decide(backend, FailProcess(reason, details))


def block(backend: Backend, id: str, details: Any = None) -> None:
    start(backend, id)
    task = backend.poll_decision_task()
    assert task is not None
    backend.exchange([Finished(task, Failed("RuntimeError: no way", details, attempts=1))])


def hold_activity(backend: Backend, id: str) -> ActivityTask:
    """A started process whose activity Charge is held by a worker."""
    start(backend, id, input={"item": "tea"})
    decide(backend, ScheduleActivity("Charge", "charge-1", input={"item": "tea"}))
    task = backend.poll_activity_task()
    assert task is not None
    return task


def finish(backend: Backend, task: ActivityTask, result: Any) -> None:
    backend.complete_activity_task(task, ActivityCompleted(result))
    decide(backend, CompleteProcess(result))
