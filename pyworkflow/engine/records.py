"""What is written into a history, one record an event; `view` shows them to deciders, `translate` makes those of
decisions.

A record names an earlier one by its number (`scheduled`, `started`, `initiated`) instead of repeating it.
Payloads are JSON bytes that nothing in the engine looks into. Times are seconds since 1970.
"""

from __future__ import annotations

import re

from msgspec import Raw, Struct

from .codec import NOTHING


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Record(Struct, tag_field="type", tag=_snake, omit_defaults=True, kw_only=True):
    """One event of a history; `time` is set when it is written."""

    time: float = 0.0


class Initiating(Record, tag=_snake):
    """A record that a decision asks for."""


class Closing(Record, tag=_snake):
    """A record that ends a run; always its last."""


class Parent(Struct, omit_defaults=True):
    """Who started a child: the process, its run, and the number of its ChildInitiated."""

    process: str
    run: str
    initiated: int


# -- the process ----------


class ProcessStarted(Record, tag=_snake):
    workflow: str
    version: str
    input: Raw = NOTHING
    tags: list[str] = []
    parent: Parent | None = None
    timeout: float | None = None
    decision_timeout: float | None = None
    category: str = ""
    priority: int = 0
    request_id: str = ""
    continued_from: str = ""


class Signaled(Record, tag=_snake):
    name: str
    data: Raw = NOTHING
    request_id: str = ""
    sender: str = ""


class CancelRequested(Record, tag=_snake):
    details: Raw = NOTHING
    sender: str = ""


class ProcessBlocked(Record, tag=_snake):
    reason: str = ""
    details: Raw = NOTHING


class ProcessResumed(Record, tag=_snake):
    pass


class ProcessTimedOut(Closing, tag=_snake):
    pass


class ProcessTerminated(Closing, tag=_snake):
    reason: str = ""
    details: Raw = NOTHING
    cause: str = "OPERATOR_INITIATED"


# -- decision tasks ----------


class DecisionStarted(Record, tag=_snake):
    identity: str = ""


class DecisionCompleted(Record, tag=_snake):
    """The decider answered with nothing; an answer of decisions is its records."""


class DecisionTimedOut(Record, tag=_snake):
    pass


class DecisionFailed(Record, tag=_snake):
    reason: str = ""
    details: Raw = NOTHING


class DecisionReleased(Record, tag=_snake):
    pass


# -- decisions ----------


class ActivityScheduled(Initiating, tag=_snake):
    id: str
    activity: str
    version: str
    category: str
    input: Raw = NOTHING
    priority: int = 0
    scheduled_timeout: float | None = None
    execution_timeout: float | None = None
    heartbeat_timeout: float | None = None
    close_timeout: float | None = None


class ActivityCancelRequested(Initiating, tag=_snake):
    id: str


class TimerStarted(Initiating, tag=_snake):
    id: str
    delay: float
    data: Raw = NOTHING


class TimerCanceled(Initiating, tag=_snake):
    id: str


class MarkerRecorded(Initiating, tag=_snake):
    name: str
    details: Raw = NOTHING


class ChildInitiated(Initiating, tag=_snake):
    """`child_policy` is what happens to the child when this process closes."""

    process: str
    workflow: str
    version: str
    child_policy: str
    input: Raw = NOTHING
    tags: list[str] = []
    timeout: float | None = None
    decision_timeout: float | None = None
    category: str = ""
    priority: int = 0


class SignalInitiated(Initiating, tag=_snake):
    process: str
    name: str
    run: str = ""
    data: Raw = NOTHING


class CancelInitiated(Initiating, tag=_snake):
    process: str
    run: str = ""
    details: Raw = NOTHING


class ProcessCompleted(Initiating, tag=_snake):
    result: Raw = NOTHING


class ProcessFailed(Initiating, tag=_snake):
    reason: str = ""
    details: Raw = NOTHING


class ProcessCanceled(Initiating, tag=_snake):
    details: Raw = NOTHING


class ProcessContinued(Initiating, tag=_snake):
    """`run` is the next run's; None stands for what the ended run had."""

    run: str = ""
    input: Raw = NOTHING
    version: str | None = None
    tags: list[str] | None = None
    timeout: float | None = None
    decision_timeout: float | None = None
    category: str | None = None
    priority: int | None = None


Decided = (
    ActivityScheduled
    | ActivityCancelRequested
    | TimerStarted
    | TimerCanceled
    | MarkerRecorded
    | ChildInitiated
    | SignalInitiated
    | CancelInitiated
    | ProcessCompleted
    | ProcessFailed
    | ProcessCanceled
    | ProcessContinued
)
CLOSES = (ProcessCompleted, ProcessFailed, ProcessCanceled, ProcessContinued)


class DecisionRefused(Record, tag=_snake):
    """A decision that was not applied: given whole, or by the number of its record where it failed later."""

    cause: str
    decision: Decided | None = None
    initiated: int = 0


# -- what comes of decisions ----------


class ActivityStarted(Record, tag=_snake):
    scheduled: int
    identity: str = ""


class ActivityReleased(Record, tag=_snake):
    scheduled: int


class ActivityEnd(Record, tag=_snake):
    scheduled: int


class ActivityCompleted(ActivityEnd, tag=_snake):
    result: Raw = NOTHING


class ActivityFailed(ActivityEnd, tag=_snake):
    reason: str = ""
    details: Raw = NOTHING


class ActivityCanceled(ActivityEnd, tag=_snake):
    details: Raw = NOTHING


class ActivityTimedOut(ActivityEnd, tag=_snake):
    timeout_type: str = ""
    details: Raw = NOTHING


class TimerFired(Record, tag=_snake):
    started: int


class ChildStarted(Record, tag=_snake):
    initiated: int
    run: str = ""


class ChildClosed(Record, tag=_snake):
    """`status` as a process's; `payload` is a result, or details."""

    initiated: int
    status: str
    reason: str = ""
    payload: Raw = NOTHING


class SignalDelivered(Record, tag=_snake):
    initiated: int


class CancelDelivered(Record, tag=_snake):
    initiated: int


AnyRecord = (
    Decided
    | ProcessStarted
    | Signaled
    | CancelRequested
    | ProcessBlocked
    | ProcessResumed
    | ProcessTimedOut
    | ProcessTerminated
    | DecisionStarted
    | DecisionCompleted
    | DecisionTimedOut
    | DecisionFailed
    | DecisionReleased
    | DecisionRefused
    | ActivityStarted
    | ActivityReleased
    | ActivityCompleted
    | ActivityFailed
    | ActivityCanceled
    | ActivityTimedOut
    | TimerFired
    | ChildStarted
    | ChildClosed
    | SignalDelivered
    | CancelDelivered
)
