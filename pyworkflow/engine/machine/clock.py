"""The clock: whatever of a process is due is done before anything else is, so that deadlines are exact."""

from __future__ import annotations

from ..head import STARTED, deadlines
from . import activities, decisions, life, timers
from .draft import Draft


def expire(draft: Draft) -> None:
    """Fire every deadline that has passed, in order, and set the alarm to the next one."""
    head = draft.current
    if head is None or head.alarm is None or draft.now < head.alarm:
        return
    for due, kind, key in sorted(deadlines(head), key=lambda deadline: (deadline[0], str(deadline[1:]))):
        if due > draft.now or not head.open:
            break
        _fire(draft, kind, key)
    if head.open:
        head.alarm = min((due for due, _, _ in deadlines(head)), default=None)


def _fire(draft: Draft, kind: str, key: int | str) -> None:
    if kind == "process":
        life.time_out(draft)
    elif kind == "timer":
        timers.fire(draft, str(key))
    elif kind == "decision":
        if draft.head.decision.state == STARTED:
            decisions.time_out(draft)
    else:
        activities.time_out(draft, int(key), kind)
