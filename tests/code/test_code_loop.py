"""What the event loop notices: tasks that die unseen, code without an end, and what is left behind."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from pyworkflow import Context, Process, activity, workflow
from pyworkflow.code import loop
from pyworkflow.code.live import Live

from .conftest import Environment


@activity
def same(x: int) -> int:
    return x


def told(caplog: Any) -> list[str]:
    return [it.getMessage() for it in caplog.records if it.name == "pyworkflow.code" and it.levelno == logging.ERROR]


@pytest.mark.parametrize("kept", [True, False])
def test_a_task_that_dies_unseen_leaves_word_once(kept: bool, environment: Environment, caplog: Any) -> None:
    @workflow(activities=[same])
    async def flow(ctx: Context) -> str:
        async def audit() -> None:
            await ctx.call(same, 1)
            {}["a bug"]  # type: ignore[index]

        task = asyncio.create_task(audit())
        if not kept:
            del task
        for _ in range(3):
            await ctx.sleep(5)
        return "fine"

    assert environment(flow).run(Process(flow, "p")) == "fine"
    assert len(told(caplog)) == 1
    assert "process 'p': the task " in told(caplog)[0] and "audit has died" in told(caplog)[0]
    (record,) = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert record.exc_info[0] is KeyError


def test_an_error_that_is_awaited_later_is_no_news(environment: Environment, caplog: Any) -> None:
    @workflow
    async def flow(ctx: Context) -> str:
        async def audit() -> None:
            {}["a bug"]  # type: ignore[index]

        task = asyncio.create_task(audit())
        canceled = asyncio.create_task(ctx.sleep(1))
        await ctx.sleep(5)
        canceled.cancel()
        try:
            await task
        except KeyError:
            return "seen"

    env = environment(flow)
    env.start(Process(flow, "other"))
    assert env.run(Process(flow, "p")) == "seen"
    assert env.run("other") == "seen"
    assert told(caplog) == []


def test_code_that_goes_round_in_circles(monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    @workflow
    async def spin(ctx: Context, times: float) -> str:
        while times > 0:
            times -= 1
            await asyncio.sleep(0)
        await ctx.sleep(1)
        return "done"

    monkeypatch.setattr(loop, "STEPS", 1_000)
    env = environment(spin)
    with pytest.raises(RuntimeError, match=r"more than 1,000 steps .* asyncio\.sleep\(0\)"):
        env.run(Process(spin, "p", 1e9))
    assert environment(spin).run(Process(spin, "p", 900)) == "done"


def test_readers_that_gave_up_are_forgotten(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    courses: list[Live] = []
    whole = Live.__init__

    def noted(self: Live, *args: Any, **kwargs: Any) -> None:
        whole(self, *args, **kwargs)
        courses.append(self)

    monkeypatch.setattr(Live, "__init__", noted)

    @workflow
    async def poll(ctx: Context) -> list[Any]:
        for number in range(20):
            try:
                return [number, await ctx.wait_signal("news", timeout=1)]
            except TimeoutError:
                pass
        return []

    env = environment(poll)
    env.start(Process(poll, "p"))
    env.advance(10.5)
    assert max(len(course.readers["news"]) for course in courses) <= 1
    env.signal("p", "news", "at last")
    assert env.run("p") == [10, "at last"]
