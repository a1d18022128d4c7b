"""Who acts in a world: users, deciders, workers and the clock, each at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyworkflow.activity import ActivityCanceled, ActivityCompleted, ActivityFailed, ActivityResult
from pyworkflow.backend.model import Failed, Finished, Released, Wanted
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
from pyworkflow.engine.store import Query
from pyworkflow.exceptions import (
    ProcessAlreadyRunning,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
)
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.task import ActivityTask, DecisionTask

from .promises import Promise
from .world import CATEGORIES, Machine, World

IDS = ("p", "q", "r")
POLICIES = ("ABANDON", "REQUEST_CANCEL", "TERMINATE")
REFUSALS = (ProcessAlreadyRunning, UnknownProcessException, UnknownActivityException, UnknownDecisionException)


def act(world: World, machine: Machine) -> None:
    """One thing that happens somewhere."""
    (choice,) = world.random.choices(ACTS, WEIGHTS)
    world.note(f"{world.machines.index(machine)}: {choice.__name__}")
    choice(world, machine)


def ask(world: World, promise: Promise, call: Callable[[], Any]) -> None:
    """Ask for something; what is not answered stays open, to be asked again."""
    promise.asked += 1
    world.note(f"  {promise}")
    try:
        call()
        promise.acknowledged = True
    except REFUSALS as error:
        promise.asked -= 1
        promise.refused = True
        world.note(f"  refused: {error}")


# -- users ----------


def start(world: World, machine: Machine) -> None:
    policy = world.random.choice(("fail", "fail", "use_existing", "terminate_existing"))
    promise = world.promises.new("start", world.random.choice(IDS), must_start=policy != "use_existing")
    request(world, machine, promise, policy=policy, workflow=world.random.choice("WV"), timeout=_timeout(world))


def signal_with_start(world: World, machine: Machine) -> None:
    promise = world.promises.new("both", world.random.choice(IDS))
    request(world, machine, promise, workflow=world.random.choice("WV"), timeout=_timeout(world))


def signal(world: World, machine: Machine) -> None:
    request(world, machine, world.promises.new("signal", world.random.choice(IDS)))


def cancel(world: World, machine: Machine) -> None:
    request(world, machine, world.promises.new("cancel", world.random.choice(IDS)))


def terminate(world: World, machine: Machine) -> None:
    policy = world.random.choice((None, *POLICIES))
    request(world, machine, world.promises.new("terminate", world.random.choice(IDS)), policy=policy)


def request(world: World, machine: Machine, promise: Promise, **options: Any) -> None:
    """What a user asks, remembered so that it can be repeated word for word."""
    world.requests[promise.id] = options
    _request(world, machine, promise, **options)


def _request(
    world: World, machine: Machine, promise: Promise, policy: Any = None, workflow: str = "", timeout: Any = None
) -> None:
    engine, id = machine.engine, promise.process
    process = Process(workflow or None, id, [promise.id], tags=[workflow] if workflow else None)
    calls: dict[str, Callable[[], Any]] = {
        "start": lambda: engine.start_process(process, request_id=promise.id, if_running=policy, timeout=timeout),
        "both": lambda: engine.start_process(
            process, request_id=promise.id, if_running="use_existing", signal=Signal("s", promise.id), timeout=timeout
        ),
        "signal": lambda: engine.signal_process(id, "s", promise.id, request_id=promise.id),
        "cancel": lambda: engine.cancel_process(id, promise.id),
        "terminate": lambda: engine.terminate_process(id, promise.id, child_policy=policy),
    }
    ask(world, promise, calls[promise.kind])


def repeat(world: World, machine: Machine) -> None:
    """A user whose call had no answer asks again; now and then one asks again who had an answer."""
    made = [promise for promise in world.promises.made if promise.id in world.requests]
    open = [promise for promise in made if promise.open]
    again = [promise for promise in made if promise.acknowledged and promise.kind in ("start", "both", "signal")]
    if open and world.random.random() < 0.8:
        promise = world.random.choice(open)
    elif again:
        promise = world.random.choice(again)
    else:
        return
    before, runs = promise.acknowledged, _runs(world, promise)
    _request(world, machine, promise, **world.requests[promise.id])
    assert not (before and promise.refused), f"{promise} was acknowledged, and then refused"
    assert not before or _runs(world, promise) == runs, f"{promise} was acknowledged, and started another run"


def _runs(world: World, promise: Promise) -> int:
    """How many runs this request started."""
    shown = world.base.find(Query(id=promise.process))
    request = b'"request_id":"%b"' % promise.id.encode()
    return sum(request in world.base.history(run.id, run.run, 0, 1)[0] for run in shown)


def resume(world: World, machine: Machine) -> None:
    try:
        machine.engine.resume_process(world.random.choice(IDS))
    except UnknownProcessException:
        pass


def _timeout(world: World) -> float | None:
    return world.random.choice((None, None, 40.0, 5.0))


# -- workers ----------


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
    got = machine.engine.exchange(
        [done for done, _ in finished],
        decisions=Wanted(categories, decisions) if decisions else None,
        activities=Wanted(kinds, activities) if activities else None,
        identity=str(world.machines.index(machine)),
    )
    refused = {id(done): error for done, error in got.refused}
    for done, promise in finished:
        error = refused.get(id(done))
        assert error is None or isinstance(error, REFUSALS), error
        if promise is not None:
            promise.acknowledged = error is None
            promise.refused = error is not None
            promise.asked -= error is not None
    assert len(got.decisions) <= decisions
    assert len(got.activities) <= activities
    take(world, machine, got.decisions, got.activities, categories, kinds)


def take(
    world: World,
    machine: Machine,
    decisions: list[DecisionTask],
    activities: list[ActivityTask],
    categories: tuple[str, ...],
    kinds: tuple[str, ...],
) -> None:
    """Take what an exchange brought: from the queues that were asked for, under new tokens, with the whole history."""
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
        machine.decisions.append(decision)
    for activity in activities:
        world.note(f"  execute {activity.token}")
        world.hand_out(activity.token)
        assert activity.activity.lower() in kinds
        assert activity.input == activity.activity_execution.id
        machine.activities.append(activity)


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
        if chance < 0.05:
            world.handed_off.append(task)  # and whoever holds it twice is refused
        return [(Finished(task, _result(world, promise)), promise)]
    if chance < 0.6:
        return [(Finished(task, Released(world.random.choice((0.0, 3.0)))), None)]
    if chance < 0.75:
        machine.activities.append(task)
        try:
            machine.engine.heartbeat_activity_task(task, chance)
        except UnknownActivityException:
            pass
    elif chance < 0.9:
        world.handed_off.append(task)
    return []


def _completion(world: World, task: ActivityTask) -> Promise:
    return world.promises.new("complete", str(task.process_id))


def _result(world: World, promise: Promise) -> ActivityResult:
    return ActivityCompleted(promise.id) if world.random.random() < 0.7 else ActivityFailed(promise.id)


def decide(world: World, machine: Machine, task: DecisionTask) -> list[tuple[Finished, Promise | None]]:
    chance = world.random.random()
    if chance < 0.75:
        promise = world.promises.new("answer", str(task.process.id))
        decisions = [RecordMarker(promise.id), *_decisions(world, task.process)]
        promise.size = len(decisions) - 1
        world.note(f"  {decisions}")
        if chance < 0.05:
            machine.decisions.append(task)
        return [(Finished(task, decisions), promise)]
    if chance < 0.85:
        return [(Finished(task, Failed("raised", attempts=3)), None)]
    if chance < 0.9:
        return [(Finished(task, Released(world.random.choice((0.0, 3.0)))), None)]
    if chance < 0.95:
        machine.decisions.append(task)
    return []


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
        scheduled_timeout=random.choice((None, 2.0)),
        execution_timeout=random.choice((None, 4.0)),
        close_timeout=random.choice((None, 9.0)),
    )


def _child(world: World) -> Decision:
    child = Process(world.random.choice("WV"), world.random.choice(("p", "k", "l")), ["child"])
    return StartChildProcess(child, world.random.choice(POLICIES), timeout=_timeout(world))


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
    lambda world: ContinueAsNew("again", category=None, timeout=_timeout(world)),
]

# -- the rest ----------


def tick(world: World, machine: Machine) -> None:
    world.advance(world.random.choice((0.0, 0.1, 0.5, 1.0, 3.0)))


def jump(world: World, machine: Machine) -> None:
    world.advance(world.random.choice((7.0, 20.0, 60.0, -2.0)))


def die(world: World, machine: Machine) -> None:
    machine.boot()


ACTS: list[Callable[[World, Machine], None]] = [
    start, signal_with_start, signal, cancel, terminate, repeat, resume, work, tick, jump, die,
]  # fmt: skip
WEIGHTS = [8, 2, 5, 2, 1, 5, 2, 50, 14, 2, 1]
