"""ActivityEnvironment: one activity is executed in a test, without a process and a backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ..activity import (
    Activity,
    ActivityCanceled,
    ActivityCompleted,
    ActivityExecution,
    ActivityMonitor,
    ActivityResult,
    ActivityTimedOut,
)
from ..code.convert import snapshot
from ..code.decorators import input_of, result_of
from ..decision import ScheduleActivity
from ..registry import as_activity
from ..retry import next_attempt
from ..task import ActivityTask


class ActivityEnvironment:
    """Executes activities, classes or functions, in the calling thread.

        env = ActivityEnvironment(attempt=2, last_heartbeat={"row": 17})
        assert env.run(import_rows, "orders.csv") == 40
        assert env.heartbeats[-1] == {"row": 40}

    The input and the result go through JSON, as they do for a worker. `attempt` and `last_heartbeat` are what a retry
    would be told. Once `cancel()` was called, or after as many heartbeats as `cancel_after`, a heartbeat says that
    cancellation was requested.
    """

    def __init__(self, *, attempt: int = 1, last_heartbeat: Any = None, cancel_after: int | None = None) -> None:
        self.attempt = attempt
        self.last_heartbeat = last_heartbeat
        self.cancel_after = cancel_after
        self.heartbeats: list[Any] = []
        self.token: str | None = None

    def cancel(self) -> None:
        """Let the next heartbeat raise ActivityCanceled."""
        self.cancel_after = len(self.heartbeats)

    def run(self, activity: type[Activity] | Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """The result. Raises what the activity raises, and the ActivityResult that it ends with where it is no result.

        An activity that is handed off has none; its token is `token`.
        """
        cls = as_activity(activity)
        decision = ScheduleActivity(cls, "1", input=snapshot(input_of(cls.name, cls, args, named)))
        for _ in range(1, self.attempt):
            decision = next_attempt(decision, ActivityTimedOut(self.last_heartbeat))
        self.token = "process:run:3:4"
        task = ActivityTask(ActivityExecution(cls, "1", snapshot(decision.input)), "process", {"token": self.token})
        result = cls(task, ActivityMonitor(self._heartbeat)).execute()
        if cls.is_async:
            result = asyncio.run(result)
        if isinstance(result, ActivityCompleted):
            result = result.result
        if isinstance(result, ActivityResult) and isinstance(result, Exception):
            raise result
        return result_of(cls)(snapshot(result)) if cls.auto_complete else None

    def _heartbeat(self, details: Any = None) -> None:
        self.heartbeats.append(snapshot(details))
        if self.cancel_after is not None and len(self.heartbeats) > self.cancel_after:
            raise ActivityCanceled("its cancellation was requested")
