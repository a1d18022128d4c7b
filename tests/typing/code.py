"""A user's workflow code, to be type-checked; nothing in it is run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pyworkflow.activity
from pyworkflow import (
    Activity,
    CodeWorkflow,
    Context,
    Manager,
    Process,
    RetryPolicy,
    Saga,
    SyncContext,
    Worker,
    activity,
    current_activity,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.activity import ActivityFailed


@dataclass
class Order:
    item: str
    cents: int


@activity(execution_timeout=30, retry=RetryPolicy(maximum_attempts=3))
def charge(order: Order) -> int:
    if current_activity().attempt > 2:
        raise ActivityFailed("no", non_retryable=True)
    return order.cents


@activity
async def ship(order: Order) -> str:
    return order.item


def plain(x: int) -> float:
    return x / 2


class Mail(Activity):
    def execute(self) -> str:
        return str(self.last_heartbeat)


class Sell(CodeWorkflow):
    activities = [charge, ship, Mail, plain]
    failures = (ValueError,)

    def __init__(self) -> None:
        self.notes: list[str] = []

    @signal
    async def note(self, text: str) -> None:
        self.notes.append(text)

    @query(name="all")
    def look(self) -> list[str]:
        return self.notes

    @update(validator=lambda self, text: None)
    def change(self, text: str) -> int:
        return len(text)

    async def run(self, ctx: Context, order: Order) -> str:
        cents: int = await ctx.call(charge, order)
        half: float = await ctx.call(plain, cents, timeout=3)
        many: list[int] = await ctx.map(charge, [order, order])
        async with asyncio.TaskGroup() as group:
            parcel = group.create_task(ctx.call(ship, order))
        both: tuple[int, str] = await asyncio.gather(ctx.call(charge, order), ctx.call(ship, order))
        async with Saga(ctx) as saga:
            saga.on_failure(charge, order)
        name: str = parcel.result()
        return f"{name} {half} {many} {both}"


@workflow(activities=[charge], version="2.0")
def other(ctx: SyncContext, order: Order) -> int:
    ctx.call_async(charge, order)
    cents: int = ctx.call(charge, order)
    return cents + int(ctx.get_result())


def use() -> None:
    manager = Manager("memory://", [Sell, other], [plain])
    id: str = manager.start_process(Process(other, input=Order("tea", 5)))
    Worker(manager, cache_size=10, always_replay=True).run(burst=True)
    manager.query(id, "all")
    manager.update(id, "change", "x", timeout=2.5)
    pyworkflow.activity(plain)
