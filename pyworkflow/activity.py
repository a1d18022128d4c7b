"""Activities: the class that users subclass, what an execution ends with, and the monitor that hears heartbeats."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from . import defaults
from .values import Decorating, Value, derived_name, fresh_id, name_of, warn_of_misspelt

if TYPE_CHECKING:
    from .retry import RetryPolicy
    from .task import ActivityTask


_COROUTINE = 128
"""inspect.CO_COROUTINE; inspect takes as long to import as all of this package."""


class ActivityResult(Value):
    """How an activity ended; `type` is completed, canceled, failed or timedout."""

    type: ClassVar[str]


class ActivityCompleted(ActivityResult):
    """The activity returned `result`, a JSON value."""

    type = "completed"
    _compared = ("result",)

    def __init__(self, result: Any = None) -> None:
        self.result = result


class ActivityCanceled(ActivityResult, Exception):
    """The activity was canceled, by a decision or by itself; may be returned or raised by an activity."""

    type = "canceled"
    _compared = ("details",)

    def __init__(self, details: Any = None) -> None:
        Exception.__init__(self, details)
        self.details = details


ActivityAborted = ActivityCanceled


class ActivityFailed(ActivityResult, Exception):
    """The activity failed for `reason`; `details` is often a traceback. May be returned or raised by an activity.

    `non_retryable` says that trying again is of no use, `next_retry_delay` after how many seconds it is, to a
    RetryPolicy. Both are recorded in the details, which then are {"details": …, "non_retryable": …, …}.
    """

    type = "failed"
    _compared = ("reason", "details")
    _separator = ","

    def __init__(
        self,
        reason: Any = None,
        details: Any = None,
        *,
        non_retryable: bool = False,
        next_retry_delay: float | None = None,
    ) -> None:
        advice = {"non_retryable": non_retryable or None, "next_retry_delay": next_retry_delay}
        advice = {name: value for name, value in advice.items() if value is not None}
        if advice:
            details = {"details": details, **advice}
        Exception.__init__(self, reason, details)
        self.reason = reason
        self.details = details

    @property
    def non_retryable(self) -> bool:
        """Is trying again of no use?"""
        return isinstance(self.details, dict) and self.details.get("non_retryable") is True

    @property
    def next_retry_delay(self) -> float | None:
        """Seconds until the next attempt, where the failure says so."""
        delay = self.details.get("next_retry_delay") if isinstance(self.details, dict) else None
        return delay if isinstance(delay, int | float) and delay >= 0 else None


class ActivityTimedOut(ActivityResult, Exception):
    """A deadline passed; `details` are those of the last heartbeat.

    `timeout_type` is SCHEDULE_TO_START, START_TO_CLOSE, SCHEDULE_TO_CLOSE or HEARTBEAT (SWF's ActivityTaskTimeoutType).
    """

    type = "timedout"
    _compared = ("details",)

    def __init__(self, details: Any = None, timeout_type: str | None = None) -> None:
        Exception.__init__(self, details)
        self.details = details
        self.timeout_type = timeout_type


class ActivityExecution(Value):
    """One scheduled execution of an activity: its type's name, its id and its input."""

    _compared = ("activity", "id", "input")

    def __init__(self, activity: str | type[Activity], id: str | None = None, input: Any = None) -> None:
        self.activity = name_of(activity)
        self.id = fresh_id() if id is None else id
        self.input = input

    @property
    def name(self) -> str:
        """The activity's name, as the first API called it."""
        return self.activity


class ActivityMonitor:
    """Hears an activity's heartbeats and passes them to `heartbeat_fn(details)`."""

    def __init__(self, heartbeat_fn: Callable[..., Any] | None = None) -> None:
        self.heartbeat_fn = heartbeat_fn

    def heartbeat(self, details: Any = None) -> Any:
        """Say that the activity is alive; `details` is a JSON value that a later timeout carries."""
        if self.heartbeat_fn is None:
            return None
        return self.heartbeat_fn() if details is None else self.heartbeat_fn(details)


class Activity:
    """The logic of one business function. Subclass it and override `execute`, plain or async.

    Class attributes, times in seconds (fractions allowed): `scheduled_timeout` until a worker takes it,
    `execution_timeout` from then until it ends, `close_timeout` from scheduling until it ends (None: no limit),
    `heartbeat_timeout` between two heartbeats. With `auto_complete = False` the task is handed off: whoever has its
    token completes it later. `executor = "process"` runs it in a process pool, for work that keeps a core busy.
    `retry` is a RetryPolicy, by which deciders try it again when it fails (None: they do not).
    """

    scheduled_timeout: ClassVar[float] = defaults.ACTIVITY_SCHEDULED_TIMEOUT
    execution_timeout: ClassVar[float] = defaults.ACTIVITY_EXECUTION_TIMEOUT
    heartbeat_timeout: ClassVar[float] = defaults.ACTIVITY_HEARTBEAT_TIMEOUT
    close_timeout: ClassVar[float | None] = None
    category: ClassVar[str] = defaults.ACTIVITY_CATEGORY
    version: ClassVar[str] = defaults.ACTIVITY_VERSION
    auto_complete: ClassVar[bool] = True
    executor: ClassVar[str] = "thread"
    retry: ClassVar[RetryPolicy | None] = None
    name: str = "Activity"
    is_async: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = derived_name(cls, "Activity")
        warn_of_misspelt(cls)
        cls.is_async = bool(getattr(getattr(cls.execute, "__code__", None), "co_flags", 0) & _COROUTINE)

    def __init__(self, task: ActivityTask, monitor: ActivityMonitor | None = None) -> None:
        self.task = task
        self.monitor = monitor

    @property
    def input(self) -> Any:
        """The JSON value that the activity was scheduled with."""
        return attempt_of(self.task.input)[2]

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1, where a RetryPolicy counts them."""
        return attempt_of(self.task.input)[0]

    @property
    def last_heartbeat(self) -> Any:
        """The details of the last heartbeat of an earlier attempt that timed out; None where there is none."""
        return attempt_of(self.task.input)[1]

    @property
    def idempotency_key(self) -> str:
        """A key that stays the same however often this execution is tried; hand it to services that take one."""
        return self.task.idempotency_key

    def heartbeat(self, details: Any = None) -> None:
        """Say that the activity is alive.

        Raises ActivityCanceled when its cancellation was requested, and UnknownActivityException when it is
        no longer this worker's: it timed out, or its process closed.
        """
        if self.monitor is not None:
            self.monitor.heartbeat(details)

    def execute(self) -> Any:
        """Do the work; the value returned is the result. Return or raise an ActivityResult to end otherwise."""
        raise NotImplementedError(f"{type(self).__name__} must override execute()")


def attempt_of(input: Any) -> tuple[int, Any, Any]:
    """The number of the attempt, the last heartbeat's details and the input proper, of the input of an activity.

    Attempts after the first carry them in their input: it is all that SWF hands to a worker.
    """
    if isinstance(input, dict) and "pyworkflow.attempt" in input:
        return input["pyworkflow.attempt"], input["heartbeat"], input["input"]
    return 1, None, input


sys.modules[__name__].__class__ = Decorating

__all__ = [
    "Activity",
    "ActivityAborted",
    "ActivityCanceled",
    "ActivityCompleted",
    "ActivityExecution",
    "ActivityFailed",
    "ActivityMonitor",
    "ActivityResult",
    "ActivityTimedOut",
]
