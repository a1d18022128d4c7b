"""The same order in four styles: deciders, rules, async and plain code come to the same end by the same work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    ActivityCompleted,
    ActivityFailed,
    CompleteProcess,
    Context,
    FailProcess,
    Manager,
    Process,
    ProcessFailed,
    RuleSetWorkflow,
    ScheduleActivity,
    SyncContext,
    Worker,
    Workflow,
    rules,
    workflow,
)
from pyworkflow.backend import Backend, open_backend
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.events import ActivityEvent, DecisionEvent
from pyworkflow.values import fresh_id
from tests.servers import postgres, redis
from tests.swf.inside import Inside

Executed = list[tuple[str, Any]]
executed: Executed = []


class Reserve(Activity):
    def execute(self) -> Any:
        executed.append(("Reserve", self.input["items"]))
        if "unicorn" in self.input["items"]:
            raise ActivityFailed("no unicorns in stock")
        return len(self.input["items"])


class Charge(Activity):
    def execute(self) -> Any:
        executed.append(("Charge", self.input["cents"]))
        return self.input["cents"]


class Ship(Activity):
    def execute(self) -> Any:
        executed.append(("Ship", self.input))
        return f"parcel with {self.input}"


ACTIVITIES = [Reserve, Charge, Ship]


class ByDecider(Workflow):
    activities = ACTIVITIES

    def decide(self, process: Process) -> Any:
        ends = [event for event in process.history if isinstance(event, ActivityEvent)]
        bad = next((it for it in ends if not isinstance(it.result, ActivityCompleted)), None)
        if bad is not None:
            return FailProcess(f"activity {bad.activity} failed: {bad.result.reason}")  # type: ignore[attr-defined]
        if len(ends) < 2:
            return ACTIVITIES[len(ends)]
        parcels = {it.activity_execution.input: it.result.result for it in ends[2:]}  # type: ignore[attr-defined]
        items = process.input["items"]
        if len(parcels) == len(items):
            return CompleteProcess([parcels[item] for item in items])
        return [ScheduleActivity(Ship, f"ship-{item}", input=item) for item in items] if len(ends) == 2 else None


class ByRules(RuleSetWorkflow):
    activities = ACTIVITIES

    @rules.process_started
    def reserve(self, event: Any, process: Process) -> Any:
        return Reserve

    @rules.completed_activity(Reserve)
    def charge(self, event: Any, process: Process) -> Any:
        return Charge

    @rules.completed_activity(Charge)
    def ship(self, event: Any, process: Process) -> Any:
        return [ScheduleActivity(Ship, f"ship-{item}", input=item) for item in process.input["items"]]

    @rules.completed_activity(Ship)
    def done(self, event: Any, process: Process) -> Any:
        if process.unfinished_activities():
            return None
        ends = [it for it in process.history if isinstance(it, ActivityEvent) and it.activity == "Ship"]
        parcels = {it.activity_execution.input: it.result.result for it in ends}  # type: ignore[attr-defined]
        return CompleteProcess([parcels[item] for item in process.input["items"]])


@workflow(activities=ACTIVITIES)
async def by_async_code(ctx: Context, items: list[str], cents: int) -> Any:
    order = {"items": items, "cents": cents}
    await ctx.call(Reserve, order)
    await ctx.call(Charge, order)
    return await ctx.map(Ship, items)


@workflow(activities=ACTIVITIES)
def by_plain_code(ctx: SyncContext, items: list[str], cents: int) -> Any:
    order = {"items": items, "cents": cents}
    ctx.call(Reserve, order)
    ctx.call(Charge, order)
    return ctx.get_result(ctx.map(Ship, items))


STYLES: list[type[Workflow]] = [ByDecider, ByRules, by_async_code, by_plain_code]


@pytest.fixture(scope="module")
def redis_server() -> Iterator[str]:
    with redis.running() as server:
        yield server.url


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres", "swf"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    name = fresh_id()
    made: Backend
    swf: Inside | None = None
    if request.param == "redis":
        made = open_backend(request.getfixturevalue("redis_server"), prefix=name)
    elif request.param == "swf":
        swf = Inside(time.time)
        made = AmazonSWFBackend(domain="test", client=swf)
    elif request.param == "postgres":
        made = open_backend(postgres.url(), schema=f"styles_{name}")
    else:
        made = open_backend({"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/styles.db"}[request.param])
    yield made
    made.close()
    if swf is not None:
        swf.close()
    if request.param == "postgres":
        postgres.drop(f"styles_{name}")


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        ({"items": ["tea", "cup"], "cents": 450}, ["parcel with tea", "parcel with cup"]),
        ({"items": ["tea"], "cents": 5}, ["parcel with tea"]),
        ({"items": ["unicorn"], "cents": 5}, "activity Reserve failed: no unicorns in stock"),
    ],
)
def test_all_styles_come_to_the_same(backend: Backend, order: Any, outcome: Any) -> None:
    manager = Manager(backend, STYLES)
    worked: list[tuple[Executed, list[str]]] = []
    for style in STYLES:
        executed.clear()
        id = manager.start_process(Process(style, input=order))
        Worker(manager).run(burst=True)
        if isinstance(outcome, str):
            with pytest.raises(ProcessFailed) as failed:
                manager.result(id, 0)
            assert failed.value.reason == outcome
        else:
            assert manager.result(id, 0) == outcome
        decided = [event.decision.type for event in manager.history(id) if isinstance(event, DecisionEvent)]
        worked.append((list(executed), decided))
    assert all(each == worked[0] for each in worked)
