"""What is compared of a run: the same plain values from its stored head, and from its ledger."""

from __future__ import annotations

from typing import Any

from ..engine import records as rec
from ..engine.head import IDLE, SCHEDULED, STARTED, Head
from ..engine.store import Summary
from .ledger import Ledger
from .ledger_state import Activity

_STATUS = {
    rec.ProcessCompleted: "completed",
    rec.ProcessFailed: "failed",
    rec.ProcessCanceled: "canceled",
    rec.ProcessContinued: "continued",
    rec.ProcessTimedOut: "timedout",
    rec.ProcessTerminated: "terminated",
}


def of_head(head: Head) -> dict[str, Any]:
    """What a head says of its run."""
    decision = head.decision
    return {
        "events": (head.seq, head.crc, head.time),
        "status": (head.status, head.closed),
        "started": (head.workflow, head.workflow_version, head.tags, head.category, head.priority, head.parent),
        "timeouts": (head.timeout, head.by, head.decision_timeout),
        "request": head.request_id,
        "cancel requested": head.cancel_requested,
        "decision": (decision.state, decision.started, decision.by, decision.again),
        "failures": (decision.attempts, decision.refusals, head.processed),
        "activities": {
            seq: (a.id, a.category, a.started, a.by, a.close_by, a.cancel, a.execution_timeout, a.heartbeat_timeout)
            for seq, a in head.activities.items()
        },
        "timers": {id: (timer.started, timer.due) for id, timer in head.timers.items()},
        "children": {seq: (c.process, c.policy, c.running) for seq, c in head.children.items()},
        "letters": dict(head.letters),
    }


def of_ledger(ledger: Ledger, shown: Summary) -> dict[str, Any]:
    """The same, as the history has it."""
    start = ledger.start
    assert start is not None
    closed = ledger.closing is not None
    by = None if start.timeout is None else shown.started + start.timeout
    status = _STATUS[type(ledger.closing)] if closed else "blocked" if ledger.blocked else "running"  # type: ignore[index]
    return {
        "events": (ledger.seq, ledger.crc, ledger.time),
        "status": (status, ledger.time if closed else None),
        "started": (start.workflow, start.version, start.tags, start.category, start.priority, start.parent),
        "timeouts": (start.timeout, None if closed else by, start.decision_timeout),
        "request": start.request_id,
        "cancel requested": ledger.cancel_requested,
        "decision": (IDLE, 0, None, False) if closed else _decision(ledger),
        "failures": (*((0, 0) if closed else (ledger.attempts, ledger.refusals)), ledger.processed),
        "activities": {} if closed else {seq: _activity(a) for seq, a in ledger.activities.items()},
        "timers": {} if closed else ledger.timers,
        "children": {} if closed else {
            seq: (c.record.process, c.record.child_policy, c.running) for seq, c in ledger.children.items()
        },
        "letters": {} if closed else {
            seq: "signal" if isinstance(sent, rec.SignalInitiated) else "cancel" for seq, sent in ledger.letters.items()
        },
    }  # fmt: skip


def _decision(ledger: Ledger) -> tuple[str, int, float | None, bool]:
    if ledger.blocked:
        return IDLE, 0, None, True
    if ledger.held:
        return STARTED, ledger.held, ledger.decision_by, ledger.unseen
    return SCHEDULED if ledger.unseen else IDLE, 0, None, False


def _activity(activity: Activity) -> tuple[Any, ...]:
    it = activity.record
    return (it.id, it.category, activity.started, activity.by, activity.close_by, activity.cancel,
            it.execution_timeout, it.heartbeat_timeout)  # fmt: skip
