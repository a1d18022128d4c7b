"""Resets: a manager's verbs to let a process go on anew from an earlier event, in its place or as another process."""

from __future__ import annotations

from typing import Any

from .activity import ActivityCompleted, ActivityResult
from .backend.base import Backend
from .backend.model import ProcessRef
from .decision import ScheduleActivity
from .events import ActivityEvent, DecisionEvent, Event, ProcessTerminatedEvent, ProcessTimedOutEvent
from .exceptions import CannotReset

_NOTHING: Any = object()


class Resets:
    """Part of Manager."""

    backend: Backend

    def reset(
        self,
        process_or_id: ProcessRef,
        to: int | None = None,
        *,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """Let a process go on anew from its event `to`, when its code was mended say; the process's id.

        Without `to` the last answer of its decider is taken back. What happened up to the event is kept, with its
        results; activities that were open then wait again, and signals that came later come again. A run that is open
        ends as terminated, its cause is RESET. A `request_id` makes it happen once, however often it is asked for.
        Raises UnknownProcessException; CannotReset where there is no such event, where it is in the middle of an
        answer, or while news of another process were awaited; UnsupportedBackend on Amazon SWF.
        """
        return self.backend.reset_process(process_or_id, to, reason=reason, request_id=request_id)

    def fork(
        self,
        process_or_id: ProcessRef,
        id: str,
        *,
        to: int | None = None,
        step: str | None = None,
        with_result: Any = _NOTHING,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """Start the process `id` with the history of another up to its event `to`, and leave that one alone; the id.

        `step`, the id of an activity, stands for the event before it ended; it is done again, or ends with what is
        given as `with_result`, a JSON value or an ActivityResult. Without `to` and `step` the last answer of the
        decider is taken back. Raises what `reset` does, and ProcessAlreadyRunning while there is such a process.
        """
        results: dict[str, ActivityResult] = {}
        if step is not None and to is not None:
            raise ValueError("give either `to` or `step`: a step stands for an event")
        if step is not None:
            to = self._before_end(process_or_id, step)
            if with_result is not _NOTHING:
                given = isinstance(with_result, ActivityResult)
                results[step] = with_result if given else ActivityCompleted(with_result)
        elif with_result is not _NOTHING:
            raise ValueError("with_result is the result of a step: name the step")
        return self.backend.reset_process(
            process_or_id, to, id=id, results=results, reason=reason, request_id=request_id
        )

    def _before_end(self, process_or_id: ProcessRef, step: str) -> int:
        """The last event before the activity with this id ended, or the last one of all. Raises CannotReset."""
        history = self.backend.history(process_or_id)
        for number in range(len(history) - 1, -1, -1):
            event = history[number]
            if isinstance(event, ActivityEvent) and event.activity_execution.id == step:
                return number
            decision = event.decision if isinstance(event, DecisionEvent) else None
            if isinstance(decision, ScheduleActivity) and decision.id == step:
                return len(history) - _closes(history[-1])
        raise CannotReset(f"the history has no activity with the id {step!r}")


def _closes(event: Event) -> bool:
    """Does a run end with this event?"""
    return isinstance(event, ProcessTerminatedEvent | ProcessTimedOutEvent) or (
        isinstance(event, DecisionEvent) and event.decision.closes
    )
