"""A store forgets acknowledged commits, as servers do in power cuts and failovers: a worker that remembers them does no
harm, and its deciders see what is stored."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.backend.model import Finished, Wanted
from pyworkflow.decision import RecordMarker, ScheduleActivity
from pyworkflow.engine.engine import Engine
from pyworkflow.process import Process
from pyworkflow.task import DecisionTask
from pyworkflow.testing.invariants import check

PARTS = ("_runs", "_current", "_tasks", "_queues")


class Forgetful(MemoryStore):
    """A store that can be set back."""

    def remember(self) -> None:
        self._past = deepcopy([getattr(self, part) for part in PARTS])

    def forget(self) -> None:
        for part, past in zip(PARTS, self._past, strict=True):
            setattr(self, part, past)


@pytest.fixture
def store() -> Forgetful:
    return Forgetful()


def signals(task: DecisionTask | None) -> list[str]:
    assert task is not None
    return [event.signal.name for event in task.process.history if event.type == "signal"]


def engines(store: Forgetful) -> tuple[Engine, Engine]:
    """One that remembers what the store will have forgotten, and another."""
    mine, other = Engine(store), Engine(store)
    mine.start_process(Process("W", "p"))
    mine.complete_decision_task(mine.poll_decision_task(), RecordMarker("m"))
    store.remember()
    return mine, other


def signaled(engine: Engine) -> None:
    engine.signal_process("p", "lost")


def taken(engine: Engine) -> None:
    engine.signal_process("p", "lost")
    engine.poll_decision_task()


def decided(engine: Engine) -> None:
    taken_task = engine.signal_process("p", "lost") or engine.poll_decision_task()
    engine.complete_decision_task(taken_task, RecordMarker("lost"))


@pytest.mark.parametrize("lost", [signaled, taken, decided])
@pytest.mark.parametrize("news", range(1, 6))
def test_a_decider_sees_what_is_stored(store: Forgetful, lost: Callable[[Engine], None], news: int) -> None:
    mine, other = engines(store)
    lost(mine)
    store.forget()
    for number in range(news):
        other.signal_process("p", f"new-{number}")
    assert signals(mine.poll_decision_task()) == [f"new-{number}" for number in range(news)]
    check(store)


@pytest.mark.parametrize("twice", [False, True], ids=["once", "handed-in-again"])
@pytest.mark.parametrize("lost", [signaled, taken, decided])
@pytest.mark.parametrize("more", range(4))
def test_a_decider_that_is_asked_on_the_way_sees_what_is_stored(
    store: Forgetful, lost: Callable[[Engine], None], more: int, twice: bool
) -> None:
    mine, other = Engine(store), Engine(store)
    for each in (mine, other):
        each.register_activity("A", "a")
    mine.start_process(Process("W", "p"))
    mine.complete_decision_task(mine.poll_decision_task(), ScheduleActivity("A", "x"))
    activity = mine.poll_activity_task("a")
    assert activity is not None
    mine.exchange()  # Fair for a second: from now on deciders are asked on the way.
    store.remember()
    lost(mine)
    if twice:
        mine.complete_activity_task(activity, ActivityCompleted("lost"))
    store.forget()
    other.signal_process("p", "new")
    other.complete_decision_task(other.poll_decision_task(), [RecordMarker("m")] * more)
    seen: list[list[str]] = []

    def decide(task: DecisionTask) -> list[object]:
        seen.append(signals(task))
        return []

    done = [Finished(activity, ActivityCompleted())]
    for task in mine.exchange(done, decisions=Wanted(("default",), 1), decide=decide).decisions:
        decide(task)
    assert seen[-1] == ["new"]
    assert mine.describe_process("p").blocked is None
    check(store)
