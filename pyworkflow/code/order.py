"""What asyncio does in another order each time, or in each version of Python, it does in one on the loop of code."""

from __future__ import annotations

import asyncio
import sys
from asyncio import events, tasks
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from ..exceptions import NotAllowedInWorkflow
from .loop import Loop
from .tasks import Future, Task


def _on_loop() -> bool:
    return isinstance(events._get_running_loop(), Loop)


def _hash_of_gathering(future: asyncio.Future[Any]) -> int:
    """What gather returns is made by asyncio; on the loop of code it has a number too."""
    loop: Any = future.get_loop()
    if not isinstance(loop, Loop):
        return object.__hash__(future)
    numbered: Any = future
    if not hasattr(numbered, "_number"):
        numbered._number = loop.number()
    return int(numbered._number)


def _ordered(original: Callable[..., Any]) -> Callable[..., Any]:
    """asyncio makes a set of what it is given; tasks made of coroutines would be in another order each time."""

    @wraps(original)
    def as_completed(fs: Any, *, timeout: float | None = None) -> Any:
        return original([_numbered(asyncio.ensure_future(it)) for it in fs] if _on_loop() else fs, timeout=timeout)

    return as_completed


def _counted(original: Callable[..., Any]) -> Callable[..., Any]:
    """So is what has an address for a hash."""

    @wraps(original)
    async def wait(fs: Any, **options: Any) -> Any:
        if _on_loop() and isinstance(fs, Iterable) and not isinstance(fs, asyncio.Future):
            fs = [_numbered(it) for it in fs]
        return await original(fs, **options)

    return wait


def _numbered(it: Any) -> Any:
    if isinstance(it, asyncio.Future) and not isinstance(it, Future | Task | tasks._GatheringFuture):  # type: ignore[attr-defined]
        raise NotAllowedInWorkflow(
            f"asyncio.{type(it).__name__}(…) would be in another order each time: in workflow code, make it by "
            "asyncio.get_running_loop().create_future() or asyncio.create_task(…)"
        )
    return it


def _in_place(original: Callable[..., Any]) -> Callable[..., Any]:
    """Python 3.11 makes a task of what is waited for; that has other places for calls than later versions."""

    @wraps(original)
    async def wait_for(fut: Any, timeout: float | None) -> Any:
        if not _on_loop() or (timeout is not None and timeout <= 0):
            return await original(fut, timeout)
        async with asyncio.timeout(timeout):
            return await fut

    return wait_for


tasks._GatheringFuture.__hash__ = _hash_of_gathering  # type: ignore[attr-defined]
asyncio.as_completed = _ordered(asyncio.as_completed)
asyncio.wait = _counted(asyncio.wait)
if sys.version_info < (3, 12):
    asyncio.wait_for = _in_place(asyncio.wait_for)
