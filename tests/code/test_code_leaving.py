"""Code that is suspended, looked at or let go of does nothing at its end, though its `finally` blocks are run."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, NotDeterministic, Process, SyncContext, activity, query, workflow

from .conftest import Environment

sent: list[str] = []


@activity
def work() -> None:
    """Nothing."""


class Busy(CodeWorkflow):
    activities = [work]

    def __init__(self) -> None:
        self.state = ["idle"]

    @query
    def now(self) -> list[str]:
        return self.state

    @query
    def wrong(self) -> list[str]:
        raise LookupError("not this")

    def run(self, ctx: SyncContext) -> str:
        self.state[0] = "busy"
        try:
            ctx.wait_signal("go")
        except Exception:
            self.state[0] = "never"
        finally:
            self.state[0] = "left"
            ctx.logger.warning("left the block")
        return "done"


class BusyToo(Busy):
    async def run(self, ctx: Context) -> str:  # type: ignore[override]
        self.state[0] = "busy"
        try:
            await ctx.wait_signal("go")
        finally:
            self.state[0] = "left"
            ctx.logger.warning("left the block")
            ctx.step("send", lambda: sent.append(str(ctx.info.id)))
            await ctx.call(work)
        return "done"


@pytest.mark.parametrize("code", [Busy, BusyToo])
def test_a_query_sees_the_state_before_the_block_is_left(code: Any, environment: Environment) -> None:
    env = environment(code)
    env.start(Process(code, "p"))
    env.run_until_idle()
    assert env.manager.query("p", "now") == ["busy"]
    with pytest.raises(LookupError, match="not this"):
        env.manager.query("p", "wrong")
    env.signal("p", "go")
    assert env.run("p") == "done"
    assert env.manager.query("p", "now") == ["left"]


@pytest.mark.parametrize("code", [Busy, BusyToo])
def test_a_block_that_is_left_once_is_logged_once(
    code: Any, environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pyworkflow.workflow")
    env = environment(code)
    env.start(Process(code, "p"))
    env.run_until_idle()
    env.manager.query("p", "now")
    env.manager.check("p")
    assert "left the block" not in caplog.messages
    env.signal("p", "go")
    env.run("p")
    assert caplog.messages.count("left the block") == 1


def test_nothing_is_done_for_code_that_makes_room_for_other(environment: Environment) -> None:
    sent.clear()
    env = environment(BusyToo, cache_size=1)
    for n in range(4):
        env.start(Process(BusyToo, f"p{n}"))
    env.run_until_idle()
    assert sent == []
    env.signal("p0", "go")
    env.run("p0")
    assert sent == ["p0"]


def test_nothing_is_done_for_tasks_that_outlive_the_code(environment: Environment) -> None:
    sent.clear()

    @workflow
    async def flow(ctx: Context) -> str:
        async def beside() -> None:
            try:
                await ctx.wait_signal("never")
            finally:
                ctx.step("send", lambda: sent.append("beside"))

        asyncio.create_task(beside()).set_name("beside")
        await ctx.sleep(1)
        return "done"

    assert environment(flow).run(Process(flow, "p")) == "done"
    assert sent == []


def test_an_end_that_comes_too_early_has_no_line_of_the_library(environment: Environment) -> None:
    early: list[int] = []

    @workflow(activities=[work])
    async def flow(ctx: Context) -> None:
        if not early:
            await ctx.call(work)
        await ctx.wait_signal("end") if not early else None

    env = environment(flow)
    env.start(Process(flow, "p"))
    env.run_until_idle()
    early.append(1)
    with pytest.raises(NotDeterministic) as caught:
        env.manager.check("p")
    assert "complete_process" in str(caught.value)
    assert "\n  at " not in str(caught.value)
