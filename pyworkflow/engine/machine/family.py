"""Other processes: children, signals and cancel requests sent out as letters, and what is heard back of them."""

from __future__ import annotations

from msgspec import Raw

from .. import messages as msg
from .. import records as rec
from ..head import ChildState, Head
from .draft import Draft

REMEMBERED = 16


def start_child(draft: Draft, record: rec.ChildInitiated) -> str | None:
    head = draft.head
    if len(head.children) >= draft.limits.children:
        return "OPEN_CHILDREN_LIMIT_EXCEEDED"
    seq = draft.record(record)
    head.children[seq] = ChildState(record.process, record.child_policy)
    start = msg.Start(
        process=record.process,
        workflow=record.workflow,
        version=record.version,
        input=record.input,
        tags=record.tags,
        timeout=record.timeout,
        decision_timeout=record.decision_timeout,
        category=record.category,
        priority=record.priority,
        parent=rec.Parent(head.id, head.run, seq),
        request_id=_request_id(head, seq),
    )
    draft.post(str(seq), msg.Letter(record.process, start, draft.now, initiated=seq))
    return None


def signal(draft: Draft, record: rec.SignalInitiated) -> str | None:
    seq = _sent(draft, record, "signal")
    message = msg.Signal(
        run=record.run,
        name=record.name,
        data=record.data,
        request_id=_request_id(draft.head, seq),
        sender=draft.head.id,
    )
    draft.post(str(seq), msg.Letter(record.process, message, draft.now, initiated=seq))
    return None


def request_cancel(draft: Draft, record: rec.CancelInitiated) -> str | None:
    seq = _sent(draft, record, "cancel")
    message = msg.RequestCancel(
        run=record.run, details=record.details, request_id=_request_id(draft.head, seq), sender=draft.head.id
    )
    draft.post(str(seq), msg.Letter(record.process, message, draft.now, initiated=seq))
    return None


def child_started(draft: Draft, message: msg.ChildStarted) -> None:
    child = _child(draft, message.run, message.initiated)
    if child is None or child.running:
        return _adopt(draft, message)
    _answered(draft, message.run, message.initiated)
    draft.head.children[message.initiated] = ChildState(child.process, child.policy, True)
    draft.record(rec.ChildStarted(initiated=message.initiated, run=message.child_run))
    draft.wake()
    return None


def _adopt(draft: Draft, message: msg.ChildStarted) -> None:
    """A child started too late: its parent's run had ended, and what the policy said then is done now; or the parent
    had been told that it cannot start, by somebody who was faster, and it must not go on."""
    head, key = draft.head, f"{message.run}:{message.initiated}"
    orphan = head.orphans.get(key)
    if key in head.refused:
        orphan = ChildState(head.refused[key], "TERMINATE")
    if orphan is not None:
        draft.touched = True
        head.orphans = {other: child for other, child in head.orphans.items() if other != key}
        head.refused = {other: process for other, process in head.refused.items() if other != key}
        _apply_policy(draft, rec.Parent(draft.head.id, message.run, message.initiated), orphan)


def child_closed(draft: Draft, message: msg.ChildClosed) -> None:
    if _child(draft, message.run, message.initiated) is None:
        return
    child_started(draft, msg.ChildStarted(run=message.run, initiated=message.initiated))
    del draft.head.children[message.initiated]
    draft.record(
        rec.ChildClosed(
            initiated=message.initiated,
            status=message.status,
            reason=message.reason,
            payload=message.payload,
            cause=message.cause,
        )
    )
    draft.wake()


def delivered(draft: Draft, message: msg.Delivered) -> None:
    kind = _expected(draft, message.run, message.initiated)
    if kind is not None:
        _answered(draft, message.run, message.initiated)
        news = rec.SignalDelivered if kind == "signal" else rec.CancelDelivered
        draft.record(news(initiated=message.initiated))
        draft.wake()


def undelivered(draft: Draft, message: msg.Undelivered) -> None:
    child = _child(draft, message.run, message.initiated)
    if child is not None and not child.running:
        del draft.head.children[message.initiated]
        _remember_refused(draft.head, message, child)
    elif child is not None or not _expected(draft, message.run, message.initiated):
        return
    _answered(draft, message.run, message.initiated)
    draft.record(rec.DecisionRefused(initiated=message.initiated, cause=message.cause))
    draft.wake()


def _remember_refused(head: Head, message: msg.Undelivered, child: ChildState) -> None:
    refused = {**head.refused, f"{message.run}:{message.initiated}": child.process}
    head.refused = dict(list(refused.items())[-REMEMBERED:])


def apply_policies(draft: Draft, override: str) -> None:
    """The process closes: tell its children what their policies say, and those on their way again when they started."""
    head, late = draft.head, {}
    for seq, child in head.children.items():
        child = ChildState(child.process, override or child.policy, child.running)
        _apply_policy(draft, rec.Parent(head.id, head.run, seq), child)
        if not child.running and child.policy != "ABANDON":
            late[f"{head.run}:{seq}"] = child
    if late:
        head.orphans = {**head.orphans, **late}


def _apply_policy(draft: Draft, parent: rec.Parent, child: ChildState) -> None:
    message: msg.Terminate | msg.RequestCancel
    if child.policy == "ABANDON":
        return
    if child.policy == "TERMINATE":
        message = msg.Terminate(cause="CHILD_POLICY_APPLIED", parent=parent)
    else:
        message = msg.RequestCancel(sender=parent.process, parent=parent)
    draft.post(f"policy:{parent.run}:{parent.initiated}", msg.Letter(child.process, message, draft.now))


def tell_parent(draft: Draft, status: str, reason: str, payload: Raw, cause: str) -> None:
    """The process closed: its parent hears of it."""
    if (parent := draft.head.parent) is not None:
        message = msg.ChildClosed(
            run=parent.run, initiated=parent.initiated, status=status, reason=reason, payload=payload, cause=cause
        )
        draft.post("parent", msg.Letter(parent.process, message, draft.now))


def _request_id(head: Head, seq: int) -> str:
    return f"{head.id}:{head.run}:{seq}"


def _sent(draft: Draft, record: rec.Record, kind: str) -> int:
    seq = draft.record(record)
    draft.head.letters[seq] = kind
    return seq


def _child(draft: Draft, run: str, initiated: int) -> ChildState | None:
    head = draft.head
    return head.children.get(initiated) if head.open and head.run == run else None


def _expected(draft: Draft, run: str, initiated: int) -> str | None:
    head = draft.head
    return head.letters.get(initiated) if head.open and head.run == run else None


def _answered(draft: Draft, run: str, initiated: int) -> None:
    """The letter goes in the same step as its answer comes: after a refusal it must not be delivered again."""
    draft.head.letters.pop(initiated, None)
    draft.remove(f"l:{run}:{initiated}")
