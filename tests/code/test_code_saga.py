"""Sagas: what was done is undone, the last first, when something fails; in both styles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    Context,
    Process,
    ProcessCanceled,
    ProcessFailed,
    RetryPolicy,
    Saga,
    SyncContext,
    activity,
    workflow,
)

from .conftest import Environment

done: list[str] = []
on_the_way: list[Callable[[], None]] = []


@activity
def do(what: str) -> str:
    if what == "fly":
        raise ActivityFailed("no wings")
    done.append(what)
    return what


@activity
def undo(what: str) -> None:
    while on_the_way:
        on_the_way.pop()()
    if what == "car":
        raise ActivityFailed("the car is gone")
    done.append(f"not {what}")


@workflow(activities=[do, undo])
async def travel(ctx: Context, how: list[str]) -> str:
    try:
        async with Saga(ctx) as saga:
            for what in how:
                saga.on_failure(undo, what)
                await ctx.call(do, what) if what != "wait" else await ctx.sleep(1_000)
    except ActivityFailed as error:
        return f"{error.reason}: {getattr(error, '__notes__', [])}"
    return "there"


@workflow(activities=[do, undo])
def travel_plainly(ctx: SyncContext, how: list[str]) -> str:
    try:
        with Saga(ctx) as saga:
            for what in how:
                saga.on_failure(undo, what)
                if what == "wait":
                    ctx.sleep(1_000)
                else:
                    ctx.call(do, what)
    except ActivityFailed as error:
        return f"{error.reason}: {getattr(error, '__notes__', [])}"
    return "there"


@pytest.fixture(params=[travel, travel_plainly])
def style(request: pytest.FixtureRequest) -> Any:
    done.clear()
    return request.param


def test_nothing_is_undone_when_all_goes_well(style: Any, environment: Environment) -> None:
    assert environment(style).run(Process(style, "p", ["hotel", "train"])) == "there"
    assert done == ["hotel", "train"]


def test_what_was_done_is_undone_in_reverse(style: Any, environment: Environment) -> None:
    assert environment(style).run(Process(style, "p", ["hotel", "train", "fly"])) == "no wings: []"
    assert done == ["hotel", "train", "not fly", "not train", "not hotel"]


def test_an_undoing_that_fails_does_not_stop_the_others(style: Any, environment: Environment) -> None:
    told = environment(style).run(Process(style, "p", ["hotel", "car", "fly"]))
    assert done == ["hotel", "car", "not fly", "not hotel"]
    assert "the compensation undo failed" in told and "the car is gone" in told


def test_cancellation_undoes_too(style: Any, environment: Environment) -> None:
    env = environment(style)
    env.start(Process(style, "p", ["hotel", "wait"]))
    env.run_until_idle()
    env.cancel("p")
    with pytest.raises(ProcessCanceled):
        env.run("p")
    assert done == ["hotel", "not wait", "not hotel"]


@pytest.mark.parametrize("end", ["fly", "wait"])
def test_cancellation_on_the_way_lets_all_be_undone(end: str, style: Any, environment: Environment) -> None:
    """A failure, or a first cancellation, is being undone when somebody asks for cancellation."""
    env = environment(style)
    env.start(Process(style, "p", ["hotel", "train", end]))
    on_the_way.append(lambda: env.cancel("p"))
    env.run_until_idle()
    if end == "wait":
        env.cancel("p")
    with pytest.raises(ProcessCanceled):
        env.run("p")
    assert done == ["hotel", "train", f"not {end}", "not train", "not hotel"]


def test_a_timeout_on_the_way_lets_all_be_undone(environment: Environment) -> None:
    done.clear()

    @workflow(activities=[do, undo])
    async def flow(ctx: Context) -> None:
        async with asyncio.timeout(100), Saga(ctx) as saga:
            saga.on_failure(undo, "hotel")
            saga.on_failure(undo, "car", retry=RetryPolicy(initial_interval=200, maximum_attempts=2))
            await ctx.call(do, "fly")

    with pytest.raises(ProcessFailed):
        environment(flow).run(Process(flow, "p"))
    assert done == ["not hotel"]


def test_a_bug_in_between_is_undone_as_well(environment: Environment) -> None:
    done.clear()

    class Bug(Exception):
        pass

    @workflow(activities=[do, undo], failures=(Bug,))
    async def flow(ctx: Context) -> None:
        async with Saga(ctx) as saga:
            saga.on_failure(undo, "hotel")
            raise Bug("oh")

    with pytest.raises(ProcessFailed, match="oh"):
        environment(flow).run(Process(flow, "p"))
    assert done == ["not hotel"]


def test_the_right_kind_of_block(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> str:
        try:
            with Saga(ctx):
                pass
        except TypeError as error:
            return str(error)
        return "?"

    @workflow
    def plain(ctx: SyncContext) -> str:
        try:
            Saga(ctx).__aenter__().send(None)
        except TypeError as error:
            return str(error)
        return "?"

    env = environment(flow, plain)
    assert env.run(Process(flow)) == "async code has `async with Saga(ctx)`"
    assert env.run(Process(plain)) == "plain code has `with Saga(ctx)`, without async"
