"""What a worker's own results bring about is handed to it directly, and does not starve what waits."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from pyworkflow import ActivityCompleted, CompleteProcess, Process, ScheduleActivity
from pyworkflow.backend import Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.task import ActivityTask
from pyworkflow.testing import VirtualClock

ONE = Wanted(("default",), 1)
MANY = Wanted(("default",), 10)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def engine(clock: VirtualClock) -> Engine:
    engine = Engine(MemoryStore(clock))
    engine.register_workflow("W")
    engine.register_activity("A")
    return engine


def one_more(*finished: ActivityTask, engine: Engine) -> ActivityTask:
    """Hand in results, decide on what comes of them, and have one activity for it."""
    done = [Finished(task, ActivityCompleted()) for task in finished]
    (task,) = engine.exchange(done, decisions=MANY, activities=ONE, decide=schedule).activities
    return task


def schedule(task: Any) -> list[ScheduleActivity]:
    return [ScheduleActivity("A")]


def test_an_endless_process_does_not_starve_another(engine: Engine, clock: VirtualClock) -> None:
    for id in ("p", "q"):
        engine.start_process(Process("W", id))
    task, seen = one_more(engine=engine), []
    for _ in range(12):
        clock.advance(0.3)
        task = one_more(task, engine=engine)
        seen.append(task.process_id)
    assert set(seen) == {"p", "q"}
    assert sum(one != next for one, next in pairwise(seen)) <= 4, "in between it is handed over"


def test_when_what_waits_comes_first_a_free_worker_still_has_what_it_created(engine: Engine) -> None:
    engine.start_process(Process("W", "p"))
    assert one_more(engine=engine).process_id == "p"


def test_nothing_is_begun_of_a_process_that_ends_at_the_same_time(engine: Engine, clock: VirtualClock) -> None:
    engine.start_process(Process("W", "p"))
    both = [ScheduleActivity("A", "a"), ScheduleActivity("A", "b")]
    (task,) = engine.exchange(decisions=MANY, activities=ONE, decide=lambda task: both).activities
    clock.advance(1.0)
    done = [Finished(task, ActivityCompleted())]
    got = engine.exchange(done, decisions=MANY, activities=ONE, decide=lambda task: [CompleteProcess()])
    assert (engine.process_by_id("p").status, got.activities) == ("completed", [])


@pytest.mark.parametrize("jump", [-3_600.0, 3_600.0])
def test_a_clock_that_jumps_does_not_starve_anybody(engine: Engine, clock: VirtualClock, jump: float) -> None:
    test_an_endless_process_does_not_starve_another(engine, clock)
    clock.now += jump
    for id in ("r", "s"):
        engine.start_process(Process("W", id))
    task = one_more(engine=engine)
    seen = {task.process_id}
    for _ in range(20):
        clock.advance(0.3)
        task = one_more(task, engine=engine)
        seen.add(task.process_id)
    assert seen >= {"r", "s"}
