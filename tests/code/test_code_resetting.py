"""Resets and forks: code goes on from an earlier point, and finds everything there as it was."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    Context,
    Process,
    ProcessTerminated,
    SyncContext,
    activity,
    workflow,
)
from pyworkflow.events import ActivityEvent, ProcessResetEvent
from pyworkflow.exceptions import CannotReset

from .conftest import Environment

executed: list[int] = []


@activity
def double(x: int) -> int:
    executed.append(x)
    return x * 2


@workflow
async def child(ctx: Context) -> str:
    return ctx.info.id


@workflow(activities=[double])
async def flow(ctx: Context, x: int) -> Any:
    drawn, name = str(ctx.uuid4()), await ctx.call_workflow(child)
    for _ in range(3):
        x = await ctx.call(double, x)
    return [x, drawn, name, str(ctx.uuid4()), await ctx.call_workflow(child)]


@workflow(name="flow", activities=[double])
def plain(ctx: SyncContext, x: int) -> Any:
    drawn, name = str(ctx.uuid4()), ctx.call_workflow(child)
    for _ in range(3):
        x = ctx.call(double, x)
    return [x, drawn, name, str(ctx.uuid4()), ctx.call_workflow(child)]


@pytest.fixture(params=[flow, plain], ids=["async", "plain"])
def style(request: pytest.FixtureRequest) -> Any:
    executed.clear()
    return request.param


def test_a_fork_goes_on_with_another_result(style: Any, environment: Environment) -> None:
    env = environment(style, child)
    first = env.run(Process(style, "p", 1))
    env.manager.fork("p", "q", step="3-double", with_result=100)
    second = env.run("q")
    assert (first[0], second[0]) == (8, 200)
    assert second[1:3] == first[1:3], "what happened before is as it was"
    assert second[3] != first[3] and second[4] != first[4], "what comes later is not"
    assert executed == [1, 2, 4, 100]
    env.manager.fork("q", "r", step="4-double")
    third = env.run("r")
    assert third[:3] == second[:3] and len({first[3], second[3], third[3]}) == 3
    assert executed[4:] == [100]
    assert env.manager.check("q") and env.manager.check("r")
    with pytest.raises(CannotReset, match="no activity with the id '9-double'"):
        env.manager.fork("p", "s", step="9-double")


def test_a_fork_with_a_failure(style: Any, environment: Environment) -> None:
    env = environment(style, child)
    env.run(Process(style, "p", 1))
    env.manager.fork("p", "q", step="4-double", with_result=ActivityFailed("what if it had failed"))
    with pytest.raises(Exception, match="activity double failed: what if it had failed"):
        env.run("q")


def test_a_reset_goes_on_in_its_place(style: Any, environment: Environment) -> None:
    env = environment(style, child)
    first = env.run(Process(style, "p", 1))
    ended = [event.id for event in env.history("p") if isinstance(event, ActivityEvent)]
    assert ended[1] is not None
    assert env.manager.reset("p", ended[1], reason="the last was wrong") == "p"
    second = env.run("p")
    assert second[:3] == first[:3] and executed == [1, 2, 4, 4]
    assert any(isinstance(event, ProcessResetEvent) for event in env.history("p"))
    assert env.manager.check("p")


def test_an_open_process_is_reset() -> None:
    from pyworkflow.testing import WorkflowEnvironment

    @workflow
    async def waits(ctx: Context) -> Any:
        got = [await ctx.wait_signal("x")]
        await ctx.sleep(100)
        return [*got, await ctx.wait_signal("x")]

    env = WorkflowEnvironment([waits])
    env.start(Process(waits, "p"))
    env.signal("p", "x", 1)
    env.run_until_idle()
    old = env.manager.process_by_id("p").run
    env.manager.reset("p")
    env.signal("p", "x", 2)
    assert env.run("p") == [1, 2]
    assert isinstance(env.manager.wait(f"p:{old}", 0), ProcessTerminated)
