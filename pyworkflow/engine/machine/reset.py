"""Resetting: a run begins with the history of an earlier one up to an event, and goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...exceptions import CannotReset, ProcessAlreadyRunning, WorkflowError
from .. import messages as msg
from .. import records as rec
from ..head import ActivityState, ChildState, Head, TimerState
from . import activities, clock, life
from .draft import Draft

RESET = "RESET"
FEW = 100
"""Events that a run must have left after it was reset."""


class MovedOn(WorkflowError):
    """The process is not as it was when its records were read."""


def check_cut(records: Sequence[rec.Record], to: int) -> None:
    """Can a run be cut after its event number `to`? Raises CannotReset."""
    if not 1 <= to <= len(records):
        raise CannotReset(f"there is no event {to}: the run has {len(records)}")
    last, following = records[to - 1], records[to : to + 1]
    if isinstance(last, (rec.Closing, *rec.CLOSES)):
        raise CannotReset(f"event {to} closes the run: name one before it")
    goes_on = following and is_answer(following[0]) and not held_at(records, to)
    if goes_on or (isinstance(last, rec.ActivityCancelRequested) and _cancels(following)):
        raise CannotReset(f"events {to} and {to + 1} are of one answer of the decider: name one before or after it")


def held_at(records: Sequence[rec.Record], to: int) -> int:
    """The number of the decision that a decider has after event number `to`, 0 for none."""
    for number in range(to, 0, -1):
        record = records[number - 1]
        if isinstance(record, rec.DecisionStarted):
            return number
        if is_answer(record) or isinstance(record, _DROPS):
            return 0
    return 0


def is_answer(record: rec.Record) -> bool:
    """Is it written because a decider answered so?"""
    refused = isinstance(record, rec.DecisionRefused) and record.decision is not None
    return refused or isinstance(record, rec.Initiating | rec.DecisionCompleted)


def _cancels(records: Sequence[rec.Record]) -> bool:
    return any(isinstance(record, rec.ActivityCanceled) for record in records)


def reset(draft: Draft, message: msg.Reset) -> str:
    """The run that begins anew, the same however often the request comes.

    What was open then is open again, and waits as if it were scheduled now; timers keep their time. Signals that came
    later come again.
    """
    old = draft.current
    if old is not None and message.request_id and message.request_id in old.starts:
        return old.run
    _check_place(old, message)
    told = _told(message.records)
    _check_open(told, message)
    if told.seq + len(message.signals) + FEW >= draft.limits.events:
        raise CannotReset(f"{told.seq} events are too many to go on from: a run ends at {draft.limits.events}")
    draft.now = max(draft.now, message.records[-1].time)
    parent = None if old is None or not old.open else old.parent
    if old is not None and old.open:
        life.close(draft, "terminated", rec.ProcessTerminated(reason=message.reason, cause=RESET), tells=False)
    _begin(draft, message, told, parent)
    _reopen(draft, message)
    clock.expire(draft)
    if draft.head.open:
        _catch_up(draft, message)
    return message.run


def _catch_up(draft: Draft, message: msg.Reset) -> None:
    """Nobody has the decision, and the decider is asked again, with the signals that came later."""
    if held_at(message.records, len(message.records)):
        draft.record(rec.DecisionReleased())
    for signal in message.signals:
        draft.record(signal)
    draft.wake()


def _check_place(head: Head | None, message: msg.Reset) -> None:
    """May this process begin anew?"""
    if head is None:
        return
    if head.open and head.id != message.source:
        raise ProcessAlreadyRunning(head.id, head.run)
    if head.id == message.source and (head.run, head.seq) != message.seen:
        raise MovedOn(f"process {head.id!r} has moved on since it was read")


def _check_open(told: Head, message: msg.Reset) -> None:
    """Can what was open then be opened again?"""
    if waiting := sorted([*told.children, *told.letters]):
        raise CannotReset(
            f"at event {told.seq} the news of other processes are awaited (events {', '.join(map(str, waiting))})"
        )
    if unknown := message.ends.keys() - {state.id for state in told.activities.values()}:
        raise CannotReset(f"no activity {', '.join(sorted(unknown))} is open at event {told.seq}")


def _told(records: Sequence[rec.Record]) -> Head:
    """What is open after these records, in a head that knows nothing else."""
    head, held = Head("", "", "", ""), 0
    for record in records:
        head.seq += 1
        if isinstance(record, rec.DecisionStarted):
            held = head.seq
        elif is_answer(record):
            head.processed = held
        if (fold := _FOLD.get(type(record))) is not None:
            fold(head, record)
    return head


def _begin(draft: Draft, message: msg.Reset, told: Head, parent: rec.Parent | None) -> None:
    """The new run, with the records that are taken over."""
    start = message.records[0]
    assert isinstance(start, rec.ProcessStarted)
    start.parent, start.request_id = parent, message.request_id
    head = life.fresh(draft, _start(message, start))
    draft.renew(head)
    for record in message.records:
        head.seq += 1
        draft.written.append((head.run, head.seq, record))
    head.processed, head.cancel_requested = told.processed, told.cancel_requested
    head.activities, head.timers = told.activities, told.timers
    later = [signal.request_id for signal in message.signals if signal.request_id]
    head.requests = [*dict.fromkeys([*told.requests, *head.requests, *later])][-draft.limits.requests :]
    source, run = message.source, message.source_run
    draft.record(rec.ProcessReset(process=source, run=run, event=told.seq, reason=message.reason))


def _start(message: msg.Reset, start: rec.ProcessStarted) -> msg.Start:
    return msg.Start(
        run=message.run,
        process=message.process,
        workflow=start.workflow,
        version=start.version,
        tags=start.tags,
        timeout=start.timeout,
        decision_timeout=start.decision_timeout,
        category=start.category,
        priority=start.priority,
        parent=start.parent,
        request_id=message.request_id,
    )


def _reopen(draft: Draft, message: msg.Reset) -> None:
    """Everything that waits begins to wait now."""
    head = draft.head
    if head.by is not None:
        draft.deadline(head.by)
    for timer in head.timers.values():
        draft.deadline(timer.due)
    for seq, state in list(head.activities.items()):
        record = message.records[seq - 1]
        assert isinstance(record, rec.ActivityScheduled)
        activities.reopen(draft, seq, state.cancel, record)
        if (end := message.ends.get(state.id)) is not None:
            end.scheduled = seq
            activities.take(draft, msg.TakeActivity(run=head.run, scheduled=seq, identity=RESET))
            activities.finish(draft, end)


# -- what records leave open ----------


def _schedule(head: Head, record: rec.ActivityScheduled) -> None:
    limits = record.execution_timeout, record.heartbeat_timeout
    head.activities[head.seq] = ActivityState(record.id, record.category, None, None, *limits)


def _cancel(head: Head, record: rec.ActivityCancelRequested) -> None:
    next(state for state in head.activities.values() if state.id == record.id).cancel = True


def _fire(head: Head, record: rec.TimerFired) -> None:
    del head.timers[next(id for id, timer in head.timers.items() if timer.started == record.started)]


def _remember(head: Head, record: rec.Signaled) -> None:
    if record.request_id:
        head.requests.append(record.request_id)


def _request_cancel(head: Head, record: rec.CancelRequested) -> None:
    head.cancel_requested = True


def _refuse(head: Head, record: rec.DecisionRefused) -> None:
    head.children.pop(record.initiated, None)
    head.letters.pop(record.initiated, None)


def _send(kind: str) -> Callable[[Head, Any], None]:
    return lambda head, record: head.letters.update({head.seq: kind})


def _end(head: Head, record: rec.ActivityEnd) -> None:
    del head.activities[record.scheduled]


_DROPS = (rec.DecisionTimedOut, rec.DecisionFailed, rec.DecisionReleased)
_ENDS = (rec.ActivityCompleted, rec.ActivityFailed, rec.ActivityCanceled, rec.ActivityTimedOut)
_FOLD: dict[type[rec.Record], Callable[[Head, Any], Any]] = {
    rec.ActivityScheduled: _schedule,
    rec.ActivityCancelRequested: _cancel,
    **dict.fromkeys(_ENDS, _end),
    rec.TimerStarted: lambda head, r: head.timers.update({r.id: TimerState(head.seq, r.time + r.delay)}),
    rec.TimerCanceled: lambda head, r: head.timers.pop(r.id),
    rec.TimerFired: _fire,
    rec.ChildInitiated: lambda head, r: head.children.update({head.seq: ChildState(r.process, r.child_policy)}),
    rec.ChildClosed: lambda head, r: head.children.pop(r.initiated),
    rec.SignalInitiated: _send("signal"),
    rec.CancelInitiated: _send("cancel"),
    rec.SignalDelivered: lambda head, r: head.letters.pop(r.initiated),
    rec.CancelDelivered: lambda head, r: head.letters.pop(r.initiated),
    rec.DecisionRefused: _refuse,
    rec.CancelRequested: _request_cancel,
    rec.Signaled: _remember,
}
"""What changes which of the things that are open. Whether a worker had one does not matter any more."""
