"""The signals, and the tables that say which event sends which, with which keywords."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from blinker import Signal

import pyworkflow.activity as act
from pyworkflow import decision as dec
from pyworkflow import events as ev
from pyworkflow.process import Process


class Signals:
    """What can be connected to. The sender is the BlinkerBackend; docs/blinker.md lists the keywords."""

    on_complete_decision_task = Signal("The answer of a decider was accepted.")
    on_complete_activity_task = Signal("The end of an activity was accepted, as its worker told it.")

    on_activity_scheduled = Signal("A decision scheduled an activity.")
    on_activity_started = Signal("A worker took an activity.")
    on_activity_released = Signal("A worker handed an activity back that it had not begun.")
    on_activity_cancel_requested = Signal("A decision asked for the cancellation of an activity.")
    on_activity_completed = Signal("An activity completed.")
    on_activity_failed = Signal("An activity failed.")
    on_activity_canceled = Signal("An activity was canceled: by its worker, or, where none had it, by a decision.")
    on_activity_timedout = Signal("An activity timed out.")

    on_process_started = Signal("A run of a process started.")
    on_process_signaled = Signal("A signal arrived.")
    on_process_cancel_requested = Signal("Somebody asked for the cancellation of a process.")
    on_process_blocked = Signal("The decider failed too often: the process waits to be resumed.")
    on_process_resumed = Signal("A blocked process was resumed.")
    on_process_completed = Signal("A process completed.")
    on_process_failed = Signal("A process failed.")
    on_process_canceled = Signal("A process closed as canceled.")
    on_process_timedout = Signal("A process was open for longer than its timeout.")
    on_process_terminated = Signal("A process was ended without asking its decider.")
    on_process_reset = Signal("A run began with the history of an earlier one.")
    on_process_continued = Signal("A run ended, and the process goes on as another one.")

    on_decision_refused = Signal("A decision could not be applied.")
    on_decision_failed = Signal("A decider raised.")
    on_decision_timedout = Signal("A decider did not answer in time.")

    on_timer_started = Signal("A decision started a timer.")
    on_timer_canceled = Signal("A decision canceled a timer.")
    on_timer_fired = Signal("A timer fired.")
    on_marker_recorded = Signal("A decision recorded a marker.")
    on_child_process_started = Signal("A child process began to run, and its parent heard of it.")
    on_child_process_closed = Signal("A child process closed, and its parent heard of it.")


class Row:
    """A signal's name and its keywords: `keyword=path`, or `keyword` where the path is PATHS' or `it.keyword`."""

    PATHS = {"process": "process", "process_id": "process.id"}

    def __init__(self, text: str) -> None:
        self.signal, *words = text.split()
        pairs = [word.partition("=")[::2] for word in words]
        self.paths = {keyword: path or self.PATHS.get(keyword, f"it.{keyword}") for keyword, path in pairs}

    def keywords(self, process: Process | None, it: Any) -> dict[str, Any]:
        """What the signal is sent with, of a process and an event of it, or its decision."""
        told = _Told(process, it)
        return {keyword: attrgetter(path)(told) for keyword, path in self.paths.items()}


class _Told:
    def __init__(self, process: Process | None, it: Any) -> None:
        self.process = process
        self.it = it


COMPLETED_DECISION = Row("on_complete_decision_task task decisions=it.outcome")
COMPLETED_ACTIVITY = Row("on_complete_activity_task task result=it.outcome")
CHILD_STARTED = Row("on_process_started process process_id parent_process_id=process.parent")
CANCELED_BY_DECISION = Row("on_activity_canceled process activity_id=it.activity_execution.id")

EVENTS: dict[type[ev.Event], Row] = {
    ev.ActivityReleasedEvent: Row("on_activity_released activity_execution process_id"),
    ev.ActivityStartedEvent: Row("on_activity_started activity_execution process_id"),
    ev.CancelRequestedEvent: Row("on_process_cancel_requested process_id details"),
    ev.ChildProcessEvent: Row("on_child_process_closed process child_process_id=it.process_id workflow tags result"),
    ev.ChildProcessStartedEvent: Row("on_child_process_started process child_process_id=it.process_id workflow tags"),
    ev.DecisionFailedEvent: Row("on_decision_failed process process_id reason details"),
    ev.DecisionRefusedEvent: Row("on_decision_refused process process_id decision cause"),
    ev.DecisionTimedOutEvent: Row("on_decision_timedout process process_id"),
    ev.ProcessBlockedEvent: Row("on_process_blocked process process_id reason details"),
    ev.ProcessResetEvent: Row(
        "on_process_reset process process_id source_id=it.process_id source_run=it.run event reason"
    ),
    ev.ProcessResumedEvent: Row("on_process_resumed process process_id"),
    ev.ProcessStartedEvent: Row("on_process_started process process_id"),
    ev.ProcessTerminatedEvent: Row("on_process_terminated process process_id reason details cause"),
    ev.ProcessTimedOutEvent: Row("on_process_timedout process process_id"),
    ev.SignalEvent: Row("on_process_signaled process_id signal=it.signal.name data=it.signal.data"),
    ev.TimerEvent: Row("on_timer_fired process process_id timer"),
}
RESULTS: dict[type[act.ActivityResult], Row] = {
    act.ActivityCanceled: Row("on_activity_canceled activity_execution process_id details=it.result.details"),
    act.ActivityCompleted: Row("on_activity_completed activity_execution process_id result=it.result.result"),
    act.ActivityFailed: Row(
        "on_activity_failed activity_execution process_id reason=it.result.reason details=it.result.details"
    ),
    act.ActivityTimedOut: Row("on_activity_timedout activity_execution process_id details=it.result.details"),
}
DECISIONS: dict[type[dec.Decision], Row] = {
    dec.CancelActivity: Row("on_activity_cancel_requested process activity_id=it.id"),
    dec.CancelProcess: Row("on_process_canceled process_id details"),
    dec.CancelTimer: Row("on_timer_canceled process process_id timer_id=it.id"),
    dec.CompleteProcess: Row("on_process_completed process process_id result"),
    dec.ContinueAsNew: Row("on_process_continued process process_id"),
    dec.FailProcess: Row("on_process_failed process process_id reason details"),
    dec.RecordMarker: Row("on_marker_recorded process process_id name details"),
    dec.ScheduleActivity: Row("on_activity_scheduled process activity_execution=it"),
    dec.Timer: Row("on_timer_started process process_id timer=it"),
}


def row_of(process: Process, event: ev.Event, before: ev.Event | None) -> tuple[Row | None, Any]:
    """The row of an event, and what it is about; `before` is what happened just before it in the same step."""
    if isinstance(event, ev.DecisionEvent):
        it: Any = event.decision
        row = DECISIONS.get(type(it))
        return row, act.ActivityExecution(it.activity, it.id, it.input) if type(it) is dec.ScheduleActivity else it
    if isinstance(event, ev.ActivityEvent):
        return CANCELED_BY_DECISION if _by_decision(event, before) else RESULTS.get(type(event.result)), event
    if isinstance(event, ev.ProcessStartedEvent) and process.parent is not None:
        return CHILD_STARTED, event
    return EVENTS.get(type(event)), event


def _by_decision(event: ev.ActivityEvent, before: ev.Event | None) -> bool:
    """Was it canceled because a decision asked for it just before, and no worker had it?"""
    if not isinstance(event.result, act.ActivityCanceled) or not isinstance(before, ev.DecisionEvent):
        return False
    return before.decision == dec.CancelActivity(event.activity_execution.id)
