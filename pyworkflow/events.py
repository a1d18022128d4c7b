"""The events of a process's history, as a decider sees them.

Each carries `datetime` (aware, UTC) and `id`, its place in the stored history from 1 (None when made by hand).
Events are equal when everything but those two is. docs/architecture.md has the table of SWF's events beside ours.
"""

from __future__ import annotations

import datetime as _dt
from functools import partial
from typing import Any, ClassVar

import msgspec

from .activity import ActivityExecution, ActivityResult
from .decision import Decision, Timer
from .signal import Signal

_now = partial(_dt.datetime.now, _dt.UTC)


_BESIDE = ("datetime", "id", "identity")


class Event(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """Something that happened to a process."""

    type: ClassVar[str] = "event"
    datetime: _dt.datetime = msgspec.field(default_factory=_now)
    id: int | None = None

    def _values(self) -> list[Any]:
        return [getattr(self, name) for name in self.__struct_fields__ if name not in _BESIDE]

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self.type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self._values()))})"


class ProcessStartedEvent(Event, eq=False):
    """The process was started; always the first event."""

    type = "process_started"


class DecisionStartedEvent(Event, eq=False):
    """A decider took the process to decide on it; `identity` is what its worker calls itself."""

    type = "decision_started"
    identity: str = ""


class DecisionEvent(Event, eq=False):
    """A decision was taken and applied."""

    type = "decision"
    decision: Decision


class DecisionRefusedEvent(Event, eq=False):
    """A decision could not be applied, for SWF's `cause`; nothing else of its batch is undone.

    Covers SWF's eleven …Failed events, those of external signals, cancel requests and child starts included.
    """

    type = "decision_refused"
    decision: Decision
    cause: str


class DecisionTimedOutEvent(Event, eq=False):
    """The decider did not answer within the decision timeout; the process is handed out again."""

    type = "decision_timed_out"


class DecisionFailedEvent(Event, eq=False):
    """The decider raised an error; the process is handed out again after a while."""

    type = "decision_failed"
    reason: str | None = None
    details: Any = None


class DecisionCompletedEvent(Event, eq=False):
    """The decider answered with no decision. `Process.history` leaves it out, `Manager.history` shows it."""

    type = "decision_completed"


class DecisionReleasedEvent(Event, eq=False):
    """A worker handed the process back undecided; it is handed out again."""

    type = "decision_released"


class ProcessBlockedEvent(Event, eq=False):
    """The decider failed too often: nothing is decided until the process is resumed."""

    type = "process_blocked"
    reason: str | None = None
    details: Any = None


class ProcessResumedEvent(Event, eq=False):
    """A blocked process was resumed."""

    type = "process_resumed"


class ActivityStartedEvent(Event, eq=False):
    """A worker took an activity; `identity` is what it calls itself."""

    type = "activity_started"
    activity_execution: ActivityExecution
    identity: str = ""


class ActivityReleasedEvent(Event, eq=False):
    """A worker handed an activity back without having begun it."""

    type = "activity_released"
    activity_execution: ActivityExecution


class ActivityEvent(Event, eq=False):
    """An activity ended with `result`: completed, failed, canceled or timed out."""

    type = "activity"
    activity_execution: ActivityExecution
    result: ActivityResult

    @property
    def activity(self) -> str:
        """The activity's name, as the first API called it."""
        return self.activity_execution.activity


class SignalEvent(Event, eq=False):
    """A signal arrived."""

    type = "signal"
    signal: Signal


class TimerEvent(Event, eq=False):
    """A timer fired."""

    type = "timer"
    timer: Timer


class CancelRequestedEvent(Event, eq=False):
    """Somebody asked for the process's cancellation; its decider decides what follows."""

    type = "cancel_requested"
    details: Any = None


class ChildProcessStartedEvent(Event, eq=False):
    """A child process began to run."""

    type = "child_process_started"
    process_id: str
    workflow: str | None = None
    tags: list[str] = []


class ChildProcessEvent(Event, eq=False):
    """A child process closed with `result`, a ProcessResult."""

    type = "child_process"
    process_id: str
    result: Any
    workflow: str | None = None
    tags: list[str] = []


class ProcessSignaledEvent(Event, eq=False):
    """A signal that this process sent arrived (SWF: ExternalWorkflowExecutionSignaled)."""

    type = "process_signaled"
    process_id: str
    signal: Signal


class ProcessCancelRequestedEvent(Event, eq=False):
    """A cancel request that this process sent arrived (SWF: ExternalWorkflowExecutionCancelRequested)."""

    type = "process_cancel_requested"
    process_id: str


class ProcessResetEvent(Event, eq=False):
    """What stands before this happened in an earlier run, up to its event `event`; there the process went on anew.

    `process_id` is the other process whose history this is, where it is a fork.
    """

    type = "process_reset"
    process_id: str
    run: str
    event: int
    reason: str | None = None


class ProcessTimedOutEvent(Event, eq=False):
    """The process's timeout passed: it is closed."""

    type = "process_timed_out"


class ProcessTerminatedEvent(Event, eq=False):
    """The process was ended from outside without asking its decider."""

    type = "process_terminated"
    reason: str | None = None
    details: Any = None
    cause: str = "OPERATOR_INITIATED"
