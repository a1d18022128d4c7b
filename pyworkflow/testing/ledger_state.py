"""What a ledger holds of a run: what is open, what is owed, and when."""

from __future__ import annotations

import heapq
import zlib
from typing import Any

import msgspec

from ..engine import records as rec


class InvariantViolated(AssertionError):
    """Something that pyworkflow promises does not hold; the message names it by its number."""


class Activity(msgspec.Struct):
    """An activity that is open; times in seconds since 1970."""

    record: rec.ActivityScheduled
    started: int = 0
    began: float = 0.0
    by: float | None = None
    close_by: float | None = None
    cancel: bool = False


class Child(msgspec.Struct):
    record: rec.ChildInitiated
    running: bool = False


class Account:
    """What is open and owed in a run after the records told so far.

    `held` is the number of the decision that a decider has (0: none); `unseen`: something happened since one started.
    """

    def __init__(self, process: str, run: str) -> None:
        self.what, self.run = f"process {process!r}, run {run}", run
        self.seq, self.crc, self.time = 0, zlib.crc32(f"{process}:{run}".encode()), 0.0
        self.start: rec.ProcessStarted | None = None
        self.closing: rec.Record | None = None
        self.blocked = self.cancel_requested = False
        self.held = self.processed = self.attempts = self.refusals = self._refusals_before = 0
        self.decision_by: float | None = None
        self.activities: dict[int, Activity] = {}
        self.timers: dict[str, tuple[int, float]] = {}
        self.children: dict[int, Child] = {}
        self.letters: dict[int, rec.SignalInitiated | rec.CancelInitiated] = {}
        self.requests: list[str] = []
        self.policies: dict[int, rec.ChildInitiated] = {}
        self.unseen = self._answering = self._missed = False
        self._due: list[tuple[float, str, Any]] = []

    def demand(self, holds: bool, invariant: int, text: str) -> None:
        if not holds:
            raise InvariantViolated(f"invariant {invariant}: event {self.seq} of {self.what} {text}")

    # -- deadlines ----------

    def deadline(self, due: float | None, kind: str, key: Any) -> float | None:
        if due is not None:
            heapq.heappush(self._due, (due, kind, key))
        return due

    def _is_open(self, due: float, kind: str, key: Any) -> bool:
        if kind == "timer":
            return key in self.timers and self.timers[key][1] == due
        if kind in ("decision", "process"):
            return key in (0, self.held)
        activity = self.activities.get(key)
        return activity is not None and due == (activity.close_by if kind == "close" else activity.by)

    def be_punctual(self, record: rec.Record) -> None:
        """Whatever was due before has happened, unless this is what is due."""
        while self._due and not self._is_open(*self._due[0]):
            heapq.heappop(self._due)
        if self._due and not isinstance(record, _EXPIRIES):
            due, kind, key = self._due[0]
            self.demand(record.time <= due, 14, f"was recorded while the {kind} deadline of {key!r} at {due} was over")


def after(time: float, seconds: float | None) -> float | None:
    return None if seconds is None else time + seconds


_EXPIRIES = (rec.ProcessReset, rec.TimerFired, rec.DecisionTimedOut, rec.ActivityTimedOut, rec.ProcessTimedOut)
