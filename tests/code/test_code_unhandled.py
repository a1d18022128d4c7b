"""An end that was refused, as something came meanwhile, was none: the code sees what came before it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import (
    CodeWorkflow,
    Context,
    Process,
    ProcessCanceled,
    Signal,
    SyncContext,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.worker import running

from .conftest import Environment

meanwhile: list[Callable[[], None]] = []
lots: list[int] = []


@pytest.fixture(autouse=True)
def nobody_is_asked_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """There an answer is thrown away if something came meanwhile. Here each decision is handed out."""
    monkeypatch.setattr(running, "QUICK", -1.0)


def happens(ctx: Context | SyncContext) -> None:
    """Something comes while the decision is on its way."""
    with ctx.unguarded():
        if meanwhile:
            meanwhile.pop()()


def draw() -> int:
    lots.append(len(lots))
    return lots[-1]


@workflow
async def collects(ctx: Context, seen: list[str]) -> list[str]:
    if seen:
        return seen
    read = [await ctx.wait_signal("s", timeout=60)]
    ctx.step("lot", draw)
    happens(ctx)
    try:
        while True:
            read.append(await ctx.wait_signal("s", timeout=0))
    except TimeoutError:
        ctx.continue_as_new(read)


class Collects(CodeWorkflow):
    """Handlers read; an update answers in the turn whose end is refused."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @signal
    def s(self, it: str) -> None:
        self.seen.append(it)

    @update
    def add(self, it: str) -> list[str]:
        self.seen.append(it)
        return self.seen

    @query
    def all(self) -> list[Any]:
        return self.seen

    def run(self, ctx: SyncContext, seen: list[Any]) -> Any:
        if seen:
            return seen
        ctx.wait_condition(lambda: self.seen, timeout=60)
        ctx.patched("draws")
        lot = ctx.step("lot", draw)
        happens(ctx)
        return ctx.continue_as_new([*self.seen, lot])


class CollectsToo(Collects):
    async def run(self, ctx: Context, seen: list[Any]) -> Any:  # type: ignore[override]
        if seen:
            return seen
        await ctx.wait_condition(lambda: self.seen, timeout=60)
        ctx.patched("draws")
        lot = ctx.step("lot", draw)
        happens(ctx)
        return ctx.continue_as_new([*self.seen, lot])


def begun(environment: Environment, code: Any, first: Signal, *later: Callable[[Any], None]) -> Any:
    """An environment whose process heard `first`, and something else during each of its next decisions."""
    lots.clear()
    env = environment(code)
    env.start(Process(code, "p", []))
    env.run_until_idle()
    meanwhile[:] = [lambda it=it: it(env) for it in reversed(later)]  # type: ignore[misc]
    env.signal("p", first)
    return env


def test_the_next_run_has_what_came_while_this_one_ended(environment: Environment) -> None:
    env = begun(
        environment,
        collects,
        Signal("s", "first"),
        lambda env: env.signal("p", "s", "second"),
        lambda env: env.signal("p", "s", "third"),
    )
    assert env.run("p") == ["first", "second", "third"]
    assert lots == [0]


@pytest.mark.parametrize("first", [Signal("s", "first"), Signal("$update.add", {"id": "1", "input": "first"})])
@pytest.mark.parametrize("code", [Collects, CollectsToo])
def test_handlers_hear_of_it_and_what_was_noted_stands(first: Signal, code: Any, environment: Environment) -> None:
    env = begun(environment, code, first, lambda env: env.signal("p", "s", "second"))
    run = env.manager.process_by_id("p").run
    assert env.run("p") == ["first", "second", 0]
    assert lots == [0]
    env.manager.check(f"p:{run}")
    markers = [event.decision.name for event in env.history(f"p:{run}") if _is_marker(event)]
    assert len(markers) == len(set(markers)) == (3 if first.name == "$update.add" else 2)


def _is_marker(event: Any) -> bool:
    return getattr(getattr(event, "decision", None), "type", "") == "record_marker" and event.type == "decision"


@pytest.mark.parametrize("code", [collects, Collects, CollectsToo])
def test_cancellation_meanwhile_is_heard_of(code: Any, environment: Environment) -> None:
    env = begun(environment, code, Signal("s", "first"), lambda env: env.cancel("p"))
    run = env.manager.process_by_id("p").run
    with pytest.raises(ProcessCanceled):
        env.run("p")
    env.manager.check(f"p:{run}")


class Goes(CodeWorkflow):
    """Goes another way, and so does not note what it noted at first."""

    def __init__(self) -> None:
        self.late = False

    @signal
    def s(self) -> None:
        self.late = True

    def run(self, ctx: SyncContext, _: Any) -> Any:
        ctx.wait_signal("go")
        if self.late:
            ctx.sleep(5)
        lot = ctx.step("lot", draw)
        happens(ctx)
        return [lot, self.late]


def test_what_stands_need_not_be_noted_again_there(environment: Environment) -> None:
    env = begun(environment, Goes, Signal("go"), lambda env: env.signal("p", "s"))
    assert env.run("p") == [1, True]
    env.manager.check("p")
