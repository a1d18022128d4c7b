"""A process: one execution of a workflow, with its input and history, and what it can end with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from .decision import Decision, ScheduleActivity, Timer
from .events import (
    ActivityEvent,
    CancelRequestedEvent,
    DecisionEvent,
    DecisionFailedEvent,
    DecisionReleasedEvent,
    DecisionStartedEvent,
    DecisionTimedOutEvent,
    Event,
    ProcessStartedEvent,
    TimerEvent,
)
from .exceptions import InvalidName
from .retry import pause_id
from .values import Value, name_of

if TYPE_CHECKING:
    from .activity import ActivityExecution
    from .workflow import Workflow


_OF_ACTIVITIES = (ActivityEvent.type, DecisionEvent.type)
_UNANSWERED = DecisionTimedOutEvent | DecisionFailedEvent | DecisionReleasedEvent


class ProcessResult(Value):
    """How a process ended; `type` is completed, failed, canceled, timedout, terminated or continued."""

    type: ClassVar[str]


class ProcessCompleted(ProcessResult):
    """The process completed with `result`, a JSON value."""

    type = "completed"
    _compared = ("result",)

    def __init__(self, result: Any = None) -> None:
        self.result = result


class ProcessCanceled(ProcessResult, Exception):
    """The process closed as canceled."""

    type = "canceled"
    _compared = ("details",)

    def __init__(self, details: Any = None) -> None:
        Exception.__init__(self, details)
        self.details = details


class ProcessFailed(ProcessResult, Exception):
    """The process closed as failed."""

    type = "failed"
    _compared = ("reason", "details")
    _separator = ","

    def __init__(self, reason: Any = None, details: Any = None) -> None:
        Exception.__init__(self, reason, details)
        self.reason = reason
        self.details = details


class ProcessTimedOut(ProcessResult, Exception):
    """The process was open for longer than its timeout."""

    type = "timedout"
    _compared = ("details",)

    def __init__(self, details: Any = None) -> None:
        Exception.__init__(self, details)
        self.details = details


class ProcessTerminated(ProcessResult, Exception):
    """The process was ended from outside; `cause` as in SWF, OPERATOR_INITIATED for a call."""

    type = "terminated"
    _compared = ("reason", "details")
    _separator = ","

    def __init__(self, reason: Any = None, details: Any = None, cause: str = "OPERATOR_INITIATED") -> None:
        Exception.__init__(self, reason, details)
        self.reason = reason
        self.details = details
        self.cause = cause


class ProcessContinued(ProcessResult):
    """This run ended and the process goes on as the run `run`."""

    type = "continued"
    _compared = ("run",)

    def __init__(self, run: str) -> None:
        self.run = run


class Ongoing:
    """The activities of a history that have not ended: those of its next events are added to those of the last ones."""

    def __init__(self) -> None:
        self._seen = 0
        self._last: Event | None = None
        self._open: dict[str, ScheduleActivity] = {}
        self._failed: dict[str, ScheduleActivity] = {}

    def is_of(self, history: Sequence[Event]) -> bool:
        """Does this history go on from what was seen?"""
        return not self._seen or (len(history) >= self._seen and history[self._seen - 1] is self._last)

    def after(self, history: Sequence[Event]) -> list[ActivityExecution]:
        """Those after all of a history, the newest first."""
        for event in history[self._seen :]:
            if event.type in _OF_ACTIVITIES:
                self._note(event)
            self._last = event
        self._seen = len(history)
        return [decision.execution for decision in reversed(self._open.values())]

    def _note(self, event: Event) -> None:
        if isinstance(event, ActivityEvent):
            ended = self._open.pop(event.activity_execution.id, None)
            if ended is not None and event.result.type in ("failed", "timedout"):
                self._failed[pause_id(ended.id)] = ended
        elif isinstance(decision := event.decision, ScheduleActivity):  # type: ignore[attr-defined]
            self._open[decision.id] = decision
        elif isinstance(decision, Timer) and decision.id in self._failed:
            self._open[self._failed[decision.id].id] = self._failed[decision.id]


class Process(Value):
    """One execution of a workflow.

    `id` names the process (a fresh one where none is given), `run` one of its runs. `status` is running, blocked,
    completed, failed, canceled, timedout, terminated or continued; None before it was started. `parent` is the
    parent's id. Raises InvalidName for tags that are one string.
    """

    _compared = ("workflow", "id", "input", "tags", "history", "parent")
    _shown = ("workflow", "id", "input", "tags")

    def __init__(
        self,
        workflow: str | type[Workflow] | None = None,
        id: str | None = None,
        input: Any = None,
        tags: Sequence[str] | None = None,
        history: Sequence[Event] | None = None,
        parent: str | None = None,
        *,
        run: str | None = None,
        status: str | None = None,
        version: str | None = None,
    ) -> None:
        if isinstance(tags, str):  # It would be a list of its letters.
            raise InvalidName(f"tags are a list of strings, not the string {tags!r}: write [{tags!r}]")
        self.workflow = None if workflow is None else name_of(workflow)
        self.id = id
        self.input = input
        self.tags = list(tags or ())
        self.history: list[Event] = [ProcessStartedEvent()] if history is None else list(history)
        self.parent = parent
        self.run = run
        self.status = status
        self.version = version
        self.ongoing: list[Ongoing] = []

    @classmethod
    def lazy(cls, load: Callable[[], Process], **known: Any) -> Process:
        """A process of which `known` is known; `load` is called for it when its input or history is asked for."""
        process = cls.__new__(cls)
        vars(process).update({"workflow": None, "id": None, "tags": [], "parent": None, "run": None})
        vars(process).update({"status": None, "version": None, "ongoing": [], **known, "_load": load})
        return process

    def __getattr__(self, name: str) -> Any:
        if name not in ("input", "history") or "_load" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        loaded = vars(self).pop("_load")()
        self.input, self.history = loaded.input, loaded.history
        return getattr(self, name)

    def copy_with_id(self, id: str, **changes: Any) -> Process:
        """The same process under another id, with other values where `changes` names them.

        `changes` are keyword arguments of Process; another raises TypeError.
        """
        same = {name: getattr(self, name) for name in (*self._compared, "run", "status", "version")}
        return type(self)(**(same | {"id": id} | changes))

    def has_event(self, event: Event) -> bool:
        """Is an event equal to this one in the history?"""
        return event in self.history

    def has_decision(self, decision: Decision) -> bool:
        """Was a decision equal to this one taken?"""
        return self.has_event(DecisionEvent(decision))

    def unseen_events(self) -> list[Event]:
        """What happened since the last answered decision started, in order; this decision's own start is left out."""
        unseen: list[Event] = []
        events = reversed(self.history)
        if self.history and isinstance(self.history[-1], DecisionStartedEvent):
            next(events)
        answered = True
        for event in events:
            if isinstance(event, _UNANSWERED):
                answered = False
            elif not isinstance(event, DecisionStartedEvent):
                unseen.append(event)
            elif answered:
                break
            else:
                answered = True
        return unseen[::-1]

    def unfinished_activities(self) -> list[ActivityExecution]:
        """The activities that are scheduled and have not ended, the newest first; those between two attempts too.

        Of a history that grows from decision to decision each event is looked at once.
        """
        try:
            ongoing = self.ongoing.pop()
        except IndexError:  # Nobody has asked yet, or another thread is at it.
            ongoing = Ongoing()
        if not ongoing.is_of(self.history):
            ongoing = Ongoing()
        found = ongoing.after(self.history)
        self.ongoing[:] = [ongoing]
        return found

    def untriggered_timers(self, disregard_unseen: bool = False) -> list[Timer]:
        """The timers that were started and have neither fired nor been canceled, in order.

        With `disregard_unseen`, those whose firing this decision is the first to see still count as untriggered.
        """
        unseen = {id(event) for event in self.unseen_events()} if disregard_unseen else set()
        over: set[str] = set()
        timers = []
        for event in reversed(self.history):
            if isinstance(event, TimerEvent) and id(event) not in unseen:
                over.add(event.timer.id)
            elif isinstance(event, DecisionEvent) and event.decision.type == "cancel_timer":
                over.add(event.decision.id)  # type: ignore[attr-defined]
            elif isinstance(event, DecisionEvent) and isinstance(event.decision, Timer):
                timer = event.decision
                if timer.id not in over:
                    timers.append(timer)
                over.discard(timer.id)
        return timers[::-1]

    @property
    def cancel_requested(self) -> bool:
        """Has somebody asked for this process's cancellation?"""
        return any(isinstance(event, CancelRequestedEvent) for event in self.history)
