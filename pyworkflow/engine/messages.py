"""What can be said to a process: by users, by workers, and by other processes' letters. The machine answers each.

`run` names the run that is meant; "" is the current one.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from .codec import NOTHING
from .head import ActivityWork
from .records import ActivityEnd, Initiating, Parent, Record, Signaled

IfRunning = Literal["fail", "use_existing", "terminate_existing"]


class Message(Struct, tag=True, omit_defaults=True, kw_only=True, gc=False):
    """One thing said to a process."""

    run: str = ""


class Start(Message):
    """Start a process; `run` is the new run's. `signal` is for the process that is open then, old or new."""

    process: str
    workflow: str
    version: str
    input: Raw = NOTHING
    tags: list[str] = []
    timeout: float | None = None
    decision_timeout: float | None = None
    category: str = ""
    priority: int = 0
    parent: Parent | None = None
    request_id: str = ""
    if_running: IfRunning = "fail"
    continued_from: str = ""
    signal: Signal | None = None


class Signal(Message):
    name: str
    data: Raw = NOTHING
    request_id: str = ""
    sender: str = ""


class RequestCancel(Message):
    """`parent`: only if the process is this one's child."""

    details: Raw = NOTHING
    request_id: str = ""
    sender: str = ""
    parent: Parent | None = None


class Terminate(Message):
    """`child_policy` overrides that of each child. `parent`: only if the process is this one's child."""

    reason: str = ""
    details: Raw = NOTHING
    cause: str = "OPERATOR_INITIATED"
    child_policy: str = ""
    parent: Parent | None = None


class Resume(Message):
    pass


class Reset(Message):
    """Begin a run of `process` with `records`, the first ones of the run `source_run` of the process `source`.

    `signals` came after them. `ends` are results, by the ids of activities that were open then. `seen` is what the
    process had come to when they were read: its run and event.
    """

    process: str
    source: str
    source_run: str
    records: list[Record]
    signals: list[Signaled] = []
    ends: dict[str, ActivityEnd] = {}
    seen: tuple[str, int] = ("", 0)
    reason: str = ""
    request_id: str = ""


class Wake(Message):
    """Look at the clock."""


class TakeDecision(Message):
    identity: str = ""
    call: int = 0


class AnswerDecision(Message):
    """`refused` are the causes for which some of the decisions, by their index, cannot be applied."""

    started: int
    decisions: list[Initiating] = []
    refused: dict[int, str] = {}


class FailDecision(Message):
    """The decider raised; after `attempts` in a row the process is blocked."""

    started: int
    reason: str = ""
    details: Raw = NOTHING
    attempts: int = 5


class ReleaseDecision(Message):
    """Hand the process back undecided; it is handed out again after `delay` seconds."""

    started: int
    delay: float = 0.0


class TakeActivity(Message):
    scheduled: int
    identity: str = ""
    call: int = 0


class EndActivity(Message):
    started: int
    end: ActivityEnd


class Heartbeat(Message):
    scheduled: int
    started: int
    details: Raw = NOTHING


class ReleaseActivity(Message):
    """Hand an activity back that was not begun; `work` is its task's body."""

    scheduled: int
    started: int
    work: ActivityWork
    priority: int = 0
    scheduled_timeout: float | None = None
    delay: float = 0.0


class ChildStarted(Message):
    initiated: int
    child_run: str = ""


class ChildClosed(Message):
    initiated: int
    status: str
    reason: str = ""
    payload: Raw = NOTHING
    cause: str = ""


class Delivered(Message):
    """A signal or cancel request arrived."""

    initiated: int


class Undelivered(Message):
    """A child's start, a signal or a cancel request was refused, for SWF's `cause`."""

    initiated: int
    cause: str


class Letter(Struct, omit_defaults=True, gc=False):
    """A message on its way to another process; `initiated` is the sender's record that it reports to, 0 for none."""

    to: str
    message: Start | Signal | RequestCancel | Terminate | ChildClosed
    sent: float
    sender: str = ""
    sender_run: str = ""
    initiated: int = 0
