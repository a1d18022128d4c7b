"""What is of a type that a worker does not know is left to others: nothing is written, and nobody waits long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pyworkflow import CompleteProcess, Process, ScheduleActivity
from pyworkflow.backend import Exchanged, Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.task import DecisionTask
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import check

Types = Sequence[tuple[str, str]]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def engine(store: MemoryStore) -> Engine:
    return make_engine(store)


def make_engine(store: MemoryStore) -> Engine:
    engine = Engine(store)
    engine.register_workflow("W")
    for name in ("A", "B"):
        engine.register_activity(name)
    return engine


def decide(engine: Engine, *types: tuple[str, str], limit: int = 10, **how: Any) -> Exchanged:
    return engine.exchange(decisions=Wanted(("default",), limit, types), **how)


def test_days_without_anybody_who_knows_it_leave_no_trace(
    store: MemoryStore, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    engines = [make_engine(store) for _ in range(3)]
    engines[0].start_process(Process("W", "p"))
    for _ in range(3 * 1_440):
        clock.advance(20.0)
        assert not any(decide(engine, ("W", "2.0"), ("V", "1.0")) for engine in engines)
    assert "process 'p': workflow 'W', version 1.0, is unknown" in caplog.text
    assert len(caplog.records) < 1_600, "once a minute"
    assert [event.type for event in engines[0].history("p")] == ["process_started"]
    clock.advance(60.0)
    assert len(decide(engines[0], ("W", "1.0")).decisions) == 1
    check(store)


def test_it_is_soon_looked_at_again(engine: Engine, clock: VirtualClock) -> None:
    engine.start_process(Process("W", "p"))
    assert not decide(engine, ("V", "1.0"))
    clock.advance(1.0)
    assert len(decide(engine, ("W", "1.0")).decisions) == 1


@pytest.mark.parametrize("unknown", [1, 30])
def test_what_is_known_is_had_though_others_wait_before_it(engine: Engine, unknown: int) -> None:
    for number in range(unknown):
        engine.start_process(Process("V", f"v{number}"))
    engine.start_process(Process("W", "w"))
    (decision,) = decide(engine, ("W", "1.0"), limit=1, timeout=30.0).decisions
    assert decision.process.id == "w"


def test_nothing_unknown_is_handed_over_directly(engine: Engine, store: MemoryStore) -> None:
    engine.start_process(Process("W", "p"))
    (task,) = engine.exchange(decisions=Wanted(("default",), 1)).decisions
    both = [ScheduleActivity("A", "a"), ScheduleActivity("B", "b")]
    got = engine.exchange([Finished(task, both)], activities=Wanted(("default",), 10, [("A", "1.0")]))
    assert [activity.activity for activity in got.activities] == ["A"]
    other = make_engine(store).exchange(activities=Wanted(("default",), 10, [("B", "1.0")]))
    assert [activity.activity for activity in other.activities] == ["B"]


def test_no_decider_is_asked_for_a_type_that_is_unknown(engine: Engine, clock: VirtualClock) -> None:
    def complete(task: DecisionTask) -> Any:
        return [CompleteProcess()]

    for workflow in ("V", "W"):
        engine.start_process(Process(workflow, workflow.lower()))
    assert decide(engine, ("W", "1.0"), decide=complete).decided == 1
    assert [engine.process_by_id(id).status for id in ("v", "w")] == ["running", "completed"]
