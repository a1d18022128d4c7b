"""Deciders of a world: they answer at random, raise, hand back, or forget."""

from __future__ import annotations

from collections.abc import Callable

from pyworkflow.backend.model import Failed, Finished, Released
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from pyworkflow.process import Process
from pyworkflow.task import DecisionTask

from .promises import Promise
from .users import IDS, POLICIES, TIMEOUTS, a_timeout
from .world import Machine, World

Answer = list[Decision] | Failed | Released


def decide(world: World, machine: Machine, task: DecisionTask) -> list[tuple[Finished, Promise | None]]:
    chance = world.random.random()
    if chance < 0.75:
        decisions, promise = _answer(world, task)
        if chance < 0.05:
            machine.decisions.append(task)
        return [(Finished(task, decisions), promise)]
    if chance < 0.85:
        return [(Finished(task, Failed("raised", attempts=3)), None)]
    if chance < 0.9:
        return [(Finished(task, Released(world.random.choice((0.0, 3.0)))), None)]
    if chance < 0.95 or world.patient:
        machine.decisions.append(task)
    return []


def decide_on_the_way(world: World, asked: list[tuple[Process, Promise]], task: DecisionTask) -> Answer | None:
    """A decider that is asked before anything is committed, while others act or time passes."""
    if world.random.random() < 0.1:
        world.interlude()
    chance = world.random.random()
    if chance < 0.1:
        return None
    if chance < 0.8:
        decisions, promise = _answer(world, task)
        promise.asked += 1
        asked.append((task.process, promise))
        return decisions
    if chance < 0.85:
        return [RecordMarker("cannot be stored", float("nan"))]
    return Failed("raised", attempts=3) if chance < 0.95 else Released(3.0)


def _answer(world: World, task: DecisionTask) -> tuple[list[Decision], Promise]:
    promise = world.promises.new("answer", str(task.process.id))
    decisions = [RecordMarker(promise.id), *_decisions(world, task.process)]
    promise.size = len(decisions) - 1
    world.note(f"  {decisions}")
    return decisions, promise


def _decisions(world: World, process: Process) -> list[Decision]:
    random = world.random
    decisions = [random.choice(DECISIONS)(world) for _ in range(random.choice((0, 1, 2, 3)))]
    decisions += [CancelActivity(it.id) for it in process.unfinished_activities() if random.random() < 0.2]
    decisions += [CancelTimer(timer.id) for timer in process.untriggered_timers() if random.random() < 0.2]
    if random.random() < 0.3:
        decisions.append(random.choice(CLOSES)(world))
    return decisions


def _schedule(world: World) -> Decision:
    random, id = world.random, f"a{world.random.randrange(3)}"
    return ScheduleActivity(
        random.choice("AB"),
        id,
        input=id,
        priority=random.randrange(2),
        scheduled_timeout=a_timeout(world, 2.0),
        execution_timeout=a_timeout(world, 4.0),
        close_timeout=a_timeout(world, 9.0),
    )


def _child(world: World) -> Decision:
    child = Process(world.random.choice("WV"), world.random.choice(("p", "k", "l")), ["child"])
    return StartChildProcess(child, world.random.choice(POLICIES), timeout=a_timeout(world, *TIMEOUTS))


DECISIONS: list[Callable[[World], Decision]] = [
    _schedule,
    _schedule,
    _schedule,
    lambda world: CancelActivity(f"a{world.random.randrange(3)}"),
    lambda world: ScheduleActivity("unknown"),
    lambda world: Timer(world.random.choice((0, 0.5, 3.0, 12.0)), id=f"t{world.random.randrange(2)}"),
    lambda world: CancelTimer(f"t{world.random.randrange(2)}"),
    _child,
    _child,
    lambda world: SignalProcess(world.random.choice((*IDS, "k", "nobody")), "s"),
    lambda world: RequestCancelProcess(world.random.choice((*IDS, "k", "nobody"))),
]
CLOSES: list[Callable[[World], Decision]] = [
    lambda world: CompleteProcess("done"),
    lambda world: FailProcess("failed"),
    lambda world: CancelProcess("canceled"),
    lambda world: ContinueAsNew("again"),
    lambda world: ContinueAsNew("again", category=None, timeout=a_timeout(world, *TIMEOUTS)),
]
