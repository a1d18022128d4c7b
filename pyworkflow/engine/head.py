"""A head: all that the machine needs of a process to take its next step, which is far less than its history."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

from msgspec import Raw, Struct, field

from .codec import NOTHING
from .records import Parent

S = TypeVar("S", bound=Struct)

Status = Literal["running", "blocked", "completed", "failed", "canceled", "timedout", "terminated", "continued"]
OPEN: frozenset[str] = frozenset({"running", "blocked"})
CLOSED: frozenset[str] = frozenset({"completed", "failed", "canceled", "timedout", "terminated", "continued"})

IDLE, SCHEDULED, STARTED = "idle", "scheduled", "started"


class DecisionState(Struct, omit_defaults=True, gc=False):
    """The one decision task: none, waiting in its queue, or held under the number of its DecisionStarted.

    `again`: something happened that it has not seen. `attempts` counts failures in a row, `refusals` answers in a row
    of which a part was refused.
    """

    state: str = IDLE
    started: int = 0
    by: float | None = None
    again: bool = False
    attempts: int = 0
    refusals: int = 0


class ActivityState(Struct, array_like=True, gc=False):
    """An open activity. `by` is its schedule-to-start deadline, then its start-to-close one; timeouts in seconds."""

    id: str
    category: str
    by: float | None
    close_by: float | None
    execution_timeout: float | None
    heartbeat_timeout: float | None
    started: int = 0
    beat_by: float | None = None
    cancel: bool = False
    details: Raw = Raw(b"null")


class TimerState(Struct, array_like=True, gc=False):
    started: int
    due: float


class ChildState(Struct, array_like=True, gc=False):
    process: str
    policy: str
    running: bool = False


class Head(Struct, omit_defaults=True, gc=False):
    """The state of a process. `seq` and `crc` are its last event's, `version` counts commits over all runs.

    `alarm` is when the process wants to be looked at: never later than its earliest deadline. Over all runs, `starts`
    and `requests` are the last request ids of starts and signals; `orphans` (by run:number) are the children that a run
    left before they had started, with the policy that is to be applied when they do; `refused` are the last ones that
    were refused, and must not start after that.
    """

    id: str
    run: str
    workflow: str
    workflow_version: str
    version: int = 0
    status: Status = "running"
    seq: int = 0
    crc: int = 0
    time: float = 0.0
    started: float = 0.0
    closed: float | None = None
    category: str = ""
    priority: int = 0
    tags: list[str] = []
    timeout: float | None = None
    by: float | None = None
    decision_timeout: float | None = None
    parent: Parent | None = None
    request_id: str = ""
    processed: int = 0
    cancel_requested: bool = False
    blocked: str = ""
    alarm: float | None = None
    decision: DecisionState = field(default_factory=DecisionState)
    activities: dict[int, ActivityState] = {}
    timers: dict[str, TimerState] = {}
    children: dict[int, ChildState] = {}
    letters: dict[int, str] = {}
    orphans: dict[str, ChildState] = {}
    refused: dict[str, str] = {}
    starts: list[str] = []
    requests: list[str] = []

    @property
    def open(self) -> bool:
        return self.status in OPEN

    @property
    def stamp(self) -> str:
        """What a commit names to say what it was computed from."""
        return f"{self.run}.{self.version}.{self.crc:08x}"

    def copy(self) -> Head:
        """A copy whose decision, activities, timers, children and letters are its own, to be changed in place.

        The states inside of them are shared, and so is what changes less often; those are replaced.
        """
        copy = clone(self)
        copy.decision = clone(self.decision)
        copy.activities = {**self.activities}
        copy.timers = {**self.timers}
        copy.children = {**self.children}
        copy.letters = {**self.letters}
        return copy


def clone(struct: S) -> S:
    """A shallow copy."""
    copy: S = struct.__copy__()  # type: ignore[attr-defined]
    return copy


def deadlines(head: Head) -> list[tuple[float, str, int | str]]:
    """Every deadline of an open process as (when, kind, key), unordered."""
    found: list[tuple[float, str, int | str]] = []
    if head.by is not None:
        found.append((head.by, "process", 0))
    if head.decision.by is not None:
        found.append((head.decision.by, "decision", 0))
    for id, timer in head.timers.items():
        found.append((timer.due, "timer", id))
    for seq, activity in head.activities.items():
        if activity.by is not None:
            found.append((activity.by, "START_TO_CLOSE" if activity.started else "SCHEDULE_TO_START", seq))
        if activity.close_by is not None:
            found.append((activity.close_by, "SCHEDULE_TO_CLOSE", seq))
        if activity.beat_by is not None:
            found.append((activity.beat_by, "HEARTBEAT", seq))
    return found


class ActivityWork(Struct, omit_defaults=True, gc=False):
    """The body of an activity task: what a worker needs to execute it."""

    run: str
    scheduled: int
    id: str
    activity: str
    version: str
    input: Raw = NOTHING
    heartbeat_timeout: float | None = None


class DecisionWork(Struct, gc=False):
    """The body of a decision task."""

    run: str


Work: TypeAlias = ActivityWork | DecisionWork


class Limits(Struct, frozen=True):
    """How much of each a process may have; SWF's quotas by default."""

    activities: int = 1_000
    timers: int = 1_000
    children: int = 1_000
    events: int = 25_000
    requests: int = 256
    refusals: int = 10
    timeouts: int = 20
