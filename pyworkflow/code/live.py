"""Async workflow code: it lives on from turn to turn on a loop of its own, with the commands that are open."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from inspect import BoundArguments
from typing import Any, TypeVar

from ..decision import CancelProcess, Decision, RecordMarker, Timer
from ..events import (
    CancelRequestedEvent,
    DecisionRefusedEvent,
    Event,
    ProcessResetEvent,
    ProcessStartedEvent,
    SignalEvent,
)
from ..exceptions import PayloadError
from ..frames import is_authors
from ..retry import short_id
from . import order  # noqa: F401 - it puts asyncio in order.
from .calls import Calls, Command
from .commands import Life, timer_life
from .convert import shape_of, snapshot
from .course import Continued, Course, logger
from .loop import Alarm, Loop
from .sources import line_of
from .tasks import Place
from .turns import Recorded, Step

T = TypeVar("T")


class Live(Course):
    """Async code. Signals are heard first, then results in the order of the history; conditions are looked at last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        root = Place("")
        number = zlib.crc32(self._seeds[-1].encode()) << 20
        self.loop = Loop(self._set_timer, self._cancel_timer, root, number, self._lost)  # type: ignore[abstract]
        self.calls = Calls(self)
        self.readers: defaultdict[str, deque[asyncio.Future[Any]]] = defaultdict(deque)
        self.conditions: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self.canceled: CancelRequestedEvent | None = None
        self._root: asyncio.Task[Any] | None = None
        self._handling: list[asyncio.Task[Any]] = []
        self._turns = self._heard = 0
        self._closing = self._at_once = False

    # -- a turn ----------

    def go(self, steps: Sequence[tuple[Step, Recorded | None]]) -> list[Decision]:
        self.run(partial(self._go, steps))
        return self.turn.to_record

    def _go(self, steps: Sequence[tuple[Step, Recorded | None]]) -> None:
        for step, recorded in steps:
            self._turns += 1
            self.turn = self.next_turn(self._turns, step, recorded)
            self.loop.begin(self.turn.when.timestamp())
            self._take()
            error = self.error or self.mismatch(self.turn)
            if error is not None:
                raise error

    def _take(self) -> None:
        for event in self.turn.news:
            if type(event) is SignalEvent:
                self._hear(event)
        for event in self.turn.news:
            if type(event) is not SignalEvent:
                self._answer(event)
        self.loop.run_ready()
        if self.canceled is not None and any(event is self.canceled for event in self.turn.news):
            self._cancel_handlers()
        while self._wake_conditions():
            self.loop.run_ready()
        self._end()

    def _cancel_handlers(self) -> None:
        """After they have begun: what a signal brought is not lost. All have been told then, and may clean up in peace.

        As long as a task counts requests, asyncio cancels it again where a TaskGroup or a timeout ends in it.
        """
        told = [*self._handling, self._root] if self._root is not None else self._handling
        for task in self._handling:
            task.cancel()
        self.loop.run_ready()
        for task in told:
            task.uncancel()

    def _wake_conditions(self) -> bool:
        for condition, future in self.conditions:
            if not future.done() and condition():
                future.set_result(None)
                return True
        return False

    def _answer(self, event: Event) -> None:
        if self.calls.answer(event):
            return
        if isinstance(event, ProcessStartedEvent):
            self._root = self.loop.start(self._main(), self.loop.root)
        elif isinstance(event, ProcessResetEvent):
            self.resets += 1
        elif isinstance(event, DecisionRefusedEvent):
            self.calls.refuse(event)
        elif isinstance(event, CancelRequestedEvent) and self.canceled is None and self._root is not None:
            self.canceled = event
            if self._turns == 1:
                self.loop.run_ready()  # A task that is canceled before it has begun never begins.
            self._root.cancel()

    async def _main(self) -> Any:
        return await self.cls._code.call(self)

    # -- timers ----------

    def _set_timer(self, alarm: Alarm) -> None:
        id = short_id(f"{self.loop.place.next()}-timer")
        command = Command("timer", self._timer(alarm, id), lambda value, error: self._ring(alarm, error))
        alarm.command = command
        self.calls.begin(command)

    def _timer(self, alarm: Alarm, id: str) -> Life:
        """It may have waited for room: what counts is when it is due."""
        return (yield from timer_life(Timer(round(max(alarm.when() - self.loop.now, 0.0), 6), id=id)))

    def _ring(self, alarm: Alarm, error: BaseException | None) -> None:
        if error is not None:
            raise error
        self.loop.ring(alarm)

    def _cancel_timer(self, alarm: Alarm) -> None:
        self.calls.cancel(alarm.command)

    # -- what comes from outside ----------

    def _hear(self, event: SignalEvent) -> None:
        name, data = event.signal.name, event.signal.data
        self._heard += 1
        if (update := self.update_of(name, data)) is not None:
            self._start(self._update(update, data))
        elif ("signal", name) in self.handlers:
            self._start(self._signal(self.handlers["signal", name][0], data))
        else:
            readers = self.readers[name]
            while readers:
                reader = readers.popleft()
                if not reader.done():
                    reader.set_result(data)
                    return
            self.unread[name].append(data)

    async def next_signal(self, name: str, timeout: float | None) -> Any:
        """The data of the next signal of this name that was not read yet. Raises TimeoutError."""
        if self.unread[name]:
            return self.unread[name].popleft()
        reader: asyncio.Future[Any] = self.loop.create_future()
        self.readers[name].append(reader)
        try:
            async with asyncio.timeout(timeout):
                return await reader
        except BaseException:
            if reader.done() and not reader.cancelled():
                self.unread[name].appendleft(reader.result())
            raise
        finally:
            reader.cancel()
            if reader in self.readers[name]:
                self.readers[name].remove(reader)

    @property
    def handling(self) -> int:
        """How many handlers are not done yet."""
        return sum(not task.done() for task in self._handling)

    def _start(self, handler: Coroutine[Any, Any, Any]) -> None:
        self._handling.append(self.loop.start(handler, Place(f"signal{self._heard}.")))

    async def _signal(self, method: str, data: Any) -> None:
        try:
            arguments = shape_of(getattr(self.cls, method), 1).heard(data)
        except PayloadError as error:  # Whoever sent it made the mistake; the process need not suffer.
            logger.warning("process %r: a signal is ignored: %s", self.process.id, error)
        else:
            await self._handle(method, arguments)

    async def _handle(self, method: str, arguments: BoundArguments) -> Any:
        result = getattr(self.workflow, method)(*arguments.args, **arguments.kwargs)
        return await result if asyncio.iscoroutine(result) else result

    async def _update(self, name: str, data: Any) -> None:
        method, validator = self.handlers["update", name]
        try:
            shape = shape_of(getattr(self.cls, method), 1)
            arguments = shape.arguments(data["input"])
            if validator is not None:
                validator(self.workflow, *arguments.args, **arguments.kwargs)
            answer = {"result": snapshot(await self._handle(method, shape.arguments(data["input"])))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        except (asyncio.CancelledError, Continued) as error:
            self._answer_update(data, {"error": f"it came to nothing: {error!r}"})
            raise
        self._answer_update(data, answer)

    def _answer_update(self, data: Any, answer: Any) -> None:
        self.decide(RecordMarker(f"update-{data['id']}", answer))

    # -- the end ----------

    def _end(self) -> None:
        """Once the code has ended and its handlers too, the process is closed; again, where that was refused."""
        for task in [task for task in self._handling if task.done()]:
            self._handling.remove(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                self.ending, self._at_once = self.end_of(error), True
        if self._at_once or not self._handling:
            if self.ending is None and self._root is not None and self._root.done():
                self.ending = self._ended(self._root)
            if self.ending is not None:
                self.decide(self.ending)
        self.loop.let_go(self.ending is not None)

    def _lost(self, task: asyncio.Task[Any], error: BaseException) -> None:
        if not self.replaying and not self._closing:
            name = getattr(task.get_coro(), "__qualname__", task.get_name())
            logger.error(
                "process %r: the task %s has died, and nobody awaits it", self.process.id, name, exc_info=error
            )

    def _ended(self, root: asyncio.Task[Any]) -> Decision:
        if root.cancelled():
            if self.canceled is None:
                raise RuntimeError("the code was canceled by itself, not by a request: catch CancelledError")
            return CancelProcess(self.canceled.details)
        error = root.exception()
        return self.completion(root.result()) if error is None else self.end_of(error)

    def whereabouts(self) -> str:
        if self._root is None or self._root.done():
            return ""
        frame, coroutine = None, self._root.get_coro()
        while (here := getattr(coroutine, "cr_frame", None)) is not None:
            frame = here if is_authors(here) else frame
            coroutine = coroutine.cr_await  # type: ignore[union-attr]
        return line_of(frame.f_code, frame.f_lineno) if frame is not None else ""

    def close(self) -> None:
        """End the tasks that are left. What they ask for at their end nobody gives them."""
        self._closing = True
        super().close()
        self.loop.abandon()
