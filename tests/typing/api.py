"""The public API as a user would write against it; mypy --strict checks it, nothing runs it."""

from __future__ import annotations

from collections.abc import Sequence

from pyworkflow import (
    Activity,
    ActivityEvent,
    ActivityExecution,
    ActivityFailed,
    ActivityWorker,
    ChildProcessEvent,
    CompleteProcess,
    Decision,
    DecisionWorker,
    DefaultWorkflow,
    Event,
    FailProcess,
    Manager,
    Process,
    ProcessFailed,
    ProcessResult,
    RuleSetWorkflow,
    ScheduleActivity,
    Signal,
    StartChildProcess,
    Timer,
    Worker,
    Workflow,
    open_backend,
    rules,
)
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend


class Charge(Activity):
    scheduled_timeout = 300
    execution_timeout = 10.5

    def execute(self) -> dict[str, int]:
        self.heartbeat({"at": 1})
        if not self.input:
            raise ActivityFailed("nothing to charge")
        return {"charged": int(self.input)}


class Mail(Activity):
    async def execute(self) -> str:
        return self.idempotency_key


class Plain(Workflow):
    activities = [Charge, Mail]

    def decide(self, process: Process) -> list[Decision] | type[Activity] | None:
        last: Event = process.history[-1]
        if isinstance(last, ActivityEvent) and last.activity == "Charge":
            return [Timer(0.5, {"why": "wait"}), StartChildProcess(Process(Default), "TERMINATE")]
        return Charge


class Default(DefaultWorkflow):
    activities = [Charge]

    def initiate(self, process: Process) -> ScheduleActivity:
        return ScheduleActivity(Charge, input=process.input, priority=3, heartbeat_timeout=2.5)

    def respond_to_completed_activity(
        self, process: Process, activity_execution: ActivityExecution, result: object
    ) -> Decision:
        return CompleteProcess(result)

    def respond_to_child_process(
        self,
        process: Process,
        child_process_id: str,
        workflow: str | None,
        result: ProcessResult,
        tags: Sequence[str],
    ) -> Decision | None:
        ends = [event for event in process.history if isinstance(event, ChildProcessEvent)]
        return None if ends else FailProcess(workflow)


class Rules(RuleSetWorkflow):
    activities = [Charge]

    @rules.process_started
    def begin(self, event: Event, process: Process) -> type[Activity]:
        return Charge

    @rules.completed_activity(Charge)
    def end(self, event: ActivityEvent, process: Process) -> Decision:
        return FailProcess("never mind") if process.tags else CompleteProcess()


def use() -> None:
    manager = Manager(MemoryBackend(), workflows=[Plain, Default, Rules])
    also = Manager("sqlite:///orders.db", [Plain])
    also.copy_with_backend(SQLiteBackend("other.db", durability="normal")).close()
    open_backend("memory://").close()
    id: str = manager.start_process(Process(Plain, input={"a": [1]}, tags=["x"]), request_id="r", timeout=60)
    manager.signal_process(id, Signal("hello", {"b": 2}))
    manager.signal_with_start(Process("Default", "d"), Signal("go"))
    number: int = manager.count(Plain, status="open")
    names: list[str | None] = [process.id for process in manager.processes(tag="x", id_prefix="o")]
    try:
        manager.result(id, timeout=1.5)
    except ProcessFailed as failed:
        print(failed.reason, number, names)
    ActivityWorker(manager, concurrency=4).step()
    DecisionWorker(manager, "decider", category=["default", "other"]).stop()
    Worker(manager, heartbeat=True).run(burst=True)
