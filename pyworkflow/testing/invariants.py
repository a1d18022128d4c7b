"""The invariants of docs/guarantees.md, checked on what a store holds: `check(store)` after a test or a recovery.

What heads and tasks should be is told again from the histories, without the machine. Raises InvariantViolated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..engine import messages as msg
from ..engine import records as rec
from ..engine.head import IDLE, SCHEDULED, STARTED, ActivityWork, DecisionWork, Head, deadlines
from ..engine.pack import summary, unpack
from ..engine.store import ALARMS, LETTERS, Query, Store, Summary, Task, activities_queue, decisions_queue
from .ledger import InvariantViolated, Ledger

__all__ = ["Inspector", "InvariantViolated", "Ledger", "check"]

_STATUS = {
    rec.ProcessCompleted: "completed",
    rec.ProcessFailed: "failed",
    rec.ProcessCanceled: "canceled",
    rec.ProcessContinued: "continued",
    rec.ProcessTimedOut: "timedout",
    rec.ProcessTerminated: "terminated",
}
_WORK: dict[str, Any] = {"d": msgspec.json.Decoder(DecisionWork), "a": msgspec.json.Decoder(ActivityWork)}
_LETTERS = msgspec.json.Decoder(msg.Letter)


def check(store: Store, processes: Iterable[str] | None = None) -> None:
    """Check every process of a store at rest, or some, and that parents and children agree."""
    Inspector(store).check(processes)


class Inspector:
    """Checks a store again and again: it knows what it saw before, tells only what is new, and misses nothing lost."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.runs: dict[str, dict[str, tuple[Ledger, list[bytes]]]] = {}

    def check(self, processes: Iterable[str] | None = None) -> None:
        """Check these processes, or all. Raises InvariantViolated."""
        if processes is None:
            processes = sorted({found.id for found in self.store.find(Query())} | self.runs.keys())
        names = list(processes)
        for process in names:
            self.check_process(process)
        for process in names:
            self.check_family(process)

    # -- one process ----------

    def check_process(self, process: str) -> None:
        """Its runs, its head, its tasks."""
        found = self.store.find(Query(id=process))
        row = self.store.read(process)
        kept = self.runs.setdefault(process, {})
        for gone in kept.keys() - {item.run for item in found}:
            del kept[gone]
        current = "" if row is None else unpack(row, process).run
        for item in found:
            self._check_run(item, item.run == current)
        _demand(row is not None or not found, 1, process, "has runs, of which none is the current one")
        self._check_tasks(process, kept.get(current, (None, []))[0])

    def _check_run(self, shown: Summary, current: bool) -> None:
        ledger = self._told(shown.id, shown.run)
        row = self.store.read(shown.id, shown.run)
        assert row is not None
        head = unpack(row, shown.id)
        _demand(row.stamp == head.stamp, 14, ledger.what, f"has the stamp {row.stamp}, its head says {head.stamp}")
        _demand(summary(head) == shown, 14, ledger.what, f"is listed as {shown}, its head says {summary(head)}")
        _demand(current or not head.open, 2, ledger.what, "is open and not the current one")
        differ(ledger.what, _of_head(head), _of_ledger(ledger, shown))
        _check_alarm(ledger, head)

    def _told(self, process: str, run: str) -> Ledger:
        """The run's ledger, with what is new; what was seen before must still be there."""
        ledger, kept = self.runs[process].get(run) or (Ledger(process, run), [])
        sealed = self.store.history(process, run)
        _demand(sealed[: len(kept)] == kept, 1, ledger.what, f"lost or changed some of its first {len(kept)} events")
        for blob in sealed[len(kept) :]:
            ledger.tell(blob)
        self.runs[process][run] = (ledger, sealed)
        return ledger

    # -- its tasks ----------

    def _check_tasks(self, process: str, ledger: Ledger | None) -> None:
        tasks = {task.key: task for task in self.store.tasks(process)}
        letters = {key: _letter(task) for key, task in tasks.items() if key.startswith("l:")}
        found = {key: _of_task(task) for key, task in tasks.items() if key not in letters}
        wanted = {} if ledger is None else dict(self._tasks(process, ledger))
        alarm = self._alarm(process)
        if alarm is not None:
            wanted["alarm"] = (ALARMS, 0, None)
            early = "alarm" in tasks and tasks["alarm"].due < alarm
            _demand(not early, 14, f"process {process!r}", "has an alarm task that is too early")
        differ(f"process {process!r}: tasks", found, wanted)
        for key, letter in letters.items():
            _demand(
                tasks[key].queue == LETTERS, 13, f"process {process!r}", f"has the letter {key} in {tasks[key].queue}"
            )
            _demand(letter.sender == process, 14, f"process {process!r}", f"has the letter {key} of {letter.sender!r}")
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

    def _tasks(self, process: str, ledger: Ledger) -> Iterable[tuple[str, Any]]:
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

    def _alarm(self, process: str) -> float | None:
        row = self.store.read(process)
        return None if row is None else unpack(row, process).alarm

    # -- its relatives ----------

    def check_family(self, process: str) -> None:
        """Parents and children agree, or are about to: a letter is on its way."""
        row = self.store.read(process)
        if row is None:
            return
        head = unpack(row, process)
        for seq, child in head.children.items():
            if child.running:
                known = self._runs_for(child.process, head.run, seq) or self._told_close(child.process, head.run, seq)
                _demand(known, 18, f"process {process!r}", f"waits for its child {child.process!r}, which is gone")
        if head.parent is not None and head.open:
            self._check_parent(head, head.parent)

    def _runs_for(self, process: str, run: str, seq: int) -> bool:
        row = self.store.read(process)
        head = None if row is None else unpack(row, process)
        parent = None if head is None or not head.open else head.parent
        return parent is not None and (parent.run, parent.initiated) == (run, seq)

    def _told_close(self, child: str, run: str, seq: int) -> bool:
        news = (letter.message for letter in self._letters(child))
        return any(isinstance(m, msg.ChildClosed) and (m.run, m.initiated) == (run, seq) for m in news)

    def _letters(self, process: str) -> list[msg.Letter]:
        return [_letter(task) for task in self.store.tasks(process) if task.key.startswith("l:")]

    def _check_parent(self, head: Head, parent: rec.Parent) -> None:
        """An open child is one that its parent knows, or that was told what the policy says of it."""
        if self.store.read(parent.process, parent.run) is None:
            return
        self.runs.setdefault(parent.process, {})
        ledger = self._told(parent.process, parent.run)
        what = f"child {head.id!r} of {ledger.what}"
        if ledger.closing is None:
            _demand(parent.initiated in ledger.children, 18, what, "is open, and its parent says that it is not")
            return
        if isinstance(ledger.closing, rec.ProcessTerminated) and ledger.closing.cause == "OPERATOR_INITIATED":
            return
        policy = ledger.policies[parent.initiated].child_policy
        told = policy == "ABANDON" or (policy == "REQUEST_CANCEL" and self._was_canceled(head.id))
        _demand(told or self._will_hear(head, parent), 18, what, f"goes on in spite of the policy {policy}")

    def _was_canceled(self, process: str) -> bool:
        return any(self._told(process, run).cancel_requested for run in list(self.runs.get(process, {})))

    def _will_hear(self, head: Head, parent: rec.Parent) -> bool:
        row = self.store.read(parent.process)
        waits = row is not None and f"{parent.run}:{parent.initiated}" in unpack(row, parent.process).orphans
        letters = (letter for letter in self._letters(parent.process) if letter.to == head.id)
        return waits or any(getattr(letter.message, "parent", None) == parent for letter in letters)


# -- what is compared ----------


def _of_head(head: Head) -> dict[str, Any]:
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


def _of_ledger(ledger: Ledger, shown: Summary) -> dict[str, Any]:
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


def _activity(activity: Any) -> tuple[Any, ...]:
    it = activity.record
    return (it.id, it.category, activity.started, activity.by, activity.close_by, activity.cancel,
            it.execution_timeout, it.heartbeat_timeout)  # fmt: skip


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
    return _LETTERS.decode(task.body[9:])


def _of_task(task: Task) -> tuple[str, int, Any]:
    return task.queue, task.priority, _WORK[task.key[0]].decode(task.body[9:]) if task.body else None


def differ(what: str, found: dict[Any, Any], wanted: dict[Any, Any]) -> None:
    """Raise if what is stored is not what follows from the history, naming the difference."""
    if found != wanted:
        keys = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
        texts = [f"{key!r} is {found.get(key)!r}, should be {wanted.get(key)!r}" for key in keys]
        raise InvariantViolated(f"invariant 14: {what}: {'; '.join(texts)}")


def _demand(holds: bool, invariant: int, what: str, text: str) -> None:
    if not holds:
        raise InvariantViolated(f"invariant {invariant}: {what} {text}")
