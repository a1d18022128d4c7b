"""What is handed over at the contract between Manager and Backend: tasks and outcomes, filters, pages, descriptions."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from .. import defaults
from ..activity import ActivityResult
from ..decision import Decision
from ..events import Event
from ..process import Process, ProcessResult
from ..task import ActivityTask, DecisionTask

ProcessRef: TypeAlias = "Process | str"
IfRunning: TypeAlias = Literal["fail", "use_existing", "terminate_existing"]
STATUSES = ("running", "blocked", "completed", "failed", "canceled", "timedout", "terminated", "continued")


class Failed(Struct, frozen=True):
    """A decider raised: the decision is tried again later; after `attempts` in a row the process is blocked."""

    reason: str
    details: Any = None
    attempts: int = defaults.DECISION_ATTEMPTS


class Released(Struct, frozen=True):
    """A task is handed back, not begun; it is handed out again after `delay` seconds."""

    delay: float = 0.0


class Refused(Decision):
    """A decision that whoever stands in front of a backend refuses, for SWF's `cause`: recorded, and not applied."""

    type = "refused"
    _compared = ("decision", "cause")

    def __init__(self, decision: Decision, cause: str) -> None:
        self.decision = decision
        self.cause = cause


class Finished(Struct, frozen=True):
    """A task that a worker is done with, and what came of it."""

    task: ActivityTask | DecisionTask
    outcome: ActivityResult | Sequence[Decision] | Failed | Released


Decide: TypeAlias = Callable[[DecisionTask], "Sequence[Decision] | Failed | Released | None"]


Tell: TypeAlias = Callable[[Process, Sequence[Event]], None]


class Wanted(Struct):
    """Up to `limit` tasks of these categories; only of these `types`, as (name, version), where they are given.

    What is of another type is left to others, who may know it. A backend that cannot choose hands out all types.
    """

    categories: tuple[str, ...] = ()
    limit: int = 0
    types: Container[tuple[str, str | None]] | None = None


class Exchanged(Struct):
    """What an exchange brought: tasks to do, and what was finished too late with the error that says so.

    `decided` is how many answers the worker's decider gave on the way, those included that came to nothing because
    somebody was faster.
    """

    activities: list[ActivityTask] = []
    decisions: list[DecisionTask] = []
    refused: list[tuple[Finished, Exception]] = []
    decided: int = 0

    def __bool__(self) -> bool:
        return bool(self.activities or self.decisions or self.refused or self.decided)


class ProcessFilter(Struct, frozen=True):
    """Which processes to list; every field that is given must match.

    `status` is one of STATUSES, "open" (the default), "closed" or "all". Times are aware datetimes, or seconds since
    1970; from is included, to is not.
    """

    workflow: str | None = None
    tag: str | None = None
    status: str = "open"
    parent: str | None = None
    id: str | None = None
    id_prefix: str | None = None
    started_from: datetime | float | None = None
    started_to: datetime | float | None = None
    closed_from: datetime | float | None = None
    closed_to: datetime | float | None = None


class Page(Struct, frozen=True):
    """Some processes, and the `cursor` that continues after them (None: there are no more)."""

    processes: list[Process]
    cursor: str | None = None


class PendingActivity(Struct, frozen=True):
    """An open activity of a process; deadlines in seconds since 1970. `token` is set while a worker holds it."""

    id: str
    activity: str
    category: str
    state: Literal["scheduled", "started"]
    token: str | None = None
    deadline: float | None = None
    cancel_requested: bool = False
    heartbeat: Any = None


class Description(Struct, frozen=True):
    """A process as it stands; times in seconds since 1970. `blocked` is why its decider is not asked any more.

    `category`, `priority` and the timeouts (in seconds, None for no limit) are what the run was started with;
    `parent_run` is its parent's run, `continued_from` the run before this one, where there is one.
    """

    process: Process
    started: float
    closed: float | None = None
    events: int = 0
    decision: str = "idle"
    decision_attempts: int = 0
    deadline: float | None = None
    cancel_requested: bool = False
    activities: list[PendingActivity] = []
    timers: dict[str, float] = {}
    children: list[str] = []
    result: ProcessResult | None = None
    blocked: tuple[str, Any] | None = None
    category: str = defaults.DECISION_CATEGORY
    priority: int = 0
    timeout: float | None = None
    decision_timeout: float | None = None
    parent_run: str | None = None
    continued_from: str | None = None


class QueueCount(Struct, frozen=True):
    """A queue of tasks: `ready` ones, and those that are due later or held by a worker."""

    kind: Literal["decision", "activity", "alarm", "letter"]
    category: str
    ready: int
    later: int
