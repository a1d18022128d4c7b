"""What is looked at in a patient world, where no timeout heals what the engine loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pyworkflow.engine.head import STARTED
from pyworkflow.engine.pack import unpack
from pyworkflow.engine.store import Commit, Row, Store, Task
from pyworkflow.testing.faults import FaultyStore

if TYPE_CHECKING:
    from .world import World

Started = tuple[str, str, int]
"""Process, run, and the number of the event with which it was started."""


class WatchedStore(FaultyStore):
    """Tells the audit of its world what is claimed, and what becomes of it."""

    audit: Audit

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        claimed = super().claim(queues, now, until, limit)
        self.audit.leased.update({(task.process, task.key): task for task, _ in claimed})
        return claimed

    def postpone(self, task: Task, due: float) -> None:
        self.audit.leased.pop((task.process, task.key), None)
        super().postpone(task, due)

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        for task in (task for commit in commits for task in commit.add):
            self.audit.leased.pop((task.process, task.key), None)
        return super().commit(commits)


class Audit:
    """Whatever was started is in a worker's hands or in an engine's doubts; what was claimed is begun or due again."""

    def __init__(self) -> None:
        self.leased: dict[tuple[str, str], Task] = {}
        self.seen: dict[str, set[Started]] = {}

    def check(self, world: World, touched: Iterable[str]) -> None:
        for process in touched:
            self.seen[process] = set(_started(world.base, process))
        lost = set[Started]().union(*self.seen.values()) - _known(world)
        assert not lost, f"{sorted(lost)} were started, and nobody has them"
        self._check_leases(world)

    def _check_leases(self, world: World) -> None:
        """Where no call failed, nothing is left as it was claimed."""
        failed = any(fault.startswith("lost") for machine in world.machines for fault in machine.store.happened)
        for machine in world.machines:
            machine.store.happened.clear()
        leased = [] if failed else list(self.leased.values())
        self.leased.clear()
        left = [task for task in leased if task in world.base.tasks(task.process)]
        assert not left, f"{left} were claimed, and neither begun nor given back"


class Poll:
    """A poll that fails nothing takes what was due when it began, as far as it has room and the clock does not go back.

    What somebody else took meanwhile, or what is due anew, is another task.
    """

    def __init__(self, world: World) -> None:
        self._due = _due(world)
        self._set_backs = world.set_backs

    def check(self, world: World, queues: Iterable[str]) -> None:
        """There was room for more from these queues."""
        if world.set_backs == self._set_backs:
            same = {id(task) for task in _due(world)}
            left = [task for task in self._due if task.queue in queues and id(task) in same]
            assert not left, f"{left} were due, and there was room for them"


def _due(world: World) -> list[Task]:
    """What is due now, in a patient world."""
    tasks = (task for process in world.audit.seen for task in world.base.tasks(process))
    return [task for task in tasks if task.due <= world.clock.now]


def _started(store: Store, process: str) -> Iterator[Started]:
    """What a process says is held by a worker."""
    row = store.read(process)
    head = None if row is None else unpack(row, process)
    if head is None or not head.open:
        return
    if head.decision.state == STARTED:
        yield process, head.run, head.decision.started
    for activity in head.activities.values():
        if activity.started:
            yield process, head.run, activity.started


def _known(world: World) -> set[Started]:
    held = [task for machine in world.machines for task in (*machine.decisions, *machine.activities)]
    known = {_of_token(task.token) for task in (*held, *world.handed_off)}
    for machine in world.machines:
        known |= {(process, run, started) for process, run, started, _ in machine.engine._counter.doubts._open}
    return known


def _of_token(token: str) -> Started:
    process, run, *_, started = token.split(":")
    return process, run, int(started)
