"""Activities: scheduled and canceled by decisions, taken, kept alive and ended by workers, timed out by the clock."""

from __future__ import annotations

from ...exceptions import UnknownActivityException
from .. import messages as msg
from .. import records as rec
from ..codec import NOTHING
from ..head import ActivityState, ActivityWork, clone
from ..store import activities_queue
from .draft import Draft, Pending


def schedule(draft: Draft, record: rec.ActivityScheduled) -> str | None:
    head = draft.head
    if len(head.activities) >= draft.limits.activities:
        return "OPEN_ACTIVITIES_LIMIT_EXCEEDED"
    if draft.activity(record.id) is not None:
        return "ACTIVITY_ID_ALREADY_IN_USE"
    seq = draft.record(record)
    draft.open_activity(seq, _waiting(draft, record))
    _offer(draft, seq, record)
    return None


def _waiting(draft: Draft, record: rec.ActivityScheduled) -> ActivityState:
    return ActivityState(
        record.id,
        record.category,
        _in(draft, record.scheduled_timeout),
        _in(draft, record.close_timeout),
        record.execution_timeout,
        record.heartbeat_timeout,
    )


def _offer(draft: Draft, seq: int, record: rec.ActivityScheduled) -> None:
    run, limit = draft.head.run, record.heartbeat_timeout
    work = ActivityWork(run, seq, record.id, record.activity, record.version, record.input, limit)
    draft.add(_key(seq), Pending(activities_queue(record.category), draft.clock, record.priority, work))


def reopen(draft: Draft, seq: int, cancel: bool, record: rec.ActivityScheduled) -> None:
    """Let an activity wait that was scheduled in an earlier run of this history; one to be canceled waits too."""
    state = _waiting(draft, record)
    state.cancel = cancel
    draft.head.activities[seq] = state
    _offer(draft, seq, record)


def request_cancel(draft: Draft, record: rec.ActivityCancelRequested) -> str | None:
    """An activity that no worker has is canceled at once; another hears of it with its next heartbeat."""
    seq = draft.activity(record.id)
    if seq is None:
        return "ACTIVITY_ID_UNKNOWN"
    draft.record(record)
    state = _edit(draft, seq)
    state.cancel = True
    if not state.started:
        finish(draft, rec.ActivityCanceled(scheduled=seq))
    return None


def take(draft: Draft, message: msg.TakeActivity) -> int:
    """A worker takes it; the number of its start is its token."""
    head = draft.head
    state = head.activities.get(message.scheduled) if head.open and head.run == message.run else None
    if state is None or state.started:
        raise UnknownActivityException(f"activity {message.scheduled} of process {head.id!r} is not waiting")
    state = _edit(draft, message.scheduled)
    record = rec.ActivityStarted(scheduled=message.scheduled, identity=message.identity, call=message.call)
    state.started = draft.record(record)
    state.by = _in(draft, state.execution_timeout)
    state.beat_by = _in(draft, state.heartbeat_timeout)
    draft.remove(_key(message.scheduled))
    return state.started


def end(draft: Draft, message: msg.EndActivity) -> None:
    _held(draft, message.run, message.end.scheduled, message.started)
    finish(draft, message.end)


def heartbeat(draft: Draft, message: msg.Heartbeat) -> bool:
    """It is alive; True when its cancellation was requested."""
    _held(draft, message.run, message.scheduled, message.started)
    state = _edit(draft, message.scheduled)
    state.beat_by = _in(draft, state.heartbeat_timeout)
    if message.details:
        state.details = message.details
    draft.touched = True
    return state.cancel


def release(draft: Draft, message: msg.ReleaseActivity) -> None:
    """A worker hands it back without having begun: it waits again."""
    _held(draft, message.run, message.scheduled, message.started)
    state = _edit(draft, message.scheduled)
    draft.record(rec.ActivityReleased(scheduled=message.scheduled, delay=message.delay))
    if state.cancel:
        return finish(draft, rec.ActivityCanceled(scheduled=message.scheduled))
    due = draft.clock + message.delay
    state.started, state.beat_by = 0, None
    limit = message.scheduled_timeout
    state.by = None if limit is None else _in(draft, message.delay + limit)
    queue = activities_queue(state.category)
    draft.add(_key(message.scheduled), Pending(queue, due, message.priority, message.work))
    return None


def time_out(draft: Draft, seq: int, timeout_type: str) -> None:
    if (state := draft.head.activities.get(seq)) is not None:
        details = state.details if state.started else NOTHING
        finish(draft, rec.ActivityTimedOut(scheduled=seq, timeout_type=timeout_type, details=details))


def finish(draft: Draft, record: rec.ActivityEnd) -> None:
    """The one way in which an activity ends."""
    state = draft.close_activity(record.scheduled)
    if not state.started:
        draft.remove(_key(record.scheduled))
    draft.record(record)
    draft.wake()


def _held(draft: Draft, run: str, scheduled: int, started: int) -> None:
    head = draft.head
    state = head.activities.get(scheduled) if head.open and head.run == run else None
    if state is None or not started or state.started != started:
        raise UnknownActivityException(
            f"activity task {head.id}:{run}:{scheduled}:{started} is not open: "
            "it was completed, timed out or canceled, or its process closed"
        )


def _edit(draft: Draft, seq: int) -> ActivityState:
    state = clone(draft.head.activities[seq])
    draft.head.activities[seq] = state
    return state


def _in(draft: Draft, seconds: float | None) -> float | None:
    return None if seconds is None else draft.deadline(draft.now + seconds)


def _key(seq: int) -> str:
    return f"a:{seq}"
