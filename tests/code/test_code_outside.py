"""What comes from outside: signals, conditions, queries and updates; and other processes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pyworkflow import (
    CodeWorkflow,
    Context,
    DecisionRefused,
    Manager,
    Process,
    ProcessCanceled,
    ProcessFailed,
    Signal,
    SyncContext,
    TimedOutException,
    UnknownProcessException,
    UnknownTypeException,
    UpdateFailed,
    Worker,
    activity,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.events import DecisionEvent

from .conftest import Environment


@dataclass
class Item:
    name: str
    count: int = 1


@activity
def echo(value: Any) -> Any:
    return value


class Basket(CodeWorkflow):
    """Collects items until it is ordered."""

    activities = [echo]

    def __init__(self) -> None:
        self.items: list[str] = []
        self.ordered = False

    @signal
    async def add(self, item: Item) -> None:
        self.items.append(await self.checked(item))

    async def checked(self, item: Item) -> str:
        await asyncio.sleep(item.count)
        return item.name

    @signal(name="order")
    def place(self) -> None:
        self.ordered = True

    @query
    def content(self, upper: bool = False) -> list[str]:
        return [name.upper() if upper else name for name in self.items]

    def may_rename(self, old: str, new: str) -> None:
        if old not in self.items:
            raise ValueError(f"there is no {old}")

    @update(validator=may_rename)
    async def rename(self, old: str, new: str) -> int:
        await asyncio.sleep(1)
        self.items[self.items.index(old)] = new
        return len(self.items)

    async def run(self, ctx: Context) -> list[str]:
        await ctx.wait_condition(lambda: self.ordered)
        return self.items


def test_handlers_hear_signals_and_are_done_before_the_end(environment: Environment) -> None:
    env = environment(Basket)
    id = env.start(Process(Basket, "p"))
    env.signal(id, "add", {"name": "tea", "count": 3})
    env.signal(id, "add", {"name": "cup"})
    env.run_until_idle()
    env.signal(id, "order")
    assert env.run(id) == ["cup", "tea"]


class Told(CodeWorkflow):
    """Handlers with a parameter that need not be given."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    @signal
    def hint(self, x: int | None) -> None:
        self.told.append(x)

    @signal
    def default(self, x: int = 5) -> None:
        self.told.append(x)

    @signal
    def unsaid(self, x=6) -> None:  # type: ignore[no-untyped-def]
        self.told.append(x)

    @signal
    def table(self, x: dict[str, int] | None) -> None:
        self.told.append(x)

    @signal
    def needed(self, x: int) -> None:
        self.told.append(x)

    @signal
    def anything(self, x: Any) -> None:
        self.told.append(x)


class ToldAsync(Told):
    async def run(self, ctx: Context) -> list[Any]:
        await ctx.wait_signal("end")
        return self.told


class ToldPlainly(Told):
    def run(self, ctx: SyncContext) -> list[Any]:
        ctx.wait_signal("end")
        return self.told


@pytest.mark.parametrize("cls", [ToldAsync, ToldPlainly])
def test_signals_without_data(cls: Any, environment: Environment) -> None:
    env = environment(cls)
    env.start(Process(cls, "p"))
    for name in "hint", "default", "unsaid", "table", "needed", "anything", "end":
        env.signal("p", name)
    assert env.run("p") == [None, 5, 6, {}, {}]


def test_a_signal_that_makes_no_sense_is_ignored(environment: Environment) -> None:
    env = environment(Basket)
    id = env.start(Process(Basket, "p"))
    env.signal(id, "add", {"name": 7})
    env.signal(id, "order")
    assert env.run(id) == []


def test_queries_look_and_leave_no_trace(environment: Environment) -> None:
    env = environment(Basket)
    id = env.start(Process(Basket, "p"))
    assert env.manager.query(id, "content") == []
    env.signal(id, "add", {"name": "tea"})
    assert env.manager.query(id, "content") == []
    env.advance(2)
    before = env.history(id)
    assert env.manager.query(id, "content") == ["tea"]
    assert env.manager.query(id, "content", upper=True) == ["TEA"]
    assert env.history(id) == before
    env.signal(id, "order")
    env.run(id)
    assert env.manager.query(id, "content") == ["tea"]


def test_the_length_of_the_history_is_the_same_for_queries(environment: Environment) -> None:
    """Events that deciders are not shown count."""

    class Long(CodeWorkflow):
        def __init__(self) -> None:
            self.seen: list[int] = []

        @query
        def lengths(self) -> list[int]:
            return self.seen

        async def run(self, ctx: Context) -> list[int]:
            for _ in range(3):
                await ctx.wait_signal("go")
                self.seen.append(ctx.info.events)
            return self.seen

    env = environment(Long)
    id = env.start(Process(Long, "p"))
    for _ in range(3):
        env.run_until_idle()
        env.signal(id, "go")
    lengths = env.run(id)
    assert env.manager.query(id, "lengths") == lengths
    starts = [event.id for event in env.history(id) if event.type == "decision_started"]
    assert lengths == starts[1:]


def test_queries_that_cannot_be_answered(environment: Environment) -> None:
    env = environment(Basket)
    id = env.start(Process(Basket, "p"))
    with pytest.raises(UnknownTypeException, match="it has content"):
        env.manager.query(id, "price")
    with pytest.raises(UnknownProcessException):
        env.manager.query("nobody", "content")
    with pytest.raises(TypeError, match="unexpected keyword"):
        env.manager.query(id, "content", lower=True)


@pytest.fixture
def working() -> Iterator[Manager]:
    """A manager in memory with a worker in a thread."""
    manager = Manager("memory://", [Basket, Tally])
    worker = Worker(manager)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield manager
    worker.stop()
    thread.join()


class Tally(CodeWorkflow):
    """Plain code that counts."""

    def __init__(self) -> None:
        self.sum = 0

    @update
    def add(self, number: int) -> int:
        if number < 0:
            raise ValueError("it only grows")
        self.sum += number
        return self.sum

    @signal
    def take(self, number: int) -> None:
        self.sum -= number

    @query
    def total(self) -> int:
        return self.sum

    def run(self, ctx: SyncContext, enough: int) -> int:
        ctx.wait_condition(lambda: self.sum >= enough)
        return self.sum


def test_updates_change_a_process_and_answer(working: Manager) -> None:
    id = working.start_process(Process(Basket, "p"))
    working.signal_process(id, "add", {"name": "tea", "count": 0})
    assert wait_for(lambda: working.query(id, "content")) == ["tea"]
    assert working.update(id, "rename", "tea", new="coffee", timeout=20) == 1
    events = len(working.history(id))
    with pytest.raises(UpdateFailed, match="there is no tea"):
        working.update(id, "rename", "tea", "milk")
    assert len(working.history(id)) == events
    working.signal_process(id, "order")
    assert working.result(id, 20) == ["coffee"]


def test_updates_of_plain_code(working: Manager) -> None:
    id = working.start_process(Process(Tally, "t", 10))
    assert working.update(id, "add", 4, timeout=20) == 4
    with pytest.raises(UpdateFailed, match="it only grows"):
        working.update(id, "add", -1, timeout=20)
    assert working.query(id, "total") == 4
    working.signal_process(id, "take", 1)
    assert wait_for(lambda: working.query(id, "total") == 3)
    assert working.update(id, "add", 9, timeout=20) == 12
    assert working.result(id, 20) == 12
    with pytest.raises(UnknownProcessException):
        working.update(id, "add", 1)


def test_an_update_that_nobody_answers() -> None:
    manager = Manager("memory://", [Tally])
    id = manager.start_process(Process(Tally, "t", 10))
    with pytest.raises(TimedOutException, match=r"no answer within 0\.01 seconds"):
        manager.update(id, "add", 4, timeout=0.01)


def wait_for(look: Any) -> Any:
    for _ in range(2_000):
        if found := look():
            return found
        threading.Event().wait(0.005)
    raise AssertionError("it never came")


def test_signals_are_read_in_order_and_wait(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> list[Any]:
        got = [await ctx.wait_signal("a")]
        await ctx.sleep(5)
        got += [await ctx.wait_signal("b"), await ctx.wait_signal("a")]
        try:
            await ctx.wait_signal("a", timeout=3)
        except TimeoutError:
            got.append("none")
        async for each in ctx.signals("c"):
            got.append(each)
            if each == 2:
                return got
        return got

    env = environment(flow)
    id = env.start(Process(flow, "p"))
    for name, data in [("c", 1), ("a", "first"), ("a", "second"), ("b", {"x": [1]}), ("c", 2)]:
        env.signal(id, name, data)
    assert env.run(id) == ["first", {"x": [1]}, "second", "none", 1, 2]


def test_conditions_have_timeouts(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> str:
        try:
            await ctx.wait_condition(lambda: False, timeout=60)
        except TimeoutError:
            return "gave up"
        return "?"

    assert environment(flow).run(Process(flow)) == "gave up"


def test_a_signal_that_comes_with_the_end_is_not_lost(environment: Environment) -> None:
    """The close is refused, because something came that it had not seen, and is decided again."""

    class Late(CodeWorkflow):
        def __init__(self) -> None:
            self.heard: list[Any] = []

        @signal
        def hear(self, data: Any) -> None:
            self.heard.append(data)

        async def run(self, ctx: Context) -> list[Any]:
            await ctx.sleep(1)
            return self.heard

    env = environment(Late)
    id = env.start(Process(Late, "p"))
    env.run_until_idle()
    env.clock.advance(1)
    task = env.manager.next_decision()
    assert task is not None
    env.signal(id, "hear", "late")
    env.manager.complete_task(task, Late().decide(task.process))
    assert env.run(id) == ["late"]
    assert [event.type for event in env.history(id)][-4:] == [
        "signal",
        "decision_refused",
        "decision_started",
        "decision",
    ]


class Part(CodeWorkflow):
    activities = [echo]

    async def run(self, ctx: Context, name: str, fails: bool = False) -> str:
        got = await ctx.call(echo, f"{name} of {ctx.info.parent}")
        if fails:
            raise ProcessFailed("broken", {"part": name})
        return str(got)


def test_children(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> list[Any]:
        child = ctx.call_workflow(Part, "wheel")
        told: list[Any] = [await child, await ctx.call_workflow("Part", {"name": "door"}, id="the-door", tags=["x"])]
        try:
            await ctx.call_workflow(Part, name="roof", fails=True)
        except ProcessFailed as failed:
            told.append([failed.reason, failed.details])
        return [*told, child.id.startswith("p-")]

    env = environment(flow, Part)
    assert env.run(Process(flow, "p")) == ["wheel of p", "door of p", ["broken", {"part": "roof"}], True]
    assert {it.id for it in env.manager.processes(tag="x", status="all")} == {"the-door"}


def test_a_child_that_fails_fails_its_parent(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> None:
        await ctx.call_workflow(Part, "roof", fails=True, id="the-roof")

    with pytest.raises(ProcessFailed) as failed:
        environment(flow, Part).run(Process(flow, "p"))
    assert failed.value.reason == "child the-roof failed: broken"


def test_a_child_that_exists_already_is_refused(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> str:
        first = ctx.call_workflow(Part, "a", id="same")
        try:
            await ctx.call_workflow(Part, "b", id="same")
        except DecisionRefused as error:
            return f"{await first}: {error.cause}"
        return "?"

    assert environment(flow, Part).run(Process(flow, "p")) == "a of p: WORKFLOW_ALREADY_RUNNING"


def test_a_canceled_call_cancels_the_child(environment: Environment) -> None:
    @workflow
    async def waits(ctx: Context) -> None:
        await ctx.wait_signal("never")

    @workflow
    async def flow(ctx: Context) -> str:
        try:
            async with asyncio.timeout(5):
                await ctx.call_workflow(waits, id="child")
        except TimeoutError:
            await ctx.sleep(1)
            return "gone"
        return "?"

    env = environment(flow, waits)
    assert env.run(Process(flow, "p")) == "gone"
    with pytest.raises(ProcessCanceled):
        env.run("child")


def test_processes_signal_and_cancel_each_other(environment: Environment) -> None:
    @workflow
    async def listens(ctx: Context) -> Any:
        heard = [await ctx.wait_signal("hello"), await ctx.wait_signal("hello")]
        try:
            await ctx.wait_signal("never")
        except asyncio.CancelledError:
            return heard

    @workflow
    async def speaks(ctx: Context) -> Any:
        await ctx.signal("listener", "hello", 1)
        await ctx.signal("listener", Signal("hello", 2))
        await ctx.cancel_process("listener")
        try:
            await ctx.signal("nobody", "hello")
        except DecisionRefused as error:
            return error.cause

    env = environment(listens, speaks)
    env.start(Process(listens, "listener"))
    assert env.run(Process(speaks, "speaker")) == "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
    assert env.run("listener") == [1, 2]


def test_a_new_run_out_of_a_group(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context, left: int) -> str:
        async with asyncio.TaskGroup() as group:
            group.create_task(ctx.sleep(5))
            if left > 0:
                ctx.continue_as_new(left - 1)
        return "done"

    assert environment(flow).run(Process(flow, input=2)) == "done"


@pytest.mark.parametrize(("error", "shown"), [(ProcessFailed("no"), "no"), (KeyError("a bug"), "a bug")])
def test_a_new_run_out_of_a_group_in_which_something_else_failed(
    error: Exception, shown: str, environment: Environment
) -> None:
    @workflow
    async def flow(ctx: Context) -> None:
        async def fail() -> None:
            try:
                await ctx.sleep(5)
            finally:
                raise error

        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            await asyncio.sleep(0)
            ctx.continue_as_new()

    with pytest.raises((ProcessFailed, ExceptionGroup)) as raised:
        environment(flow).run(Process(flow))
    assert shown in repr(raised.value)


def test_errors_of_any_kind_are_raised_in_tests(environment: Environment) -> None:
    class Odd(BaseException):
        pass

    @workflow
    async def flow(ctx: Context) -> None:
        raise Odd

    with pytest.raises(Odd):
        environment(flow).run(Process(flow))


class Approving(CodeWorkflow):
    """Its handler waits, and uses the context."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @signal
    async def approve(self, who: str) -> None:
        self.told.append(who)
        try:
            self.told.append(await self.ctx.wait_signal("second"))
        finally:
            self.told.append("left")

    async def run(self, ctx: Context, tidy: bool) -> list[str]:
        assert self.ctx is ctx
        try:
            await ctx.wait_signal("end")
        except asyncio.CancelledError:
            if not tidy:
                raise
            await ctx.sleep(5)
        return self.told


def test_a_process_whose_handler_waits_can_be_canceled(environment: Environment) -> None:
    env = environment(Approving)
    for id, tidy in ("raising", False), ("tidy", True):
        env.start(Process(Approving, id, tidy))
        env.run_until_idle()
        env.signal(id, "approve", "ada")
        env.run_until_idle()
        env.signal(id, "approve", "bo")
        env.cancel(id)
    with pytest.raises(ProcessCanceled):
        env.run("raising")
    assert env.run("tidy") == ["ada", "bo", "left", "left"], "what came with the request was heard before"


def test_handlers_have_the_context_before_the_code_has_begun(environment: Environment) -> None:
    class Plain(CodeWorkflow):
        def __init__(self) -> None:
            self.told: list[Any] = []

        @signal
        def approve(self, who: str) -> None:
            self.told += [who, self.ctx.info.id, self.ctx.now().year]

        def run(self, ctx: SyncContext) -> list[Any]:
            return self.told

    env = environment(Approving, Plain)
    env.start(Process(Approving, "a", False))
    env.start(Process(Plain, "p"))
    for id in "a", "p":
        env.signal(id, "approve", "ada")
    for name in "second", "end":
        env.signal("a", name, name)
    assert env.run("a") == ["ada", "second", "left"]
    assert env.run("p") == ["ada", "p", 2030]


def test_continue_as_new(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context, left: int, done: int = 0) -> Any:
        await ctx.sleep(10)
        if left:
            ctx.continue_as_new(left - 1, done=done + 1)
        return [done, ctx.info.events < 10]

    assert environment(flow).run(Process(flow, "p", {"left": 3})) == [3, True]


def test_signals_that_are_left_behind_are_named(environment: Environment, caplog: pytest.LogCaptureFixture) -> None:
    @workflow
    async def flow(ctx: Context, runs: int) -> int:
        await ctx.wait_signal("go")
        if runs:
            ctx.continue_as_new(runs - 1)
        return runs

    env = environment(flow)
    id = env.start(Process(flow, "p", 1))
    env.signal(id, "left")
    env.signal(id, "go")
    env.run_until_idle()
    env.signal(id, "go")
    assert env.run(id) == 0
    assert [record.getMessage() for record in caplog.records if "not read" in record.getMessage()] == [
        "process 'p' continues as new; not read: signals left"
    ]


def test_handlers_may_ask_for_activities(environment: Environment) -> None:
    class Asks(CodeWorkflow):
        activities = [echo]

        def __init__(self) -> None:
            self.got: list[Any] = []

        @signal
        async def look(self, what: str) -> None:
            assert self.ctx is not None
            self.got.append(await self.ctx.call(echo, what))

        ctx: Context | None = None

        async def run(self, ctx: Context) -> list[Any]:
            self.ctx = ctx
            await ctx.wait_condition(lambda: len(self.got) == 2)
            return self.got

    env = environment(Asks)
    id = env.start(Process(Asks, "p"))
    env.run_until_idle()
    env.signal(id, "look", "a")
    env.signal(id, "look", "b")
    assert env.run(id) == ["a", "b"]
    ids = [getattr(event.decision, "id", "") for event in env.history(id) if isinstance(event, DecisionEvent)]
    assert ids[:2] == ["signal1.1-echo", "signal2.1-echo"]
