"""Random programs without processes: run directly, on an event loop whose time is virtual."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any

from hypothesis import reject

from pyworkflow import ActivityFailed, ProcessFailed

from .programs import EXPECTED, Node, double, evaluate


class Direct:
    """A program, and its context, that is run without a process."""

    def __init__(self) -> None:
        self.ctx = self
        self.notes: list[int] = []
        self.news = asyncio.Condition()
        self.queues: dict[str, asyncio.Queue[Any]] = {name: asyncio.Queue() for name in "xy"}
        self.handlers: list[asyncio.Task[None]] = []

    def hear(self, name: str, data: int) -> None:
        if name == "note":
            self.handlers.append(asyncio.create_task(self._note(data)))
        else:
            self.queues[name].put_nowait(data)

    async def _note(self, x: int) -> None:
        if x > 4:
            x *= 2
            await asyncio.sleep(x + 2**-15)
        async with self.news:
            self.notes.append(x)
            self.news.notify_all()

    async def wait_condition(self, condition: Any, timeout: float) -> None:
        async with asyncio.timeout(timeout), self.news:
            await self.news.wait_for(condition)

    def call(self, what: Any, *args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if what is double:
            future.set_result(double.function(*args))
        else:
            future.set_exception(ActivityFailed(*args))
        return future

    async def map(self, what: Any, items: list[int]) -> Any:
        return [what.function(item) for item in items]

    def step(self, name: str, function: Any) -> Any:
        return function()

    async def wait_signal(self, name: str, timeout: float) -> Any:
        async with asyncio.timeout(timeout):
            return await self.queues[name].get()

    async def call_workflow(self, program: Any, node: Node) -> Any:
        inner = Direct()  # Signals are for the parent alone.
        try:
            return await evaluate(inner, node)
        except EXPECTED as error:
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
        direct = Direct()
        for when, name, data in sent:
            loop.call_at(when, direct.hear, name, data)
        return await evaluate(direct, tree)

    async def end() -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    try:
        return loop.run_until_complete(main())
    except asyncio.CancelledError:  # Python 3.11 and 3.12 lose count of cancellations in groups that clean up.
        reject()
    finally:
        loop.run_until_complete(end())
        loop.close()
