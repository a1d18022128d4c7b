"""Operating-system processes for activities that keep a core busy (`executor = "process"`), one at a time in each."""

from __future__ import annotations

import importlib
import signal
import threading
from typing import TYPE_CHECKING, Any

from ..activity import Activity, ActivityCanceled, ActivityExecution, ActivityFailed, ActivityMonitor, ActivityResult
from ..exceptions import UnknownActivityException
from ..task import ActivityTask
from .execute import execute, outcome_of_error

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


class _Child:
    """A process at the other end of a pipe."""

    def __init__(self) -> None:
        from multiprocessing import get_context

        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def execute(self, activity: Activity, monitor: ActivityMonitor) -> ActivityResult | None:
        task, cls = activity.task, type(activity)
        execution = task.activity_execution
        self.pipe.send(
            (
                cls.__module__,
                cls.__qualname__,
                execution.activity,
                execution.id,
                execution.input,
                task.process_id,
                task.context,
            )
        )
        while True:
            kind, value = self.pipe.recv()
            if kind == "done":
                result: ActivityResult | None = value
                return result
            self.pipe.send(_answer(monitor, value))


class Processes:
    """Children that are kept for the next activity. One that dies fails the activity it was at, and no other."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def execute(self, activity: Activity, monitor: ActivityMonitor) -> ActivityResult | None:
        """Execute an activity in a child; blocks the calling thread."""
        with self._lock:
            child = self._idle.pop() if self._idle else _Child()
        try:
            result = child.execute(activity, monitor)
        except (EOFError, OSError):
            child.process.join(1)
            return ActivityFailed(f"the process executing it died with exit code {child.process.exitcode}")
        except Exception as error:
            child.process.kill()
            return outcome_of_error(error)
        with self._lock:
            self._idle.append(child)
        return result

    def close(self) -> None:
        with self._lock:
            for child in self._idle:
                child.pipe.close()
            self._idle.clear()


def _answer(monitor: ActivityMonitor, details: Any) -> str | None:
    """What the backend says to a child's heartbeat."""
    try:
        monitor.heartbeat(details)
    except ActivityCanceled:
        return "canceled"
    except UnknownActivityException as error:
        return str(error)
    return None


class _FarMonitor(ActivityMonitor):
    """Passes heartbeats to the parent, and raises what it answers."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(self.heartbeat)
        self.pipe = pipe

    def heartbeat(self, details: Any = None) -> None:
        self.pipe.send(("heartbeat", details))
        answer = self.pipe.recv()
        if answer == "canceled":
            raise ActivityCanceled("its cancellation was requested")
        if answer is not None:
            raise UnknownActivityException(answer)


def _serve(pipe: Connection) -> None:
    """The child's life: execute what comes until the pipe is closed. Ctrl-C is its parent's matter."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            module, name, *what = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            result = execute(_activity(module, name, what, pipe))
            pipe.send(("done", result))
        except Exception as error:
            pipe.send(("done", outcome_of_error(error)))


def _activity(module: str, name: str, what: list[Any], pipe: Connection) -> Activity:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    activity, id, input, process_id, context = what
    made: Activity = found(ActivityTask(ActivityExecution(activity, id, input), process_id, context), _FarMonitor(pipe))
    return made
