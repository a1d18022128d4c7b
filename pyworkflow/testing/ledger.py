"""A ledger: one run told again from its history alone, without the machine, to compare with what a store holds.

Each record is checked against those before it; the numbers in the messages are those of docs/guarantees.md.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from ..engine import records as rec
from .ledger_state import Account, Activity, Child, after

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)


class Ledger(Account):
    """An account that is kept record by record."""

    def tell(self, sealed: bytes) -> None:
        """The next record as the store holds it. Raises InvariantViolated."""
        self.seq += 1
        body = sealed[9:]
        self.crc = zlib.crc32(body, self.crc)
        self.demand(sealed[:9] == b"1%08x" % self.crc, 1, "does not continue the chain of checksums")
        record = _RECORDS.decode(body)
        kind = type(record)
        self.demand(self.closing is None, 2, f"is a {kind.__name__} after the close")
        self.demand((self.seq == 1) == (kind is rec.ProcessStarted), 2, f"is a {kind.__name__}")
        self.demand(record.time >= self.time, 15, f"happened at {record.time}, before {self.time}")
        self.be_punctual(record)
        self._follow_answer(record)
        _TELL[kind](self, record)
        self.time = record.time
        if kind in _WAKES:
            self.unseen = True

    # -- decisions ----------

    def _follow_answer(self, record: rec.Record) -> None:
        """Where a decider's answer begins and ends: one held decision, one answer, in one step."""
        refused = isinstance(record, rec.DecisionRefused) and record.decision is not None
        if isinstance(record, rec.Initiating | rec.DecisionCompleted) or refused:
            if not self._answering:
                self.demand(self.held > 0, 17, "is a decision of nobody who holds the process")
                self._begin_answer()
            else:
                self.demand(record.time == self.time, 17, "is part of an answer that was not applied at once")
        elif not isinstance(record, rec.ActivityCanceled) or self._activity(record.scheduled).started:
            self._answering = False

    def _begin_answer(self) -> None:
        self._answering, self._missed = True, self.unseen
        self.processed, self.held = self.held, 0
        self._refusals_before, self.attempts, self.refusals = self.refusals, 0, 0

    def _refused(self, record: rec.DecisionRefused) -> None:
        if record.decision is not None:
            if record.cause != "UNHANDLED_DECISION":
                self.refusals = self._refusals_before + 1
            return
        found = self.letters.pop(record.initiated, None) or self.children.pop(record.initiated, None)
        self.demand(found is not None, 6, f"refuses {record.initiated}, which waits for no answer")

    def _hold(self, record: rec.DecisionStarted) -> None:
        self.demand(not self.held, 3, f"starts a decision while {self.held} is open")
        self.demand(self.unseen and not self.blocked, 4, "starts a decision that nothing calls for")
        self.held, self.unseen = self.seq, False
        timeout = self.start.decision_timeout if self.start else None
        self.decision_by = self.deadline(after(record.time, timeout), "decision", self.seq)

    def _drop(self, record: rec.Record) -> None:
        self.demand(self.held > 0, 3, f"ends a decision that nobody holds: {type(record).__name__}")
        if isinstance(record, rec.DecisionTimedOut):
            self.demand(self.decision_by is not None and record.time >= self.decision_by, 11, "comes too early")
        self.held = 0
        self.attempts += not isinstance(record, rec.DecisionReleased)

    def _block(self, record: rec.ProcessBlocked) -> None:
        self.demand(not self.held and not self.blocked, 4, "blocks what is held or blocked")
        self.blocked, self.attempts, self.refusals, self.unseen = True, 0, 0, True

    # -- the process ----------

    def _begin(self, record: rec.ProcessStarted) -> None:
        self.start = record
        self.deadline(after(record.time, record.timeout), "process", 0)

    def _reset(self, record: rec.ProcessReset) -> None:
        """What was open before waits anew, since now; only timers keep their time."""
        self.attempts = self.refusals = 0
        self.blocked, self.decision_by, self._due = False, None, []
        self.deadline(after(record.time, self.start.timeout if self.start else None), "process", 0)
        for id, (_, due) in self.timers.items():
            self.deadline(due, "timer", id)
        for seq, activity in self.activities.items():
            activity.started = 0
            self._wait(seq, activity, record.time)

    def _wait(self, seq: int, activity: Activity, since: float) -> None:
        activity.by = self.deadline(after(since, activity.record.scheduled_timeout), "wait", seq)
        activity.close_by = self.deadline(after(since, activity.record.close_timeout), "close", seq)

    def _signaled(self, record: rec.Signaled) -> None:
        if record.request_id:
            self.demand(record.request_id not in self.requests, 9, f"is request {record.request_id!r} again")
            self.requests = [*self.requests[-255:], record.request_id]

    def _cancel_requested(self, record: rec.CancelRequested) -> None:
        self.demand(not self.cancel_requested, 9, "requests the cancellation again")
        self.cancel_requested = True

    def _resume(self, record: rec.ProcessResumed) -> None:
        self.demand(self.blocked, 4, "resumes what is not blocked")
        self.blocked = False

    def _close(self, record: rec.Record) -> None:
        if isinstance(record, rec.Initiating):
            self.demand(not self._missed, 4, "closes the process without having seen what happened")
            self.demand(self.refusals == 0, 17, "closes the process though a decision before it was refused")
        if isinstance(record, rec.ProcessTimedOut):
            self.demand(any(due <= record.time for due, kind, _ in self._due if kind == "process"), 11, "is too early")
        self.closing, self.held = record, 0

    # -- activities, timers, others ----------

    def _schedule(self, record: rec.ActivityScheduled) -> None:
        self.demand(not self._with_id(record.id), 5, f"schedules {record.id!r}, which is open")
        activity = self.activities[self.seq] = Activity(record)
        self._wait(self.seq, activity, record.time)

    def _request_cancel(self, record: rec.ActivityCancelRequested) -> None:
        found = self._with_id(record.id)
        self.demand(len(found) == 1, 6, f"cancels the activity {record.id!r}, which is not open")
        found[0].cancel = True

    def _with_id(self, id: str) -> list[Activity]:
        return [it for it in self.activities.values() if it.record.id == id]

    def _take(self, record: rec.ActivityStarted) -> None:
        activity = self._activity(record.scheduled)
        self.demand(not activity.started, 7, f"starts {record.scheduled} while {activity.started} holds it")
        activity.started, activity.began = self.seq, record.time
        timeout = activity.record.execution_timeout
        activity.by = self.deadline(after(record.time, timeout), "execution", record.scheduled)

    def _release(self, record: rec.ActivityReleased) -> None:
        activity = self._activity(record.scheduled)
        self.demand(activity.started > 0, 7, f"hands {record.scheduled} back, which nobody holds")
        activity.started = 0
        timeout = activity.record.scheduled_timeout
        activity.by = self.deadline(after(record.time, timeout and record.delay + timeout), "wait", record.scheduled)

    def _end(self, record: rec.ActivityEnd) -> None:
        activity = self._activity(record.scheduled)
        del self.activities[record.scheduled]
        if isinstance(record, rec.ActivityTimedOut):
            if not activity.started:
                due = activity.by if record.timeout_type == "SCHEDULE_TO_START" else activity.close_by
                self.demand(due is not None and record.time >= due, 11, f"is a {record.timeout_type} too early")
        elif not activity.started:
            self.demand(activity.cancel and isinstance(record, rec.ActivityCanceled), 7, "ends what nobody holds")

    def _activity(self, scheduled: int) -> Activity:
        self.demand(scheduled in self.activities, 6, f"is about the activity {scheduled}, which is not open")
        return self.activities[scheduled]

    def _start_timer(self, record: rec.TimerStarted) -> None:
        self.demand(record.id not in self.timers, 11, f"starts the timer {record.id!r} again")
        due = record.time + record.delay
        self.timers[record.id] = (self.seq, due)
        self.deadline(due, "timer", record.id)

    def _cancel_timer(self, record: rec.TimerCanceled) -> None:
        self.demand(self.timers.pop(record.id, None) is not None, 11, f"cancels the timer {record.id!r}: not running")

    def _fire(self, record: rec.TimerFired) -> None:
        id = next((id for id, (started, _) in self.timers.items() if started == record.started), "")
        self.demand(id in self.timers, 11, f"fires the timer {record.started}, which does not run")
        _, due = self.timers.pop(id)
        self.demand(record.time >= due, 11, f"fires at {record.time} a timer that is due at {due}")

    def _initiate(self, record: rec.ChildInitiated) -> None:
        self.children[self.seq], self.policies[self.seq] = Child(record), record

    def _send(self, record: rec.SignalInitiated | rec.CancelInitiated) -> None:
        self.letters[self.seq] = record

    def _delivered(self, record: rec.SignalDelivered | rec.CancelDelivered) -> None:
        wanted = rec.SignalInitiated if isinstance(record, rec.SignalDelivered) else rec.CancelInitiated
        sent = self.letters.pop(record.initiated, None)
        self.demand(isinstance(sent, wanted), 6, f"answers {record.initiated}, which waits for no such answer")

    def _child_started(self, record: rec.ChildStarted) -> None:
        child = self.children.get(record.initiated)
        self.demand(child is not None and not child.running, 18, f"starts the child {record.initiated} again")
        self.children[record.initiated].running = True

    def _child_closed(self, record: rec.ChildClosed) -> None:
        child = self.children.pop(record.initiated, None)
        self.demand(child is not None and child.running, 18, f"closes the child {record.initiated}, which is not open")


_ENDS = (rec.ActivityCompleted, rec.ActivityFailed, rec.ActivityCanceled, rec.ActivityTimedOut)
_DROPS = (rec.DecisionTimedOut, rec.DecisionFailed, rec.DecisionReleased)
_WAKES = frozenset(
    (
        *_ENDS, *_DROPS, rec.ProcessStarted, rec.ProcessReset, rec.ProcessResumed, rec.Signaled, rec.CancelRequested,
        rec.TimerFired,
        rec.ChildStarted, rec.ChildClosed, rec.SignalDelivered, rec.CancelDelivered, rec.DecisionRefused,
    )
)  # fmt: skip
_TELL: dict[type[rec.Record], Callable[[Ledger, Any], None]] = {
    rec.ProcessStarted: Ledger._begin,
    rec.Signaled: Ledger._signaled,
    rec.CancelRequested: Ledger._cancel_requested,
    rec.ProcessBlocked: Ledger._block,
    rec.ProcessResumed: Ledger._resume,
    rec.ProcessReset: Ledger._reset,
    rec.DecisionStarted: Ledger._hold,
    rec.DecisionCompleted: lambda ledger, record: None,
    rec.DecisionRefused: Ledger._refused,
    rec.MarkerRecorded: lambda ledger, record: None,
    rec.ActivityScheduled: Ledger._schedule,
    rec.ActivityCancelRequested: Ledger._request_cancel,
    rec.ActivityStarted: Ledger._take,
    rec.ActivityReleased: Ledger._release,
    rec.TimerStarted: Ledger._start_timer,
    rec.TimerCanceled: Ledger._cancel_timer,
    rec.TimerFired: Ledger._fire,
    rec.ChildInitiated: Ledger._initiate,
    rec.ChildStarted: Ledger._child_started,
    rec.ChildClosed: Ledger._child_closed,
    rec.SignalInitiated: Ledger._send,
    rec.CancelInitiated: Ledger._send,
    rec.SignalDelivered: Ledger._delivered,
    rec.CancelDelivered: Ledger._delivered,
    **dict.fromkeys(_ENDS, Ledger._end),
    **dict.fromkeys(_DROPS, Ledger._drop),
    **dict.fromkeys((*rec.CLOSES, rec.ProcessTimedOut, rec.ProcessTerminated), Ledger._close),
}
