"""The contract of a backend: what a Manager needs from whatever administers processes and hands out tasks.

Where an id is taken, a Process is accepted too; `id` means the process's current run, `id:run` a given one.
Every method may raise BackendUnavailable: then the call may or may not have happened.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import defaults
from ..activity import ActivityCompleted, ActivityResult
from ..decision import Decision
from ..events import Event
from ..exceptions import UnsupportedBackend
from ..process import Process, ProcessResult
from ..signal import Signal
from ..task import ActivityTask, DecisionTask
from .model import (
    Decide,
    Description,
    Exchanged,
    Failed,
    Finished,
    IfRunning,
    Page,
    ProcessFilter,
    ProcessRef,
    QueueCount,
    Released,
    Tell,
    Wanted,
)

if TYPE_CHECKING:
    from datetime import datetime


class Backend(ABC):
    """What administers processes. A Manager puts classes in front of it."""

    # -- types ----------

    @abstractmethod
    def register_workflow(
        self,
        name: str,
        category: str = defaults.DECISION_CATEGORY,
        timeout: float | None = defaults.WORKFLOW_TIMEOUT,
        decision_timeout: float | None = defaults.DECISION_TIMEOUT,
        *,
        version: str = defaults.WORKFLOW_VERSION,
    ) -> None:
        """Make a workflow type known, with its defaults; timeouts in seconds, None for no limit."""

    @abstractmethod
    def register_activity(
        self,
        name: str,
        category: str = defaults.ACTIVITY_CATEGORY,
        scheduled_timeout: float | None = defaults.ACTIVITY_SCHEDULED_TIMEOUT,
        execution_timeout: float | None = defaults.ACTIVITY_EXECUTION_TIMEOUT,
        heartbeat_timeout: float | None = defaults.ACTIVITY_HEARTBEAT_TIMEOUT,
        *,
        version: str = defaults.ACTIVITY_VERSION,
        close_timeout: float | None = None,
    ) -> None:
        """Make an activity type known, with its defaults; timeouts in seconds, None for no limit."""

    # -- processes ----------

    @abstractmethod
    def start_process(
        self,
        process: Process,
        *,
        request_id: str | None = None,
        if_running: IfRunning = "fail",
        signal: Signal | None = None,
        timeout: float | None = None,
        decision_timeout: float | None = None,
        category: str | None = None,
        priority: int = 0,
        connection: Any = None,
    ) -> str:
        """Start a process, and signal it in the same step when `signal` is given; its id.

        The same `request_id` starts it once. With a `connection`, as part of the transaction that is open on it.
        Raises ProcessAlreadyRunning, PayloadError, InvalidName, UnsupportedBackend where transactions cannot be joined.
        """

    @abstractmethod
    def signal_process(
        self,
        process_or_id: ProcessRef,
        signal: Signal | str,
        data: Any = None,
        *,
        request_id: str | None = None,
        connection: Any = None,
    ) -> None:
        """Signal an open process, once per `request_id`; with a `connection` as part of its transaction.

        Raises UnknownProcessException, PayloadError, UnsupportedBackend.
        """

    @abstractmethod
    def cancel_process(self, process_or_id: ProcessRef, details: Any = None) -> None:
        """Ask for a process's cancellation; its decider decides what follows. Raises UnknownProcessException."""

    @abstractmethod
    def terminate_process(
        self,
        process_or_id: ProcessRef,
        reason: str | None = None,
        details: Any = None,
        *,
        child_policy: str | None = None,
    ) -> None:
        """End a process without asking its decider. Raises UnknownProcessException."""

    @abstractmethod
    def resume_process(self, process_or_id: ProcessRef) -> None:
        """Let a blocked process be decided on again. Raises UnknownProcessException."""

    def reset_process(
        self,
        process_or_id: ProcessRef,
        to: int | None = None,
        *,
        id: str | None = None,
        results: Mapping[str, ActivityResult] | None = None,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """Begin a new run with the history of this one up to its event `to`, and go on from there; the process's id.

        Without `to` the last answer of the decider is forgotten, and it is asked again. Activities that were open then
        wait again, as if they were scheduled now, but for those that `results` names by their ids: these end so.
        Timers keep their time, signals that came to it later come again, a request for its cancellation does not. A run
        that is open is terminated (cause RESET); with an `id` it is left alone, and a process of that id begins.
        Raises UnknownProcessException, CannotReset, ProcessAlreadyRunning, PayloadError, and UnsupportedBackend where
        histories cannot be written anew.
        """
        raise UnsupportedBackend(f"{type(self).__name__} cannot reset processes: start a new one")

    @abstractmethod
    def process_by_id(self, process_or_id: ProcessRef) -> Process:
        """A process with its history, open or closed. Raises UnknownProcessException."""

    @abstractmethod
    def list_processes(self, which: ProcessFilter, limit: int = 100, cursor: str | None = None) -> Page:
        """One page of the processes that match, the newest start first."""

    @abstractmethod
    def count_processes(self, which: ProcessFilter) -> int:
        """How many processes match."""

    @abstractmethod
    def describe_process(self, process_or_id: ProcessRef) -> Description:
        """A process with all that is pending. Raises UnknownProcessException."""

    @abstractmethod
    def history(self, process_or_id: ProcessRef, skip: int = 0, limit: int | None = None) -> list[Event]:
        """All events after the first `skip`, those that a decider is not shown included."""

    @abstractmethod
    def wait_for_process(self, process_or_id: ProcessRef, timeout: float | None = None) -> ProcessResult | None:
        """Wait until a process is closed; how it ended, or None after `timeout` seconds. Follows it over its runs."""

    @abstractmethod
    def processes(self, workflow: str | None = None, tag: str | None = None) -> Iterator[Process]:
        """The open processes, the newest start first."""

    # -- tasks ----------

    @abstractmethod
    def exchange(
        self,
        finished: Sequence[Finished] = (),
        *,
        decisions: Wanted | None = None,
        activities: Wanted | None = None,
        identity: str | None = None,
        timeout: float = 0.0,
        interrupt: str | None = None,
        decide: Decide | None = None,
    ) -> Exchanged:
        """Hand in finished tasks and take the next ones in one call, waiting up to `timeout` seconds for the first.

        `interrupt` names this wait for `interrupt_wait`. Finished tasks that came too late are returned as refused.
        A backend may ask `decide` for the outcome of decision tasks, to commit it with what led to it; None means that
        the task shall be handed out. It must not raise. A backend may ask again where that commit is refused, or hand
        out every decision task as if there were no `decide`. An exchange that got answers so returns at once, and says
        how many.
        """

    @abstractmethod
    def interrupt_wait(self, name: str) -> None:
        """Let the exchange of this operating-system process that waits under this name return."""

    @abstractmethod
    def heartbeat_activity_task(self, task: ActivityTask, details: Any = None) -> bool:
        """Say that the task is being worked on; True when its cancellation was requested.

        Raises UnknownActivityException when the task is not open any more.
        """

    def poll_activity_task(
        self, category: str = defaults.ACTIVITY_CATEGORY, identity: str | None = None, timeout: float = 0.0
    ) -> ActivityTask | None:
        """The next activity of a category, None after `timeout` seconds without one."""
        got = self.exchange(activities=Wanted((category,), 1), identity=identity, timeout=timeout)
        return got.activities[0] if got.activities else None

    def poll_decision_task(
        self, category: str = defaults.DECISION_CATEGORY, identity: str | None = None, timeout: float = 0.0
    ) -> DecisionTask | None:
        """The next process of a category to decide on, None after `timeout` seconds without one."""
        got = self.exchange(decisions=Wanted((category,), 1), identity=identity, timeout=timeout)
        return got.decisions[0] if got.decisions else None

    def complete_decision_task(
        self, task: DecisionTask, decisions: Decision | Sequence[Decision] | None = None
    ) -> None:
        """Answer a decision task; all decisions are applied or none. Raises UnknownDecisionException, ValueError."""
        answer = [] if decisions is None else [decisions] if isinstance(decisions, Decision) else list(decisions)
        self._finish(Finished(task, answer))

    def complete_activity_task(self, task: ActivityTask, result: ActivityResult | None = None) -> None:
        """End an activity task. Raises UnknownActivityException, PayloadError."""
        self._finish(Finished(task, ActivityCompleted() if result is None else result))

    def fail_decision_task(self, task: DecisionTask, reason: str, details: Any = None) -> None:
        """Say that the decider raised. Raises UnknownDecisionException."""
        self._finish(Finished(task, Failed(reason, details)))

    def release_task(self, task: ActivityTask | DecisionTask, delay: float = 0.0) -> None:
        """Hand a task back that was not begun. Raises UnknownActivityException, UnknownDecisionException."""
        self._finish(Finished(task, Released(delay)))

    def _finish(self, finished: Finished) -> None:
        for _, error in self.exchange([finished]).refused:
            raise error

    # -- the backend itself ----------

    @abstractmethod
    def queues(self) -> list[QueueCount]:
        """The queues that hold tasks."""

    @abstractmethod
    def purge(self, closed_before: datetime | float) -> int:
        """Delete the processes that closed before then, with their histories; how many runs there were."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """What the backend is and how it is set up, for people."""

    def watch(self, tell: Tell) -> None:
        """Call `tell(process, events)` whenever a call through this backend has written events, once they are kept.

        Each event is told once, by the backend object whose call wrote it, in the thread of that call: what falls due
        is told by whoever polls, what is handed in before the poll waits. Order is kept within a call. Nothing is told
        of what is part of a caller's transaction, nor after BackendUnavailable. `tell` must not raise.
        Raises UnsupportedBackend where a backend cannot tell.
        """
        raise UnsupportedBackend(f"{type(self).__name__} does not tell what it writes: it cannot be watched")

    @abstractmethod
    def close(self) -> None:
        """Give up connections; waiting calls return."""
