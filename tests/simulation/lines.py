"""The lines in which a backend's histories are compared with the reference's, and decisions in both forms."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from pyworkflow import decision as dec
from pyworkflow import events as ev
from pyworkflow.process import Process

MAKE = {
    "activity": lambda name, kind: dec.ScheduleActivity(kind, name, input=name),
    "stop": dec.CancelActivity,
    "timer": lambda name, delay: dec.Timer(delay, id=name),
    "untimer": dec.CancelTimer,
    "marker": dec.RecordMarker,
    "child": lambda process, policy: dec.StartChildProcess(Process("W", process), policy),
    "send": lambda process: dec.SignalProcess(process, "s"),
    "ask": dec.RequestCancelProcess,
    "complete": dec.CompleteProcess,
    "fail": dec.FailProcess,
    "cancel": dec.CancelProcess,
    "continue": dec.ContinueAsNew,
}
NAMES = {
    "schedule_activity": lambda d: f"activity {d.id} {d.activity}",
    "cancel_activity": lambda d: f"stop {d.id}",
    "timer": lambda d: f"timer {d.id} {d.delay}",
    "cancel_timer": lambda d: f"untimer {d.id}",
    "record_marker": lambda d: f"marker {d.name}",
    "start_child_process": lambda d: f"child {d.process.id} {d.child_policy}",
    "signal_process": lambda d: f"send {d.process_id}",
    "request_cancel_process": lambda d: f"ask {d.process_id}",
    "complete_process": lambda d: "complete",
    "fail_process": lambda d: "fail",
    "cancel_process": lambda d: "cancel",
    "continue_as_new": lambda d: "continue",
}


def made(decision: tuple[Any, ...]) -> dec.Decision:
    return MAKE[decision[0]](*decision[1:])


def line(event: ev.Event) -> str:
    match event:
        case ev.DecisionEvent():
            return f"decided {NAMES[event.decision.type](event.decision)}"
        case ev.DecisionRefusedEvent():
            return f"refused {NAMES[event.decision.type](event.decision)} {event.cause}"
        case ev.ActivityEvent():
            kind = getattr(event.result, "timeout_type", None)
            return f"activity {event.activity_execution.id} {event.result.type}" + (f" {kind}" if kind else "")
        case ev.ActivityStartedEvent() | ev.ActivityReleasedEvent():
            return f"activity {event.activity_execution.id} {event.type.removeprefix('activity_')}"
        case ev.TimerEvent():
            return f"timer {event.timer.id} fired"
        case ev.ChildProcessStartedEvent():
            return f"child {event.process_id} started"
        case ev.ChildProcessEvent():
            return f"child {event.process_id} {event.result.type}"
        case ev.ProcessSignaledEvent():
            return f"send {event.process_id} delivered"
        case ev.ProcessCancelRequestedEvent():
            return f"ask {event.process_id} delivered"
    return event.type.replace("_", " ")


def canonical(log: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """What comes by itself at one moment has no order that matters: those lines are sorted."""
    found: list[tuple[float, str]] = []
    for (_, sorts), group in groupby(log, key=lambda entry: (entry[0], _is_news(entry[1]))):
        lines = list(group)
        found += sorted(lines) if sorts else lines
    return found


def _is_news(line: str) -> bool:
    first, _, rest = line.partition(" ")
    if first == "activity":
        return not rest.endswith((" started", " released"))
    if first == "refused":
        return line.endswith(("_EXECUTION", "_RUNNING"))
    return first in ("timer", "child", "send", "ask", "signal") or line in ("decision timed out", "cancel requested")
