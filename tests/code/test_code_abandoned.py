"""Code that is let go of in the middle ends quietly, whatever it waits for on its way out."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, Process
from pyworkflow.testing import WorkflowEnvironment

ended: list[str] = []
stubborn = 50


async def _two_at_once(ctx: Context) -> None:
    await asyncio.gather(_late(ctx), _late(ctx))


async def _late(ctx: Context) -> None:
    await ctx.sleep(1)


async def _task(ctx: Context) -> None:
    await asyncio.create_task(_late(ctx))


async def _again_and_again(ctx: Context) -> None:
    try:
        await asyncio.sleep(0)
    finally:
        try:
            await asyncio.sleep(0)
        finally:
            await _two_at_once(ctx)


async def _condition(ctx: Context) -> None:
    await ctx.wait_condition(lambda: False, timeout=5)


async def _group(ctx: Context) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_late(ctx))


async def _timer(ctx: Context) -> None:
    async with asyncio.timeout(5):
        await asyncio.sleep(2)


async def _sleep(ctx: Context) -> None:
    await asyncio.sleep(2)
    ended.append("slept")


async def _stubborn(ctx: Context) -> None:
    while len(ended) < stubborn:
        ended.append("waits")
        try:
            await asyncio.sleep(0)
        except BaseException:
            continue


class Cleaning(CodeWorkflow):
    """Waits for a long time, and for something else when that is over."""

    clean: Callable[[Context], Any] = staticmethod(_task)

    async def run(self, ctx: Context) -> None:
        try:
            await ctx.sleep(3600)
        finally:
            ended.append("left")
            await self.clean(ctx)


@pytest.mark.parametrize(
    "clean",
    [_two_at_once, _task, _again_and_again, _condition, _group, _timer, _sleep, _stubborn],
    ids=lambda it: it.__name__,
)
@pytest.mark.parametrize("dropped", [False, True], ids=["abandoned", "dropped"])
@pytest.mark.filterwarnings("error")
def test_nothing_is_complained_of(clean: Any, dropped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        abandon(clean, monkeypatch, dropped)
    assert ended[0] == "left" and "slept" not in ended
    assert not complaints and not warned


def test_what_never_ends_is_left_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.unraisablehook", lambda complaint: None)
    monkeypatch.setitem(globals(), "stubborn", 500)
    abandon(_stubborn, monkeypatch)
    assert 50 < len(ended) < 500


def abandon(clean: Any, monkeypatch: pytest.MonkeyPatch, dropped: bool = False) -> None:
    """Let go of a process that waits; with `dropped`, of the worker and all, without a word."""
    monkeypatch.setattr(Cleaning, "clean", staticmethod(clean))
    ended.clear()
    env = WorkflowEnvironment([Cleaning])
    env.start(Process(Cleaning, "p"))
    env.advance(10)
    decided = len(env.history("p"))
    if not dropped:
        env._worker._running.abandon()
        assert len(env.history("p")) == decided
    del env
    gc.collect()
