"""Code that is kept between decisions is only ever where the history is, and is let go of without a trace."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest

from pyworkflow import (
    ActivityWorker,
    CodeWorkflow,
    Context,
    Manager,
    NotDeterministic,
    Process,
    Signal,
    SyncContext,
    Worker,
    activity,
)
from pyworkflow.backend import Failed, Finished, Released
from pyworkflow.code.replay import Kept
from pyworkflow.code.turns import steps
from pyworkflow.decision import ScheduleActivity, Timer
from pyworkflow.events import (
    DecisionCompletedEvent,
    DecisionEvent,
    DecisionFailedEvent,
    DecisionReleasedEvent,
    DecisionStartedEvent,
    DecisionTimedOutEvent,
    Event,
    ProcessStartedEvent,
    SignalEvent,
)
from pyworkflow.testing import WorkflowEnvironment

begun: list[str] = []


@activity
def double(x: int) -> int:
    return x * 2


class Waits(CodeWorkflow):
    activities = [double]

    async def run(self, ctx: Context) -> list[Any]:
        begun.append(str(ctx.info.id))
        return [await ctx.wait_signal("x"), await ctx.call(double, 1), await ctx.wait_signal("x")]


class Reads(CodeWorkflow):
    """Decides nothing on its first signal, only remembers it."""

    activities = [double]

    async def run(self, ctx: Context) -> list[Any]:
        first, second = await ctx.wait_signal("x"), await ctx.wait_signal("x")
        return [first, await ctx.call(double, 1), second]


class WaitsToo(CodeWorkflow):
    activities = [double]

    def run(self, ctx: SyncContext) -> list[Any]:
        return [ctx.wait_signal("x"), ctx.call(double, 1), ctx.wait_signal("x")]


@pytest.fixture(params=[Waits, Reads, WaitsToo])
def waits(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_what_was_never_recorded_is_forgotten(waits: Any) -> None:
    """A decision was computed on a signal whose commit was refused; the history goes on with another one."""
    manager = Manager("memory://", [waits])
    manager.start_process(Process(waits, "p"))
    kept = Kept()
    flow = waits()
    flow.kept = kept
    task = manager.next_decision()
    assert task is not None
    manager.complete_task(task, flow.decide(task.process))
    manager.signal_process("p", "x", "real")
    manager.signal_process("p", "another")
    task = manager.next_decision()
    assert task is not None
    history = task.process.history
    when = history[-1].datetime
    never = SignalEvent(signal=Signal("x", "never"), datetime=when, id=history[-3].id)
    ahead = [*history[:-3], never, DecisionStartedEvent(datetime=when, id=history[-2].id)]
    decided = [it.type for it in flow.decide(task.process.copy_with_id("p", history=ahead))]
    assert decided == ([] if waits is Reads else ["schedule_activity"])
    assert len(kept) == 1
    manager.complete_task(task, flow.decide(task.process))
    manager.signal_process("p", "x", "second")
    worker = ActivityWorker(manager)
    worker.run(burst=True)
    while (task := manager.next_decision()) is not None:
        manager.complete_task(task, flow.decide(task.process))
        worker.run(burst=True)
    assert manager.result("p", 0) == ["real", 2, "second"]


def test_an_answer_of_somebody_else_counts(waits: Any) -> None:
    """What this worker decided is not what was recorded: it looks at its code anew, and finds that it does not fit."""
    manager = Manager("memory://", [waits])
    manager.start_process(Process(waits, "p"))
    flow = waits()
    flow.kept = Kept()
    task = manager.next_decision()
    assert task is not None
    flow.decide(task.process)
    manager.complete_task(task, [Timer(0, id="9-timer")])
    task = manager.next_decision()
    assert task is not None
    with pytest.raises(NotDeterministic, match="history: timer 9-timer"):
        flow.decide(task.process)


def test_values_that_somebody_else_recorded_count() -> None:
    values = iter([1, 2, 3])

    class Draws(CodeWorkflow):
        async def run(self, ctx: Context) -> list[Any]:
            return [ctx.side_effect(lambda: next(values)), await ctx.wait_signal("x")]

    manager = Manager("memory://", [Draws])
    manager.start_process(Process(Draws, "p"))
    flow = Draws()
    flow.kept = Kept()
    task = manager.next_decision()
    assert task is not None
    flow.decide(task.process)
    manager.complete_task(task, Draws().decide(task.process))
    manager.signal_process("p", "x", "go")
    task = manager.next_decision()
    assert task is not None
    manager.complete_task(task, flow.decide(task.process))
    assert manager.result("p", 0) == [2, "go"]


@pytest.mark.parametrize("outcome", [Released(), Failed("no", None, 99)], ids=["released", "failed"])
def test_an_answer_that_was_thrown_away_is_forgotten(waits: Any, outcome: Any) -> None:
    env = WorkflowEnvironment([waits])
    env.start(Process(waits, "p"))
    env.run_until_idle()
    for data in ("one", "two"):
        env.signal("p", "x", data)
        task = env.manager.next_decision()
        assert task is not None
        flow = env._worker._running._workflow(task)
        flow.decide(task.process)
        env.manager.backend.exchange([Finished(task, outcome)])
        env.advance(10)
    assert env.run("p") == ["one", 2, "two"]


def test_two_workers_take_turns(waits: Any) -> None:
    manager = Manager("memory://", [waits])
    manager.start_process(Process(waits, "p"))
    workers = [Worker(manager), Worker(manager), Worker(manager, cache_size=0)]
    for turn in range(12):
        workers[turn % 3].step()
        if turn in (2, 7):
            manager.signal_process("p", "x", turn)
    assert manager.result("p", 0) == [2, 2, 7]


def test_code_that_is_kept_is_not_begun_again() -> None:
    for size, times in ((2, 1), (1, 3), (0, 4)):
        begun.clear()
        env = WorkflowEnvironment([Waits], cache_size=size)
        for id in ("a", "b"):
            env.start(Process(Waits, id))
        for data in (1, 2):
            for id in ("a", "b"):
                env.run_until_idle()
                env.signal(id, "x", data)
        assert env.run("a") == env.run("b") == [1, 2, 2]
        assert begun.count("a") == times, size


def test_only_so_many_are_kept() -> None:
    manager = Manager("memory://", [Waits])
    for number in range(5):
        manager.start_process(Process(Waits, f"p{number}"))
    worker = Worker(manager, cache_size=3)
    while worker.step():
        pass
    assert worker._running._kept is not None and len(worker._running._kept) == 3
    worker.run(burst=True)
    assert len(worker._running._kept) == 0
    with pytest.raises(ValueError, match="0 or more"):
        Worker(manager, cache_size=-1)


cleaned: list[str] = []


class Cleans(CodeWorkflow):
    activities = [double]

    async def run(self, ctx: Context) -> None:
        async def beside() -> None:
            try:
                await ctx.wait_signal("never")
            finally:
                cleaned.append("beside")
                await ctx.call(double, 1)

        task = asyncio.create_task(beside())
        try:
            await ctx.wait_signal("never")
        finally:
            cleaned.append("main")
            await ctx.call(double, 2)
            await task


def test_code_that_is_let_go_asks_for_nothing(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    env = WorkflowEnvironment([Cleans], cache_size=0)
    with caplog.at_level(logging.DEBUG, "asyncio"):
        env.start(Process(Cleans, "p"))
        env.run_until_idle()
        gc.collect()
    assert [event.type for event in env.history("p")] == ["process_started", "decision_started", "decision_completed"]
    assert not caplog.records and not capsys.readouterr().err


def test_a_bug_that_is_mended() -> None:
    class Buggy(Waits):
        broken = True

        async def run(self, ctx: Context) -> list[Any]:
            got = await ctx.wait_signal("x")
            if Buggy.broken:
                raise KeyError(got)
            return [got, await ctx.call(double, 4)]

    env = WorkflowEnvironment([Buggy])
    env.start(Process(Buggy, "p"))
    env.run_until_idle()
    env.signal("p", "x", 1)
    with pytest.raises(KeyError):
        env.run("p")
    Buggy.broken = False
    assert env.run("p") == [1, 8]


def test_always_replay_finds_code_that_is_different_each_time() -> None:
    names = iter(range(100))

    class Fickle(CodeWorkflow):
        activities = [double]

        async def run(self, ctx: Context) -> None:
            if next(names) % 2:
                await ctx.sleep(1)
            await ctx.call(double, 1)

    env = WorkflowEnvironment([Fickle], always_replay=True)
    with pytest.raises(NotDeterministic, match=r"history: schedule_activity double 1-double\n\+ code: +timer 1-timer"):
        env.run(Process(Fickle))


# -- turns ----------


def numbered(*events: Event) -> list[Event]:
    for number, event in enumerate(events, 1):
        event.id = number
    return list(events)


def shown(history: list[Event], at: int = 0) -> Any:
    found = steps(history, at)
    if found is None:
        return None
    return [
        (
            [decision.type for decision in step.answer.decisions],
            [event.type for event in step.news],
            step.time is not None,
        )
        for step in found
    ]


def test_turns_of_a_history() -> None:
    history = numbered(
        ProcessStartedEvent(),
        DecisionStartedEvent(),
        SignalEvent(signal=Signal("came while it was decided")),
        DecisionEvent(decision=Timer(1)),
        DecisionEvent(decision=ScheduleActivity("a", "1")),
        SignalEvent(signal=Signal("came after it")),
        DecisionStartedEvent(),
        DecisionCompletedEvent(),
    )
    assert shown(history) == [
        ([], ["process_started"], True),
        (["timer", "schedule_activity"], ["signal", "signal"], True),
        ([], [], False),
    ]
    assert shown(history, 2) == shown(history)[1:]


@pytest.mark.parametrize("void", [DecisionFailedEvent, DecisionTimedOutEvent, DecisionReleasedEvent])
def test_attempts_that_came_to_nothing_are_no_turns(void: Any) -> None:
    history = numbered(
        ProcessStartedEvent(),
        DecisionStartedEvent(),
        DecisionEvent(decision=Timer(1)),
        SignalEvent(signal=Signal("a")),
        DecisionStartedEvent(),
        SignalEvent(signal=Signal("b")),
        void(),
        DecisionStartedEvent(),
        void(),
        DecisionStartedEvent(),
    )
    assert shown(history) == [([], ["process_started"], True), (["timer"], ["signal", "signal"], True), ([], [], False)]
    assert shown(history, 5) is None
    assert shown([*history[:2], void()]) == [([], ["process_started"], False)]
