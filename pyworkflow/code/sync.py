"""The context of plain workflow code: calls are asked for, and their results gathered when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from ..decision import RequestCancelProcess
from ..process import Process
from ..signal import Signal
from ..workflow.base import Workflow
from .commands import message_life
from .context import BaseContext, met
from .convert import own
from .course import Suspended
from .decorators import FunctionActivity, spread
from .rerun import NEVER, Rerun, SyncCall

if TYPE_CHECKING:
    from .tasks import Place

R = TypeVar("R")
ALL_COMPLETED, ANY_COMPLETED, ALWAYS = "ALL_COMPLETED", "ANY_COMPLETED", "ALWAYS"


class SyncContext(BaseContext):
    """The context of plain code, which is run from its start whenever there is news."""

    _course: Rerun

    @property
    def _place(self) -> Place:
        if self._course.stopped:
            raise Suspended
        return self._course.place

    # -- calls ----------

    def call_async(self, activity: Any, /, *args: Any, **named: Any) -> SyncCall:
        """Ask for an activity (a class, a function or a name), and go on; `get_result` has its result.

        The options are those of `Context.call`.
        """
        return self._call(activity, args, named)

    @overload
    def call(self, activity: type[FunctionActivity[R]], /, *args: Any, **named: Any) -> R: ...
    @overload
    def call(self, activity: Any, /, *args: Any, **named: Any) -> Any: ...
    def call(self, activity: Any, /, *args: Any, **named: Any) -> Any:
        """Ask for an activity, and wait for its result. Raises how it ended otherwise."""
        call = self._call(activity, args, named, remember=False)
        self._wait(call.arrival, None)
        return self._result(call, True)

    def map(self, activity: Any, items: Iterable[Any], /, **named: Any) -> list[SyncCall]:
        """Ask for an activity for each item, all at once.

        An item that is a tuple gives a function with several parameters its arguments.
        """
        calls = [self._call(activity, spread(activity, item), dict(named)) for item in items]
        self._course.calls.append(_Group(""))
        return calls

    def map_reduce(self, activity: Any, items: Iterable[Any], reduce: Any, /, **named: Any) -> SyncCall:
        """`map`, and when all are done an activity `reduce` with the list of their results."""
        calls = [self._call(activity, spread(activity, item), dict(named), remember=False) for item in items]
        return self._reduce(calls, reduce)

    def _call(self, activity: Any, args: tuple[Any, ...], named: dict[str, Any], remember: bool = True) -> SyncCall:
        id, life = self._activity(activity, args, named)
        call = self._course.trace("schedule_activity", SyncCall(id), life)
        return self._remember(call) if remember else call

    def _reduce(self, calls: Sequence[SyncCall], reduce: Any) -> SyncCall:
        position = self._place.next()
        at = max([self._course.cursor, *(call.arrival for call in calls)])
        result = self._remember(SyncCall(position))
        error = next((call.error for call in calls if call.error is not None), None)
        if at == NEVER:
            return result
        if error is not None:
            result.set(at, None, error)
            return result
        result.id, life = self._activity(reduce, ([call.value for call in calls],), {}, position)
        return self._course.trace("schedule_activity", result, life, at)

    def _remember(self, call: SyncCall) -> SyncCall:
        self._course.calls.append(call)
        return call

    # -- results ----------

    def get_result(
        self,
        calls: SyncCall | Sequence[SyncCall] | None = None,
        throw_except: bool = True,
        timeout: float | None = None,
    ) -> Any:
        """Wait for results: of a call its result, of several a list; where none are named, of all not read yet.

        With `throw_except=False` a failure is returned where it would be raised. Raises TimeoutError after `timeout`
        seconds.
        """
        wanted, alone = self._wanted(calls)
        self._wait(max((call.arrival for call in wanted), default=0), timeout)
        for call in self._course.calls if calls is None else wanted:
            call.read = True
        results = [self._result(call, throw_except) for call in wanted]
        return results[0] if alone else results

    def _wanted(self, calls: SyncCall | Sequence[SyncCall] | None) -> tuple[list[SyncCall], bool]:
        """The calls that are meant; is it one call's result that is wanted, and no list?"""
        if isinstance(calls, SyncCall):
            return [calls], True
        if calls is not None:
            return list(calls), False
        unread = self._course.calls = [call for call in self._course.calls if not call.read]
        wanted = [call for call in unread if not isinstance(call, _Group)]
        return wanted, len(wanted) == 1 == len(unread)

    def _result(self, call: SyncCall, throw_except: bool) -> Any:
        if call.error is None:
            return call.value
        if throw_except:
            raise call.error
        return call.error

    def wait(
        self,
        calls: SyncCall | Sequence[SyncCall] | None = None,
        return_when: str = ALL_COMPLETED,
        timeout: float | None = None,
    ) -> tuple[list[SyncCall], list[SyncCall]]:
        """Wait for calls, those not read where none are named: those that are done, and those that are not.

        `return_when` is ALL_COMPLETED, ANY_COMPLETED, or ALWAYS for not waiting at all. After `timeout` seconds it
        returns what it has.
        """
        if calls is None:
            wanted = [it for it in self._course.calls if not it.read and not isinstance(it, _Group)]
        else:
            wanted = [calls] if isinstance(calls, SyncCall) else list(calls)
        if return_when not in (ALL_COMPLETED, ANY_COMPLETED, ALWAYS):
            raise ValueError(f"return_when is ALL_COMPLETED, ANY_COMPLETED or ALWAYS, not {return_when!r}")
        arrivals = [call.arrival for call in wanted]
        if arrivals and return_when != ALWAYS:
            try:
                self._wait(max(arrivals) if return_when == ALL_COMPLETED else min(arrivals), timeout)
            except TimeoutError:
                pass
        here = self._course.cursor
        return [it for it in wanted if it.arrival <= here], [it for it in wanted if it.arrival > here]

    def _wait(self, arrival: float, timeout: float | None) -> None:
        """Wait for what came in a turn. Raises TimeoutError where the time is over before."""
        course = self._course
        course.check()
        if arrival <= course.cursor:
            return
        timer = course.timer(timeout)
        course.wait_until(min(arrival, timer.arrival))
        if arrival > course.cursor:
            raise TimeoutError(f"no result within {timeout} seconds")
        course.cancel_timer(timer)

    # -- waiting ----------

    def sleep(self, seconds: float) -> None:
        """Sleep, for as long as you like: it is a timer of the process."""
        if not seconds <= 0:  # "Not a number" is no number to sleep.
            self._course.wait_until(self._course.timer(seconds).arrival)

    def wait_signal(self, name: str, timeout: float | None = None) -> Any:
        """The data of the next signal of this name that was not read yet.

        Raises TimeoutError after `timeout` seconds.
        """
        unread = self._course.unread[name]
        if not unread:
            self._wait(self._course.next_signal(name), timeout)
        return own(self._course.unread[name].popleft())

    def wait_condition(self, condition: Callable[[], Any], timeout: float | None = None) -> None:
        """Wait until `condition()` is true, which handlers of signals bring about. Raises TimeoutError."""
        course = self._course
        course.check()
        if met(condition):
            return
        timer = course.timer(timeout)
        while True:
            course.wait_until(min(course.next_signal(None), timer.arrival))
            if met(condition):
                course.cancel_timer(timer)
                return
            if timer.arrival <= course.cursor:
                raise TimeoutError(f"the condition was not met within {timeout} seconds")

    @property
    def cancel_requested(self) -> bool:
        """Has the code been told that somebody asked for the cancellation of the process?"""
        return self._course.canceled

    # -- other processes ----------

    def start_workflow(self, workflow: type[Workflow] | str, /, *args: Any, **named: Any) -> SyncCall:
        """Start another process as a child, and go on; the options are those of `Context.call_workflow`."""
        id, life = self._child(workflow, args, named)
        return self._remember(self._course.trace("start_child_process", SyncCall(id), life))

    def call_workflow(self, workflow: type[Workflow] | str, /, *args: Any, **named: Any) -> Any:
        """Start another process as a child, and wait for its result. Raises ProcessFailed and its like."""
        return self.get_result(self.start_workflow(workflow, *args, **named))

    def signal(self, process_or_id: Process | str, signal: Signal | str, data: Any = None) -> None:
        """Signal another process, and wait until it has arrived. Raises DecisionRefused."""
        id, life = self._message(process_or_id, signal, data)
        self._told(self._course.trace("signal_process", SyncCall(id), life))

    def cancel_process(self, process_or_id: Process | str, details: Any = None) -> None:
        """Request another process's cancellation, and wait until the request has arrived. Raises DecisionRefused."""
        self._place.next()
        decision = RequestCancelProcess(process_or_id, details)
        call = SyncCall(decision.process_id)
        self._told(self._course.trace("request_cancel_process", call, message_life(decision)))

    def _told(self, call: SyncCall) -> None:
        self._wait(call.arrival, None)
        self._result(call, True)


class _Group(SyncCall):
    """Says that a map was asked for: its results are a list, even if it has one."""

    __slots__ = ()
