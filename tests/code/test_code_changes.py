"""Code that was changed while its processes run: every difference from the history is found, named and mendable."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, Manager, NotDeterministic, Process, SyncContext, Worker, activity
from pyworkflow.events import DecisionEvent
from pyworkflow.testing import VirtualClock, WorkflowEnvironment

from .conftest import Environment


@activity
def one(x: int) -> int:
    return x + 1


@activity
def two(x: int) -> int:
    return x + 2


def versions(*runs: Any) -> list[type[CodeWorkflow]]:
    """One workflow after several deployments."""
    made = []
    for run in runs:
        body = run if isinstance(run, staticmethod) else staticmethod(run)
        made.append(type("Flow", (CodeWorkflow,), {"run": body, "activities": [one, two], "name": "Flow"}))
    return made


async def old(ctx: Context) -> int:
    x = await ctx.call(one, 0)
    await ctx.sleep(60)
    return await ctx.call(two, x)


async def wrong(ctx: Context) -> int:
    x = await ctx.call(two, 0)
    await ctx.sleep(60)
    return await ctx.call(two, x)


async def wrong_kind(ctx: Context) -> int:
    await ctx.sleep(1)
    await ctx.sleep(60)
    return await ctx.call(two, 1)


async def missing(ctx: Context) -> int:
    await ctx.wait_signal("never")
    return 0


async def extra(ctx: Context) -> int:
    async def beside() -> None:
        await ctx.sleep(5)

    asyncio.create_task(beside())  # noqa: RUF006
    x = await ctx.call(one, 0)
    await ctx.sleep(60)
    return await ctx.call(two, x)


async def early(ctx: Context) -> int:
    return await ctx.call(one, 0)


def old_sync(ctx: SyncContext) -> int:
    x = ctx.call(one, 0)
    ctx.sleep(60)
    return int(ctx.call(two, x))


def wrong_sync(ctx: SyncContext) -> int:
    x = ctx.call(two, 0)
    ctx.sleep(60)
    return int(ctx.call(two, x))


def missing_sync(ctx: SyncContext) -> int:
    ctx.wait_signal("never")
    return 0


def extra_sync(ctx: SyncContext) -> int:
    ctx.call_async(two, 0)
    x = ctx.call(one, 0)
    ctx.sleep(60)
    return int(ctx.call(two, x))


def early_sync(ctx: SyncContext) -> int:
    return int(ctx.call(one, 0))


def history_of(cls: type[CodeWorkflow]) -> Process:
    """A process that sleeps after its first call, as the next decider gets it."""
    env = WorkflowEnvironment([cls])
    id = env.start(Process(cls, "p"))
    env.run_until_idle()
    env.advance(60)
    return env.manager.process_by_id(id)


ONE = "history: schedule_activity one 1-one"
TWO = "code:    schedule_activity two 1-two"
CASES = [
    (
        old,
        wrong,
        ONE,
        TWO,
        "await ctx.call(two, 0)",
    ),
    (old, wrong_kind, ONE, "code:    timer 1-timer", "await ctx.sleep(1)"),
    (old, missing, ONE, "code:    nothing", 'ctx.wait_signal("never")'),
    (old, extra, "history: nothing", "code:    timer 1.1-timer", "await ctx.sleep(5)"),
    (old, early, "history: timer 2-timer", "code:    complete_process", ""),
    (
        old_sync,
        wrong_sync,
        ONE,
        TWO,
        "ctx.call(two",
    ),
    (old_sync, missing_sync, ONE, "code:    nothing", ""),
    (old_sync, extra_sync, "history: nothing", "code:    schedule_activity one 2-one", ""),
    (old_sync, early_sync, "history: timer 2-timer", "code:    complete_process", ""),
]


@pytest.mark.parametrize(
    ("before", "after", "history", "code", "line"), CASES, ids=lambda it: getattr(it, "__name__", "")
)
def test_a_difference_is_found_and_shown(before: Any, after: Any, history: str, code: str, line: str) -> None:
    first, second = versions(before, after)
    process = history_of(first)
    process.history.pop()  # It has not closed yet.
    while not isinstance(process.history[-1], DecisionEvent) or process.history[-1].decision.closes:
        process.history.pop()
    with pytest.raises(NotDeterministic) as error:
        second().decide(process)
    told = str(error.value)
    assert f"- {history}" in told and f"+ {code}" in told
    if line:
        assert line in told and __file__ in told
    assert "ctx.patched(" in told and "'p'" in told


def test_the_order_beside_each_other_may_change(environment: Environment) -> None:
    async def before(ctx: Context) -> list[int]:
        return await asyncio.gather(nested(ctx, 1), nested(ctx, 2))

    async def nested(ctx: Context, x: int) -> int:
        return await ctx.call(one, x)

    async def after(ctx: Context) -> list[int]:
        async def late(x: int) -> int:
            await asyncio.sleep(0)
            return await nested(ctx, x)

        return await asyncio.gather(late(1), nested(ctx, 2))

    first, second = versions(before, after)
    process = history_of(first)
    process.history.pop()
    assert [decision.type for decision in second().decide(process)] == ["complete_process"]


def test_a_timer_may_last_longer_now() -> None:
    async def after(ctx: Context) -> int:
        x = await ctx.call(one, 0)
        await ctx.sleep(90)
        return await ctx.call(two, x)

    first, second = versions(old, after)
    process = history_of(first)
    process.history.pop()
    assert [decision.type for decision in second().decide(process)] == ["complete_process"]


async def patched(ctx: Context) -> int:
    x = await ctx.call(two if ctx.patched("two-first") else one, 0)
    await ctx.sleep(60)
    if ctx.patched("two-first"):
        await ctx.sleep(60)
    return await ctx.call(two, x)


def patched_sync(ctx: SyncContext) -> int:
    x = ctx.call(two if ctx.patched("two-first") else one, 0)
    ctx.sleep(60)
    if ctx.patched("two-first"):
        ctx.sleep(60)
    return int(ctx.call(two, x))


async def cleaned(ctx: Context) -> int:
    x = await ctx.call(two, 0)
    await ctx.sleep(60)
    await ctx.sleep(60)
    return await ctx.call(two, x)


def cleaned_sync(ctx: SyncContext) -> int:
    x = ctx.call(two, 0)
    ctx.sleep(60)
    ctx.sleep(60)
    return int(ctx.call(two, x))


@pytest.mark.parametrize(
    ("before", "after", "later"),
    [(old, patched, cleaned), (old_sync, patched_sync, cleaned_sync)],
    ids=["async", "sync"],
)
def test_patches(before: Any, after: Any, later: Any, environment: Environment) -> None:
    """Old processes go the old way, new ones the new way, and the patch can go when the old ones are gone."""
    first, second, third = versions(before, after, later)
    env = environment(first)
    for id in ("old", "older"):
        env.start(Process("Flow", id))
        env.run_until_idle()
    deploy(env, second)
    env.start(Process("Flow", "new"))
    env.run_until_idle()
    assert env.run("old") == 3
    env.start(Process("Flow", "newer"))
    env.run_until_idle()
    assert env.run("new") == 4
    assert env.run("older") == 3
    deploy(env, third)
    assert env.run("newer") == 4
    assert env.run(Process("Flow", "newest")) == 4


def deploy(env: WorkflowEnvironment, cls: type[CodeWorkflow]) -> None:
    """New code, in a worker that knows nothing of what the old one kept."""
    env.manager.register_workflow(cls)
    kept = env._worker._running._kept
    if kept is not None:
        kept.clear()


def test_a_process_whose_code_does_not_fit_is_blocked_and_goes_on_when_mended() -> None:
    first, second, third = versions(old, wrong, old)
    clock = VirtualClock()
    from pyworkflow.backend.memory import MemoryBackend

    backend = MemoryBackend(clock)
    Worker(Manager(backend, [first])).manager.start_process(Process("Flow", "p"))
    Worker(Manager(backend, [first])).run(burst=True)
    clock.advance(60)
    bad = Manager(backend, [second])
    for _ in range(5):
        Worker(bad).run(burst=True)
        clock.advance(120)
    process = bad.process_by_id("p")
    assert process.status == "blocked"
    blocked = bad.describe("p").blocked
    assert blocked is not None and "+ code:    schedule_activity two 1-two" in blocked[0] + str(blocked[1])
    mended = Manager(backend, [third])
    mended.resume_process("p")
    Worker(mended).run(burst=True)
    assert mended.result("p", 0) == 3


@pytest.mark.parametrize("after", [patched, patched_sync], ids=["async", "sync"])
def test_steps_that_were_recorded_cannot_vanish_or_appear(after: Any) -> None:
    async def before(ctx: Context) -> int:
        number = ctx.side_effect(lambda: 7)
        await ctx.sleep(60)
        return number

    async def without(ctx: Context) -> int:
        await ctx.sleep(60)
        return 7

    first, second = versions(before, without)
    process = history_of(first)
    process.history.pop()
    with pytest.raises(NotDeterministic, match="history: record_marker 1-side_effect"):
        second().decide(process)
    process = history_of(second)
    process.history.pop()
    with pytest.raises(NotDeterministic, match=r"code: +record_marker 1-side_effect"):
        first().decide(process)
