"""Records become the events that deciders see: one row a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

import pyworkflow.activity as act

from .. import decision as dec
from .. import events as ev
from .. import process as proc
from ..signal import Signal
from . import records as rec

if TYPE_CHECKING:
    from .history import History

Values = tuple[Any, ...]
Make = Callable[["History", Any], Values]


def outcome(status: str, reason: str, payload: Any, cause: str) -> proc.ProcessResult:
    """How a child ended, from its status."""
    match status:
        case "completed":
            return proc.ProcessCompleted(payload)
        case "failed":
            return proc.ProcessFailed(reason or None, payload)
        case "canceled":
            return proc.ProcessCanceled(payload)
        case "timedout":
            return proc.ProcessTimedOut(payload)
    return proc.ProcessTerminated(reason or None, payload, cause)


def closing_result(record: rec.Record, load: Callable[[msgspec.Raw], Any]) -> proc.ProcessResult:
    """How a process ended, from its last record."""
    match record:
        case rec.ProcessCompleted():
            return proc.ProcessCompleted(load(record.result))
        case rec.ProcessFailed():
            return proc.ProcessFailed(record.reason or None, load(record.details))
        case rec.ProcessCanceled():
            return proc.ProcessCanceled(load(record.details))
        case rec.ProcessContinued():
            return proc.ProcessContinued(record.run)
        case rec.ProcessTerminated():
            return proc.ProcessTerminated(record.reason or None, load(record.details), record.cause)
    return proc.ProcessTimedOut()


def schedule_decision(history: History, record: rec.ActivityScheduled) -> dec.ScheduleActivity:
    return dec.ScheduleActivity(
        record.activity,
        record.id,
        record.category,
        history.load(record.input),
        version=record.version,
        priority=record.priority,
        scheduled_timeout=record.scheduled_timeout,
        execution_timeout=record.execution_timeout,
        heartbeat_timeout=record.heartbeat_timeout,
        close_timeout=record.close_timeout,
    )


def _child(history: History, record: rec.ChildInitiated) -> dec.Decision:
    child = proc.Process(
        record.workflow, record.process, history.load(record.input), record.tags, version=record.version
    )
    return dec.StartChildProcess(
        child,
        record.child_policy,
        timeout=record.timeout,
        decision_timeout=record.decision_timeout,
        category=record.category,
        priority=record.priority,
    )


def _id(process: str, run: str) -> str:
    return f"{process}:{run}" if run else process


_DECISIONS: dict[type[rec.Record], Callable[[History, Any], dec.Decision]] = {
    rec.ActivityScheduled: schedule_decision,
    rec.ActivityCancelRequested: lambda h, r: dec.CancelActivity(r.id),
    rec.TimerStarted: lambda h, r: dec.Timer(r.delay, h.load(r.data), id=r.id),
    rec.TimerCanceled: lambda h, r: dec.CancelTimer(r.id),
    rec.MarkerRecorded: lambda h, r: dec.RecordMarker(r.name, h.load(r.details)),
    rec.ChildInitiated: _child,
    rec.SignalInitiated: lambda h, r: dec.SignalProcess(_id(r.process, r.run), Signal(r.name, h.load(r.data))),
    rec.CancelInitiated: lambda h, r: dec.RequestCancelProcess(_id(r.process, r.run), h.load(r.details)),
    rec.ProcessCompleted: lambda h, r: dec.CompleteProcess(h.load(r.result)),
    rec.ProcessFailed: lambda h, r: dec.FailProcess(r.reason or None, h.load(r.details)),
    rec.ProcessCanceled: lambda h, r: dec.CancelProcess(h.load(r.details)),
    rec.ProcessContinued: lambda h, r: dec.ContinueAsNew(
        h.load(r.input),
        version=r.version,
        tags=r.tags,
        timeout=r.timeout,
        decision_timeout=r.decision_timeout,
        category=r.category,
        priority=r.priority,
    ),
}


def _refused(history: History, record: rec.DecisionRefused) -> Values:
    if record.decision is None:
        return history.refs[record.initiated], record.cause
    return _DECISIONS[type(record.decision)](history, record.decision), record.cause


def _child_closed(history: History, record: rec.ChildClosed) -> Values:
    child = history.refs[record.initiated].process
    result = outcome(record.status, record.reason, history.load(record.payload), record.cause)
    return child.id, result, child.workflow, child.tags


def _child_started(history: History, record: rec.ChildStarted) -> Values:
    child = history.refs[record.initiated].process
    return child.id, child.workflow, child.tags


def _signal_delivered(history: History, record: rec.SignalDelivered) -> Values:
    sent = history.refs[record.initiated]
    return sent.process_id, sent.signal


def _started(history: History, record: rec.ProcessStarted) -> Values:
    history.start = record
    return ()


def _nothing(history: History, record: rec.Record) -> Values:
    return ()


def _reason(history: History, record: Any) -> Values:
    return record.reason, history.load(record.details)


def _ended(result: Callable[[History, Any], act.ActivityResult]) -> tuple[type[ev.Event], Make]:
    return ev.ActivityEvent, lambda h, r: (h.execution(r), result(h, r))


EVENTS: dict[type[rec.Record], tuple[type[ev.Event], Make]] = {
    **{type: (ev.DecisionEvent, lambda h, r: (h.decided(_DECISIONS[r.__class__](h, r)),)) for type in _DECISIONS},
    rec.ProcessStarted: (ev.ProcessStartedEvent, _started),
    rec.DecisionStarted: (ev.DecisionStartedEvent, lambda h, r: (r.identity,)),
    rec.DecisionCompleted: (ev.DecisionCompletedEvent, _nothing),
    rec.DecisionTimedOut: (ev.DecisionTimedOutEvent, _nothing),
    rec.DecisionFailed: (ev.DecisionFailedEvent, _reason),
    rec.DecisionReleased: (ev.DecisionReleasedEvent, _nothing),
    rec.DecisionRefused: (ev.DecisionRefusedEvent, _refused),
    rec.ProcessBlocked: (ev.ProcessBlockedEvent, _reason),
    rec.ProcessResumed: (ev.ProcessResumedEvent, _nothing),
    rec.ActivityStarted: (ev.ActivityStartedEvent, lambda h, r: (h.execution(r), r.identity)),
    rec.ActivityReleased: (ev.ActivityReleasedEvent, lambda h, r: (h.execution(r),)),
    rec.ActivityCompleted: _ended(lambda h, r: act.ActivityCompleted(h.load(r.result))),
    rec.ActivityFailed: _ended(lambda h, r: act.ActivityFailed(r.reason or None, h.load(r.details))),
    rec.ActivityCanceled: _ended(lambda h, r: act.ActivityCanceled(h.load(r.details))),
    rec.ActivityTimedOut: _ended(lambda h, r: act.ActivityTimedOut(h.load(r.details), r.timeout_type)),
    rec.Signaled: (ev.SignalEvent, lambda h, r: (Signal(r.name, h.load(r.data)),)),
    rec.CancelRequested: (ev.CancelRequestedEvent, lambda h, r: (h.load(r.details),)),
    rec.TimerFired: (ev.TimerEvent, lambda h, r: (h.refs[r.started],)),
    rec.ChildStarted: (ev.ChildProcessStartedEvent, _child_started),
    rec.ChildClosed: (ev.ChildProcessEvent, _child_closed),
    rec.SignalDelivered: (ev.ProcessSignaledEvent, _signal_delivered),
    rec.CancelDelivered: (ev.ProcessCancelRequestedEvent, lambda h, r: (h.refs[r.initiated].process_id,)),
    rec.ProcessReset: (ev.ProcessResetEvent, lambda h, r: (r.process, r.run, r.event, r.reason or None)),
    rec.ProcessTimedOut: (ev.ProcessTimedOutEvent, _nothing),
    rec.ProcessTerminated: (
        ev.ProcessTerminatedEvent,
        lambda h, r: (r.reason or None, h.load(r.details), r.cause),
    ),
}
"""The event of each record, and how its values are made."""
