"""What code can ask for: each command is a generator that yields a decision and is sent the event that answers it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from copy import copy
from typing import Any

from ..activity import ActivityCompleted
from ..decision import (
    CancelActivity,
    CancelTimer,
    Decision,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from ..events import (
    ActivityEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    Event,
    ProcessCancelRequestedEvent,
    ProcessSignaledEvent,
    TimerEvent,
)
from ..process import ProcessCompleted
from ..retry import RetryPolicy, next_attempt, pause_id
from .convert import own

MESSAGES = ("signal_process", "request_cancel_process")
"""What is sent to other processes. Messages that are alike are answered in the order in which they were sent."""

Life = Generator[Decision | None, Event, Any]
Key = tuple[str, ...]
Convert = Callable[[Any], Any]

OPEN_AT_ONCE = {"schedule_activity": 1_000, "timer": 1_000, "start_child_process": 1_000}
"""How many of a kind SWF allows to be open; what is more waits for its turn."""

DECISION_KEYS: dict[type[Decision], Callable[[Any], Key]] = {
    ScheduleActivity: lambda it: ("activity", it.id),
    Timer: lambda it: ("timer", it.id),
    StartChildProcess: lambda it: ("child", it.process.id),
    SignalProcess: lambda it: ("signal", it.process_id, it.signal.name, str(it.signal.data)),
    RequestCancelProcess: lambda it: ("cancel", it.process_id),
    CancelActivity: lambda it: ("cancel activity", it.id),
    CancelTimer: lambda it: ("cancel timer", it.id),
}

EVENT_KEYS: dict[type[Event], Callable[[Any], Key]] = {
    ActivityEvent: lambda it: ("activity", it.activity_execution.id),
    TimerEvent: lambda it: ("timer", it.timer.id),
    ChildProcessStartedEvent: lambda it: ("child", it.process_id),
    ChildProcessEvent: lambda it: ("child", it.process_id),
    ProcessSignaledEvent: lambda it: ("signal", it.process_id, it.signal.name, str(it.signal.data)),
    ProcessCancelRequestedEvent: lambda it: ("cancel", it.process_id),
}
"""Which command an event is for, by type."""

UNDO: dict[type[Decision], Callable[[Any], Decision]] = {
    ScheduleActivity: CancelActivity,
    Timer: CancelTimer,
    StartChildProcess: lambda it: RequestCancelProcess(it.process.id),
}
"""How what was asked for is canceled; a message that was sent cannot be."""


def activity_life(decision: ScheduleActivity, retry: RetryPolicy | None, convert: Convert) -> Life:
    """An activity, tried as often as its policy says."""
    attempt = 1
    while True:
        event: Any = yield decision
        result = event.result
        if isinstance(result, ActivityCompleted):
            return convert(result.result)
        pause = None if retry is None else retry.delay(attempt, result)
        if pause is None:
            raise raised(result, decision.activity)
        if pause > 0:
            yield Timer(pause, id=pause_id(decision.id))
        attempt += 1
        decision = next_attempt(decision, result)


def timer_life(decision: Timer) -> Life:
    """A timer, until it fires."""
    yield decision
    return None


def child_life(decision: StartChildProcess, convert: Convert) -> Life:
    """A child process, until it is closed."""
    event: Any = yield decision
    while not isinstance(event, ChildProcessEvent):
        event = yield None
    if isinstance(event.result, ProcessCompleted):
        return convert(event.result.result)
    raise raised(event.result, decision.process.id)


def message_life(decision: SignalProcess | RequestCancelProcess) -> Life:
    """A message to another process, until it has arrived."""
    yield decision
    return None


def raised(result: Any, of: str | None) -> Exception:
    """The end of something as an exception that says of what. The event keeps its own: it is shared."""
    error: Exception = copy(result)
    vars(error)["of"] = of
    if hasattr(error, "details"):
        error.details = own(error.details)
    return error


def describe(decision: Decision | None) -> str:
    """A decision in a few words, for messages."""
    if decision is None:
        return "nothing"
    names = ("activity", "name", "process_id", "id")
    child = getattr(decision, "process", None)
    about = [child.workflow, child.id] if child is not None else [getattr(decision, name, None) for name in names]
    return " ".join(str(it) for it in [decision.type, *dict.fromkeys(it for it in about if it)])
