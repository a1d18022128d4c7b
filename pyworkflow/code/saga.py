"""Saga: what undoes the steps that were done, in reverse order, when a later one fails."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from ..process import ProcessCanceled
from .context import Context
from .sync import SyncContext


class Saga:
    """Remembers how to undo what was done, and does that when the block is left by an error, cancellation included.

        async with Saga(ctx) as saga:
            saga.on_failure(release, room)
            await ctx.call(reserve, room)

    In plain code it is `with Saga(ctx) as saga:`. Compensations are activities, called one after the other, the last
    one first, each with what `on_failure` was given after it. One that fails itself does not keep the others from being
    called; its error is a note of the error that the block was left by. Put it down before the step: a step that failed
    may have had its effect all the same.
    """

    def __init__(self, ctx: Context | SyncContext) -> None:
        self._ctx = ctx
        self._steps: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = []

    def on_failure(self, activity: Any, /, *args: Any, **named: Any) -> None:
        """Undo a step by an activity, with these arguments and the options of `ctx.call`."""
        self._steps.append((activity, args, named))

    async def compensate(self, error: BaseException | None = None) -> None:
        """Undo everything now; who cancels on the way, a timeout too, has to wait until that is done.

        In plain code, leave the block instead.
        """
        late = None
        undoing = asyncio.ensure_future(self._compensate(error))
        while not undoing.done():
            try:
                await asyncio.shield(undoing)
            except asyncio.CancelledError as canceled:
                late = canceled
        if late is not None:
            raise late

    async def _compensate(self, error: BaseException | None) -> None:
        assert isinstance(self._ctx, Context)
        while self._steps:
            activity, args, named = self._steps.pop()
            try:
                await self._ctx.call(activity, *args, **named)
            except Exception as failure:
                _note(error, activity, failure)

    async def __aenter__(self) -> Saga:
        if not isinstance(self._ctx, Context):
            raise TypeError("plain code has `with Saga(ctx)`, without async")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _is_failure(error):
            await self.compensate(error)

    def __enter__(self) -> Saga:
        if not isinstance(self._ctx, SyncContext):
            raise TypeError("async code has `async with Saga(ctx)`")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not _is_failure(error):
            return
        late = None
        while self._steps:
            activity, args, named = self._steps.pop()
            try:
                late = self._undo(activity, args, named) or late
            except Exception as failure:
                _note(error, activity, failure)
        if late is not None:
            raise late

    def _undo(self, activity: Any, args: tuple[Any, ...], named: dict[str, Any]) -> ProcessCanceled | None:
        """Plain code hears of a cancellation once, wherever it waits: it may be here."""
        assert isinstance(self._ctx, SyncContext)
        late, call = None, self._ctx.call_async(activity, *args, **named)
        try:
            self._ctx.get_result(call)
        except ProcessCanceled as canceled:
            late = canceled
            self._ctx.get_result(call)
        return late


def _is_failure(error: BaseException | None) -> bool:
    """Did the block fail? Being suspended, dropped or continued as new is none."""
    return isinstance(error, Exception | asyncio.CancelledError)


def _note(error: BaseException | None, activity: Any, failure: Exception) -> None:
    if error is not None:
        name = activity if isinstance(activity, str) else getattr(activity, "name", getattr(activity, "__name__", "?"))
        error.add_note(f"the compensation {name} failed: {failure}")
