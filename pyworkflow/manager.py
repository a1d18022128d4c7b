"""The Manager: links a backend to the Workflow and Activity classes; the interface that scripts and workers use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from .activity import Activity, ActivityCompleted, ActivityResult
from .asking import Asking, deadline
from .backend import Backend, Description, Page, ProcessFilter, QueueCount, open_backend
from .backend.model import IfRunning, ProcessRef
from .events import Event
from .exceptions import TimedOutException
from .process import Process, ProcessCompleted, ProcessContinued, ProcessResult
from .registry import listed
from .signal import Signal
from .task import ActivityTask, DecisionTask
from .workflow import Workflow


class Manager(Asking):
    """Starts, signals and observes processes, and hands tasks to workers.

    `backend` is a Backend or its URL; `workflows` are Workflow classes, whose `activities` come with them;
    `activities` adds others. Every call may raise BackendUnavailable, and TypeError for what is of another kind.
    """

    def __init__(
        self,
        backend: Backend | str,
        workflows: Iterable[type[Workflow]] = (),
        activities: Iterable[type[Activity] | Callable[..., Any]] = (),
    ) -> None:
        super().__init__(_opened(backend))
        for workflow in listed("workflows", workflows):
            self.register_workflow(workflow)
        for activity in listed("activities", activities):
            self.register_activity(activity)

    def copy_with_backend(self, backend: Backend | str) -> Manager:
        """A manager of the same workflows and activities on another backend."""
        return Manager(backend, self.workflows, self.activities)

    # -- processes ----------

    def start_process(
        self,
        process: Process,
        *,
        request_id: str | None = None,
        if_running: IfRunning = "fail",
        timeout: float | None = None,
        decision_timeout: float | None = None,
        category: str | None = None,
        priority: int = 0,
        connection: Any = None,
    ) -> str:
        """Start a process; its id.

        The same `request_id` starts it once. `if_running` says what to do when its id is in use by an open process:
        "fail" raises ProcessAlreadyRunning, "use_existing" returns that one, "terminate_existing" ends it first.
        Timeouts are in seconds, the workflow's where None; `priority` is that of its decisions, higher first. With a
        `connection` of yours to the backend's own database (sqlite3, psycopg), the start is part of the transaction
        that is open on it. Raises PayloadError, InvalidName, UnsupportedBackend where the backend cannot do that.
        """
        return self.backend.start_process(
            _process(process),
            request_id=request_id,
            if_running=if_running,
            timeout=timeout,
            decision_timeout=decision_timeout,
            category=category,
            priority=priority,
            connection=connection,
        )

    def signal_with_start(
        self, process: Process, signal: Signal, *, request_id: str | None = None, connection: Any = None
    ) -> str:
        """Signal a process, and start it first when it is not open, in one step; its id."""
        return self.backend.start_process(
            _process(process), request_id=request_id, if_running="use_existing", signal=signal, connection=connection
        )

    def signal_process(
        self,
        process_or_id: ProcessRef,
        signal: Signal | str,
        data: Any = None,
        *,
        request_id: str | None = None,
        connection: Any = None,
    ) -> None:
        """Signal an open process, once per `request_id`. Raises UnknownProcessException, PayloadError."""
        self.backend.signal_process(process_or_id, signal, data, request_id=request_id, connection=connection)

    def cancel_process(self, process_or_id: ProcessRef, details: Any = None) -> None:
        """Ask for a process's cancellation; its decider decides what follows. Raises UnknownProcessException."""
        self.backend.cancel_process(process_or_id, details)

    def terminate_process(
        self,
        process_or_id: ProcessRef,
        reason: str | None = None,
        details: Any = None,
        *,
        child_policy: str | None = None,
    ) -> None:
        """End a process without asking its decider. Raises UnknownProcessException."""
        self.backend.terminate_process(process_or_id, reason, details, child_policy=child_policy)

    def resume_process(self, process_or_id: ProcessRef) -> None:
        """Let a blocked process be decided on again. Raises UnknownProcessException."""
        self.backend.resume_process(process_or_id)

    def process_by_id(self, process_or_id: ProcessRef) -> Process:
        """A process with its history, open or closed. Raises UnknownProcessException."""
        return self.backend.process_by_id(process_or_id)

    def processes(
        self, workflow: str | type[Workflow] | None = None, tag: str | None = None, **which: Any
    ) -> Iterator[Process]:
        """The processes that match, the newest start first; open ones unless `status` says otherwise.

        `which` are the fields of ProcessFilter. Inputs and histories are read when they are asked for.
        """
        cursor = None
        while True:
            page = self.page(workflow, tag, cursor=cursor, limit=500, **which)
            yield from page.processes
            if (cursor := page.cursor) is None:
                return

    def page(
        self,
        workflow: str | type[Workflow] | None = None,
        tag: str | None = None,
        *,
        limit: int = 100,
        cursor: str | None = None,
        **which: Any,
    ) -> Page:
        """One page of the processes that match, and the cursor of the next one."""
        return self.backend.list_processes(_filter(workflow, tag, which), limit, cursor)

    def count(self, workflow: str | type[Workflow] | None = None, tag: str | None = None, **which: Any) -> int:
        """How many processes match; `which` are the fields of ProcessFilter."""
        return self.backend.count_processes(_filter(workflow, tag, which))

    def describe(self, process_or_id: ProcessRef) -> Description:
        """A process with all that is pending. Raises UnknownProcessException."""
        return self.backend.describe_process(process_or_id)

    def history(self, process_or_id: ProcessRef, skip: int = 0, limit: int | None = None) -> list[Event]:
        """All events after the first `skip`, those that a decider is not shown included."""
        return self.backend.history(process_or_id, skip, limit)

    def wait(self, process_or_id: ProcessRef, timeout: float | None = None) -> ProcessResult:
        """Wait until a process is closed; how it ended. Raises TimedOutException after `timeout` seconds."""
        until = deadline(timeout)
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            result = self.backend.wait_for_process(process_or_id, left)
            if result is None:
                name = process_or_id if isinstance(process_or_id, str) else process_or_id.id
                raise TimedOutException(f"process {name!r} is still open after {timeout} seconds")
            if not isinstance(result, ProcessContinued):
                return result
            process_or_id = _run(process_or_id, result.run)

    def result(self, process_or_id: ProcessRef, timeout: float | None = None) -> Any:
        """Wait for a process's result, over all its runs; the JSON value.

        Raises how it ended otherwise (ProcessFailed, ProcessCanceled, ProcessTimedOut, ProcessTerminated),
        TimedOutException after `timeout` seconds, UnknownProcessException.
        """
        ended = self.wait(process_or_id, timeout)
        if isinstance(ended, ProcessCompleted):
            return ended.result
        assert isinstance(ended, Exception)
        raise ended

    # -- tasks ----------

    def next_decision(
        self, identity: str | None = None, category: str = "default", timeout: float = 0.0
    ) -> DecisionTask | None:
        """The next process to decide on, None after `timeout` seconds without one."""
        return self.backend.poll_decision_task(category, identity, timeout)

    def next_activity(
        self, identity: str | None = None, category: str = "default", timeout: float = 0.0
    ) -> ActivityTask | None:
        """The next activity to execute, None after `timeout` seconds without one."""
        return self.backend.poll_activity_task(category, identity, timeout)

    def heartbeat(self, task: ActivityTask | str, details: Any = None) -> bool:
        """Say that a task (or the holder of its token) is alive; True when its cancellation was requested.

        Raises UnknownActivityException when it is not open any more.
        """
        return self.backend.heartbeat_activity_task(_activity_task(task), details)

    def complete_task(self, task: ActivityTask | DecisionTask | str, result: Any = None) -> None:
        """Complete an activity task (or its token) with an ActivityResult or a value, a decision task with decisions.

        Raises UnknownActivityException, UnknownDecisionException, PayloadError, and ValueError for anything else.
        """
        if isinstance(task, DecisionTask):
            self.backend.complete_decision_task(task, result)
        elif isinstance(task, ActivityTask | str):
            result = result if isinstance(result, ActivityResult) else ActivityCompleted(result)
            self.backend.complete_activity_task(_activity_task(task), result)
        else:
            raise ValueError(f"{task!r} is neither an activity task nor a decision task")

    # -- the backend ----------

    def queues(self) -> list[QueueCount]:
        """The queues that hold tasks."""
        return self.backend.queues()

    def purge(self, closed_before: datetime | float) -> int:
        """Delete the processes that closed before then, with their histories; how many runs there were."""
        return self.backend.purge(closed_before)

    def close(self) -> None:
        """Give up the backend's connections."""
        self.backend.close()


def _opened(backend: Backend | str) -> Backend:
    if isinstance(backend, str):
        return open_backend(backend)
    if not isinstance(backend, Backend):
        raise TypeError(f"a manager needs a Backend or the URL of one, such as 'sqlite:///shop.db', not {backend!r}")
    return backend


def _process(thing: Process) -> Process:
    if not isinstance(thing, Process):
        name = repr(thing) if isinstance(thing, str) else getattr(thing, "__name__", "Order")
        raise TypeError(f"a Process is started, not {thing!r}: write Process({name}, input=…)")
    return thing


def _filter(workflow: str | type[Workflow] | None, tag: str | None, which: dict[str, Any]) -> ProcessFilter:
    name = workflow if workflow is None or isinstance(workflow, str) else workflow.name
    return ProcessFilter(workflow=name, tag=tag, **which)


def _run(process_or_id: ProcessRef, run: str) -> str:
    id = process_or_id if isinstance(process_or_id, str) else str(process_or_id.id)
    return f"{id.partition(':')[0]}:{run}"


def _activity_task(task: ActivityTask | str) -> ActivityTask:
    return ActivityTask.from_token(task) if isinstance(task, str) else task
