"""RetryPolicy: when an activity that failed is tried again. Deciders apply it with timers, on every backend alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from .activity import (
    Activity,
    ActivityCanceled,
    ActivityFailed,
    ActivityResult,
    ActivityTimedOut,
    attempt_of,
)
from .decision import CancelActivity, Decision, ScheduleActivity, Timer
from .events import ActivityEvent, DecisionEvent, Event, TimerEvent
from .values import Value

if TYPE_CHECKING:
    from .process import Process

LONGEST = 256
LONGEST_PAUSE = 365 * 86_400.0
"""Seconds. What an activity asks for must not be more than a timer takes."""
_ATTEMPT = "pyworkflow.attempt"
_RAISED = re.compile(r"^  File [^\n]*\n(?:  [^\n]*\n|\n)*(?P<type>[\w.]+)", re.MULTILINE)


class RetryPolicy(Value):
    """Tries again after `initial_interval` seconds, each pause `backoff_coefficient` times the one before.

    No pause is longer than `maximum_interval` seconds. `maximum_attempts` counts the first one; 0 means no limit. What
    fails with one of `non_retryable` is not tried again: exception classes, their names, or the reason of an
    ActivityFailed. They are compared by name, exactly: KeyError is not meant by LookupError. A failure may say so
    itself (`ActivityFailed(…, non_retryable=True)`), or set the next pause (`next_retry_delay=`). Activities that time
    out are tried again too; those that were canceled are not.

    No pause is longer than a year, whoever asks for it. Raises ValueError for an interval that is negative or not a
    number, a coefficient below 1, and attempts that are negative or not whole.
    """

    _compared = ("initial_interval", "backoff_coefficient", "maximum_interval", "maximum_attempts", "non_retryable")

    def __init__(
        self,
        initial_interval: float = 1.0,
        backoff_coefficient: float = 2.0,
        maximum_interval: float = 100.0,
        maximum_attempts: int = 0,
        non_retryable: str | type[BaseException] | tuple[str | type[BaseException], ...] = (),
    ) -> None:
        whole = isinstance(maximum_attempts, int) and maximum_attempts >= 0
        if not (initial_interval >= 0 and maximum_interval >= 0 and backoff_coefficient >= 1 and whole):
            raise ValueError(
                "a retry policy needs intervals of 0 or more, whole attempts, and a coefficient of 1 or more, not "
                f"{initial_interval}, {maximum_interval}, {maximum_attempts} and {backoff_coefficient}"
            )
        self.initial_interval = initial_interval
        self.backoff_coefficient = backoff_coefficient
        self.maximum_interval = maximum_interval
        self.maximum_attempts = maximum_attempts
        if isinstance(non_retryable, str | type):
            non_retryable = (non_retryable,)
        self.non_retryable = tuple(it if isinstance(it, str) else it.__name__ for it in non_retryable)

    def delay(self, attempt: int, result: ActivityResult) -> float | None:
        """Seconds until the next attempt, after the attempt of this number (from 1) ended with `result`; None: none."""
        if isinstance(result, ActivityCanceled) or not isinstance(result, ActivityFailed | ActivityTimedOut):
            return None
        if self.maximum_attempts and attempt >= self.maximum_attempts:
            return None
        if isinstance(result, ActivityFailed):
            if result.non_retryable or (self.non_retryable and not _names(result).isdisjoint(self.non_retryable)):
                return None
            if result.next_retry_delay is not None:
                return min(float(result.next_retry_delay), LONGEST_PAUSE)
        return self._pause(attempt)

    def _pause(self, attempt: int) -> float:
        try:
            pause = self.initial_interval * self.backoff_coefficient ** (attempt - 1)
        except OverflowError:
            pause = LONGEST_PAUSE
        return min(pause, self.maximum_interval, LONGEST_PAUSE)


def next_attempt(decision: ScheduleActivity, result: ActivityResult) -> ScheduleActivity:
    """The same activity once more; it is told its number and the details of the last heartbeat that was recorded."""
    attempt, heartbeat, input = attempt_of(decision.input)
    if isinstance(result, ActivityTimedOut) and result.details is not None:
        heartbeat = result.details
    again = copy(decision)
    again._execution = None  # That one had another input.
    again.input = {_ATTEMPT: attempt + 1, "heartbeat": heartbeat, "input": input}
    return again


def pause_id(activity_id: str) -> str:
    """The id of the timer between two attempts."""
    return short_id(f"{activity_id}-retry")


def retried(process: Process, event: Event, activities: Iterable[Any]) -> list[Decision] | None:
    """What the policies of a workflow's activities answer to an event; None where the workflow has to.

    An activity that failed is tried again, at once or after a timer, and a timer of that kind leads to the next
    attempt, unless the activity was canceled in between.
    """
    if isinstance(event, ActivityEvent):
        return _tried_again(process, event, activities)
    if isinstance(event, TimerEvent) and _has_policies(activities):
        failed = _paused(process, event)
        return None if failed is None else _next(process, failed) if isinstance(failed, ActivityEvent) else []
    return None


def _has_policies(activities: Iterable[Any]) -> bool:
    return any(getattr(activity, "retry", None) is not None for activity in activities)


def _tried_again(process: Process, event: ActivityEvent, activities: Iterable[Any]) -> list[Decision] | None:
    execution = event.activity_execution
    policy = next((it.retry for it in activities if _goes_by(it, execution.activity)), None)
    if policy is None:
        return None
    pause = policy.delay(attempt_of(execution.input)[0], event.result)
    if pause is None:
        return None
    return [Timer(pause, id=pause_id(execution.id))] if pause > 0 else _next(process, event)


def _goes_by(activity: Any, name: str) -> bool:
    return isinstance(activity, type) and issubclass(activity, Activity) and activity.name == name


def _next(process: Process, failed: ActivityEvent) -> list[Decision]:
    for event in reversed(process.history):
        decision = event.decision if isinstance(event, DecisionEvent) else None
        if isinstance(decision, ScheduleActivity) and decision.id == failed.activity_execution.id:
            return [next_attempt(decision, failed.result)]
    return []


def _paused(process: Process, event: TimerEvent) -> ActivityEvent | CancelActivity | None:
    """The failure that a timer is the pause after, or the cancellation since; None where it is no such timer."""
    for before in reversed(process.history):
        if isinstance(before, ActivityEvent) and pause_id(before.activity_execution.id) == event.timer.id:
            return before
        decision = getattr(before, "decision", None)
        if isinstance(decision, CancelActivity) and pause_id(decision.id) == event.timer.id:
            return decision
    return None


def short_id(id: str) -> str:
    """The id, or as much of it as SWF allows with a digest of the rest."""
    if len(id) <= LONGEST:
        return id
    return f"{id[: LONGEST - 17]}-{hashlib.sha256(id.encode()).hexdigest()[:16]}"


def _names(failure: ActivityFailed) -> set[str]:
    """What a failure can be called: its reason, and the name of the exception that its traceback ends with."""
    names = {str(failure.reason)}
    details: Any = failure.details
    if isinstance(details, Mapping):
        details = details.get("details")
    if isinstance(details, str):
        for raised in list(_RAISED.finditer(details))[-1:]:
            names |= {raised["type"], raised["type"].rpartition(".")[2]}
    return names
