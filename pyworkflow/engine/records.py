"""What is written into a history, one record an event; `view` shows them to deciders, `translate` makes them.

A record names an earlier one by its number (`scheduled`, `started`, `initiated`) instead of repeating it.
Payloads are JSON bytes that nothing in the engine looks into. Times are seconds since 1970.
"""

from __future__ import annotations

import re
from typing import Any, Union

from msgspec import Raw, Struct

from .codec import NOTHING


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Record(Struct, tag_field="type", tag=_snake, omit_defaults=True, kw_only=True, gc=False):
    """One event of a history; `time` is set when it is written."""

    time: float = 0.0


class Initiating(Record):
    """A record that a decision asks for."""


class Closing(Record):
    """A record that ends a run; always its last."""


class Parent(Struct, omit_defaults=True, gc=False):
    """Who started a child: the process, its run, and the number of its ChildInitiated."""

    process: str
    run: str
    initiated: int


# -- the process ----------


class ProcessStarted(Record):
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


class Signaled(Record):
    name: str
    data: Raw = NOTHING
    request_id: str = ""
    sender: str = ""


class CancelRequested(Record):
    details: Raw = NOTHING
    sender: str = ""


class ProcessBlocked(Record):
    reason: str = ""
    details: Raw = NOTHING


class ProcessResumed(Record):
    pass


class ProcessReset(Record):
    """What stands before this is the history of a run, up to its event `event`, and happened there."""

    process: str
    run: str
    event: int
    reason: str = ""


class ProcessTimedOut(Closing):
    pass


class ProcessTerminated(Closing):
    reason: str = ""
    details: Raw = NOTHING
    cause: str = "OPERATOR_INITIATED"


# -- decision tasks ----------


class DecisionStarted(Record):
    identity: str = ""
    call: int = 0  # Which call took it: one that failed finds out whether it has.


class DecisionCompleted(Record):
    """The decider answered with nothing; an answer of decisions is its records."""


class DecisionTimedOut(Record): ...


class DecisionFailed(Record):
    reason: str = ""
    details: Raw = NOTHING


class DecisionReleased(Record):
    pass


# -- decisions ----------


class ActivityScheduled(Initiating):
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


class ActivityCancelRequested(Initiating):
    id: str


class TimerStarted(Initiating):
    id: str
    delay: float
    data: Raw = NOTHING


class TimerCanceled(Initiating):
    id: str


class MarkerRecorded(Initiating):
    name: str
    details: Raw = NOTHING


class ChildInitiated(Initiating):
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


class SignalInitiated(Initiating):
    process: str
    name: str
    run: str = ""
    data: Raw = NOTHING


class CancelInitiated(Initiating):
    process: str
    run: str = ""
    details: Raw = NOTHING


class ProcessCompleted(Initiating):
    result: Raw = NOTHING


class ProcessFailed(Initiating):
    reason: str = ""
    details: Raw = NOTHING


class ProcessCanceled(Initiating):
    details: Raw = NOTHING


class ProcessContinued(Initiating):
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
    ActivityScheduled | ActivityCancelRequested | TimerStarted | TimerCanceled | MarkerRecorded | ChildInitiated
    | SignalInitiated | CancelInitiated | ProcessCompleted | ProcessFailed | ProcessCanceled | ProcessContinued
)  # fmt: skip
CLOSES = (ProcessCompleted, ProcessFailed, ProcessCanceled, ProcessContinued)


class DecisionRefused(Record):
    """A decision that was not applied: given whole, or by the number of its record where it failed later."""

    cause: str
    decision: Decided | None = None
    initiated: int = 0


# -- what comes of decisions ----------


class ActivityStarted(Record):
    scheduled: int
    identity: str = ""
    call: int = 0


class ActivityReleased(Record):
    """It can be taken again after `delay` seconds."""

    scheduled: int
    delay: float = 0.0


class ActivityEnd(Record):
    scheduled: int


class ActivityCompleted(ActivityEnd):
    result: Raw = NOTHING


class ActivityFailed(ActivityEnd):
    reason: str = ""
    details: Raw = NOTHING


class ActivityCanceled(ActivityEnd):
    details: Raw = NOTHING


class ActivityTimedOut(ActivityEnd):
    timeout_type: str = ""
    details: Raw = NOTHING


class TimerFired(Record):
    started: int


class ChildStarted(Record):
    initiated: int
    run: str = ""


class ChildClosed(Record):
    """`status` as a process's; `payload` is a result, or details; `cause` a termination's."""

    initiated: int
    status: str
    reason: str = ""
    payload: Raw = NOTHING
    cause: str = ""


class SignalDelivered(Record):
    initiated: int


class CancelDelivered(Record):
    initiated: int


def _kinds(base: type[Record]) -> list[type[Record]]:
    """Every kind of record that can be written: the classes that no other is made of."""
    below = base.__subclasses__()
    return [kind for each in below for kind in _kinds(each)] if below else [base]


AnyRecord: Any = Union[tuple(_kinds(Record))]  # noqa: UP007 - made at run time, so that none is forgotten
