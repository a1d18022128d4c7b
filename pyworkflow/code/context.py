"""The contexts of workflow code: what both styles can ask for, and the async one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractContextManager
from contextvars import copy_context
from datetime import datetime
from functools import lru_cache, partial
from inspect import iscoroutine
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from .. import defaults
from ..activity import Activity
from ..decision import ContinueAsNew, RequestCancelProcess, ScheduleActivity, SignalProcess, StartChildProcess
from ..process import Process
from ..retry import RetryPolicy, short_id
from ..signal import Signal
from ..workflow.base import Workflow
from .calls import Call
from .commands import Convert, Life, activity_life, child_life, message_life
from .convert import own, snapshot
from .course import Continued, Course, Info
from .decorators import FunctionActivity, activity_of, input_of, only_input, result_of, spread
from .guard import unguarded
from .log import ReplayLog
from .options import OF_ACTIVITIES, OF_CHILDREN, options_in, parameters_of, refuse_parameters

if TYPE_CHECKING:
    from .live import Live
    from .tasks import Place

R = TypeVar("R")
T = TypeVar("T")

_BAD = str.maketrans({**dict.fromkeys(":/|", "_"), **{chr(code): "_" for code in range(32)}})


@lru_cache(maxsize=10_000)
def clean(name: str) -> str:
    """A name as a part of an id, without what SWF does not allow."""
    return name.translate(_BAD)


class BaseContext:
    """What plain and async code have in common."""

    _course: Course

    def __init__(self, course: Any) -> None:
        self._course = course
        self.logger = ReplayLog(course)

    @property
    def _place(self) -> Place:
        raise NotImplementedError

    # -- what a process knows ----------

    @property
    def info(self) -> Info:
        """The workflow, id, run, version, parent and tags of the process, and how long its history is."""
        return self._course.info

    @property
    def random(self) -> Random:
        """Chance that is the same when the code is run again; each use of `ctx.random` begins a new sequence."""
        return self._course.random(self._place.draw())

    @property
    def replaying(self) -> bool:
        """Has what happens now been decided before? Only for what shows, such as metrics: never to decide by it."""
        return self._course.replaying

    def now(self) -> datetime:
        """The time of the process, in UTC: when the decision began that brought the code here."""
        return self._course.turn.when

    def uuid4(self) -> uuid.UUID:
        """A UUID that is the same when the code is run again."""
        return self._course.uuid(self._place.draw())

    def patched(self, id: str) -> bool:
        """Is this process to go the new way, or did it pass here before the code was changed?"""
        return self._course.patched(id)

    @property
    def handling(self) -> int:
        """How many handlers of signals and updates are not done yet. In plain code they are done at once."""
        return 0

    # -- what is done at once ----------

    def side_effect(self, function: Callable[[], T]) -> T:
        """What `function()` returns, a JSON value; it is called once, and recorded. So is an ActivityFailed it raises.

        Any other error of it is a bug, even where the code catches it. After a crash it may be called again. It is for
        what is quick and may be done twice, such as drawing lots; everything else belongs in an activity.
        """
        return self.step("side_effect", function)

    def step(self, name: str, function: Callable[[], T]) -> T:
        """`side_effect` with a name that the history shows."""

        def free() -> T:
            with unguarded():
                return function()

        value: T = self._course.noted(f"{self._place.next()}-{clean(name)}", free)
        return value

    def unguarded(self) -> AbstractContextManager[None]:
        """`with ctx.unguarded():` clocks, chance and the rest are allowed: for what does not decide anything."""
        return unguarded()

    def continue_as_new(self, *args: Any, **kwargs: Any) -> NoReturn:
        """End this run, and start the next one, whose input is made of the arguments as that of `run` is.

        Signals that were not read are not in the next run: hand them on.
        """
        raise Continued(ContinueAsNew(snapshot(self._course.cls._code.shape.input_of(args, kwargs))))

    # -- what is asked for ----------

    def _activity(
        self, activity: Any, args: tuple[Any, ...], named: dict[str, Any], position: str | None = None
    ) -> tuple[str, Life]:
        """The id and the life of an activity."""
        name, cls = self._named(activity)
        retry: RetryPolicy | None = None if cls is None else cls.retry
        if named:
            refuse_parameters(name, OF_ACTIVITIES, named, parameters_of(cls))
            retry = named.pop("retry", retry)
        id = short_id(f"{position or self._place.next()}-{clean(name)}")
        decision = self._course.asked(id)
        if not isinstance(decision, ScheduleActivity) or decision.activity != name:
            options = options_in(named) if named else {}
            decision = ScheduleActivity(name, id, input=snapshot(input_of(name, cls, args, named)), **options)
        return id, activity_life(decision, retry, result_of(cls))

    def _named(self, activity: Any) -> tuple[str, type[Activity] | None]:
        """The name of an activity, and its class, where it is known."""
        if isinstance(activity, str):
            return activity, self._course.cls._code.activity_named(activity)
        cls = activity_of(activity)
        return cls.name, cls

    def _child(self, workflow: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[str, Life]:
        """The id and the life of a child process."""
        code = getattr(workflow, "_code", None)
        name = workflow if isinstance(workflow, str) else workflow.name
        refuse_parameters(name, OF_CHILDREN, named, code.shape.parameters if code is not None and named else ())
        position, id = self._place.next(), named.pop("id", None)
        policy = named.pop("child_policy", defaults.CHILD_POLICY)
        tags, version = named.pop("tags", None), named.pop("version", None)
        names = ("timeout", "decision_timeout", "category", "priority")
        options = {name: named.pop(name) for name in names if name in named}
        converted: Convert = own
        if code is not None:
            input, converted = code.shape.input_of(args, named), code.shape.result
        else:
            input = only_input(name, args, named)
        id = id or self._course.child_id(position, clean(name))
        child = Process(name, id, snapshot(input), tags, version=version)
        return id, child_life(StartChildProcess(child, policy, **options), converted)

    def _message(self, process_or_id: Process | str, signal: Signal | str, data: Any) -> tuple[str, Life]:
        self._place.next()
        name, data = (signal.name, signal.data) if isinstance(signal, Signal) else (signal, data)
        decision = SignalProcess(process_or_id, Signal(name, snapshot(data)))
        return decision.process_id, message_life(decision)


class Context(BaseContext):
    """The context of async code. Calls may be awaited at once or later, and by asyncio's gather and TaskGroup."""

    _course: Live

    @property
    def _place(self) -> Place:
        return self._course.loop.place

    @property
    def cancel_requested(self) -> bool:
        """Has somebody asked for the cancellation of the process?"""
        return self._course.canceled is not None

    @property
    def handling(self) -> int:
        return self._course.handling

    def _begun(self, kind: str, id: str, life: Life) -> Call[Any]:
        return Call(self._course.loop, self._course.calls, id, kind, life)

    @overload
    def call(self, activity: type[FunctionActivity[R]], /, *args: Any, **named: Any) -> Call[R]: ...
    @overload
    def call(self, activity: type[Activity] | str, /, *args: Any, **named: Any) -> Call[Any]: ...
    @overload
    def call(self, activity: Callable[..., Coroutine[Any, Any, R]], /, *args: Any, **named: Any) -> Call[R]: ...
    @overload
    def call(self, activity: Callable[..., R], /, *args: Any, **named: Any) -> Call[R]: ...
    def call(self, activity: Any, /, *args: Any, **named: Any) -> Call[Any]:
        """Ask for an activity: a class, a function or a name. Awaited, its result; it raises how else it ended.

        A function takes its arguments, a class its input. Options: `retry`, a RetryPolicy or None, not the activity's;
        `timeout`, seconds from asking until an attempt ends; the category, priority, version and other timeouts of
        ScheduleActivity. Raises PayloadError for what is no JSON, ActivityFailed and its like, DecisionRefused.
        """
        return self._begun("schedule_activity", *self._activity(activity, args, named))

    @overload
    def map(
        self, activity: type[FunctionActivity[R]], items: Iterable[Any], /, **named: Any
    ) -> asyncio.Future[list[R]]: ...
    @overload
    def map(self, activity: Any, items: Iterable[Any], /, **named: Any) -> asyncio.Future[list[Any]]: ...
    def map(self, activity: Any, items: Iterable[Any], /, **named: Any) -> asyncio.Future[list[Any]]:
        """Ask for an activity for each item, all at once. Awaited, the list of results.

        An item that is a tuple gives a function with several parameters its arguments.
        """
        return asyncio.gather(*[self.call(activity, *spread(activity, item), **named) for item in items])

    def call_workflow(self, workflow: type[Workflow] | str, /, *args: Any, **named: Any) -> Call[Any]:
        """Start another process as a child. Awaited, its result; raises ProcessFailed and its like, DecisionRefused.

        Options: `id` (a fresh one where none is given; `.id` has it), `child_policy` (what happens to it when this
        process ends first: ABANDON, REQUEST_CANCEL, TERMINATE), `tags`, `version`, `timeout`, `decision_timeout`,
        `category`, `priority`.
        """
        return self._begun("start_child_process", *self._child(workflow, args, named))

    def signal(self, process_or_id: Process | str, signal: Signal | str, data: Any = None) -> Call[None]:
        """Signal another process. Awaited, it has arrived; raises DecisionRefused where there is no such process."""
        return self._begun("signal_process", *self._message(process_or_id, signal, data))

    def cancel_process(self, process_or_id: Process | str, details: Any = None) -> Call[None]:
        """Request another process's cancellation. Awaited, the request has arrived; raises DecisionRefused."""
        self._place.next()
        decision = RequestCancelProcess(process_or_id, details)
        return self._begun("request_cancel_process", decision.process_id, message_life(decision))

    async def sleep(self, seconds: float) -> None:
        """Sleep, for as long as you like: it is a timer of the process."""
        await asyncio.sleep(seconds)

    async def wait_signal(self, name: str, timeout: float | None = None) -> Any:
        """The data of the next signal of this name that was not read yet.

        Raises TimeoutError after `timeout` seconds.
        """
        return own(await self._course.next_signal(name, timeout))

    async def signals(self, name: str) -> AsyncIterator[Any]:
        """The data of each signal of this name, for ever."""
        while True:
            yield await self.wait_signal(name)

    async def wait_condition(self, condition: Callable[[], Any], timeout: float | None = None) -> None:
        """Wait until `condition()` is true, which signals and other tasks bring about.

        Raises TimeoutError after `timeout` seconds.
        """
        if met(condition):
            return
        live = self._course
        entry = (partial(copy_context().run, met, condition), live.loop.create_future())
        live.conditions.append(entry)
        try:
            async with asyncio.timeout(timeout):
                await entry[1]
        finally:
            live.conditions.remove(entry)


def met(condition: Callable[[], Any]) -> bool:
    """Is a condition true? Raises TypeError for an async one, which would always be."""
    answer = condition()
    if iscoroutine(answer):
        answer.close()
        raise TypeError("a condition is looked at again and again: it cannot be async")
    return bool(answer)
