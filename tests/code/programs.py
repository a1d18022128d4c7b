"""Random programs: trees that are run as code of a process, and directly, on an event loop whose time is virtual."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

from hypothesis import strategies as st

from pyworkflow import ActivityFailed, CodeWorkflow, Context, ProcessFailed, activity

Node = list[Any]


@activity
def double(x: int) -> int:
    return x * 2


@activity
def fail(reason: str) -> None:
    raise ActivityFailed(reason)


class Program(CodeWorkflow):
    """Runs the tree that is its input."""

    activities = [double, fail]

    async def run(self, ctx: Context, tree: Node) -> Any:
        return await evaluate(ctx, tree)


async def evaluate(ctx: Any, node: Node) -> Any:
    """What a node comes to. Errors it expects become values, so that all of it is compared."""
    kind, *rest = node
    return await EVALUATE[kind](ctx, *rest)


async def _call(ctx: Any, x: int) -> Any:
    return await ctx.call(double, x)


async def _fail(ctx: Any, reason: str) -> Any:
    await ctx.call(fail, reason)


async def _sleep(ctx: Any, seconds: float) -> Any:
    await asyncio.sleep(seconds)
    return "slept"


async def _step(ctx: Any, x: int) -> Any:
    return ctx.step("number", lambda: x)


async def _seq(ctx: Any, nodes: list[Node]) -> Any:
    return [await evaluate(ctx, node) for node in nodes]


async def _gather(ctx: Any, nodes: list[Node]) -> Any:
    return [shown(it) for it in await asyncio.gather(*[evaluate(ctx, n) for n in nodes], return_exceptions=True)]


async def _group(ctx: Any, nodes: list[Node]) -> Any:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(evaluate(ctx, node)) for node in nodes]
    except* (ActivityFailed, TimeoutError, ProcessFailed):
        return_value = ["a group failed"]  # Who else of it failed at the same time is a matter of taste.
    else:
        return_value = [task.result() for task in tasks]
    return return_value


async def _attempt(ctx: Any, node: Node) -> Any:
    try:
        return await evaluate(ctx, node)
    except (ActivityFailed, TimeoutError, ProcessFailed) as error:
        return shown(error)


async def _timeout(ctx: Any, seconds: float, node: Node) -> Any:
    async with asyncio.timeout(seconds):
        return await evaluate(ctx, node)


async def _cancel(ctx: Any, seconds: float, node: Node) -> Any:
    task = asyncio.create_task(evaluate(ctx, node))
    await asyncio.sleep(seconds)
    task.cancel()
    return [shown(it) for it in await asyncio.gather(task, return_exceptions=True)]


async def _race(ctx: Any, nodes: list[Node]) -> Any:
    tasks = [asyncio.create_task(_attempt(ctx, node)) for node in nodes]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    rest = await asyncio.gather(*pending, return_exceptions=True)
    return sorted(str(shown(it)) for it in [*[task.result() for task in done], *rest])


async def _signal(ctx: Any, name: str, seconds: float) -> Any:
    return await ctx.wait_signal(name, timeout=seconds)


async def _child(ctx: Any, node: Node) -> Any:
    return await ctx.call_workflow(Program, node)


EVALUATE = {
    "call": _call, "fail": _fail, "sleep": _sleep, "step": _step, "seq": _seq, "gather": _gather, "group": _group,
    "try": _attempt, "timeout": _timeout, "cancel": _cancel, "race": _race, "signal": _signal, "child": _child,
}  # fmt: skip


def shown(value: Any) -> Any:
    """A value, or an error as one."""
    if isinstance(value, ActivityFailed | ProcessFailed):
        return ["failed", str(value.reason).rpartition(": ")[2]]
    return [type(value).__name__] if isinstance(value, BaseException) else value


# -- made by chance ----------


LEAVES = ("call", "call", "fail", "sleep", "sleep", "step", "signal")
BRANCHES = ("seq", "gather", "gather", "group", "group", "race", "timeout", "cancel", "try", "child")


class _Maker:
    """Draws a tree of so many nodes. No two sums of its times are equal: who is first is never a matter of taste."""

    def __init__(self, draw: Any, size: int) -> None:
        self.draw = draw
        self.left = size
        self.fraction = 1.0

    def node(self) -> Node:
        self.left -= 1
        if self.left <= 0 or self.number(0, 3) == 0:
            return self.leaf(self.draw(st.sampled_from(LEAVES)))
        return self.branch(self.draw(st.sampled_from(BRANCHES)))

    def leaf(self, kind: str) -> Node:
        match kind:
            case "sleep":
                return [kind, self.seconds()]
            case "signal":
                return [kind, self.draw(st.sampled_from("xy")), self.seconds()]
            case "fail":
                return [kind, self.draw(st.sampled_from("abc"))]
        return [kind, self.number(0, 9)]

    def branch(self, kind: str) -> Node:
        if kind in ("timeout", "cancel"):
            return [kind, self.seconds(), self.node()]
        if kind in ("try", "child"):
            return [kind, self.node()]
        return [kind, [self.node() for _ in range(self.number(1, 4))]]

    def number(self, least: int, most: int) -> int:
        return int(self.draw(st.integers(least, most)))

    def seconds(self) -> float:
        self.fraction /= 2
        if self.fraction < 2**-13:
            self.left = 0
        return 10 * self.number(1, 5) + self.fraction


@st.composite
def programs(draw: Any) -> Node:
    """Trees of some twenty nodes."""
    return ["try", _Maker(draw, draw(st.integers(5, 25))).node()]


def signals() -> st.SearchStrategy[list[tuple[float, str, int]]]:
    """When which signals come, with which data."""
    one = st.tuples(st.integers(0, 30).map(lambda n: n + 0.123), st.sampled_from("xy"), st.integers(0, 9))
    return st.lists(one, max_size=4).map(sorted)


# -- run directly ----------


class Direct:
    """The context of a program that is run without a process."""

    def __init__(self) -> None:
        self.queues: dict[str, asyncio.Queue[Any]] = {name: asyncio.Queue() for name in "xy"}

    def call(self, what: Any, *args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if what is double:
            future.set_result(double.function(*args))
        else:
            future.set_exception(ActivityFailed(*args))
        return future

    def step(self, name: str, function: Any) -> Any:
        return function()

    async def wait_signal(self, name: str, timeout: float) -> Any:
        async with asyncio.timeout(timeout):
            return await self.queues[name].get()

    async def call_workflow(self, program: Any, node: Node) -> Any:
        inner = Direct()  # Signals are for the parent alone.
        try:
            return await evaluate(inner, node)
        except (ActivityFailed, TimeoutError, ProcessFailed) as error:
            raise ProcessFailed(str(getattr(error, "reason", None) or type(error).__name__)) from error


class _Skipping(selectors.SelectSelector):
    """Lets time pass instead of waiting."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.passed += timeout or 0.0
        return super().select(0)


def run_directly(tree: Node, sent: list[tuple[float, str, int]]) -> Any:
    """What a program comes to when nothing is recorded."""
    selector = _Skipping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.passed  # type: ignore[method-assign]

    async def main() -> Any:
        ctx = Direct()
        for when, name, data in sent:
            loop.call_at(when, ctx.queues[name].put_nowait, data)
        return await evaluate(ctx, tree)

    async def end() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    try:
        return loop.run_until_complete(main())
    finally:
        loop.run_until_complete(end())
        loop.close()
