"""Workers of a world: they hand in what they hold, late or never, and take more."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from pyworkflow.activity import ActivityCompleted, ActivityFailed, ActivityResult
from pyworkflow.backend.model import Finished, Released, Wanted
from pyworkflow.decision import RecordMarker
from pyworkflow.engine.store import activities_queue, decisions_queue
from pyworkflow.events import DecisionEvent
from pyworkflow.exceptions import BackendUnavailable, UnknownActivityException
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask

from .deciders import decide, decide_on_the_way
from .patience import Poll
from .promises import Promise
from .users import REFUSALS
from .world import CATEGORIES, Machine, World

TYPES = [("W", "1.0"), ("A", "1.0")], [("V", "1.0"), ("B", "1.0"), ("A", "1.0")]
"""What workers know that do not know all."""


def work(world: World, machine: Machine) -> None:
    """A worker's turn: hand in some of what it holds, take some more, in one call."""
    finished = [done for task in _some(world, machine.decisions) for done in decide(world, machine, task)]
    finished += [done for task in _some(world, machine.activities) for done in execute(world, machine, task)]
    if world.handed_off and world.random.random() < 0.3:
        task = world.handed_off.pop(world.random.randrange(len(world.handed_off)))
        finished.append((Finished(task, _result(world, promise := _completion(world, task))), promise))
    exchange(world, machine, finished, *world.random.choice(((1, 1), (2, 3), (0, 2), (2, 0))))


def exchange(
    world: World, machine: Machine, finished: Sequence[tuple[Finished, Promise | None]], decisions: int, activities: int
) -> None:
    categories = world.random.choice((CATEGORIES, CATEGORIES, CATEGORIES[:1], CATEGORIES[1:]))
    kinds = world.random.choice((("a", "b"), ("b", "a"), ("a",), ("b",)))
    for _, promise in finished:
        if promise is not None:
            promise.asked += 1
            world.note(f"  {promise}")
    asked: list[tuple[Process, Promise]] = []
    on_the_way = None
    if world.random.random() < 0.8:
        on_the_way = partial(decide_on_the_way, world, asked)
        machine.engine._counter._fair_at = world.clock.now + 1.0  # or half of the exchanges would hand nothing over
    known = world.random.choice((None, None, None, *TYPES))
    poll = Poll(world)
    try:
        got = machine.engine.exchange(
            [done for done, _ in finished],
            decisions=Wanted(categories, decisions, known) if decisions else None,
            activities=Wanted(kinds, activities, known) if activities else None,
            identity=str(world.machines.index(machine)),
            decide=on_the_way,
        )
    except BackendUnavailable:  # Nobody knows what of it was done: it is handed in again.
        for done, _ in finished:
            machine.keep(done.task)
        raise
    for task in (*got.decisions, *got.activities):
        machine.keep(task)
    if world.patient and not finished and known is None:
        room = [decisions_queue(category) for category in categories if len(got.decisions) + got.decided < decisions]
        room += [activities_queue(kind) for kind in kinds if len(got.activities) < activities]
        poll.check(world, room)
    refused = {id(done): error for done, error in got.refused}
    for done, promise in finished:
        error = refused.get(id(done))
        assert error is None or isinstance(error, REFUSALS), error
        if promise is not None:
            promise.acknowledged = error is None
            promise.refused = error is not None
            promise.asked -= error is not None
    assert known is None or all((task.process.workflow, "1.0") in known for task in got.decisions)
    assert known is None or all((task.activity, "1.0") in known for task in got.activities)
    assert len(got.decisions) <= decisions
    assert len(got.activities) <= activities
    look(world, machine, got.decisions, got.activities, categories, kinds)
    check_asked(machine, asked)


def look(
    world: World,
    machine: Machine,
    decisions: list[DecisionTask],
    activities: list[ActivityTask],
    categories: tuple[str, ...],
    kinds: tuple[str, ...],
) -> None:
    """What an exchange brought is from the queues that were asked for, under new tokens, with the whole history."""
    for decision in decisions:
        world.note(f"  decide {decision.token}")
        world.hand_out(decision.token)
        process, started = decision.process, int(decision.token.rpartition(":")[2])
        assert {"W": "c", "V": "d"}[str(process.workflow)] in categories
        assert process.history[-1].id == started
        if world.random.random() < 0.2:
            stored = machine.engine.process_by_id(f"{process.id}:{process.run}").history
            assert process.history == stored[: len(process.history)]
            assert [event.id for event in process.history] == [event.id for event in stored[: len(process.history)]]
    for activity in activities:
        world.note(f"  execute {activity.token}")
        world.hand_out(activity.token)
        assert activity.activity.lower() in kinds
        assert activity.input == activity.activity_execution.id


def check_asked(machine: Machine, asked: list[tuple[Process, Promise]]) -> None:
    """A decider whose answer was recorded saw the history as it is."""
    for process, promise in asked:
        history = machine.engine.process_by_id(f"{process.id}:{process.run}").history
        if DecisionEvent(RecordMarker(promise.id)) in history:
            assert history[: len(process.history)] == process.history
            assert [event.id for event in history[: len(process.history)]] == [event.id for event in process.history]


def _some(world: World, held: list[Any]) -> list[Any]:
    """Some of the tasks that are held, taken out; most are answered soon, some are kept for too long."""
    some: list[Any] = []
    rest: list[Any] = []
    for task in held:
        (some if world.random.random() < 0.75 else rest).append(task)
    held[:] = rest
    return some


def execute(world: World, machine: Machine, task: ActivityTask) -> list[tuple[Finished, Promise | None]]:
    chance = world.random.random()
    if chance < 0.5:
        promise = _completion(world, task)
        if chance < 0.2:
            world.handed_off.append(task)  # and whoever holds it twice is refused
        return [(Finished(task, _result(world, promise)), promise)]
    if chance < 0.6:
        return [(Finished(task, Released(world.random.choice((0.0, 3.0)))), None)]
    if chance < 0.75:
        machine.activities.append(task)
        with suppress(UnknownActivityException, BackendUnavailable):
            machine.engine.heartbeat_activity_task(task, chance)
    elif chance < 0.9:
        world.handed_off.append(task)
    elif world.patient:
        machine.activities.append(task)
    return []


def _completion(world: World, task: ActivityTask) -> Promise:
    return world.promises.new("complete", str(task.process_id))


def _result(world: World, promise: Promise) -> ActivityResult:
    return ActivityCompleted(promise.id) if world.random.random() < 0.7 else ActivityFailed(promise.id)
