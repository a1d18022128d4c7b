"""A draft: the working copy in which messages to one process become one commit.

Handlers change only what the draft holds, so a draft that is thrown away has changed nothing. Several messages may be
applied to one draft; what one adds and a later one removes is then never stored.
"""

from __future__ import annotations

from msgspec import Struct

from ...exceptions import UnknownProcessException
from ..head import IDLE, SCHEDULED, STARTED, ActivityState, ActivityWork, DecisionWork, Head, Limits
from ..messages import Letter
from ..records import Parent, Record
from ..store import LETTERS, decisions_queue

FEW = 16


class Pending(Struct, gc=False):
    """A task to be: its body is encoded when the draft is packed."""

    queue: str
    due: float
    priority: int = 0
    body: ActivityWork | DecisionWork | Letter | None = None


class Draft:
    """The changes to one process.

    `head` is the working copy (`current` too, which is None while there is no process), `written` the new events as
    (run, number, record), `tasks` what is added, or removed (None), by key. `clock` is the store's time, by which tasks
    are due; `now` is that of the events, which never goes back.
    """

    __slots__ = (
        *("_ids", "_stored", "archived", "base", "clock", "current", "head", "limits", "now", "tasks", "touched"),
        "written",
    )
    head: Head

    def __init__(self, base: Head | None, now: float, limits: Limits) -> None:
        self.base = base
        self.clock = now
        self.now = now if base is None else max(now, base.time)
        self.limits = limits
        self.current: Head | None = None
        if base is not None:
            self.head = self.current = base.copy()
        self.written: list[tuple[str, int, Record]] = []
        self.tasks: dict[str, Pending | None] = {}
        self.archived: Head | None = None
        self.touched = False
        self._ids: dict[str, int] | None = None
        self._stored: set[str] = set()

    def pass_time(self, now: float) -> None:
        """It is later now than when this was begun."""
        self.clock, self.now = now, max(self.now, now)

    def opened(self, run: str, parent: Parent | None = None) -> Head:
        """The process, which is open and in this run (any run: ""), and this parent's child if one is given."""
        head = self.head
        if parent is not None and head.parent != parent:
            raise UnknownProcessException(f"process {head.id!r} is not the child that {parent.process!r} started")
        if run and head.run != run:
            raise UnknownProcessException(f"run {run} of process {head.id!r} is not its current run")
        if not head.open:
            raise UnknownProcessException(f"process {head.id!r} is closed: {head.status}")
        return head

    def activity(self, id: str) -> int | None:
        """The number of the open activity with this id."""
        activities = self.head.activities
        if not activities:
            return None
        if self._ids is None and len(activities) > FEW:
            self._ids = {state.id: seq for seq, state in activities.items()}
        if self._ids is not None:
            return self._ids.get(id)
        return next((seq for seq, state in activities.items() if state.id == id), None)

    def open_activity(self, seq: int, state: ActivityState) -> None:
        self.head.activities[seq] = state
        if self._ids is not None:
            self._ids[state.id] = seq

    def close_activity(self, seq: int) -> ActivityState:
        state = self.head.activities.pop(seq)
        if self._ids is not None:
            del self._ids[state.id]
        return state

    # -- what handlers do to it ----------

    def record(self, record: Record) -> int:
        """Append an event; its number."""
        head = self.head
        head.seq += 1
        head.time = record.time = self.now
        self.written.append((head.run, head.seq, record))
        return head.seq

    def add(self, key: str, task: Pending) -> None:
        self.tasks[key] = task

    def remove(self, key: str) -> None:
        """Remove a task; one that was only added in this draft was never there."""
        if self.tasks.get(key) is not None and key not in self._stored:
            del self.tasks[key]
        else:
            self._stored.add(key)
            self.tasks[key] = None

    def post(self, key: str, letter: Letter) -> None:
        """Send a message to another process."""
        head = self.head
        letter.sender, letter.sender_run = head.id, head.run
        self.add(f"l:{head.run}:{key}", Pending(LETTERS, self.clock, body=letter))

    def deadline(self, due: float) -> float:
        """See to it that the process is looked at by then."""
        alarm = self.head.alarm
        if alarm is None or due < alarm:
            self.head.alarm = due
        return due

    def wake(self) -> None:
        """Something happened that the decider must see."""
        decision = self.head.decision
        if decision.state == STARTED or self.head.status == "blocked":
            decision.again = True
        elif decision.state == IDLE:
            self.schedule_decision(self.clock)

    def schedule_decision(self, due: float) -> None:
        head = self.head
        decision = head.decision
        decision.state, decision.started, decision.by, decision.again = SCHEDULED, 0, None, False
        self.add("d", Pending(decisions_queue(head.category), due, head.priority, DecisionWork(head.run)))

    def renew(self, head: Head) -> None:
        """Put the closed run behind the process; `head` is the next one's."""
        self.archived = self.current
        self.head = self.current = head
        self._ids = None

    @property
    def changed(self) -> bool:
        base, head = self.base, self.current
        if self.written or self.tasks or self.touched:
            return True
        return base is not None and head is not None and base.alarm != head.alarm
