"""Random programs come to the same end however their code is kept, and to that of a direct execution."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyworkflow import DecisionTask, Process, Signal
from pyworkflow.backend import Finished, Released
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.code.turns import signature
from pyworkflow.events import DecisionEvent, SignalEvent
from pyworkflow.testing import WorkflowEnvironment

from .direct import run_directly
from .programs import Node, Program, programs, signals

Sent = list[tuple[float, str, int]]
WAYS: dict[str, dict[str, Any]] = {
    "kept": {},
    "cache-0": {"cache_size": 0},
    "cache-1": {"cache_size": 1},
    "always-replay": {"always_replay": True},
}


class Rough(WorkflowEnvironment):
    """An environment in which what was decided is often not recorded, and what was kept is lost."""

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__([Program], **options)
        self.chance = random.Random(seed)

    def _step(self) -> bool:
        what = self.chance.random()
        if what < 0.4 and (task := self.manager.next_decision()) is not None:
            self._decide_in_vain(task, never_was=what < 0.2)
            return True
        if what > 0.9 and self._worker._running._kept is not None:
            self._worker._running._kept.clear()
        return super()._step()

    def _decide_in_vain(self, task: DecisionTask, never_was: bool) -> None:
        """Let code that is kept decide on what never is recorded; or decide, and hand the decision back."""
        workflow: Any = self._worker._running._workflow(task)
        if not never_was:
            workflow.decide(task.process)
            self.manager.backend.exchange([Finished(task, Released())])
            return
        history = task.process.history
        news = [SignalEvent(signal=Signal("x", 99), datetime=history[-1].datetime, id=history[-1].id), history[-1]]
        workflow.decide(task.process.copy_with_id(str(task.process.id), history=[*history[:-1], *news]))
        self.manager.complete_task(task, workflow.decide(task.process))


def outcome(env: WorkflowEnvironment, tree: Node, sent: Sent) -> tuple[Any, list[Any]]:
    """The result of a program, and what was decided in which order."""
    id = env.start(Process(Program, "p", tree))
    begun = env.clock.now
    for when, name, data in sent:
        env.advance(begun + when - env.clock.now)
        if env.manager.backend.wait_for_process(id, 0) is None:
            env.signal(id, name, data)
    result = env.run(id)
    events = env.history(id)
    env.close()
    return result, [signature(event.decision) for event in events if isinstance(event, DecisionEvent)]


def without_run(signatures: list[Any]) -> list[Any]:
    """Ids of children hang on the run, which is another one each time."""
    return [each[:1] if each[0] in ("start_child_process", "request_cancel_process") else each for each in signatures]


COMMON = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@COMMON
@given(programs(), signals())
def test_every_way_comes_to_the_same_end(tree: Node, sent: Sent) -> None:
    expected = run_directly(tree, sent)
    histories = []
    for options in WAYS.values():
        result, decided = outcome(WorkflowEnvironment([Program], **options), tree, sent)
        assert result == expected
        histories.append(without_run(decided))
    assert all(decided == histories[0] for decided in histories)


@COMMON
@given(programs(), signals(), st.integers(0, 1_000), st.sampled_from(sorted(WAYS)))
def test_what_was_decided_in_vain_leaves_nothing(tree: Node, sent: Sent, seed: int, way: str) -> None:
    result, _ = outcome(Rough(seed, **WAYS[way]), tree, sent)
    assert result == run_directly(tree, sent)


@settings(COMMON, max_examples=10)
@given(tree=programs(), sent=signals(), seed=st.integers(0, 1_000))
def test_on_sqlite(tree: Node, sent: Sent, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = str(tmp_path_factory.mktemp("programs") / "p.db")
    backend: Callable[[Any], Any] = lambda clock: SQLiteBackend(path, durability="normal", clock=clock)  # noqa: E731
    result, _ = outcome(Rough(seed, backend=backend), tree, sent)
    assert result == run_directly(tree, sent)
