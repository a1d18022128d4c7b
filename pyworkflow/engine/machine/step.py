"""One step: a message to a process, and what comes of it. No I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...exceptions import (
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
    UnknownResourceException,
)
from .. import messages as msg
from .. import records as rec
from ..head import Head, Limits
from . import activities, clock, decisions, family, life, reset
from .draft import Draft

HANDLERS: dict[type[msg.Message], Callable[[Draft, Any], Any]] = {
    msg.Start: life.start,
    msg.Signal: life.signal,
    msg.RequestCancel: life.request_cancel,
    msg.Terminate: life.terminate,
    msg.Resume: life.resume,
    msg.Reset: reset.reset,
    msg.Wake: lambda draft, message: None,
    msg.TakeDecision: decisions.take,
    msg.AnswerDecision: decisions.answer,
    msg.FailDecision: decisions.fail,
    msg.ReleaseDecision: decisions.release,
    msg.TakeActivity: activities.take,
    msg.EndActivity: activities.end,
    msg.Heartbeat: activities.heartbeat,
    msg.ReleaseActivity: activities.release,
    msg.ChildStarted: family.child_started,
    msg.ChildClosed: family.child_closed,
    msg.Delivered: family.delivered,
    msg.Undelivered: family.undelivered,
}

_NOT_THERE: dict[type[msg.Message], type[UnknownResourceException]] = {
    **dict.fromkeys((msg.AnswerDecision, msg.FailDecision, msg.ReleaseDecision), UnknownDecisionException),
    **dict.fromkeys((msg.EndActivity, msg.Heartbeat, msg.ReleaseActivity), UnknownActivityException),
}


def apply(draft: Draft, message: msg.Message) -> Any:
    """Change the draft as the message asks; the message's reply.

    Raises the error that the sender is to see; what was due before it stays done.
    """
    if draft.current is None and not isinstance(message, msg.Start | msg.Reset):
        raise _NOT_THERE.get(type(message), UnknownProcessException)("its process is not there any more")
    clock.expire(draft)
    reply = HANDLERS[type(message)](draft, message)
    head = draft.current
    if head is not None and head.seq >= draft.limits.events and head.open:
        record = rec.ProcessTerminated(cause="EVENT_LIMIT_EXCEEDED")
        life.close(draft, "terminated", record)
    return reply


def step(head: Head | None, message: msg.Message, now: float, limits: Limits | None = None) -> tuple[Draft, Any]:
    """Apply one message to a process as it stands at `now` (seconds since 1970): the changes, and the reply."""
    draft = Draft(head, now, limits or Limits())
    return draft, apply(draft, message)
