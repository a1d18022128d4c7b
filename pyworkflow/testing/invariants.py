"""The invariants of docs/guarantees.md, checked on what a store holds: `check(store)` after a test or a recovery.

What heads and tasks should be is told again from the histories, without the machine. Raises InvariantViolated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..engine import messages as msg
from ..engine import records as rec
from ..engine.head import ActivityWork, DecisionWork, Head, deadlines
from ..engine.pack import summary, unpack
from ..engine.store import ALARMS, LETTERS, Query, Row, Store, Summary, Task, activities_queue, decisions_queue
from .ledger import Ledger
from .ledger_state import InvariantViolated
from .shapes import of_head, of_ledger

__all__ = ["Inspector", "InvariantViolated", "Ledger", "check"]

_WORK: dict[str, Any] = {"d": msgspec.json.Decoder(DecisionWork), "a": msgspec.json.Decoder(ActivityWork)}
_LETTERS = msgspec.json.Decoder(msg.Letter)


def check(store: Store, processes: Iterable[str] | None = None) -> None:
    """Check every process of a store at rest, or some, and that parents and children agree."""
    Inspector(store).check(processes)


class _Seen(msgspec.Struct):
    """What was seen of a run: its story, and what the store held when it was last compared with it."""

    ledger: Ledger
    events: list[bytes] = []
    row: Row | None = None
    shown: Summary | None = None


class Inspector:
    """Checks a store again and again: it knows what it saw before, tells only what is new, and misses nothing lost."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.runs: dict[str, dict[str, _Seen]] = {}

    def check(self, processes: Iterable[str] | None = None) -> None:
        """Check these processes, or all. Raises InvariantViolated."""
        if processes is None:
            processes = sorted({found.id for found in self.store.find(Query())} | self.runs.keys())
        heads = {process: self.check_process(process) for process in processes}
        for head in heads.values():
            if head is not None:
                self.check_family(head)

    # -- one process ----------

    def check_process(self, process: str) -> Head | None:
        """Its runs, its head, its tasks; the head of its current run."""
        found, head = self.store.find(Query(id=process)), self._head(process)
        seen = self.runs.setdefault(process, {})
        for gone in seen.keys() - {shown.run for shown in found}:
            ledger = seen.pop(gone).ledger
            _demand(ledger.closing is not None, 10, ledger.what, "was open, and is gone")
        for shown in found:
            self._check_run(shown, head is not None and shown.run == head.run)
        if head is not None:
            _demand(head.run in seen, 14, f"process {process!r}", f"has the run {head.run}, which is not listed")
        self._check_tasks(process, head)
        return head

    def _head(self, process: str, run: str | None = None) -> Head | None:
        row = self.store.read(process, run)
        return None if row is None else unpack(row, process)

    def _check_run(self, shown: Summary, current: bool) -> None:
        seen = self._tell(shown.id, shown.run)
        row, what = self.store.read(shown.id, shown.run), seen.ledger.what
        assert row is not None
        if (row, shown) == (seen.row, seen.shown) and not current:
            return
        seen.row, seen.shown = row, shown
        head = unpack(row, shown.id)
        same = row.stamp == head.stamp or not current
        _demand(same, 14, what, f"has the stamp {row.stamp}, its head says {head.stamp}")
        _demand(summary(head) == shown, 14, what, f"is listed as {shown}, its head says {summary(head)}")
        _demand(current or not head.open, 2, what, "is open and not the current one")
        differ(what, of_head(head), of_ledger(seen.ledger, shown))
        _check_alarm(seen.ledger, head)

    def _tell(self, process: str, run: str) -> _Seen:
        """The run with what is new in its story; what was seen before must still be there."""
        runs = self.runs.setdefault(process, {})
        seen = runs.setdefault(run, _Seen(Ledger(process, run)))
        events, known = self.store.history(process, run), len(seen.events)
        _demand(events[:known] == seen.events, 1, seen.ledger.what, f"lost or changed some of {known} events")
        for sealed in events[known:]:
            seen.ledger.tell(sealed)
        seen.events = events
        return seen

    # -- its tasks ----------

    def _check_tasks(self, process: str, head: Head | None) -> None:
        what, ledger = f"process {process!r}", None if head is None else self.runs[process][head.run].ledger
        tasks = {task.key: task for task in self.store.tasks(process)}
        letters = {key: _letter(task) for key, task in tasks.items() if key.startswith("l:")}
        found = {key: _of_task(task) for key, task in tasks.items() if key not in letters}
        wanted = {} if ledger is None else dict(self._tasks(ledger))
        if head is not None and head.alarm is not None:
            wanted["alarm"] = (ALARMS, 0, None)
            _demand("alarm" not in tasks or tasks["alarm"].due >= head.alarm, 14, what, "has too early an alarm task")
        differ(f"{what}: tasks", found, wanted)
        for key, letter in letters.items():
            _demand(tasks[key].queue == LETTERS, 13, what, f"has the letter {key} in {tasks[key].queue}")
            _demand(letter.sender == process, 14, what, f"has the letter {key} of {letter.sender!r}")
        if ledger is not None:
            self._check_letters(ledger, letters)

    def _check_letters(self, ledger: Ledger, letters: dict[str, msg.Letter]) -> None:
        """What waits for an answer is on its way, and nothing else is."""
        waiting = {seq: child.record.process for seq, child in ledger.children.items() if not child.running}
        waiting |= {seq: sent.process for seq, sent in ledger.letters.items()}
        if ledger.closing is None:
            sent = {letter.initiated: letter.to for letter in letters.values() if letter.initiated
                    and letter.sender_run == ledger.run}  # fmt: skip
            differ(f"{ledger.what}: letters", sent, waiting)

    def _tasks(self, ledger: Ledger) -> Iterable[tuple[str, Any]]:
        """What must wait in which queue, by key."""
        start, run = ledger.start, ledger.run
        if ledger.closing is not None or start is None:
            return
        if ledger.unseen and not ledger.held and not ledger.blocked:
            yield "d", (decisions_queue(start.category), start.priority, DecisionWork(run))
        for seq, activity in ledger.activities.items():
            if not activity.started:
                it = activity.record
                work = ActivityWork(run, seq, it.id, it.activity, it.version, it.input, it.heartbeat_timeout)
                yield f"a:{seq}", (activities_queue(it.category), it.priority, work)

    # -- its relatives ----------

    def check_family(self, head: Head) -> None:
        """Parents and children agree, or are about to: a letter is on its way."""
        for seq, child in head.children.items():
            if child.running:
                known = self._runs_for(child.process, head, seq) or self._told_close(child.process, head, seq)
                _demand(known, 18, f"process {head.id!r}", f"waits for its child {child.process!r}, which is gone")
        if head.parent is not None and head.open:
            self._check_parent(head, head.parent)

    def _runs_for(self, process: str, parent: Head, seq: int) -> bool:
        head = self._head(process)
        return head is not None and head.open and head.parent == rec.Parent(parent.id, parent.run, seq)

    def _told_close(self, child: str, parent: Head, seq: int) -> bool:
        news = (letter.message for letter in self._letters(child))
        return any(isinstance(m, msg.ChildClosed) and (m.run, m.initiated) == (parent.run, seq) for m in news)

    def _letters(self, process: str) -> list[msg.Letter]:
        return [_letter(task) for task in self.store.tasks(process) if task.key.startswith("l:")]

    def _check_parent(self, head: Head, parent: rec.Parent) -> None:
        """An open child is one that its parent knows, or that was told what the policy says of it."""
        if self.store.read(parent.process, parent.run) is None:
            return None
        ledger = self._tell(parent.process, parent.run).ledger
        what = f"child {head.id!r} of {ledger.what}"
        if self._refused(parent):
            return None
        if ledger.closing is None:
            return _demand(parent.initiated in ledger.children, 18, what, "is open, and its parent says that it is not")
        if isinstance(ledger.closing, rec.ProcessTerminated) and ledger.closing.cause == "OPERATOR_INITIATED":
            return None
        policy = ledger.policies[parent.initiated].child_policy
        told = policy == "ABANDON" or (policy == "REQUEST_CANCEL" and self._was_canceled(head.id))
        return _demand(told or self._will_hear(head, parent), 18, what, f"goes on in spite of the policy {policy}")

    def _refused(self, parent: rec.Parent) -> bool:
        """The parent was told that the child cannot start: it ends the child when it hears that it did all the same."""
        owner = self._head(parent.process)
        return owner is not None and f"{parent.run}:{parent.initiated}" in owner.refused

    def _was_canceled(self, process: str) -> bool:
        return any(seen.ledger.cancel_requested for seen in self.runs.get(process, {}).values())

    def _will_hear(self, head: Head, parent: rec.Parent) -> bool:
        owner = self._head(parent.process)
        waits = owner is not None and f"{parent.run}:{parent.initiated}" in owner.orphans
        letters = (letter for letter in self._letters(parent.process) if letter.to == head.id)
        return waits or any(getattr(letter.message, "parent", None) == parent for letter in letters)


# -- what is compared ----------


def _check_alarm(ledger: Ledger, head: Head) -> None:
    """The alarm is not later than any deadline, and each heartbeat's deadline is later than the start."""
    _demand(head.open or head.alarm is None, 14, ledger.what, "is closed and has an alarm")
    due = [due for due, _, _ in deadlines(head)] if head.open else []
    _demand(not due or (head.alarm is not None and head.alarm <= min(due)), 14, ledger.what, "has too late an alarm")
    for seq, activity in head.activities.items():
        timeout = activity.heartbeat_timeout if activity.started else None
        beats = activity.beat_by is not None if timeout is not None else activity.beat_by is None
        _demand(beats, 14, ledger.what, f"has the heartbeat deadline {activity.beat_by} for the activity {seq}")
        early = timeout is not None and (activity.beat_by or 0) < ledger.activities[seq].began + timeout
        _demand(not early, 11, ledger.what, f"has too early a heartbeat deadline for the activity {seq}")


def _letter(task: Task) -> msg.Letter:
    letter = _read(_LETTERS, task)
    _demand(letter is not None, 14, f"process {task.process!r}", f"has the letter {task.key}, which cannot be read")
    return letter  # type: ignore[no-any-return]


def _of_task(task: Task) -> tuple[str, int, Any]:
    return task.queue, task.priority, _read(_WORK.get(task.key[0]), task)


def _read(decoder: Any, task: Task) -> Any:
    """A task's body, None where there is none that can be read."""
    try:
        return decoder and decoder.decode(task.body[9:])
    except msgspec.DecodeError:
        return None


def differ(what: str, found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    """Raise if what is stored is not what follows from the history, naming the difference."""
    if found != wanted:
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        texts = [f"{key!r} is {found.get(key)!r}, should be {wanted.get(key)!r}" for key in keys]
        raise InvariantViolated(f"invariant 14: {what}: {'; '.join(texts)}")


def _demand(holds: bool, invariant: int, what: str, text: str) -> None:
    if not holds:
        raise InvariantViolated(f"invariant {invariant}: {what} {text}")
