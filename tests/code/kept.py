"""The code whose histories are kept in `histories/`: they must be followed for ever. Change it by `patched` alone."""

from __future__ import annotations

import asyncio
from typing import Any

from pyworkflow import (
    ActivityFailed,
    CodeWorkflow,
    Context,
    DecisionRefused,
    ProcessFailed,
    RetryPolicy,
    Saga,
    SyncContext,
    activity,
    signal,
    update,
    workflow,
)


@activity(retry=RetryPolicy(maximum_attempts=3))
def work(x: int) -> int:
    if x == 13:
        raise ActivityFailed("unlucky")
    return x * 2


@workflow(activities=[work])
async def part(ctx: Context, x: int) -> int:
    if x < 0:
        raise ProcessFailed("below zero")
    return await ctx.call(work, x)


class AllOfIt(CodeWorkflow):
    """Everything that async code can ask for."""

    activities = [work]

    def __init__(self) -> None:
        self.notes: list[str] = []

    @signal
    async def note(self, text: str) -> None:
        await asyncio.sleep(1)
        self.notes.append(text)

    @update
    def renote(self, text: str) -> int:
        self.notes.append(text)
        return len(self.notes)

    async def run(self, ctx: Context, x: int) -> Any:
        told: list[Any] = [await ctx.map(work, [x, x + 1]), ctx.side_effect(lambda: 5), ctx.patched("first")]
        try:
            async with Saga(ctx) as saga:
                saga.on_failure(work, 100)
                await ctx.call(work, 13)
        except ActivityFailed as error:
            told.append(error.reason)
        told.append(await ctx.call_workflow(part, 4))
        try:
            await ctx.call_workflow(part, -1)
        except ProcessFailed as failed:
            told.append(failed.reason)
        try:
            await ctx.signal("nobody", "hello")
        except DecisionRefused as refused:
            told.append(refused.cause)
        try:
            async with asyncio.timeout(10):
                await asyncio.gather(ctx.sleep(60), ctx.wait_signal("never"))
        except TimeoutError:
            told.append(str(ctx.uuid4()))
        await ctx.wait_condition(lambda: len(self.notes) > 2)
        try:
            await ctx.wait_signal("never")
        except asyncio.CancelledError:
            told += [await ctx.wait_signal("name"), self.notes]
        return told


@workflow(activities=[work])
def plainly(ctx: SyncContext, x: int) -> Any:
    """Everything that plain code can ask for."""
    ctx.map_reduce(work, range(3), sum_up)
    total = ctx.get_result()
    ctx.call_async(work, x)
    failed = ctx.get_result(ctx.call_async(work, 13), throw_except=False)
    child = ctx.start_workflow(part, 8)
    ctx.sleep(5)
    name = ctx.wait_signal("name", timeout=100)
    try:
        ctx.wait_signal("never", timeout=2)
    except TimeoutError:
        pass
    return [total, ctx.get_result(), ctx.get_result(child), failed.reason, name, ctx.step("lot", lambda: 3)]


def sum_up(parts: list[int]) -> int:
    return sum(parts)


plainly.activities = [work, sum_up]

workflows = [AllOfIt, plainly, part]
