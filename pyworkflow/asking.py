"""What a Manager has for workflows that are code: questions and updates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .exceptions import TimedOutException, UnknownProcessException, UnknownTypeException, UpdateFailed
from .process import Process
from .registry import Registry
from .resets import Resets
from .values import fresh_id

if TYPE_CHECKING:
    from .backend.model import ProcessRef
    from .code.workflows import CodeWorkflow
    from .events import Event
    from .schedules import Schedules
    from .signal import Signal

FIRST_PAUSE, LAST_PAUSE = 0.005, 0.25


class Asking(Registry, Resets):
    """The part of a Manager that asks processes, and waits for their answers."""

    if TYPE_CHECKING:

        def process_by_id(self, process_or_id: ProcessRef) -> Process: ...

        def history(self, process_or_id: ProcessRef, skip: int = 0, limit: int | None = None) -> list[Event]: ...

        def signal_process(self, process_or_id: ProcessRef, signal: Signal | str, data: Any = None) -> None: ...

    def query(self, process_or_id: ProcessRef, name: str, /, *args: Any, **named: Any) -> Any:
        """What the method with `@query` of this name answers: the state as of the process's last decision.

        The code of the process is run here, from its history; it may be closed. Nothing is changed or recorded. Raises
        UnknownProcessException, UnknownTypeException where its workflow is not this manager's or has no such query,
        NotDeterministic.
        """
        from .code.questions import ask

        cls, process = self._code_of(process_or_id)
        return ask(cls, process, "query", name, args, named)

    @property
    def schedules(self) -> Schedules:
        """What starts processes by the clock; a worker decides on it whose manager has `Scheduler`."""
        from .schedules import Schedules

        return Schedules(self)  # type: ignore[arg-type]  # A Manager is what this is a part of.

    def export(self, process_or_id: ProcessRef) -> dict[str, Any]:
        """A process and its history as a JSON document, for `pyworkflow replay`. Raises UnknownProcessException."""
        from .exported import export

        process = self.process_by_id(process_or_id)
        return export(process, self.history(f"{process.id}:{process.run}"))

    def check(self, process: Process | ProcessRef, inputs: bool = False) -> bool:
        """Does today's code of a process follow its history? False where its workflow is no code.

        With `inputs`, it must hand over the same inputs and come to the same result, too. They may change; but where
        nobody has changed them, something is different each time. A Process may be one that was exported. Raises
        NotDeterministic, UnknownProcessException, UnknownTypeException.
        """
        from .code.replay import check
        from .code.workflows import CodeWorkflow

        if not isinstance(process, Process):
            process = self.process_by_id(process)
            process.history = self.history(f"{process.id}:{process.run}")
        cls = self._workflows.get((str(process.workflow), process.version))
        if cls is None:
            raise UnknownTypeException(
                f"process {process.id!r} is of workflow {process.workflow!r}, version {process.version}, which is not "
                "one of this manager's"
            )
        if issubclass(cls, CodeWorkflow):
            check(cls, process, inputs)
        return issubclass(cls, CodeWorkflow)

    def update(
        self, process_or_id: ProcessRef, name: str, /, *args: Any, timeout: float | None = None, **named: Any
    ) -> Any:
        """Let the method with `@update` of this name change a process; what it returned.

        Its validator is asked here first, once all is decided that came before; what it refuses leaves no trace. A
        worker must be deciding meanwhile. Raises
        UpdateFailed, TimedOutException after `timeout` seconds (the update may still happen), UnknownProcessException,
        UnknownTypeException.
        """
        from .code.questions import UPDATE, ask

        cls, process = self._code_of(process_or_id)
        id, this_run = fresh_id(), f"{process.id}:{process.run}"
        late = TimedOutException(f"update {name!r} of process {this_run!r}: no answer within {timeout} seconds")
        pauses = _pauses(deadline(timeout), late)
        self._catch_up(process, this_run, pauses)
        input = ask(cls, process, "update", name, args, named)
        seen = len(self.history(this_run))
        self.signal_process(this_run, f"{UPDATE}{name}", {"id": id, "input": input})
        return self._answer(this_run, f"update-{id}", seen, name, pauses)

    def _catch_up(self, process: Process, this_run: str, pauses: Iterator[None]) -> None:
        """Wait until the process knows what has come by now. One that is blocked would not."""
        from .code.questions import is_decided

        by_now = len(process.history)
        while process.status != "blocked" and not is_decided(process.history, by_now):
            next(pauses)
            process.history += self.history(this_run, len(process.history))

    def _answer(self, this_run: str, marker: str, seen: int, name: str, pauses: Iterator[None]) -> Any:
        """Wait for a marker. Raises UpdateFailed, TimedOutException."""
        from .code.questions import closes

        while True:
            news = self.history(this_run, seen)
            seen += len(news)
            for event in news:
                decision = getattr(event, "decision", None)
                if getattr(decision, "name", None) == marker:
                    answer = decision.details  # type: ignore[union-attr]
                    if "error" in answer:
                        raise UpdateFailed(f"update {name!r} of process {this_run!r} failed: {answer['error']}")
                    return answer["result"]
            if news and closes(news[-1]):
                raise UnknownProcessException(f"process {this_run!r} closed before it answered the update {name!r}")
            next(pauses)

    def _code_of(self, process_or_id: ProcessRef) -> tuple[type[CodeWorkflow], Process]:
        """The code of a process, and the process with all of its history."""
        from .code.workflows import CodeWorkflow

        process = self.process_by_id(process_or_id)
        cls = self._workflows.get((str(process.workflow), process.version))
        if cls is None or not issubclass(cls, CodeWorkflow):
            raise UnknownTypeException(
                f"process {process.id!r} is of workflow {process.workflow!r}, version {process.version}, which is no "
                "CodeWorkflow of this manager"
            )
        process.history = self.history(f"{process.id}:{process.run}")
        return cls, process


def deadline(timeout: float | None) -> float | None:
    """The time.monotonic() at which so many seconds are over. Raises TypeError for what is no number."""
    try:
        return None if timeout is None else time.monotonic() + timeout
    except TypeError:
        raise TypeError(f"a timeout is a number of seconds, not {timeout!r}") from None


def _pauses(until: float | None, late: Exception) -> Iterator[None]:
    """Sleeps between two looks, ever longer. Raises `late` when the time is over."""
    pause = FIRST_PAUSE
    while True:
        if until is not None and time.monotonic() >= until:
            raise late
        time.sleep(pause if until is None else min(pause, max(until - time.monotonic(), 0.0)))
        yield
        pause = min(pause * 2, LAST_PAUSE)
