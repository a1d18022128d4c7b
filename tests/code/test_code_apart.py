"""What code does with a value is its own affair: neither the history nor another run of the code sees it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, Process, Signal, SyncContext, activity, query, signal, update, workflow

from .conftest import Environment


@activity
def same(x: Any) -> Any:
    return x


@workflow(activities=[same])
def adds(ctx: SyncContext, items):  # type: ignore[no-untyped-def]
    items.append("x")
    return [ctx.call(same, len(items)), ctx.call(same, len(items)), items]


@workflow(activities=[same])
async def adds_too(ctx: Context, items: list[Any]) -> Any:
    items[0].append("x")
    return [await ctx.call(same, len(items[0])), await ctx.call(same, len(items[0])), items[0]]


@workflow(activities=[same])
def adds_by_name(ctx: SyncContext, **named: Any) -> Any:
    items = named["items"]
    items.append("x")
    return [ctx.call(same, len(items)), ctx.call(same, len(items)), items]


@pytest.mark.parametrize(
    ("code", "input"), [(adds, ["a"]), (adds_too, [["a"]]), (adds_by_name, {"items": ["a"]})], ids=lambda it: str(it)
)
def test_an_input_may_be_changed(environment: Environment, code: Any, input: Any) -> None:
    env = environment(code)
    assert env.run(Process(code, "p", input)) == [2, 2, ["a", "x"]]


@workflow(activities=[same])
async def steps(ctx: Context) -> Any:
    found = ctx.step("found", lambda: {"n": [1]})
    found["n"].append(2)
    return [await ctx.call(same, found), await ctx.call(same, len(found["n"]))]


def test_what_a_step_found_may_be_changed(environment: Environment) -> None:
    env = environment(steps)
    assert env.run(Process(steps, "p")) == [{"n": [1, 2]}, 2]
    recorded = [getattr(getattr(event, "decision", None), "details", None) for event in env.history("p")]
    assert [it for it in recorded if it is not None] == [{"n": [1]}]


tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


@workflow(activities=[same])
def sets(ctx: SyncContext, who: str = "somebody") -> list[str]:
    before = tenant.get()
    tenant.set(who)
    return [before, ctx.call(same, who)]


@workflow(activities=[same])
async def sets_too(ctx: Context, who: str = "somebody") -> list[str]:
    before = tenant.get()
    tenant.set(who)
    return [before, await ctx.call(same, who)]


@pytest.mark.parametrize("code", [sets, sets_too])
def test_context_variables_are_of_one_run(environment: Environment, code: Any) -> None:
    env = environment(code)
    assert [env.run(Process(code, who, who)) for who in ("ada", "bob")] == [["nobody", "ada"], ["nobody", "bob"]]


@pytest.mark.parametrize("code", [sets, sets_too])
def test_without_an_input_the_default_is_taken(environment: Environment, code: Any) -> None:
    assert environment(code).run(Process(code, "p")) == ["nobody", "somebody"]


class Listens(CodeWorkflow):
    def __init__(self) -> None:
        self.items: list[Any] = []

    @signal
    def first(self, items):  # type: ignore[no-untyped-def]
        self.items = items

    @signal
    def more(self, item: Any) -> None:
        self.items.append(item)

    @update
    def add(self, item: Any) -> list[Any]:
        self.items.append(item)
        return self.items

    @update
    def odd(self) -> Any:
        return object()

    @query
    def seen(self) -> list[Any]:
        return self.items

    def run(self, ctx: SyncContext) -> Any:
        ctx.wait_condition(lambda: self.items)
        self.items.append("later")
        ctx.wait_signal("end")
        return self.items


class ListensToo(Listens):
    async def run(self, ctx: Context) -> Any:
        await ctx.wait_condition(lambda: self.items)
        self.items.append("later")
        await ctx.wait_signal("end")
        return self.items


@pytest.mark.parametrize("code", [Listens, ListensToo])
def test_what_a_signal_brought_may_be_changed(environment: Environment, code: Any) -> None:
    env = environment(code)
    env.start(Process(code, "p"))
    env.run_until_idle()
    for name, data in (("first", ["a"]), ("more", 1), ("more", 2), ("end", None)):
        env.signal("p", Signal(name, data))
        env.run_until_idle()
    assert env.run("p") == ["a", "later", 1, 2]
    assert next(event.signal.data for event in env.history("p") if event.type == "signal") == ["a"]


def _answers(env: Any) -> list[Any]:
    decisions = [getattr(event, "decision", None) for event in env.history("p")]
    return [it.details for it in decisions if getattr(it, "type", "") == "record_marker"]


@pytest.mark.parametrize("code", [Listens, ListensToo])
def test_the_answer_of_an_update_is_what_it_was_then(environment: Environment, code: Any) -> None:
    env = environment(code)
    env.start(Process(code, "p"))
    env.run_until_idle()
    env.signal("p", Signal("$update.add", {"id": "1", "input": "tea"}))
    env.run_until_idle()
    env.signal("p", Signal("$update.odd", {"id": "2", "input": None}))
    env.run_until_idle()
    good, bad = _answers(env)
    assert good == {"result": ["tea"]}
    assert "PayloadError" in bad["error"]
