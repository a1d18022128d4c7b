"""How long a history of Amazon SWF's takes to become ours, and ours to become SWF's; no network takes part."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable
from typing import Any

from pyworkflow import CompleteProcess, DefaultWorkflow, Manager, Process, Worker
from pyworkflow.activity import Activity
from pyworkflow_amazonswf.own import OWN
from pyworkflow_amazonswf.payloads import SwfTexts
from pyworkflow_amazonswf.run import Run
from pyworkflow_swf import JsonTexts, Start, Writer

from .report import Row

EVENTS = 1_000


class Step(Activity):
    """Does nothing."""

    def execute(self) -> Any:
        return self.input


class Steps(DefaultWorkflow):
    """Activities one after another, as many as fill a history."""

    activities = [Step]

    def initiate(self, process: Process) -> Any:
        return Step

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return Step if len(process.history) < EVENTS else CompleteProcess(result)


def history() -> tuple[list[Any], list[dict[str, Any]]]:
    """A history of ours, and the first thousand of SWF's events that it makes."""
    manager = Manager("memory://", [Steps])
    process = manager.start_process(Process(Steps, input={"order": "T-1", "items": ["MUG", "TEAPOT"]}))
    Worker(manager).run(burst=True)
    ours = manager.history(process)
    return ours, Writer(Start("Steps"), JsonTexts()).extend(ours)[:EVENTS]


def milliseconds(call: Callable[[], Any]) -> float:
    """Of computing: nothing else is to be done."""
    begun = time.process_time()
    call()
    return (time.process_time() - begun) * 1_000


def read(events: list[dict[str, Any]]) -> float:
    """Milliseconds to read them, pyworkflow's own words and payloads included."""
    run = Run(SwfTexts(None, None), OWN, "p", "r")
    return milliseconds(lambda: run.extend(events))


def write(ours: list[Any]) -> float:
    """Milliseconds to write as many events of SWF's."""
    writer = Writer(Start("Steps"), JsonTexts())
    taken = milliseconds(lambda: writer.extend(ours))
    return taken * EVENTS / len(writer.events)


def measure_swf(runs: int, row: Row) -> None:
    """Both directions, the median of many runs: one takes a few milliseconds."""
    ours, theirs = history()
    assert len(theirs) == EVENTS and isinstance(theirs[0]["eventTimestamp"], dt.datetime)
    value = statistics.median(read(theirs) for _ in range(10 * runs))
    row("1,000 events of SWF read", value, "ms", "<= 10")
    value = statistics.median(write(ours) for _ in range(10 * runs))
    row("1,000 events of SWF written", value, "ms", "<= 10")
