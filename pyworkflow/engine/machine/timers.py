"""Timers: started and canceled by decisions, fired by the clock."""

from __future__ import annotations

from .. import records as rec
from ..head import TimerState
from .draft import Draft


def start(draft: Draft, record: rec.TimerStarted) -> str | None:
    timers = draft.head.timers
    if len(timers) >= draft.limits.timers:
        return "OPEN_TIMERS_LIMIT_EXCEEDED"
    if record.id in timers:
        return "TIMER_ID_ALREADY_IN_USE"
    due = draft.now + record.delay
    timers[record.id] = TimerState(draft.record(record), due)
    draft.deadline(due)
    return None


def cancel(draft: Draft, record: rec.TimerCanceled) -> str | None:
    if draft.head.timers.pop(record.id, None) is None:
        return "TIMER_ID_UNKNOWN"
    draft.record(record)
    return None


def fire(draft: Draft, id: str) -> None:
    timer = draft.head.timers.pop(id)
    draft.record(rec.TimerFired(started=timer.started))
    draft.wake()
