"""Handlers and what they are handed: odd messages, errors, cancellation, and questions that ask for too much."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    CodeWorkflow,
    Context,
    Manager,
    NotAllowedInWorkflow,
    Process,
    ProcessCanceled,
    ProcessFailed,
    SyncContext,
    TimedOutException,
    UpdateFailed,
    Worker,
    WorkerThread,
    activity,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.events import DecisionEvent

from .conftest import Environment


@activity
def same(x: int) -> int:
    return x


class Asked(CodeWorkflow):
    activities = [same]

    @update
    async def slowly(self, seconds: int) -> str:
        await self.ctx.sleep(seconds)
        return "done"

    @query
    def greedy(self) -> Any:
        return self.ctx.call(same, 1)

    @query
    def fresh(self) -> str:
        return str(self.ctx.uuid4())

    @query
    def handled(self) -> int:
        return self.ctx.handling

    async def run(self, ctx: Context) -> str:
        await ctx.sleep(60)
        return "end"


class AskedPlainly(CodeWorkflow):
    activities = [same]

    @update
    def put(self, x: int) -> int:
        return x

    @query
    def greedy(self) -> Any:
        return self.ctx.call(same, 1)

    @query
    def fresh(self) -> str:
        return str(self.ctx.uuid4())

    @query
    def handled(self) -> int:
        return self.ctx.handling

    def run(self, ctx: SyncContext) -> str:
        ctx.sleep(60)
        return "end"


def answers(history: Any) -> list[Any]:
    decisions = [event.decision for event in history if isinstance(event, DecisionEvent)]
    return [it.details for it in decisions if it.type == "record_marker"]  # type: ignore[attr-defined]


ODD = [None, {}, "text", {"id": "x"}, {"input": 1}, {"id": 7, "input": 1}, {"id": "x" * 300, "input": 1}]


@pytest.mark.parametrize("cls", [Asked, AskedPlainly])
def test_a_signal_that_only_looks_like_an_update_is_ignored(cls: Any, environment: Environment) -> None:
    """Whoever can send signals could block the process otherwise."""
    env = environment(cls)
    env.start(Process(cls, "p"))
    for data in ODD:
        env.signal("p", f"$update.{'slowly' if cls is Asked else 'put'}", data)
    assert env.run("p") == "end"
    assert answers(env.history("p")) == []


def test_an_update_that_is_canceled_is_answered(environment: Environment) -> None:
    env = environment(Asked)
    env.start(Process(Asked, "p"))
    env.signal("p", "$update.slowly", {"id": "u", "input": 50})
    env.run_until_idle()
    env.cancel("p")
    with pytest.raises(ProcessCanceled):
        env.run("p")
    assert answers(env.history("p")) == [{"error": "it came to nothing: CancelledError()"}]


@pytest.mark.parametrize("cls", [Asked, AskedPlainly])
def test_a_query_only_looks(cls: Any, environment: Environment) -> None:
    env = environment(cls)
    env.start(Process(cls, "p"))
    env.run_until_idle()
    for _ in range(2):
        with pytest.raises(NotAllowedInWorkflow, match="only looks"):
            env.manager.query("p", "greedy")
        assert env.manager.query("p", "fresh") == env.manager.query("p", "fresh")
        assert env.run("p") == "end"


class Raising(CodeWorkflow):
    @signal
    def hear(self, what: str) -> None:
        if what == "failure":
            raise ActivityFailed("a handler says so", {"x": 1})
        raise LookupError("a bug")

    def run(self, ctx: SyncContext) -> str:
        try:
            ctx.sleep(60)
        except Exception as error:
            return f"run has caught {error!r}"
        return "end"


@pytest.mark.parametrize(
    ("what", "expected", "match"), [("failure", ProcessFailed, "a handler says so"), ("bug", LookupError, "a bug")]
)
def test_what_a_handler_of_plain_code_raises_is_not_for_run(
    what: str, expected: type[Exception], match: str, environment: Environment
) -> None:
    env = environment(Raising)
    env.start(Process(Raising, "p"))
    env.run_until_idle()
    env.signal("p", "hear", what)
    with pytest.raises(expected, match=match):
        env.run("p")


class Ending(CodeWorkflow):
    """Ends together with something that stands, so that its end is refused, and repeated."""

    activities = [same]

    @update
    async def put(self, x: int) -> int:
        return await self.ctx.call(same, x)

    async def run(self, ctx: Context) -> str:
        await ctx.sleep(60)
        ctx.signal("nobody", "hello")
        return "end"


def test_what_comes_while_an_end_is_refused_is_handled_before_it(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, told = Ending.decide, []

    def interrupted(self: Ending, process: Process) -> Any:
        decisions = decide(self, process)
        if not told and any(it.closes for it in decisions):
            told.append(env.signal("p", "$update.put", {"id": "u", "input": 5}))
        return decisions

    env = environment(Ending)
    monkeypatch.setattr(Ending, "decide", interrupted)
    assert env.run(Process(Ending, "p")) == "end"
    assert told and answers(env.history("p")) == [{"result": 5}]


variable: ContextVar[str] = ContextVar("variable", default="unset")


def test_a_condition_sees_the_context_variables_of_whoever_waits(environment: Environment) -> None:
    seen = set()

    def look() -> bool:
        seen.add(variable.get())
        return False

    @workflow
    async def waits(ctx: Context) -> list[str]:
        variable.set("of run")
        try:
            await ctx.wait_condition(look, timeout=5)
        except TimeoutError:
            pass
        return sorted(seen)

    assert environment(waits).run(Process(waits)) == ["of run"]


@pytest.mark.parametrize("is_async", [True, False])
def test_a_condition_cannot_be_async(is_async: bool, environment: Environment) -> None:
    """Its coroutine would be true at once."""

    async def never() -> bool:
        return False

    @workflow
    async def waits(ctx: Context) -> None:
        await ctx.wait_condition(never)

    @workflow
    def waits_plainly(ctx: SyncContext) -> None:
        ctx.wait_condition(never)

    flow = waits if is_async else waits_plainly
    with pytest.raises(TypeError, match="cannot be async"):
        environment(flow).run(Process(flow))


def test_the_guard_stands_before_init_too(environment: Environment) -> None:
    class Early(CodeWorkflow):
        def __init__(self) -> None:
            self.begun = time.time()

        async def run(self, ctx: Context) -> float:
            return self.begun

    with pytest.raises(NotAllowedInWorkflow):
        environment(Early).run(Process(Early))


class GoesOn(CodeWorkflow):
    def __init__(self) -> None:
        self.got: list[int] = []

    @update
    async def put(self, x: int) -> int:
        await self.ctx.sleep(30)
        self.got.append(x)
        return self.ctx.handling

    async def run(self, ctx: Context, got: list[int] | None = None) -> list[int]:
        await ctx.sleep(60)
        if got is None:
            await ctx.wait_condition(lambda: not ctx.handling)
            ctx.continue_as_new(self.got)
        return got


def test_a_run_may_wait_for_its_handlers_before_it_hands_on(environment: Environment) -> None:
    env = environment(GoesOn)
    env.start(Process(GoesOn, "p"))
    for seconds, number in ((10, 1), (40, 2)):
        env.advance(seconds)
        env.signal("p", "$update.put", {"id": f"u{number}", "input": number})
    assert env.run("p") == [1, 2]


@pytest.mark.parametrize("cls", [AskedPlainly, Asked])
def test_nothing_is_handled_where_nobody_asked(cls: Any, environment: Environment) -> None:
    env = environment(cls)
    env.start(Process(cls, "p"))
    env.run_until_idle()
    assert env.manager.query("p", "handled") == 0


class Basket(CodeWorkflow):
    activities = [same]

    def __init__(self) -> None:
        self.items: list[str] = []

    @signal
    def add(self, item: str) -> None:
        self.items.append(item)

    def is_there(self, item: str) -> None:
        if item not in self.items:
            raise ValueError(f"there is no {item}")

    @update(validator=is_there)
    def remove(self, item: str) -> list[str]:
        self.items.remove(item)
        return self.items

    async def run(self, ctx: Context) -> None:
        await ctx.call(handed_off)


@activity(execution_timeout=100, auto_complete=False)
def handed_off() -> None:
    """It stays open."""


def test_a_validator_knows_what_was_said_before_it_was_asked() -> None:
    """It was asked what the last decision had left, and refused what a signal had just brought."""
    manager = Manager("memory://", [Basket], [handed_off])
    manager.start_process(Process(Basket, "p"))
    manager.signal_process("p", "add", "tea")
    with pytest.raises(TimedOutException):
        manager.update("p", "remove", "tea", timeout=0)
    with pytest.raises(TypeError, match="a timeout is a number of seconds, not '5'"):
        manager.update("p", "remove", "tea", timeout="5")  # type: ignore[arg-type]
    worker = WorkerThread(Worker(manager), delay_on_idle=0.01)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(manager.update, "p", "remove", "tea", timeout=30)
        time.sleep(0.05)
        worker.start()
        assert answer.result() == []
    with pytest.raises(UpdateFailed, match="there is no tea"):
        manager.update("p", "remove", "tea", timeout=30)
    worker.join()
