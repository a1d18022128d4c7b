"""Code on the servers' stores: all of it at once, with two workers whose caches differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    CodeWorkflow,
    Context,
    Manager,
    Process,
    ProcessCanceled,
    RetryPolicy,
    SyncContext,
    Worker,
    WorkerThread,
    activity,
    current_activity,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.backend import Backend, open_backend
from pyworkflow.values import fresh_id
from tests.servers import postgres, redis


@activity(retry=RetryPolicy(0.01, maximum_attempts=3))
def third_time(x: int) -> int:
    if current_activity().attempt < 3:
        raise ActivityFailed("not yet")
    return x * 2


@workflow(activities=[third_time])
def part(ctx: SyncContext, x: int) -> int:
    return sum(ctx.get_result(ctx.map(third_time, range(x))))


class Everything(CodeWorkflow):
    activities = [third_time]

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.is_waiting = False

    @signal
    def note(self, text: str) -> None:
        self.notes.append(text)

    @update
    async def work(self, x: int) -> int:
        self.notes.append(await self.ctx.call(third_time, x))
        return len(self.notes)

    @query
    def noted(self) -> list[Any]:
        return [self.is_waiting, *self.notes]

    async def run(self, ctx: Context, left: int = 1, said: str = "") -> Any:
        if left:
            ctx.continue_as_new(left - 1, await ctx.wait_signal("say"))
        told = [
            said,
            await ctx.call_workflow(part, 5),
            await ctx.map(third_time, range(20)),
            ctx.step("lot", lambda: 7),
        ]
        await ctx.wait_condition(lambda: len(self.notes) == 3)
        self.is_waiting = True
        try:
            await ctx.wait_signal("never")
        finally:
            await ctx.signal("listener", "heard", [*told, self.notes])


@workflow
async def listener(ctx: Context) -> Any:
    return await ctx.wait_signal("heard")


@pytest.fixture(params=["redis", "postgres"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    name = f"code_{fresh_id()}"
    with ExitStack() as stack:
        if request.param == "redis":
            made = open_backend(stack.enter_context(redis.running()).url, prefix=name)
        else:
            made = open_backend(postgres.url(), schema=name)
            stack.callback(postgres.drop, name)
        stack.callback(made.close)
        yield made


def until(condition: Callable[[], Any]) -> None:
    for _ in range(3_000):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


def test_everything_on_a_server(backend: Backend) -> None:
    manager = Manager(backend, [Everything, part, listener])
    manager.start_process(Process(listener, "listener"))
    manager.start_process(Process(Everything, "e"))
    workers = [WorkerThread(Worker(manager, cache_size=size), delay_on_idle=0.01) for size in (0, 100)]
    for worker in workers:
        worker.start()
    try:
        manager.signal_process("e", "say", "hello")
        until(lambda: manager.process_by_id("e").input)
        manager.signal_process("e", "note", "one")
        assert manager.update("e", "work", 4, timeout=30) == 2
        manager.signal_process("e", "note", "three")
        until(lambda: manager.query("e", "noted") == [True, "one", 8, "three"])
        manager.cancel_process("e")
        told = manager.result("listener", timeout=30)
        with pytest.raises(ProcessCanceled):
            manager.result("e", timeout=30)
    finally:
        for worker in workers:
            worker.join()
    assert told == ["hello", 20, [2 * n for n in range(20)], 7, ["one", 8, "three"]]
    assert manager.check("e", inputs=True)
