"""Runs worlds: some steps at random, then the faults end and everything must come to rest in bounded time."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, suppress

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend.model import Finished, ProcessFilter, Wanted
from pyworkflow.decision import CompleteProcess, Decision
from pyworkflow.exceptions import UnknownProcessException
from pyworkflow.process import Process

from .actors import act
from .backends import BACKENDS
from .users import start
from .world import CATEGORIES, ENDLESS, TIGHT, Machine, World, no_chance_but

STEPS = (10, 60)
PATIENCE = 300.0
PAUSES = 75.0
"""Where no timeout may pass: as long as a task is left alone or a decider that fails is not asked, and a timer runs."""
CHUNK = 50
SQLITE_EVERY = 25


class Failure(AssertionError):
    """A seed whose world broke a promise, with the line that shows it again."""


def run(seed: int, backend: str | None = None, trace: bool = False, patient: bool = False) -> None:
    """One world from beginning to end, on a backend; most are in memory, some in a SQLite file. Raises Failure."""
    name = backend or ("memory" if seed % SQLITE_EVERY else "sqlite")
    with ExitStack() as stack:
        world = World(seed, lambda clock: stack.enter_context(BACKENDS[name](clock)).store, patient)
        world.act = act
        try:
            with no_chance_but(world.random):
                for _ in range(world.random.randint(0, 2)):
                    world.on(world.machines[0], start)
                for _ in range(world.random.randint(*STEPS)):
                    world.step()
                come_to_rest(world)
        except Exception as error:
            story = "\n".join(world.trace[-60:])
            again = f"python -m tests.simulation --backend {name}{' --patient' * patient} --seed {seed}"
            raise Failure(f"{story}\n{type(error).__name__}: {error}\nseed {seed}; again: {again}") from error
        finally:
            if trace:
                print("\n".join(world.trace))


# -- the end of a world ----------


def come_to_rest(world: World) -> None:
    """No faults any more: every process is closed and every queue empty before long, and every promise was kept."""
    world.note("calm")
    world.calm()
    machines = _remaining(world)
    patience = PAUSES if world.patient else PATIENCE
    until = world.clock.now + patience
    while world.clock.now < until:
        if not any(_turn(world, machine) for machine in machines) and not _skip(world):
            break
    world.inspector.check()
    machine = machines[0]
    left = [shown.id for shown in machine.engine.list_processes(ProcessFilter(status="open")).processes]
    assert not left, f"{left} are still open after {patience} s without faults"
    assert not machine.engine.queues(), f"tasks are left: {machine.engine.queues()}"
    world.promises.check(world.base)


def _remaining(world: World) -> list[Machine]:
    """Patient workers hand in what they hold, and every process is asked once more; of others only one is left."""
    if world.patient:
        first = world.machines[0]
        first.activities += world.handed_off
        for shown in first.engine.list_processes(ProcessFilter(status="open")).processes:
            first.engine.signal_process(str(shown.id), "end")
        return world.machines
    for machine in world.machines:
        machine.decisions, machine.activities = [], []
    return world.machines[:1]


def _turn(world: World, machine: Machine) -> bool:
    """Workers that do what they should; was there anything to do?"""
    machine.store.calls_left = ENDLESS
    for shown in machine.engine.list_processes(ProcessFilter(status="blocked")).processes:
        with suppress(UnknownProcessException):  # its timeout may have passed, and nobody has looked yet
            machine.engine.resume_process(str(shown.id))
    for turn in range(ENDLESS):
        machine.store.calls_left = ENDLESS
        finished = [Finished(task, ActivityCompleted()) for task in machine.activities]
        finished += [Finished(task, _decide(task.process)) for task in machine.decisions]
        got = machine.engine.exchange(
            finished,
            decisions=Wanted(CATEGORIES, 10),
            activities=Wanted(("a", "b"), 10),
            identity=str(world.machines.index(machine)),
        )
        assert not got.refused or turn == 0 or world.limits is TIGHT, f"refused in a calm world: {got.refused}"
        machine.decisions, machine.activities = got.decisions, got.activities
        world.inspect()
        for task in (*got.decisions, *got.activities):
            world.hand_out(task.token)
        if not (got.decisions or got.activities):
            return turn > 0 or bool(finished)
    raise AssertionError("workers are never done")


def _decide(process: Process) -> list[Decision]:
    """Close the process when nothing of it is open."""
    waits = process.unfinished_activities() or process.untriggered_timers() or _children(process)
    return [] if waits else [CompleteProcess("calm")]


def _children(process: Process) -> bool:
    count = 0
    for event in process.history:
        name = type(event).__name__
        if name == "DecisionEvent" and event.decision.type == "start_child_process":
            count += 1
        elif name == "ChildProcessEvent" or (
            name == "DecisionRefusedEvent" and event.decision.type == "start_child_process"
        ):
            count -= 1
    return count > 0


def _skip(world: World) -> bool:
    """Let time pass until the next task is due; is there one?"""
    queues = [info.queue for info in world.base.queues(world.clock.now)]
    due = min(world.base.next_due(queues).values(), default=None)
    if due is None:
        return False
    world.clock.advance_to(max(due, world.clock.now))
    world.note(f"  clock: {world.clock.now - 1_000_000:g}")
    return True


# -- many worlds ----------


def chunk(seeds: Iterable[int], backend: str | None = None, patient: bool = False) -> str | None:
    """Run these seeds; the first failure's text."""
    for seed in seeds:
        try:
            run(seed, backend, patient=patient)
        except Failure as failure:
            return str(failure)
    return None


def many(
    first: int,
    count: int,
    backend: str | None = None,
    patient: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Run seeds on every core, without what the engine logs. Raises Failure for the first that fails."""
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    done = 0
    with ProcessPoolExecutor(os.cpu_count(), initializer=logging.disable) as pool:
        running = {pool.submit(chunk, seeds, backend, patient): len(seeds) for seeds in chunks}
        for future in as_completed(running):
            if (text := future.result()) is not None:
                pool.shutdown(cancel_futures=True)
                raise Failure(text)
            done += running[future]
            progress(done)


def number_of_seeds(some: int = 2_000) -> int:
    """Some at home, many in CI; PYWORKFLOW_SEEDS says how many there are instead of 2,000."""
    asked = os.environ.get("PYWORKFLOW_SEEDS")
    many = int(asked) if asked else 10_000 if os.environ.get("CI") else 2_000
    return max(some * many // 2_000, 1)


def show(done: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} seeds", end="", file=sys.stderr, flush=True)
