"""Activities and workflows for the tests of workers, importable by child processes."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from typing import Any

from pyworkflow import Activity, CompleteProcess, Decision, DefaultWorkflow, Process, ScheduleActivity, Workflow

seen: list[Any] = []
gate = threading.Event()
begun = threading.Semaphore(0)


class Echo(Activity):
    def execute(self) -> Any:
        return self.input


class EchoAsync(Activity):
    async def execute(self) -> Any:
        await asyncio.sleep(0)
        return [self.input, threading.current_thread().name]


class InProcess(Activity):
    executor = "process"
    heartbeat_timeout = 60

    def execute(self) -> Any:
        self.heartbeat({"half": True})
        return [os.getpid(), self.input]


class Dies(Activity):
    executor = "process"

    def execute(self) -> Any:
        os._exit(7)


class InProcessUntilCanceled(Activity):
    executor = "process"
    heartbeat_timeout = 60

    def execute(self) -> Any:
        while True:
            self.heartbeat({"alive": True})
            time.sleep(0.02)


class UntilCanceled(Activity):
    heartbeat_timeout = 60

    def execute(self) -> Any:
        while True:
            self.heartbeat({"alive": True})
            time.sleep(0.02)


class AsyncUntilCanceled(Activity):
    heartbeat_timeout = 60

    async def execute(self) -> Any:
        await asyncio.sleep(600)


class HandOff(Activity):
    auto_complete = False

    def execute(self) -> None:
        seen.append(self.task.token)


class TooLarge(Activity):
    def execute(self) -> Any:
        return "x" * 300_000


class NotJson(Activity):
    def execute(self) -> Any:
        return float("nan")


class Raises(Activity):
    def execute(self) -> Any:
        raise KeyError("no such thing")


class Waits(Activity):
    """Says that it has begun, and waits for the gate."""

    def execute(self) -> Any:
        begun.release()
        gate.wait(60)
        return "waited"


class Quiet(Activity):
    """Takes longer than its heartbeat timeout and never beats by itself; makes the file its input names, if any."""

    heartbeat_timeout = 1.5

    def execute(self) -> Any:
        if self.input:
            open(self.input, "w").close()
        time.sleep(2.5)
        return "alive"


ALL = [Echo, EchoAsync, InProcess, Dies, InProcessUntilCanceled, UntilCanceled, AsyncUntilCanceled, HandOff, TooLarge]
ALL += [NotJson, Raises, Waits, Quiet]


class One(Workflow):
    """Executes the activity that its input names, and completes with what came of it."""

    activities = ALL

    def decide(self, process: Process) -> Any:
        if process.cancel_requested and process.unfinished_activities():
            from pyworkflow import CancelActivity

            return CancelActivity("it")
        ended = [event for event in process.history if event.type == "activity"]
        if not ended:
            return ScheduleActivity(process.input[0], id="it", input=process.input[1]) if not started(process) else None
        result: Any = ended[0].result  # type: ignore[attr-defined]
        return CompleteProcess({"type": result.type, **{key: str(value) for key, value in vars(result).items()}})


def started(process: Process) -> bool:
    return any(event.type == "decision" for event in process.history)


class Many(DefaultWorkflow):
    """Executes its input's activities at once; completes when all have ended."""

    activities = ALL

    def initiate(self, process: Process) -> list[Decision]:
        return [ScheduleActivity(name, id=f"{number}", input=number) for number, name in enumerate(process.input)]

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return None if process.unfinished_activities() else CompleteProcess()


class Stubborn(Workflow):
    """Its decider raises until it is told not to."""

    broken = True

    def decide(self, process: Process) -> Any:
        if type(self).broken:
            raise RuntimeError("not today")
        return CompleteProcess("today")


class TooMuch(Workflow):
    def decide(self, process: Process) -> Any:
        return CompleteProcess("x" * 300_000)
