"""The store's clock goes back in the middle of things: nothing is lost by it, and nothing comes early."""

from __future__ import annotations

import pytest

from pyworkflow.backend.memory import MemoryStore
from pyworkflow.decision import Timer
from pyworkflow.engine.engine import Engine
from pyworkflow.process import Process
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import check


class Back(MemoryStore):
    """A store whose clock goes back by `jump` seconds when something was claimed."""

    jump = 0.0

    def claim(self, queues, now, until, limit):
        claimed = super().claim(queues, now, until, limit)
        if claimed:
            self._clock.now -= self.jump
            self.jump = 0.0
        return claimed


@pytest.fixture
def store() -> Back:
    return Back(VirtualClock(1_000.0))


def events(engine: Engine) -> list[str]:
    return [event.type for event in engine.history("p")]


def test_an_alarm_that_turns_out_to_be_early_sounds_again(store):
    engine = Engine(store)
    engine.start_process(Process("W", "p"))
    engine.complete_decision_task(engine.poll_decision_task(), Timer(5.0, id="t"))
    store._clock.now, store.jump = 1_005.0, 1.0
    engine.exchange()
    check(store)
    assert "timer" not in events(engine)
    store._clock.now = 1_005.0
    engine.exchange()
    assert events(engine).count("timer") == 1


def test_work_goes_on_though_the_clock_went_back(store):
    engine = Engine(store)
    store._clock.now = 2_000.0
    engine.start_process(Process("W", "p"))
    engine.complete_decision_task(engine.poll_decision_task())
    store._clock.now = 1_000.0
    engine.signal_process("p", "s")
    task = engine.poll_decision_task()
    assert task is not None
    times = [event.datetime for event in task.process.history]
    assert times == sorted(times)
    check(store)
