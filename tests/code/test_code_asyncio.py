"""asyncio on the loop of code: the same on each version of Python, in each order of memory, and beside another loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    Context,
    Manager,
    NotAllowedInWorkflow,
    Process,
    ProcessCanceled,
    SyncContext,
    Worker,
    activity,
    workflow,
)
from pyworkflow.events import DecisionEvent

from .conftest import Environment


@activity
def same(x: int) -> int:
    return x


@activity
def fail(reason: str) -> None:
    raise ActivityFailed(reason)


@activity(execution_timeout=3600, auto_complete=False)
def never() -> None:
    """Somebody else completes it."""


def ids(history: Any) -> list[str]:
    decisions = [event.decision for event in history if isinstance(event, DecisionEvent)]
    return [it.id for it in decisions if it.type in ("schedule_activity", "timer")]  # type: ignore[attr-defined]


def test_places_do_not_depend_on_the_version_of_python(environment: Environment) -> None:
    """wait_for makes a task of a coroutine in Python 3.11 only: with other places, a process could not go on."""

    @workflow(activities=[same])
    async def flow(ctx: Context) -> None:
        async def inner() -> int:
            return await ctx.call(same, 1)

        await asyncio.wait_for(inner(), 5)
        await asyncio.wait_for(inner(), None)
        await asyncio.wait([asyncio.create_task(inner())], timeout=5)
        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
        for each in asyncio.as_completed([inner()]):
            await each

    env = environment(flow)
    env.run(Process(flow, "p"))
    assert sorted(ids(env.history("p"))) == [
        *("1-timer", "2-same", "3-same", "4.1-same", "5-timer", "6.1-same", "7.1-same")
    ]


def test_wait_for_is_what_it_is_elsewhere(environment: Environment) -> None:
    @workflow(activities=[same, never])
    async def flow(ctx: Context) -> list[Any]:
        told: list[Any] = [await asyncio.wait_for(ctx.call(same, 7), 5)]
        for timeout in (5, 0):
            try:
                await asyncio.wait_for(ctx.call(never), timeout)
            except TimeoutError:
                told.append(timeout)
        return told

    assert environment(flow).run(Process(flow)) == [7, 5, 0]


def test_what_has_an_address_for_a_hash_is_refused(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> list[int]:
        bare: asyncio.Future[int] = asyncio.Future()
        bare.set_result(1)
        with pytest.raises(NotAllowedInWorkflow, match="create_future"):
            await asyncio.wait([bare])
        with pytest.raises(NotAllowedInWorkflow, match="create_future"):
            list(asyncio.as_completed([bare]))
        made = asyncio.get_running_loop().create_future()
        made.set_result(2)
        done, _ = await asyncio.wait([made, ctx.map(same, [])])
        return [len(done), await bare]

    assert environment(flow).run(Process(flow)) == [2, 1]


@workflow(activities=[same])
async def leaves_generators(ctx: Context) -> list[int]:
    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(10):
                yield await ctx.call(same, number)
        finally:
            await ctx.call(same, 100)

    kept, got = [], []
    for _ in range(70):
        generator = numbers()
        kept.append([generator])
        async for number in generator:
            got.append(number)
            break
    return [len(got), await ctx.call(same, 7)]


def test_an_async_generator_that_is_left_stays_as_it_is(
    environment: Environment, recwarn: pytest.WarningsRecorder
) -> None:
    """Python would close it when memory is cleaned up; asyncio on its own loop, where the worker was called on one."""
    expected = [*(f"{number}-same" for number in range(1, 72))]
    env = environment(leaves_generators)
    assert env.run(Process(leaves_generators, "p")) == [70, 7]
    assert ids(env.history("p")) == expected


def test_a_worker_may_be_called_on_another_loop() -> None:
    async def main() -> list[Any]:
        here = asyncio.current_task()
        manager = Manager("memory://", [leaves_generators])
        manager.start_process(Process(leaves_generators, "p"))
        Worker(manager).run(burst=True)
        assert asyncio.current_task() is here
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
        return [manager.result("p", 0), ids(manager.history("p"))]

    assert asyncio.run(main()) == [[70, 7], [f"{number}-same" for number in range(1, 72)]]


@workflow(activities=[same, fail, never])
async def cleans_up(ctx: Context) -> list[Any]:
    told: list[Any] = []
    try:
        await ctx.sleep(1000)
    except asyncio.CancelledError:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(ctx.call(fail, "no"))
        except* ActivityFailed:
            told.append("group")
        told.append(await ctx.call(same, 1))
        try:
            async with asyncio.timeout(5):
                await ctx.call(never)
        except TimeoutError:
            told.append("timeout")
    return [*told, await ctx.call(same, 2)]


def test_cancellation_is_delivered_once_whatever_cleaning_up_runs_into(environment: Environment) -> None:
    env = environment(cleans_up)
    env.start(Process(cleans_up, "p"))
    env.run_until_idle()
    env.cancel("p")
    assert env.run("p") == ["group", 1, "timeout", 2]


@workflow(activities=[same])
async def cancels_a_group(ctx: Context) -> None:
    async def undone() -> None:
        try:
            await ctx.sleep(100)
        finally:
            await ctx.call(same, 1)

    async with asyncio.TaskGroup() as group:
        group.create_task(undone())
        group.create_task(undone())


def test_a_group_that_is_canceled_waits_for_what_its_tasks_clean_up(environment: Environment) -> None:
    env = environment(cancels_a_group)
    env.start(Process(cancels_a_group, "p"))
    env.run_until_idle()
    env.cancel("p")
    with pytest.raises(ProcessCanceled):
        env.run("p")
    assert [id for id in ids(env.history("p")) if id.endswith("same")] == ["1.2-same", "2.2-same"]


def test_timers_are_as_long_as_was_asked_for(environment: Environment) -> None:
    """To the microsecond: on SWF, which knows whole seconds, five of them must not become six."""

    @workflow
    async def flow(ctx: Context) -> None:
        for seconds in (0.1, 5, 7.3, 30 * 86_400):
            await ctx.sleep(seconds)

    env = environment(flow)
    env.clock.advance(0.123457)
    env.run(Process(flow, "p"))
    decisions = [event.decision for event in env.history("p") if isinstance(event, DecisionEvent)]
    assert [it.delay for it in decisions if it.type == "timer"] == [0.1, 5, 7.3, 30 * 86_400]  # type: ignore[attr-defined]


@workflow
async def begins(ctx: Context) -> str:
    try:
        await ctx.sleep(60)
    except asyncio.CancelledError:
        return "cleaned up"
    return "slept"


@workflow
def plainly_begins(ctx: SyncContext) -> str:
    try:
        ctx.sleep(60)
    except ProcessCanceled:
        return "cleaned up"
    return "slept"


@pytest.mark.parametrize("flow", [begins, plainly_begins])
@pytest.mark.parametrize("early", [True, False])
def test_code_begins_before_it_is_canceled(flow: Any, early: bool, environment: Environment) -> None:
    env = environment(flow)
    env.start(Process(flow, "p"))
    if not early:
        env.run_until_idle()
    env.cancel("p")
    assert env.run("p") == "cleaned up"
