"""Tasks: what a backend hands to workers, an activity to execute or a process to decide on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .activity import ActivityExecution
from .values import Value

if TYPE_CHECKING:
    from .process import Process


class ActivityTask(Value):
    """One execution of an activity, held by whoever has its `token`."""

    _compared = ("activity_execution", "process_id", "context")

    def __init__(
        self, activity_execution: ActivityExecution, process_id: str | None = None, context: Any = None
    ) -> None:
        self.activity_execution = activity_execution
        self.process_id = process_id
        self.context: dict[str, Any] = {} if context is None else context

    @classmethod
    def from_token(cls, token: str) -> ActivityTask:
        """A task that can be completed or heartbeat by its token alone, as after a hand-off."""
        return cls(ActivityExecution("", ""), token.partition(":")[0], {"token": token})

    @property
    def activity(self) -> str:
        """The name of the activity."""
        return self.activity_execution.activity

    @property
    def input(self) -> Any:
        """The JSON value that the activity was scheduled with."""
        return self.activity_execution.input

    @property
    def token(self) -> str:
        """What must be shown to complete the task; it names this hand-out alone and is never used again."""
        return str(self.context["token"])

    @property
    def category(self) -> str:
        """The category from which it was taken, "" where that is not known."""
        return str(self.context.get("category", ""))

    @property
    def idempotency_key(self) -> str:
        """Process, run and schedule event: the same however often the execution is handed out."""
        return self.token.rpartition(":")[0]

    @property
    def heartbeat_timeout(self) -> float | None:
        """Seconds allowed between two heartbeats, None for no limit."""
        return self.context.get("heartbeat_timeout")


class DecisionTask(Value):
    """A process that waits for a decision, held by whoever has the `token`."""

    _compared = ("process", "context")

    def __init__(self, process: Process, context: Any = None) -> None:
        self.process = process
        self.context: dict[str, Any] = {} if context is None else context

    @property
    def token(self) -> str:
        """What must be shown to complete the task; it names this hand-out alone and is never used again."""
        return str(self.context["token"])

    @property
    def category(self) -> str:
        """The category from which it was taken, "" where that is not known."""
        return str(self.context.get("category", ""))
