"""Decisions: what a decider may ask for. They are SWF's thirteen less its Lambda task, under the seed's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from . import defaults
from .activity import ActivityExecution
from .signal import Signal
from .values import Value, fresh_id, name_of

if TYPE_CHECKING:
    from .activity import Activity
    from .process import Process

    ActivityClass = type[Activity]


class Decision(Value):
    """One thing that a decider asks for; `closes` says that it ends the process and must come last."""

    type: ClassVar[str]
    closes: ClassVar[bool] = False


class ScheduleActivity(Decision):
    """Schedule an activity.

    What is left out is taken from the activity's class. Times in seconds; `priority` is an int32, higher first. Two are
    equal when activity, id and input are: the one in a history has the other values filled in.
    """

    type = "schedule_activity"
    _compared = ("activity", "id", "input")
    _shown = ("activity", "input")

    def __init__(
        self,
        activity: str | ActivityClass,
        id: str | None = None,
        category: str | None = None,
        input: Any = None,
        *,
        version: str | None = None,
        priority: int = 0,
        scheduled_timeout: float | None = None,
        execution_timeout: float | None = None,
        heartbeat_timeout: float | None = None,
        close_timeout: float | None = None,
    ) -> None:
        self.activity = name_of(activity)
        self.id = fresh_id() if id is None else id
        self.category = category
        self.input = input
        self.version = version
        self.priority = priority
        self.scheduled_timeout = scheduled_timeout
        self.execution_timeout = execution_timeout
        self.heartbeat_timeout = heartbeat_timeout
        self.close_timeout = close_timeout
        self._execution: ActivityExecution | None = None

    @property
    def execution(self) -> ActivityExecution:
        """What is executed when this is applied: the activity under its id, with its input. Made once."""
        if self._execution is None:
            self._execution = ActivityExecution(self.activity, self.id, self.input)
        return self._execution


class CancelActivity(Decision):
    """Cancel an open activity: at once where no worker has it, else its next heartbeat says so."""

    type = "cancel_activity"
    _compared = ("id",)

    def __init__(self, activity_or_id: str | ActivityExecution | ScheduleActivity) -> None:
        self.id = activity_or_id if isinstance(activity_or_id, str) else activity_or_id.id


class CompleteProcess(Decision):
    """Close the process with a result, a JSON value."""

    type = "complete_process"
    closes = True
    _compared = ("result",)

    def __init__(self, result: Any = None) -> None:
        self.result = result


class FailProcess(Decision):
    """Close the process as failed."""

    type = "fail_process"
    closes = True
    _compared = ("reason", "details")

    def __init__(self, reason: str | None = None, details: Any = None) -> None:
        self.reason = reason
        self.details = details


class CancelProcess(Decision):
    """Close the process as canceled: the usual answer to a cancel request."""

    type = "cancel_process"
    closes = True
    _compared = ("details",)

    def __init__(self, details: Any = None) -> None:
        self.details = details


class ContinueAsNew(Decision):
    """Close this run and start the next one of the same process with an empty history.

    What is left out stays as it is, the input included only when `input` is given: it has no default.
    """

    type = "continue_as_new"
    closes = True
    _compared = ("input", "version", "tags", "timeout", "decision_timeout", "category", "priority")

    def __init__(
        self,
        input: Any = None,
        *,
        version: str | None = None,
        tags: list[str] | None = None,
        timeout: float | None = None,
        decision_timeout: float | None = None,
        category: str | None = None,
        priority: int | None = None,
    ) -> None:
        self.input = input
        self.version = version
        self.tags = tags
        self.timeout = timeout
        self.decision_timeout = decision_timeout
        self.category = category
        self.priority = priority


class StartChildProcess(Decision):
    """Start another process as this one's child.

    `child_policy` is what happens to the child when this process closes before it: ABANDON (nothing), REQUEST_CANCEL or
    TERMINATE. What else is left out is taken from the child's workflow; timeouts in seconds.
    """

    type = "start_child_process"
    _compared = ("process", "child_policy")

    def __init__(
        self,
        process: Process,
        child_policy: str = defaults.CHILD_POLICY,
        *,
        timeout: float | None = None,
        decision_timeout: float | None = None,
        category: str | None = None,
        priority: int = 0,
    ) -> None:
        self.process = process
        self.child_policy = child_policy
        self.timeout = timeout
        self.decision_timeout = decision_timeout
        self.category = category
        self.priority = priority


class SignalProcess(Decision):
    """Send a signal to another process, by its id or `id:run`."""

    type = "signal_process"
    _compared = ("process_id", "signal")

    def __init__(self, process_or_id: str | Process, signal: Signal | str, data: Any = None) -> None:
        self.process_id = process_or_id if isinstance(process_or_id, str) else str(process_or_id.id)
        self.signal = signal if isinstance(signal, Signal) else Signal(signal, data)


class RequestCancelProcess(Decision):
    """Request another process's cancellation, by its id or `id:run`; its decider decides what follows."""

    type = "request_cancel_process"
    _compared = ("process_id", "details")

    def __init__(self, process_or_id: str | Process, details: Any = None) -> None:
        self.process_id = process_or_id if isinstance(process_or_id, str) else str(process_or_id.id)
        self.details = details


class Timer(Decision):
    """Start a timer that fires after `delay` seconds; `data` comes back with its TimerEvent."""

    type = "timer"
    _compared = ("delay", "data")

    def __init__(self, delay: float, data: Any = None, *, id: str | None = None) -> None:
        self.delay = delay
        self.data = {} if data is None else data
        self.id = fresh_id() if id is None else id


StartTimer = Timer


class CancelTimer(Decision):
    """Cancel a timer that has not fired."""

    type = "cancel_timer"
    _compared = ("id",)

    def __init__(self, timer_or_id: str | Timer) -> None:
        self.id = timer_or_id if isinstance(timer_or_id, str) else timer_or_id.id


class RecordMarker(Decision):
    """Write a named note into the history; it wakes nobody."""

    type = "record_marker"
    _compared = ("name", "details")

    def __init__(self, name: str, details: Any = None) -> None:
        self.name = name
        self.details = details
