"""Inputs and results: whether they differ is looked at by always_replay, and by a check where that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, NotDeterministic, Process, SyncContext, activity, workflow
from pyworkflow.testing import WorkflowEnvironment

from .conftest import Environment

drawn = count()


@activity
def same(x: Any) -> Any:
    return x


class Part(CodeWorkflow):
    async def run(self, ctx: Context, x: Any) -> Any:
        return x


def hands_over(how: str, value: Callable[[], Any]) -> Any:
    @workflow(activities=[same], name="flow")
    async def flow(ctx: Context) -> Any:
        await ctx.call(same, [1])
        if how == "activity":
            await ctx.call(same, value())
        elif how == "child":
            await ctx.call_workflow(Part, value())
        elif how == "signal":
            ctx.signal("nobody", "hello", value())
        return value() if how == "result" else 0

    return flow


WAYS = ["activity", "child", "signal", "result"]


@pytest.mark.parametrize("how", WAYS)
def test_always_replay_compares_what_is_handed_over(how: str) -> None:
    flow = hands_over(how, lambda: next(drawn))
    with pytest.raises(NotDeterministic, match=r"history: .* with \d+.*\n\+ code: .* with \d+"):
        WorkflowEnvironment([flow, Part], always_replay=True).run(Process(flow, "p"))


@pytest.mark.parametrize("how", WAYS)
def test_a_check_may_compare_it(how: str, environment: Environment) -> None:
    before, after = hands_over(how, lambda: {"b": 1, "a": [1.0, None]}), hands_over(how, lambda: {"b": 2})
    env = environment(before, Part)
    env.run(Process(before, "p"))
    assert env.manager.check("p", inputs=True)
    env.manager.register_workflow(after)
    assert env.manager.check("p")
    with pytest.raises(NotDeterministic, match=r'with \{"a":\[1\.0,null\],"b":1\}.*\n\+ code: .* with \{"b":2\}'):
        env.manager.check("p", inputs=True)


def test_plain_code_is_compared_too(environment: Environment) -> None:
    change = [0]

    @workflow(activities=[same])
    def plain(ctx: SyncContext) -> list[Any]:
        return [ctx.call(same, 5), ctx.step("six", lambda: 6), ctx.call(same, 7 + change[0])]

    env = environment(plain)
    env.run(Process(plain, "p"))
    assert env.manager.check("p", inputs=True)
    change[0] = 1
    assert env.manager.check("p")
    with pytest.raises(NotDeterministic, match=r"with 7\n\+ code: .* with 8"):
        env.manager.check("p", inputs=True)
