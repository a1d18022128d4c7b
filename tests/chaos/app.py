"""The work that is done while servers die: two steps and a note for each process, and for some a letter to wait for."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pyworkflow import Activity, CompleteProcess, RecordMarker, RuleSetWorkflow, ScheduleActivity, rules
from pyworkflow.workflow.base import Answer

EFFECTS = "CHAOS_EFFECTS"
NOTE, PAID = "note", "paid"
STEPS = ("pack", "send")


class Step(Activity):
    """Leaves a line in a file of its operating-system process, as an effect in the world outside."""

    execution_timeout = 2.0  # A hand-out whose answer was lost with the server is given up by then.

    def execute(self) -> Any:
        token = str(self.task.context["token"])
        line = f"{self.task.process_id} {self.task.activity_execution.id} {token} {time.monotonic()}\n"
        effects = os.open(Path(os.environ[EFFECTS], str(os.getpid())), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(effects, line.encode())
        finally:
            os.close(effects)
        time.sleep(0.005)
        return token


class Errand(RuleSetWorkflow):
    """Packs, waits for the payment if it must, and sends."""

    activities = [Step]
    decision_timeout = 2.0

    @rules.process_started
    def begin(self, event: Any, process: Any) -> Answer:
        return [RecordMarker(NOTE, process.input["number"]), ScheduleActivity(Step, "pack")]

    @rules.completed_activity(Step)
    def go_on(self, event: Any, process: Any) -> Answer:
        if event.activity_execution.id == "send":
            return CompleteProcess(process.input["number"])
        return self.send(process)

    @rules.signal(PAID)
    def paid(self, event: Any, process: Any) -> Answer:
        return self.send(process)

    def send(self, process: Any) -> Answer:
        """Once it is packed, and paid for if it has to be."""
        history = process.history
        packed = any(event.type == "activity" and event.result.type == "completed" for event in history)
        paid = not process.input["waits"] or any(event.type == "signal" for event in history)
        return ScheduleActivity(Step, "send") if packed and paid and not process.unfinished_activities() else None

    @rules.interrupted_activity(Step)
    def again(self, event: Any, process: Any) -> Answer:
        return ScheduleActivity(Step, event.activity_execution.id)


workflows = [Errand]
