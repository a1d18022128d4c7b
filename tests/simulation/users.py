"""Users of a world: they start, signal, cancel, terminate, resume, and ask again when they had no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow.engine.store import Query
from pyworkflow.exceptions import (
    CannotReset,
    ProcessAlreadyRunning,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
)
from pyworkflow.process import Process
from pyworkflow.signal import Signal

from .promises import Promise
from .world import Machine, World

IDS = ("p", "q", "r")
REPEATABLE = ("start", "both", "signal", "reset")
TIMEOUTS = (None, 40.0, 5.0)
POLICIES = ("ABANDON", "REQUEST_CANCEL", "TERMINATE")
REFUSALS = (
    *(CannotReset, ProcessAlreadyRunning),
    *(UnknownProcessException, UnknownActivityException, UnknownDecisionException),
)


def ask(world: World, promise: Promise, call: Callable[[], Any]) -> None:
    """Ask for something; what is not answered stays open, to be asked again."""
    promise.asked += 1
    promise.on_the_way += 1
    world.note(f"  {promise}")
    try:
        call()
        promise.acknowledged = True
    except REFUSALS as error:
        promise.asked -= 1
        promise.refused = promise.refused or promise.on_the_way == 1  # or another call may still get what it asks for
        world.note(f"  refused: {error}")
    finally:
        promise.on_the_way -= 1


def start(world: World, machine: Machine) -> None:
    policy = world.random.choice(("fail", "fail", "use_existing", "terminate_existing"))
    promise = world.promises.new("start", world.random.choice(IDS), must_start=policy != "use_existing")
    request(
        world, machine, promise, policy=policy, workflow=world.random.choice("WV"), timeout=a_timeout(world, *TIMEOUTS)
    )


def signal_with_start(world: World, machine: Machine) -> None:
    promise = world.promises.new("both", world.random.choice(IDS))
    request(world, machine, promise, workflow=world.random.choice("WV"), timeout=a_timeout(world, *TIMEOUTS))


def signal(world: World, machine: Machine) -> None:
    request(world, machine, world.promises.new("signal", world.random.choice(IDS)))


def cancel(world: World, machine: Machine) -> None:
    request(world, machine, world.promises.new("cancel", world.random.choice(IDS)))


def terminate(world: World, machine: Machine) -> None:
    policy = world.random.choice((None, *POLICIES))
    request(world, machine, world.promises.new("terminate", world.random.choice(IDS)), policy=policy)


def reset(world: World, machine: Machine) -> None:
    """Take back the last answer, or go on from somewhere; here, or as another process."""
    to = world.random.choice((None, 1, world.random.randint(1, 12)))
    source = world.random.choice(IDS)
    other = None if world.random.random() < 0.7 else world.random.choice([id for id in IDS if id != source])
    promise = world.promises.new("reset", other or source, must_start=True)
    request(world, machine, promise, source=source, to=to, other=other)


def request(world: World, machine: Machine, promise: Promise, **options: Any) -> None:
    """What a user asks, remembered so that it can be repeated word for word."""
    world.requests[promise.id] = options
    _request(world, machine, promise, **options)


def _request(
    world: World,
    machine: Machine,
    promise: Promise,
    policy: Any = None,
    workflow: str = "",
    timeout: Any = None,
    source: str = "",
    to: int | None = None,
    other: str | None = None,
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
        "reset": lambda: engine.reset_process(source, to, id=other, request_id=promise.id),
        "terminate": lambda: engine.terminate_process(id, promise.id, child_policy=policy),
    }
    ask(world, promise, calls[promise.kind])


def repeat(world: World, machine: Machine) -> None:
    """A user whose call had no answer asks again; now and then one asks again who had an answer."""
    made = [promise for promise in world.promises.made if promise.id in world.requests]
    open = [promise for promise in made if promise.open]
    again = [promise for promise in made if promise.acknowledged and promise.kind in REPEATABLE]
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


def a_timeout(world: World, *some: float | None) -> float | None:
    """None of its own, or one of these."""
    return None if world.patient else world.random.choice((None, *some))
