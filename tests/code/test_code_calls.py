"""What was asked for and is not wanted any more, steps that raise, and the limits that both run into."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import ActivityFailed, Context, DecisionRefused, Process, SyncContext, activity, workflow
from pyworkflow.testing import WorkflowEnvironment

from .conftest import Environment


@activity
def same(x: int) -> int:
    return x


@activity(execution_timeout=3600, auto_complete=False)
def never() -> None:
    """Somebody else completes it."""


def test_a_call_that_is_canceled_keeps_its_room_until_it_has_ended() -> None:
    """SWF counts what is open, whoever waits for it; one more would be refused."""

    @workflow(activities=[same, never])
    async def flow(ctx: Context) -> int:
        calls = [ctx.call(never) for _ in range(1_000)]
        await ctx.sleep(10)
        for call in calls:
            call.cancel()
        return len(await ctx.map(same, range(50)))

    assert WorkflowEnvironment([flow]).run(Process(flow, "p")) == 50


def test_the_answer_to_a_message_that_was_canceled_is_for_nobody_else(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> list[str]:
        first = ctx.signal("nobody", "hello", {"b": [1, None], "a": "x"})
        await ctx.sleep(0.5)
        first.cancel()
        second = ctx.signal("nobody", "hello", {"b": [2, None], "a": "x"})
        await ctx.sleep(0.5)
        second_is_known = [second.done()]
        try:
            await second
        except DecisionRefused as error:
            return [error.cause, str(second_is_known)]
        return ["arrived"]

    env = environment(flow)
    told = env.run(Process(flow, "p"))
    assert told == ["UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION", "[False]"]
    assert sum(event.type == "decision_refused" for event in env.history("p")) == 2


def parsed(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ActivityFailed("no number", {"text": text}) from error


@workflow(activities=[same])
async def steps(ctx: Context) -> Any:
    try:
        return ctx.step("parse", lambda: parsed("x"))
    except ActivityFailed as error:
        return [error.reason, error.details, await ctx.call(same, 1)]


@workflow(activities=[same])
def plain_steps(ctx: SyncContext) -> Any:
    try:
        return ctx.step("parse", lambda: parsed("x"))
    except ActivityFailed as error:
        return [error.reason, error.details, ctx.call(same, 1)]


@pytest.mark.parametrize("flow", [steps, plain_steps])
def test_the_failure_of_a_step_is_recorded(flow: Any, environment: Environment) -> None:
    env = environment(flow)
    assert env.run(Process(flow, "p")) == ["no number", {"text": "x"}, 1]
    assert env.manager.check("p")


@workflow(activities=[same])
async def caught(ctx: Context) -> Any:
    try:
        ctx.step("parse", lambda: int("x"))
    except ValueError:
        pass
    return await ctx.call(same, 1)


@workflow(activities=[same])
def plainly_caught(ctx: SyncContext) -> Any:
    try:
        ctx.step("parse", lambda: int("x"))
    except ValueError:
        pass
    return ctx.call(same, 1)


@pytest.mark.parametrize("flow", [caught, plainly_caught])
def test_any_other_error_of_a_step_is_a_bug_at_once(flow: Any, environment: Environment) -> None:
    """There would be nothing in the history that says that it was raised."""
    env = environment(flow)
    env.start(Process(flow, "p"))
    with pytest.raises(ValueError, match="invalid literal"):
        env.run("p")
    assert not any(event.type == "decision" for event in env.history("p"))
