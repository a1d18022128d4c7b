"""More than SWF lets be open at once: what is too much waits for its turn, and nobody has to care."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyworkflow import (
    Context,
    Manager,
    Process,
    RetryPolicy,
    SyncContext,
    Worker,
    activity,
    current_activity,
    workflow,
)
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.code import calls, rerun
from pyworkflow.events import DecisionEvent, DecisionRefusedEvent
from pyworkflow.testing import WorkflowEnvironment

LIMIT = 20


@activity
def double(x: int) -> int:
    return x * 2


@workflow(activities=[double])
async def wide(ctx: Context, width: int) -> int:
    return sum(await ctx.map(double, range(width)))


@workflow(activities=[double])
def wide_too(ctx: SyncContext, width: int) -> int:
    return sum(ctx.get_result(ctx.map(double, range(width))))


def open_at_most(history: Any) -> int:
    """How many activities were open at the most."""
    most = now = 0
    for event in history:
        if isinstance(event, DecisionEvent) and event.decision.type == "schedule_activity":
            now += 1
        now -= event.type == "activity"
        most = max(most, now)
    return most


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"schedule_activity": LIMIT, "timer": LIMIT, "start_child_process": LIMIT}
    for module in (calls, rerun):
        monkeypatch.setattr(module, "OPEN_AT_ONCE", limits)


@pytest.mark.parametrize("size", [0, 1_000])
@pytest.mark.parametrize("flow", [wide, wide_too], ids=["async", "plain"])
def test_activities_wait_for_their_turn(flow: Any, size: int, few: None) -> None:
    manager = Manager("memory://", [flow])
    manager.start_process(Process(flow, "p", 95))
    Worker(manager, concurrency=7, cache_size=size).run(burst=True)
    assert manager.result("p", 0) == 95 * 94
    assert open_at_most(manager.history("p")) == LIMIT - (flow is wide_too)


@pytest.mark.parametrize("flow", [wide, wide_too], ids=["async", "plain"])
def test_a_thousand_is_the_limit_of_swf(flow: Any) -> None:
    manager = Manager(MemoryBackend(), [flow])
    manager.start_process(Process(flow, "p", 1_100))
    Worker(manager, concurrency=200).run(burst=True)
    assert manager.result("p", 0) == 1_100 * 1_099
    history = manager.history("p")
    assert open_at_most(history) == 1_000 - (flow is wide_too)
    assert not any(isinstance(event, DecisionRefusedEvent) for event in history)


def test_timers_wait_and_are_late_only_where_they_must(few: None) -> None:
    @workflow
    async def flow(ctx: Context) -> float:
        begun = ctx.now()
        await asyncio.gather(*[ctx.sleep(10 + n) for n in range(50)])
        return (ctx.now() - begun).total_seconds()

    assert WorkflowEnvironment([flow]).run(Process(flow)) == 59


def test_canceled_ones_make_room(few: None) -> None:
    @workflow(activities=[double])
    async def flow(ctx: Context) -> list[Any]:
        waits = [asyncio.create_task(ctx.sleep(1_000)) for _ in range(30)]
        await ctx.call(double, 1)
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        begun = ctx.now()
        await asyncio.gather(*[ctx.sleep(5) for _ in range(LIMIT)])
        return [(ctx.now() - begun).total_seconds()]

    assert WorkflowEnvironment([flow], always_replay=True).run(Process(flow)) == [5]


@activity
def stubborn(x: int) -> int:
    if current_activity().attempt == 1:
        raise ValueError(x)
    return x


def timers_open_at_most(history: Any) -> int:
    most = now = 0
    for event in history:
        if isinstance(event, DecisionEvent):
            now += {"timer": 1, "cancel_timer": -1}.get(event.decision.type, 0)
        now -= event.type == "timer"
        most = max(most, now)
    return most


@pytest.mark.parametrize("size", [0, 1_000])
def test_pauses_between_attempts_are_timers_too(size: int, few: None) -> None:
    @workflow(activities=[stubborn])
    async def flow(ctx: Context) -> int:
        sleeps = [asyncio.create_task(ctx.sleep(100)) for _ in range(LIMIT // 2)]
        found = await ctx.map(stubborn, range(LIMIT * 2), retry=RetryPolicy(10, maximum_attempts=2))
        await asyncio.gather(*sleeps)
        return sum(found)

    env = WorkflowEnvironment([flow], cache_size=size)
    assert env.run(Process(flow, "p")) == sum(range(LIMIT * 2))
    assert timers_open_at_most(env.history("p")) == LIMIT
    assert open_at_most(env.history("p")) <= LIMIT


@pytest.mark.parametrize("size", [0, 1_000])
def test_pauses_that_wait_for_their_turn_can_be_canceled(size: int, few: None) -> None:
    @workflow(activities=[stubborn])
    async def flow(ctx: Context) -> Any:
        sleeps = [asyncio.create_task(ctx.sleep(100)) for _ in range(LIMIT - 1)]
        calls = [ctx.call(stubborn, number, retry=RetryPolicy(10, maximum_attempts=2)) for number in range(4)]
        await ctx.sleep(5)  # One timer is left for all: this one, and then the pauses one by one.
        calls[1].cancel()
        calls[2].cancel()
        found = await asyncio.gather(calls[0], calls[3])
        when = ctx.now().second
        for sleep in sleeps:
            sleep.cancel()
        return [*found, when, await ctx.map(stubborn, range(LIMIT), retry=RetryPolicy(1, maximum_attempts=2))]

    env = WorkflowEnvironment([flow], cache_size=size)
    assert env.run(Process(flow, "p")) == [0, 3, 25, list(range(LIMIT))]
    assert timers_open_at_most(env.history("p")) == LIMIT


@pytest.mark.parametrize("size", [0, 1_000])
def test_plain_code_has_a_timer_left_beside_all_pauses(size: int, few: None) -> None:
    @workflow(activities=[stubborn])
    def flow(ctx: SyncContext) -> int:
        calls = ctx.map(stubborn, range(LIMIT * 2), retry=RetryPolicy(10, maximum_attempts=2))
        return sum(ctx.get_result(calls, timeout=1_000))

    env = WorkflowEnvironment([flow], cache_size=size)
    assert env.run(Process(flow, "p")) == sum(range(LIMIT * 2))
    assert timers_open_at_most(env.history("p")) == LIMIT
