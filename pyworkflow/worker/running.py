"""What a worker is doing: tasks that were started, each in the place where its kind of code belongs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ..activity import Activity, ActivityFailed
from ..backend import Failed, Finished, Released
from ..exceptions import UnknownTypeException
from ..frames import raised
from ..manager import Manager
from ..task import ActivityTask, DecisionTask
from ..workflow import Workflow
from .execute import Answer, decide, execute, execute_async, outcome_of_error
from .heart import Heart, no_end
from .log import WorkerLog, fields
from .loop import LoopThread
from .processes import Processes
from .threads import Threads

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..code.replay import Kept

PULSE = 0.25
SETTLE = 0.002
QUICK = 0.005
LONGEST_DELAY = 60.0

Task = ActivityTask | DecisionTask
Done = Callable[[Finished], None]


class Entry(Struct, eq=False):
    """A task in hand: the job that does it, its heart where it is an activity, its future where it is async."""

    task: Task
    job: Callable[[], None] | None = None
    heart: Heart | None = None
    future: Any = None

    def cancel(self) -> None:
        if self.future is not None:
            self.future.cancel()


class Running:
    """Plain activities run in threads, async ones on an event loop, CPU-bound ones in processes.

    Deciders run where they are asked, one after the other: they are quick, and a debugger finds them there.
    """

    def __init__(
        self,
        manager: Manager,
        concurrency: int,
        done: Done,
        freed: Callable[[], None],
        attempts: int,
        log: WorkerLog,
        pulse: bool,
        cache_size: int = 0,
        always_replay: bool = False,
    ) -> None:
        self.manager = manager
        self.concurrency = concurrency
        self.attempts = attempts
        self.log = log
        self._done = done
        self._freed = freed
        self._pulse = pulse
        self._kept: Kept | None = None
        self._keeping = (cache_size, always_replay)
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self._unknown: dict[str, int] = {}
        self._quick: set[str] = set()
        self._open()

    def _open(self) -> None:
        self._threads = Threads(self.concurrency, "activity")
        self._loop = LoopThread("activities")
        self._processes = Processes()
        self._pulsing: threading.Event | None = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def free(self) -> int:
        """How many more activities may be started."""
        return self.concurrency - len(self._entries)

    def start(self, tasks: Iterable[ActivityTask]) -> None:
        """Begin activities; each is reported to `done` when it ends, or dropped when it is handed off."""
        jobs = []
        for task in tasks:
            entry = self._entries[task.token] = Entry(task)
            entry.job = partial(self._run, entry)
            jobs.append(entry.job)
        if jobs:
            self._threads.submit(jobs)

    def settle(self) -> None:
        """Wait a little for what was started: most is done at once."""
        self._threads.settle(SETTLE)

    def do(self, task: Task, done: Done) -> None:
        """Do one task in the calling thread."""
        entry = Entry(task)
        if isinstance(task, DecisionTask):
            done(Finished(task, self.decide(task)))
        elif (activity := self._activity(entry, done)) is not None:
            self._report(entry, self._outcome(entry, activity), done)

    def decide_at_once(self, task: DecisionTask) -> Answer | None:
        """Decide where the decider has been quick the last time; results of activities wait for it."""
        return self.decide(task) if str(task.process.workflow) in self._quick else None

    def decide(self, task: DecisionTask) -> Answer:
        """Decide on one process in the calling thread."""
        begun = time.perf_counter()
        outcome = self._decide(task)
        quick = time.perf_counter() - begun < QUICK
        (self._quick.add if quick else self._quick.discard)(str(task.process.workflow))
        return outcome

    def _decide(self, task: DecisionTask) -> Answer:
        try:
            outcome = decide(partial(self._workflow, task), task, self.attempts)
        except UnknownTypeException as error:
            return self._released(task, str(task.process.workflow), error)
        if isinstance(outcome, Failed):
            self.log.error("decider failed: %s\n%s", outcome.reason, outcome.details, extra=fields(task))
        return outcome

    def _workflow(self, task: DecisionTask) -> Workflow:
        workflow = self.manager.workflow_for_task(task)
        if workflow.keeps:
            if self._kept is None:
                from ..code.replay import Kept  # Whoever has such workflows has imported it.

                self._kept = Kept(*self._keeping)
            workflow.kept = self._kept
        return workflow

    def withdraw(self) -> list[Finished]:
        """Take back the tasks that wait for a thread, to be handed back."""
        taken = []
        for entry in list(self._entries.values()):
            if entry.job is not None and self._threads.withdraw(entry.job):
                self._forget(entry)
                taken.append(Finished(entry.task, Released()))
        return taken

    def abandon(self) -> list[Task]:
        """Let go of what still runs, and of all threads and processes."""
        left = list(self._entries.values())
        for entry in left:
            entry.cancel()
            self._forget(entry)
        self._threads.close()
        self._loop.close()
        self._processes.close()
        if self._pulsing is not None:
            self._pulsing.set()
        if self._kept is not None:
            self._kept.clear()
        self._open()
        return [entry.task for entry in left]

    # -- one task ----------

    def _run(self, entry: Entry) -> None:
        if (activity := self._activity(entry, self._done)) is None:
            pass
        elif activity.is_async:
            entry.future = self._loop.run(execute_async(activity), partial(self._async_done, entry))
        else:
            self._report(entry, self._outcome(entry, activity), self._done)

    def _activity(self, entry: Entry, done: Done) -> Activity | None:
        task = entry.task
        assert isinstance(task, ActivityTask)
        entry.heart = Heart(task, self.manager.heartbeat, entry.cancel)
        try:
            activity = self.manager.activity_for_task(task, entry.heart)
        except UnknownTypeException as error:
            self._report(entry, self._released(task, task.activity, error), done)
            return None
        except (Exception, SystemExit) as error:
            self._report(entry, outcome_of_error(error), done)
            return None
        if self._pulse and task.heartbeat_timeout is not None:
            self._start_pulse()
        return activity

    def _outcome(self, entry: Entry, activity: Activity) -> Any:
        if activity.is_async:
            return self._loop.run(execute_async(activity), lambda future: None).result()
        if activity.executor == "process" and entry.heart is not None:
            return self._processes.execute(activity, entry.heart)
        return execute(activity)

    def _async_done(self, entry: Entry, future: Future[Any]) -> None:
        assert entry.heart is not None
        if future.cancelled():
            self._report(entry, entry.heart.outcome_of_cancel(), self._done)
        else:
            self._report(entry, future.result(), self._done)

    def _report(self, entry: Entry, outcome: Any, done: Done) -> None:
        """Say what came of a task; nothing when it was handed off, or is not this worker's any more."""
        lost = entry.heart is not None and entry.heart.lost is not None
        if isinstance(outcome, ActivityFailed):
            self._warn(entry.task, outcome)
        if outcome is not None and not lost:
            done(Finished(entry.task, outcome))
        elif lost:
            self.log.warning("lost: %s", entry.heart and entry.heart.lost, extra=fields(entry.task))
        self._forget(entry)
        if outcome is None or lost:
            self._freed()

    def _warn(self, task: Task, failure: ActivityFailed) -> None:
        """A line for each: whether it is tried again is for the decider to say."""
        line = raised(failure.details)
        self.log.warning("activity failed: %s", line or failure.reason, extra=fields(task))
        if line is not None:
            self.log.debug("%s", failure.details, extra=fields(task))

    def _released(self, task: Task, name: str, error: Exception) -> Released:
        count = self._unknown[name] = self._unknown.get(name, -1) + 1
        delay = min(2.0 ** min(count, 10), LONGEST_DELAY)
        self.log.error("%s; handed back for %.0f s", error, delay, extra=fields(task))
        return Released(delay)

    def _forget(self, entry: Entry) -> None:
        self._entries.pop(entry.task.token, None)
        entry.job = None  # This and the heart refer to it: nobody should have to search for such rings.
        if entry.heart is not None:
            entry.heart.on_end = no_end

    # -- automatic heartbeats ----------

    def _start_pulse(self) -> None:
        with self._lock:
            if self._pulsing is None:
                self._pulsing = threading.Event()
                beat = partial(self._beat_all, self._pulsing)
                threading.Thread(target=beat, name="heartbeats", daemon=True).start()

    def _beat_all(self, ending: threading.Event) -> None:
        while not ending.wait(PULSE):
            for entry in list(self._entries.values()):
                if entry.heart is not None:
                    self._beat(entry, entry.heart)

    def _beat(self, entry: Entry, heart: Heart) -> None:
        try:
            heart.beat()
        except Exception as error:
            self.log.error("no heartbeat: %s", error, extra=fields(entry.task))
