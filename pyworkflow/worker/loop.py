"""The event loop thread on which activities with `async def execute` run together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future


class LoopThread:
    """An asyncio event loop in a daemon thread, started when it is first needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, Any], done: Callable[[Future[Any]], None]) -> Future[Any]:
        """Run a coroutine on the loop; `done` is called with its future, which can be canceled."""
        import asyncio

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        future.add_done_callback(done)
        return future

    def close(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
