"""Random programs: trees that are run as code of a process, and directly."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from hypothesis import strategies as st

from pyworkflow import ActivityFailed, CodeWorkflow, Context, ProcessFailed, activity, signal

Node = list[Any]
EXPECTED = (ActivityFailed, TimeoutError, ProcessFailed)


@activity
def double(x: int) -> int:
    return x * 2


@activity
def fail(reason: str) -> None:
    raise ActivityFailed(reason)


class Program(CodeWorkflow):
    """Runs the tree that is its input. What it is told goes into its notes, large numbers after a while."""

    activities = [double, fail]

    def __init__(self) -> None:
        self.notes: list[int] = []

    @signal
    async def note(self, x: int) -> None:
        if x > 4:
            x = await self.ctx.call(double, x)
            await self.ctx.sleep(x + 2**-15)
        self.notes.append(x)

    async def run(self, ctx: Context, tree: Node) -> Any:
        return await evaluate(self, tree)


async def evaluate(at: Any, node: Node) -> Any:
    """What a node comes to. Errors it expects become values, so that all of it is compared."""
    kind, *rest = node
    return await EVALUATE[kind](at, *rest)


async def _call(at: Any, x: int) -> Any:
    return await at.ctx.call(double, x)


async def _fail(at: Any, reason: str) -> Any:
    await at.ctx.call(fail, reason)


async def _sleep(at: Any, seconds: float) -> Any:
    await asyncio.sleep(seconds)
    return "slept"


async def _step(at: Any, x: int) -> Any:
    return at.ctx.step("number", lambda: x)


async def _misstep(at: Any, reason: str) -> Any:
    def stumble() -> None:
        raise ActivityFailed(reason)

    return at.ctx.step("stumble", stumble)


async def _map(at: Any, numbers: list[int]) -> Any:
    return await at.ctx.map(double, numbers)


async def _noted(at: Any, count: int, seconds: float) -> Any:
    await at.ctx.wait_condition(lambda: len(at.notes) >= count, timeout=seconds)
    return at.notes[:count]


async def _seq(at: Any, nodes: list[Node]) -> Any:
    return [await evaluate(at, node) for node in nodes]


async def _gather(at: Any, nodes: list[Node]) -> Any:
    return [shown(it) for it in await asyncio.gather(*[evaluate(at, n) for n in nodes], return_exceptions=True)]


async def _group(at: Any, nodes: list[Node]) -> Any:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(evaluate(at, node)) for node in nodes]
    except* EXPECTED:
        return_value = ["a group failed"]  # Who else of it failed at the same time is a matter of taste.
    else:
        return_value = [task.result() for task in tasks]
    return return_value


async def _attempt(at: Any, node: Node) -> Any:
    try:
        return await evaluate(at, node)
    except EXPECTED as error:
        return shown(error)


async def _timeout(at: Any, seconds: float, node: Node) -> Any:
    async with asyncio.timeout(seconds):
        return await evaluate(at, node)


async def _wait_for(at: Any, seconds: float, node: Node) -> Any:
    return await asyncio.wait_for(evaluate(at, node), seconds)


async def _finally(at: Any, node: Node, last: Node) -> Any:
    try:
        return await evaluate(at, node)
    finally:
        await _attempt(at, last)


async def _cancel(at: Any, seconds: float, node: Node) -> Any:
    task = asyncio.create_task(evaluate(at, node))
    await asyncio.sleep(seconds)
    task.cancel()
    return [shown(it) for it in await asyncio.gather(task, return_exceptions=True)]


async def _race(at: Any, nodes: list[Node]) -> Any:
    tasks = [asyncio.create_task(_attempt(at, node)) for node in nodes]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    rest = await asyncio.gather(*pending, return_exceptions=True)
    return sorted(str(shown(it)) for it in [*[task.result() for task in done], *rest])


async def _signal(at: Any, name: str, seconds: float) -> Any:
    return await at.ctx.wait_signal(name, timeout=seconds)


async def _child(at: Any, node: Node) -> Any:
    return await at.ctx.call_workflow(Program, node)


EVALUATE = {
    "call": _call, "fail": _fail, "sleep": _sleep, "step": _step, "seq": _seq, "gather": _gather, "group": _group,
    "try": _attempt, "timeout": _timeout, "cancel": _cancel, "race": _race, "signal": _signal, "child": _child,
    "misstep": _misstep, "map": _map, "noted": _noted, "wait_for": _wait_for, "finally": _finally,
}  # fmt: skip


def shown(value: Any) -> Any:
    """A value, or an error as one."""
    if isinstance(value, ActivityFailed | ProcessFailed):
        return ["failed", str(value.reason).rpartition(": ")[2]]
    return [type(value).__name__] if isinstance(value, BaseException) else value


# -- made by chance ----------


LEAVES = ("call", "call", "fail", "sleep", "sleep", "step", "misstep", "map", "signal", "noted")
BRANCHES = (
    *("seq", "gather", "gather", "group", "group", "race"),
    *("timeout", "cancel", "try", "finally", "child"),
    *(() if sys.version_info < (3, 12) else ("wait_for",)),  # Before, it may lose a cancellation when it is done.
)


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
            case "noted":
                return [kind, self.number(1, 2), self.seconds()]
            case "map":
                return [kind, [self.number(0, 9) for _ in range(self.number(0, 3))]]
            case "fail" | "misstep":
                return [kind, self.draw(st.sampled_from("abc"))]
        return [kind, self.number(0, 9)]

    def branch(self, kind: str) -> Node:
        if kind in ("timeout", "wait_for", "cancel"):
            return [kind, self.seconds(), self.node()]
        if kind == "finally":
            return [kind, self.node(), self.node()]
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
    one = st.tuples(st.integers(0, 30).map(lambda n: n + 0.123), st.sampled_from(["x", "y", "note"]), st.integers(0, 9))
    return st.lists(one, max_size=4).map(sorted)
