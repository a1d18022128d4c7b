"""Records become the events that deciders see: one row a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from .. import activity as act
from .. import decision as dec
from .. import events as ev
from .. import process as proc
from ..signal import Signal
from . import records as rec

if TYPE_CHECKING:
    from .history import History


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


def _started(history: History, record: rec.ProcessStarted) -> ev.Event:
    history.start = record
    return ev.ProcessStartedEvent()


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


def _refused(history: History, record: rec.DecisionRefused) -> ev.Event:
    if record.decision is None:
        return ev.DecisionRefusedEvent(history.refs[record.initiated], record.cause)
    return ev.DecisionRefusedEvent(_DECISIONS[type(record.decision)](history, record.decision), record.cause)


def _ended(result: Callable[[History, Any], act.ActivityResult]) -> Callable[[History, Any], ev.Event]:
    return lambda h, r: ev.ActivityEvent(h.execution(r), result(h, r))


def _child_closed(history: History, record: rec.ChildClosed) -> ev.Event:
    child = history.refs[record.initiated].process
    result = outcome(record.status, record.reason, history.load(record.payload), record.cause)
    return ev.ChildProcessEvent(child.id, result, child.workflow, child.tags)


def _child_started(history: History, record: rec.ChildStarted) -> ev.Event:
    child = history.refs[record.initiated].process
    return ev.ChildProcessStartedEvent(child.id, child.workflow, child.tags)


def _signal_delivered(history: History, record: rec.SignalDelivered) -> ev.Event:
    sent = history.refs[record.initiated]
    return ev.ProcessSignaledEvent(sent.process_id, sent.signal)


EVENTS: dict[type[rec.Record], Callable[[History, Any], ev.Event]] = {
    **{type: lambda h, r: h.decided(_DECISIONS[r.__class__](h, r)) for type in _DECISIONS},
    rec.ProcessStarted: _started,
    rec.DecisionStarted: lambda h, r: ev.DecisionStartedEvent(),
    rec.DecisionCompleted: lambda h, r: ev.DecisionCompletedEvent(),
    rec.DecisionTimedOut: lambda h, r: ev.DecisionTimedOutEvent(),
    rec.DecisionFailed: lambda h, r: ev.DecisionFailedEvent(r.reason, h.load(r.details)),
    rec.DecisionReleased: lambda h, r: ev.DecisionReleasedEvent(),
    rec.DecisionRefused: _refused,
    rec.ProcessBlocked: lambda h, r: ev.ProcessBlockedEvent(r.reason, h.load(r.details)),
    rec.ProcessResumed: lambda h, r: ev.ProcessResumedEvent(),
    rec.ActivityStarted: lambda h, r: ev.ActivityStartedEvent(h.execution(r)),
    rec.ActivityReleased: lambda h, r: ev.ActivityReleasedEvent(h.execution(r)),
    rec.ActivityCompleted: _ended(lambda h, r: act.ActivityCompleted(h.load(r.result))),
    rec.ActivityFailed: _ended(lambda h, r: act.ActivityFailed(r.reason or None, h.load(r.details))),
    rec.ActivityCanceled: _ended(lambda h, r: act.ActivityCanceled(h.load(r.details))),
    rec.ActivityTimedOut: _ended(lambda h, r: act.ActivityTimedOut(h.load(r.details), r.timeout_type)),
    rec.Signaled: lambda h, r: ev.SignalEvent(Signal(r.name, h.load(r.data))),
    rec.CancelRequested: lambda h, r: ev.CancelRequestedEvent(h.load(r.details)),
    rec.TimerFired: lambda h, r: ev.TimerEvent(h.refs[r.started]),
    rec.ChildStarted: _child_started,
    rec.ChildClosed: _child_closed,
    rec.SignalDelivered: _signal_delivered,
    rec.CancelDelivered: lambda h, r: ev.ProcessCancelRequestedEvent(h.refs[r.initiated].process_id),
    rec.ProcessTimedOut: lambda h, r: ev.ProcessTimedOutEvent(),
    rec.ProcessTerminated: lambda h, r: ev.ProcessTerminatedEvent(r.reason or None, h.load(r.details), r.cause),
}
