"""A process's life: started, signaled, asked to cancel, blocked and resumed, continued as new, closed."""

from __future__ import annotations

import hashlib

from msgspec import Raw

from ...exceptions import ProcessAlreadyRunning
from .. import messages as msg
from .. import records as rec
from ..codec import NOTHING, seed
from ..head import IDLE, DecisionState, Head, Status
from . import family
from .draft import Draft


def start(draft: Draft, message: msg.Start) -> str:
    """The run that there is after this request, the same however often it comes."""
    if not _started(draft, message):
        if draft.current is not None and draft.current.open:
            terminate(draft, msg.Terminate(reason="another run was started in its place"))
        _begin(draft, message)
    if message.signal is not None:
        signal(draft, message.signal)
    return draft.head.run


def _started(draft: Draft, message: msg.Start) -> bool:
    """Is there nothing to start: was it done before, or will the run do that is open?"""
    head = draft.current
    if head is None:
        return False
    if message.request_id and message.request_id in head.starts:
        return True
    if head.open and message.if_running == "fail":
        raise ProcessAlreadyRunning(head.id, head.run)
    if not head.open or message.if_running != "use_existing":
        return False
    if message.request_id:
        head.starts = _remember(draft, head.starts, message.request_id)
    return True


def _remember(draft: Draft, requests: list[str], request_id: str) -> list[str]:
    """One more of them; the last few hundred are remembered."""
    draft.touched = True
    return [*requests, request_id][-draft.limits.requests :]


def _begin(draft: Draft, message: msg.Start) -> None:
    head = fresh(draft, message)
    draft.renew(head)
    draft.record(
        rec.ProcessStarted(
            workflow=message.workflow,
            version=message.version,
            input=message.input,
            tags=message.tags,
            parent=message.parent,
            timeout=message.timeout,
            decision_timeout=message.decision_timeout,
            category=message.category,
            priority=message.priority,
            request_id=message.request_id,
            continued_from=message.continued_from,
        )
    )
    if head.by is not None:
        draft.deadline(head.by)
    draft.wake()


def fresh(draft: Draft, message: msg.Start) -> Head:
    """The head of a run that begins now, with what the process remembers over all runs."""
    before, now = draft.current, draft.now
    head = Head(
        message.process,
        message.run,
        message.workflow,
        message.version,
        version=0 if before is None else before.version,
        crc=seed(message.process, message.run),
        started=now,
        category=message.category,
        priority=message.priority,
        tags=message.tags,
        timeout=message.timeout,
        by=None if message.timeout is None else now + message.timeout,
        decision_timeout=message.decision_timeout,
        parent=message.parent,
        request_id=message.request_id,
    )
    if before is not None:
        head.orphans, head.refused = before.orphans, before.refused
        head.starts, head.requests = before.starts, before.requests
    if message.request_id:
        head.starts = _remember(draft, head.starts, message.request_id)
    return head


def signal(draft: Draft, message: msg.Signal) -> None:
    """Recorded once per request id, also where the process has closed since."""
    head = draft.head
    if message.request_id and message.request_id in head.requests:
        return
    draft.opened(message.run)
    if message.request_id:
        head.requests = _remember(draft, head.requests, message.request_id)
    draft.record(
        rec.Signaled(
            name=message.name,
            data=message.data,
            request_id=message.request_id,
            sender=message.sender,
        )
    )
    draft.wake()


def request_cancel(draft: Draft, message: msg.RequestCancel) -> None:
    """Asked twice is asked once; the same request does not reach the next run when it comes again."""
    head = draft.head
    if message.request_id and message.request_id in head.requests:
        return
    draft.opened(message.run, message.parent)
    if message.request_id:
        head.requests = _remember(draft, head.requests, message.request_id)
    if not head.cancel_requested:
        head.cancel_requested = True
        draft.record(rec.CancelRequested(details=message.details, sender=message.sender))
        draft.wake()


def terminate(draft: Draft, message: msg.Terminate) -> None:
    draft.opened(message.run, message.parent)
    record = rec.ProcessTerminated(reason=message.reason, details=message.details, cause=message.cause)
    close(draft, "terminated", record, message.reason, message.details, message.child_policy)


def time_out(draft: Draft) -> None:
    close(draft, "timedout", rec.ProcessTimedOut())


def block(draft: Draft, reason: str, details: Raw) -> None:
    """Decide nothing until somebody resumes the process."""
    head = draft.head
    draft.record(rec.ProcessBlocked(reason=reason, details=details))
    head.status, head.blocked = "blocked", reason
    head.decision = DecisionState(IDLE, again=True)


def resume(draft: Draft, message: msg.Resume) -> None:
    head = draft.opened(message.run)
    if head.status == "blocked":
        head.status, head.blocked = "running", ""
        draft.record(rec.ProcessResumed())
        draft.schedule_decision(draft.clock)


def close(
    draft: Draft,
    status: Status,
    record: rec.Record,
    reason: str = "",
    payload: Raw = NOTHING,
    child_policy: str = "",
    tells: bool = True,
) -> None:
    """The one way in which a run ends: nothing of it is left in any queue but its letters. `tells`: the parent."""
    head = draft.head
    family.apply_policies(draft, child_policy)
    if tells:
        cause = record.cause if isinstance(record, rec.ProcessTerminated) else ""
        family.tell_parent(draft, status, reason, payload, cause)
    draft.record(record)
    for seq, state in head.activities.items():
        if not state.started:
            draft.remove(f"a:{seq}")
    draft.remove("d")
    head.status, head.closed = status, draft.now
    head.alarm = head.by = None
    head.decision = DecisionState()
    head.activities, head.timers, head.children, head.letters = {}, {}, {}, {}


def complete(draft: Draft, record: rec.ProcessCompleted) -> None:
    close(draft, "completed", record, payload=record.result)


def fail(draft: Draft, record: rec.ProcessFailed) -> None:
    close(draft, "failed", record, record.reason, record.details)


def cancel(draft: Draft, record: rec.ProcessCanceled) -> None:
    close(draft, "canceled", record, payload=record.details)


def continue_as_new(draft: Draft, record: rec.ProcessContinued) -> None:
    """Close this run and begin the next one in the same step, so that no signal finds the process closed."""
    head = draft.head
    record.run = hashlib.sha256(f"{head.id}:{head.run}".encode()).hexdigest()[:16]
    close(draft, "continued", record, tells=False)
    _begin(
        draft,
        msg.Start(
            run=record.run,
            process=head.id,
            workflow=head.workflow,
            version=record.version or head.workflow_version,
            input=record.input,
            tags=head.tags if record.tags is None else record.tags,
            timeout=head.timeout if record.timeout is None else record.timeout,
            decision_timeout=_either(record.decision_timeout, head.decision_timeout),
            category=record.category or head.category,
            priority=head.priority if record.priority is None else record.priority,
            parent=head.parent,
            continued_from=head.run,
        ),
    )


def _either(value: float | None, other: float | None) -> float | None:
    return other if value is None else value
