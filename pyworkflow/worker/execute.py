"""Running users' code: an activity or a decider is called, and whatever it does becomes an outcome."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

from ..activity import Activity, ActivityCompleted, ActivityFailed, ActivityResult
from ..backend import Failed, Released
from ..decision import Decision
from ..exceptions import UnknownTypeException
from ..frames import authors_part
from ..task import DecisionTask
from ..workflow import Workflow
from ..workflow.base import decisions_of

Answer = Sequence[Decision] | Failed | Released


def execute(activity: Activity) -> ActivityResult | None:
    """Execute an activity; None when it is handed off: somebody else completes it by its token."""
    try:
        return outcome_of(activity, activity.execute())
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return outcome_of_error(error)


async def execute_async(activity: Activity) -> ActivityResult | None:
    """Execute an activity whose `execute` is async."""
    from asyncio import CancelledError  # Who needs it has imported it; it takes long.

    try:
        return outcome_of(activity, await activity.execute())
    except (KeyboardInterrupt, CancelledError):
        raise
    except BaseException as error:
        return outcome_of_error(error)


def outcome_of(activity: Activity, value: Any) -> ActivityResult | None:
    if isinstance(value, ActivityResult):
        return value
    if hasattr(value, "__await__"):
        raise TypeError(f"{activity.name}.execute returned an awaitable: declare it as `async def execute`")
    return ActivityCompleted(value) if activity.auto_complete else None


def outcome_of_error(error: BaseException) -> ActivityResult:
    """An exception is the result where it is one; any other is a failure, with its traceback as details."""
    if isinstance(error, ActivityResult):
        return error
    return ActivityFailed(str(error) or type(error).__name__, _traceback(error))


def decide(workflow: Callable[[], Workflow], task: DecisionTask, attempts: int) -> Sequence[Decision] | Failed:
    """Make a workflow and ask it for its decisions. Raises UnknownTypeException of the making."""
    try:
        return decisions_of(workflow().decide(task.process), task.process)
    except (KeyboardInterrupt, UnknownTypeException):
        raise
    except BaseException as error:
        return Failed(f"{type(error).__name__}: {error}", _traceback(error), attempts)


def _traceback(error: BaseException) -> str:
    """The traceback as text, from the author's first line on; the end of it where it is very long."""
    part = authors_part(error) or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, part))[-32_768:]
