"""A deterministic event loop: first in, first out; its time is that of the process, and it has no I/O.

asyncio's own tasks, gather, TaskGroup, timeout, wait_for, shield, locks, queues and sleep run on it unchanged. What
asyncio keeps in sets is in the same order each time, because tasks and futures here have numbers for hashes.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import sys
import weakref
from asyncio import events, tasks
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager, suppress
from types import AsyncGeneratorType
from typing import Any, TypeVar

from ..exceptions import NotAllowedInWorkflow
from .tasks import Future, Place, Task

T = TypeVar("T")
SetTimer = Callable[["Alarm"], None]
STEPS = 1_000_000
"""So many steps of its tasks in one turn are taken for a loop without an end."""
WAITS = 100
"""So often code that is abandoned may wait for something on its way out."""


class Left(BaseException):
    """Raised in code that is abandoned."""


class Alarm(asyncio.TimerHandle):
    """A call at a later time, that is a timer of the process."""

    command: Any = None


class Loop(asyncio.AbstractEventLoop):
    """`set_timer(alarm)` is called for what is to be called later, `cancel_timer(alarm)` when it is not.

    `lost(task, error)` is called for a task that has died of an error which nobody has seen.
    """

    def __init__(
        self,
        set_timer: SetTimer,
        cancel_timer: Callable[[Alarm], None],
        root: Place,
        first_number: int,
        lost: Callable[[Task[Any], BaseException], None],
    ) -> None:
        self.now = 0.0
        self.root = root
        self._ready: deque[asyncio.Handle] = deque()
        self._set_timer = set_timer
        self._cancel_timer = cancel_timer
        self._lost = lost
        self._steps = 0
        # Other numbers for each loop, as asyncio keeps the tasks of all in one set; the last 20 bits make the order.
        self._numbers = first_number
        self._tasks: list[Task[Any]] = []
        self._died: list[weakref.ref[Task[Any]]] = []
        self._generators: list[AsyncGeneratorType[Any, Any]] = []
        self._many = 64

    def number(self) -> int:
        """The next number of a task or future."""
        self._numbers += 1
        return self._numbers

    @property
    def place(self) -> Place:
        """Of the task that runs."""
        task = asyncio.current_task(self)
        return task.place if isinstance(task, Task) else self.root

    # -- running ----------

    def begin(self, now: float) -> None:
        """Another turn, at a time in seconds since 1970."""
        self.now = now
        self._steps = 0

    def run_ready(self) -> None:
        """Run until nothing is ready. Raises RuntimeError for what goes round in circles."""
        ready = self._ready
        with self._in_charge():
            while ready:
                handle: Any = ready.popleft()
                self._steps += 1
                if self._steps > STEPS:
                    raise RuntimeError(
                        f"the code takes more than {STEPS:,} steps and waits for nothing that could happen: is there a "
                        "loop around asyncio.sleep(0)? Wait for a call, a signal, a time or ctx.wait_condition()"
                    )
                if not handle._cancelled:
                    handle._context.run(handle._callback, *handle._args)
                handle = None  # The traceback of a task that dies would keep it, and so the task itself.

    @contextmanager
    def _in_charge(self) -> Iterator[None]:
        """As the loop of this thread, in place of one on which the worker may be called.

        That would close generators which the code has left; when they are is up to the memory. So this loop keeps them.
        """
        before, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
        task = None if before is None else _swap_current_task(before, None)
        events._set_running_loop(self)
        sys.set_asyncgen_hooks(firstiter=self._remember, finalizer=None)
        try:
            yield
        finally:
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(before)
            if task is not None:
                _swap_current_task(before, task)

    def ring(self, alarm: Alarm) -> None:
        """The time of an alarm has come."""
        self._ready.append(alarm)

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return False

    # -- what asyncio needs ----------

    def time(self) -> float:
        """The time of the process, in seconds since 1970."""
        return self.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        alarm = Alarm(when, callback, args, self, context)
        if when <= self.now:
            self._ready.append(alarm)
        elif not math.isinf(when):
            self._set_timer(alarm)
        return alarm

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if isinstance(handle, Alarm) and handle.command is not None:
            self._cancel_timer(handle)

    def create_future(self) -> asyncio.Future[Any]:
        return Future(self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        _refuse_unordered()
        task = self.start(_awaited(coro), Place(f"{self.place.next()}."), context)
        if name is not None:
            task.set_name(str(name))
        return task

    def start(self, coro: Coroutine[Any, Any, T], place: Place, context: contextvars.Context | None = None) -> Task[T]:
        """A task at a place that does not depend on who starts it."""
        task: Task[T] = Task(coro, self, place, context)
        self._tasks.append(task)
        if len(self._tasks) + len(self._generators) > self._many:
            self._many = 64 + 2 * (len(self.open_tasks()) + len(self.open_generators()))
        return task

    def open_tasks(self) -> list[Task[Any]]:
        """The tasks that are not done."""
        done = [task for task in self._tasks if task.done()]
        self._tasks = [task for task in self._tasks if not task.done()]
        self._died += [weakref.ref(task) for task in done if task._log_traceback]
        return self._tasks

    def open_generators(self) -> list[AsyncGeneratorType[Any, Any]]:
        """The async generators that are not at their end."""
        self._generators[:] = [it for it in self._generators if it.ag_frame is not None]
        return self._generators

    def _remember(self, generator: Any) -> None:
        self._generators.append(generator)

    def abandon(self) -> None:
        """End all that is open; also what that begins, and waits for, on its way out, unless there is no end to it.

        Otherwise Python would, at some time, outside of any loop, and complain of what it finds. Nor does it go well
        with a coroutine's own `close`: where one inside of it waits, that is left there.
        """
        with self._in_charge():
            for _ in range(WAITS):
                left = [task for task in self._tasks if not task.done() and _is_open(task)]
                for task in left:
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    with suppress(BaseException):
                        task.get_coro().throw(Left())
                if not left:
                    break
            for generator in self.open_generators():
                with suppress(BaseException):
                    generator.aclose().send(None)

    def let_go(self, of_all: bool) -> None:
        """Forget tasks that are done: then asyncio tells of errors that nobody has seen. Many are looked at rarely.

        Where memory has not let go of one by the end (`of_all`), it is told then.
        """
        if of_all or len(self._tasks) <= 64:
            self.open_tasks()
        if of_all or len(self._generators) <= 64:
            self.open_generators()
        for died in self._died if of_all else ():
            task = died()
            if task is not None and task._log_traceback:
                task._log_traceback = False
                self._lost(task, task.exception())  # type: ignore[arg-type]

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks that died and that nobody waited for are told."""
        task, error = context.get("future"), context.get("exception")
        if isinstance(task, Task) and error is not None:
            self._lost(task, error)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)


def _is_open(task: asyncio.Task[Any]) -> bool:
    """Has it code that is not at its end?"""
    return getattr(task.get_coro(), "cr_frame", None) is not None


def _swap_current_task(loop: Any, task: asyncio.Task[Any] | None) -> asyncio.Task[Any] | None:
    """Python 3.14 has one current task for all loops of a thread."""
    swap = getattr(tasks, "_swap_current_task", None)
    return None if swap is None else swap(loop, task)


def _awaited(coro: Any) -> Any:
    """A coroutine for whatever can be awaited."""
    return _await(coro) if isinstance(coro, asyncio.Future) else coro


async def _await(future: asyncio.Future[T]) -> T:
    return await future


def _refuse_unordered() -> None:
    """Raises where asyncio's own `as_completed` asks, which makes tasks in the order of a set of coroutines."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "asyncio.tasks":
        if frame.f_code.co_qualname.startswith(("as_completed", "_AsCompletedIterator")):
            raise NotAllowedInWorkflow(
                "as_completed was imported by its name before pyworkflow, and takes coroutines in another order each "
                "time: call asyncio.as_completed(…), or give it tasks"
            )
        frame = frame.f_back


def _refuse(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise NotAllowedInWorkflow(
            f"asyncio's {name} does not work in workflow code, which is run again from its history: "
            "do such things in an activity"
        )

    return refuse


for _name in vars(asyncio.AbstractEventLoop):
    if not _name.startswith("_") and _name not in vars(Loop):
        setattr(Loop, _name, _refuse(_name))
Loop.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
