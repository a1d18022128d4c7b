"""WorkflowEnvironment: workflows run to their end in a test, in memory and in virtual time."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from ..activity import Activity, ActivityMonitor, ActivityResult
from ..backend import Exchanged, Wanted
from ..backend.memory import MemoryBackend
from ..backend.model import ProcessRef
from ..decision import Decision
from ..defaults import CACHE_SIZE
from ..engine.engine import Engine
from ..events import Event
from ..exceptions import TimedOutException, UnknownResourceException, UnknownTypeException
from ..manager import Manager
from ..process import Process
from ..signal import Signal
from ..task import ActivityTask, DecisionTask
from ..worker import Worker
from ..worker.heart import Heart
from ..workflow import Workflow
from ..workflow.base import decisions_of
from .clock import VirtualClock


class WorkflowEnvironment:
    """Runs deciders and activities in the calling thread, on a clock that skips to whatever is due next.

        env = WorkflowEnvironment([OrderWorkflow], activity_fakes={"Payment": {"paid": True}})
        assert env.run(Process(OrderWorkflow, input={"item": "book"})) == "shipped"

    A timer of thirty days takes milliseconds. `activity_fakes` replaces activities, by name: by a result, by a
    function of the input (plain or async), by an ActivityResult or an exception that it ends with, or by another
    Activity class; the dictionary may be changed at any time. A fake that takes time moves the clock:
    `env.clock.advance(5)`. What a decider raises is raised by the call that ran it.

    `manager` is for all that the environment has no word for: queries, terminating, completing what was handed off.
    `now` is when the clock begins; `max_steps` is how many tasks one call does before it is taken for a loop.
    `cache_size` and `always_replay` are those of a Worker: with 0, or with `always_replay`, code is run again from its
    start for each decision, and has to come to the same ones. `backend(clock)` makes another backend than that in
    memory, which must keep to the clock.
    """

    def __init__(
        self,
        workflows: Iterable[type[Workflow]] = (),
        activities: Iterable[type[Activity] | Callable[..., Any]] = (),
        *,
        activity_fakes: Mapping[str, Any] | None = None,
        now: dt.datetime | None = None,
        max_steps: int = 100_000,
        cache_size: int = CACHE_SIZE,
        always_replay: bool = False,
        backend: Callable[[VirtualClock], Engine] = MemoryBackend,
    ) -> None:
        self.clock = VirtualClock() if now is None else VirtualClock(now.timestamp())
        self.activity_fakes = dict(activity_fakes or {})
        self.max_steps = max_steps
        self._errors: list[BaseException] = []
        self._backend = backend(self.clock)
        self.manager = _Manager(self._backend, workflows, activities, self.activity_fakes, self._errors)
        self._worker = _Worker(self.manager, self._errors, cache_size, always_replay)

    @property
    def now(self) -> dt.datetime:
        """The virtual time, in UTC."""
        return dt.datetime.fromtimestamp(self.clock.now, dt.UTC)

    # -- saying things to processes ----------

    def start(self, process: Process, **options: Any) -> str:
        """Start a process, as `Manager.start_process` does, and do nothing yet; its id."""
        return self.manager.start_process(process, **options)

    def signal(self, process_or_id: ProcessRef, signal: Signal | str, data: Any = None) -> None:
        """Signal a process."""
        self.manager.signal_process(process_or_id, signal, data)

    def cancel(self, process_or_id: ProcessRef, details: Any = None) -> None:
        """Ask for a process's cancellation."""
        self.manager.cancel_process(process_or_id, details)

    def history(self, process_or_id: ProcessRef) -> list[Event]:
        """All events of a process."""
        return self.manager.history(process_or_id)

    # -- letting things happen ----------

    def run(self, process: Process | str, *, within: float | None = None) -> Any:
        """Run a process to its end, over all its runs; its result.

        A Process that was not started is. The clock skips to the next timer, timeout or retry whenever nothing is
        left to do. Raises how the process ended where it did not complete, and TimedOutException when it is open
        after `within` seconds of virtual time, or when nothing will ever happen to it again.
        """
        id = process if isinstance(process, str) else str(process.id)
        if isinstance(process, Process) and process.status is None:
            id = self.start(process)
        end = None if within is None else self.clock.now + within
        steps = iter(self._steps())
        while self._backend.wait_for_process(id, 0) is None:
            next(steps)
            if not self._step():
                self._skip(id, end)
        return self.manager.result(id, 0)

    def run_until_idle(self) -> None:
        """Do all that can be done now. The clock stands still."""
        for _ in self._steps():
            if not self._step() and not self._is_due():
                return

    def advance(self, seconds: float) -> None:
        """Let time pass. What falls due on the way is done at its time, one after the other."""
        end = self.clock.now + seconds
        self.run_until_idle()
        while (due := self._next_due()) is not None and due <= end:
            self.clock.advance_to(due)
            self.run_until_idle()
        self.clock.advance_to(end)

    def close(self) -> None:
        """Let go of threads, where async activities ran."""
        self._worker.close()
        self._backend.close()

    # -- the parts ----------

    def _steps(self) -> Iterable[int]:
        unknown = set(self.activity_fakes) - {activity.name for activity in self.manager.activities}
        if unknown:
            raise UnknownTypeException(f"fakes for activities that no workflow has: {', '.join(sorted(unknown))}")
        yield from range(self.max_steps)
        raise TimedOutException(
            f"there is no end after {self.max_steps:,} tasks: does a workflow go round in a circle?"
        )

    def _step(self) -> bool:
        """Do the next task; was there one?"""
        busy = self._worker.step()
        if self._errors:
            error = self._errors[0]
            self._errors.clear()
            raise error
        return busy

    def _skip(self, id: str, end: float | None) -> None:
        """Let time pass until something is due, for a process that is still open."""
        due = self._next_due()
        if self._backend.wait_for_process(id, 0) is not None:
            return
        if due is None:
            raise TimedOutException(f"process {id!r} is open and nothing is due: it waits for a signal or a result")
        if end is not None and due > end:
            self.clock.advance_to(end)
            raise TimedOutException(f"process {id!r} is still open at {self.now}; the next thing is due later")
        self.clock.advance_to(due)

    def _is_due(self) -> bool:
        due = self._next_due()
        return due is not None and due <= self.clock.now

    def _next_due(self) -> float | None:
        store = self._backend.store
        dues = store.next_due([info.queue for info in store.queues(self.clock.now)])
        return min(dues.values(), default=None)


class _Manager(Manager):
    """Hands out fakes for activities, and keeps what deciders raise."""

    def __init__(
        self,
        backend: Engine,
        workflows: Iterable[type[Workflow]],
        activities: Iterable[type[Activity] | Callable[..., Any]],
        fakes: Mapping[str, Any],
        errors: list[BaseException],
    ) -> None:
        super().__init__(backend, workflows, activities)
        self._fakes = fakes
        self._errors = errors

    def workflow_for_task(self, task: DecisionTask) -> Workflow:
        try:
            return _Watched(super().workflow_for_task(task), self._errors)
        except UnknownTypeException as error:
            self._errors.append(error)
            raise

    def activity_for_task(self, task: ActivityTask, monitor: ActivityMonitor | None = None) -> Activity:
        if isinstance(monitor, Heart):
            monitor.interval = 0.0  # Real time says nothing about when the next heartbeat is due.
        activity = self._activity(task, monitor)
        vars(activity)["executor"] = "thread"
        return activity

    def _activity(self, task: ActivityTask, monitor: ActivityMonitor | None) -> Activity:
        if task.activity not in self._fakes:
            return super().activity_for_task(task, monitor)
        fake = self._fakes[task.activity]
        if isinstance(fake, type) and issubclass(fake, Activity):
            return fake(task, monitor)
        return _Fake(task, monitor, fake)


class _Fake(Activity):
    """Does what was given instead of an activity."""

    def __init__(self, task: ActivityTask, monitor: ActivityMonitor | None, fake: Any) -> None:
        super().__init__(task, monitor)
        self.fake = fake

    def execute(self) -> Any:
        if isinstance(self.fake, Exception) and not isinstance(self.fake, ActivityResult):
            raise self.fake
        result = self.fake(self.input) if callable(self.fake) else self.fake
        return asyncio.run(result) if inspect.iscoroutine(result) else result


class _Watched(Workflow):
    """A workflow whose errors are kept for the test to see, and that must leave the history as it is."""

    def __init__(self, workflow: Workflow, errors: list[BaseException]) -> None:
        self.workflow = workflow
        self.errors = errors
        self.__dict__["keeps"] = workflow.keeps

    def decide(self, process: Process) -> list[Decision]:
        try:
            return self._decide(process) if self.workflow.keeps else self._watch(process)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # Groups may be no Exceptions either.
            self.errors.append(error)
            raise

    def _decide(self, process: Process) -> list[Decision]:
        self.workflow.kept = self.kept  # That is code, which gets copies of all data.
        return decisions_of(self.workflow.decide(process), process)

    def _watch(self, process: Process) -> list[Decision]:
        events, before = list(process.history), deepcopy(process.history)
        decisions = decisions_of(self.workflow.decide(process), process)
        if events != before:
            raise RuntimeError(
                f"the decider of {process.workflow} changed an event's data, which later decisions share: "
                "copy what you change"
            )
        return decisions


class _Worker(Worker):
    """Serves every category, and keeps the errors of decisions that cannot be recorded."""

    def __init__(self, manager: Manager, errors: list[BaseException], cache_size: int, always_replay: bool) -> None:
        super().__init__(manager, "environment", cache_size=cache_size, always_replay=always_replay)
        self._errors = errors

    def close(self) -> None:
        self._running.abandon()

    def _decisions(self, limit: int) -> Wanted:
        return Wanted(self._queues("decision"), limit)

    def _activities(self, limit: int) -> Wanted:
        return Wanted(self._queues("activity"), limit)

    def _queues(self, kind: str) -> tuple[str, ...]:
        return tuple(queue.category for queue in self.manager.queues() if queue.kind == kind)

    def _refused(self, got: Exchanged, log: Any) -> list[Any]:
        self._errors += [
            error
            for finished, error in got.refused
            if isinstance(finished.task, DecisionTask) and not isinstance(error, UnknownResourceException)
        ]
        return super()._refused(got, log)
