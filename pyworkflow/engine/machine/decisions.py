"""Decision tasks: taken, answered, failed or handed back by deciders, timed out by the clock.

At most one is open per process. What happens while it is held makes another one follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...exceptions import UnknownDecisionException
from .. import messages as msg
from .. import records as rec
from ..codec import NOTHING
from ..head import IDLE, SCHEDULED, STARTED, Head
from . import activities, family, life, timers
from .draft import Draft

MAX_BACKOFF = 60.0


def _mark(draft: Draft, record: rec.MarkerRecorded) -> None:
    draft.record(record)


APPLY: dict[type[rec.Initiating], Callable[[Draft, Any], str | None]] = {
    rec.ActivityScheduled: activities.schedule,
    rec.ActivityCancelRequested: activities.request_cancel,
    rec.TimerStarted: timers.start,
    rec.TimerCanceled: timers.cancel,
    rec.MarkerRecorded: _mark,
    rec.ChildInitiated: family.start_child,
    rec.SignalInitiated: family.signal,
    rec.CancelInitiated: family.request_cancel,
    rec.ProcessCompleted: life.complete,
    rec.ProcessFailed: life.fail,
    rec.ProcessCanceled: life.cancel,
    rec.ProcessContinued: life.continue_as_new,
}


def take(draft: Draft, message: msg.TakeDecision) -> int:
    """A decider takes the process; the number of its start is its token."""
    head = draft.head
    if not head.open or head.run != message.run or head.decision.state != SCHEDULED:
        raise UnknownDecisionException(f"process {head.id!r} waits for no decision")
    decision = head.decision
    decision.started = draft.record(rec.DecisionStarted(identity=message.identity, call=message.call))
    decision.state = STARTED
    if head.decision_timeout is not None:
        decision.by = draft.now + head.decision_timeout
        draft.deadline(decision.by)
    draft.remove("d")
    return decision.started


def answer(draft: Draft, message: msg.AnswerDecision) -> None:
    """Apply the decisions in order.

    A close that has not seen everything is refused, and decided again (SWF: UNHANDLED_DECISION).
    """
    head = _held(draft, message)
    unseen, refused = head.decision.again, ""
    head.processed = message.started
    for index, record in enumerate(message.decisions):
        cause = message.refused.get(index)
        if isinstance(record, rec.CLOSES) and (unseen or refused):
            cause = "UNHANDLED_DECISION"
        cause = cause or APPLY[type(record)](draft, record)
        if cause is not None:
            draft.record(rec.DecisionRefused(cause=cause, decision=record))  # type: ignore[arg-type]
            refused = refused or cause
    if not message.decisions:
        draft.record(rec.DecisionCompleted())
    if draft.head is head and head.open:
        _follow_up(draft, refused)


def _follow_up(draft: Draft, refused: str) -> None:
    decision = draft.head.decision
    again = decision.again or bool(refused)
    counts = refused not in ("", "UNHANDLED_DECISION")
    decision.state, decision.started, decision.by, decision.again = IDLE, 0, None, False
    decision.attempts, decision.refusals = 0, decision.refusals + 1 if counts else 0
    if decision.refusals >= draft.limits.refusals:
        life.block(draft, f"{decision.refusals} answers in a row were refused: {refused}", NOTHING)
    elif again:
        draft.schedule_decision(draft.clock + (_backoff(decision.refusals - 1) if counts else 0))


def fail(draft: Draft, message: msg.FailDecision) -> None:
    """The decider raised: try again after a while, and block the process when it keeps failing."""
    head = _held(draft, message)
    draft.record(rec.DecisionFailed(reason=message.reason, details=message.details))
    head.decision.attempts += 1
    if head.decision.attempts >= message.attempts:
        life.block(draft, message.reason, message.details)
    else:
        draft.schedule_decision(draft.clock + _backoff(head.decision.attempts))


def release(draft: Draft, message: msg.ReleaseDecision) -> None:
    _held(draft, message)
    draft.record(rec.DecisionReleased())
    draft.schedule_decision(draft.clock + message.delay)


def time_out(draft: Draft) -> None:
    """The decider or its worker hangs or died: others may try, ever later, and not for ever."""
    decision = draft.head.decision
    draft.record(rec.DecisionTimedOut())
    decision.attempts += 1
    if decision.attempts >= draft.limits.timeouts:
        life.block(draft, f"the decider did not answer in time, {decision.attempts} times in a row", NOTHING)
    else:
        draft.schedule_decision(draft.clock + _backoff(decision.attempts - 1))


def _held(draft: Draft, message: msg.AnswerDecision | msg.FailDecision | msg.ReleaseDecision) -> Head:
    head = draft.head
    held = head.open and head.run == message.run and head.decision.state == STARTED
    if not held or head.decision.started != message.started:
        raise UnknownDecisionException(
            f"decision task {head.id}:{message.run}:{message.started} is not open: "
            "it was completed or timed out, or its process closed"
        )
    return head


def _backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: none, then 1, 2, 4 … up to a minute."""
    return min(2.0 ** min(failures - 1, 10), MAX_BACKOFF) if failures > 0 else 0.0
