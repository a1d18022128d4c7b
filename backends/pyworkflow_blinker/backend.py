"""BlinkerBackend: every event that a call through it wrote is sent as a signal, once, when it is kept."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pyworkflow import events as ev
from pyworkflow.backend import Backend, Exchanged, Failed, Finished, Released, Wanted
from pyworkflow.backend.model import Decide
from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask

from .signals import COMPLETED_ACTIVITY, COMPLETED_DECISION, Row, Signals, row_of
from .wrapper import Wrapper

_ANSWERED = ev.DecisionEvent | ev.DecisionRefusedEvent | ev.DecisionCompletedEvent
_Place = tuple[str | None, str | None, int | None]

logger = logging.getLogger("pyworkflow.blinker")


class BlinkerBackend(Signals, Wrapper):
    """Another backend, with signals: `BlinkerBackend.on_process_started.connect(receiver, sender=backend)`.

    A signal comes from the thread whose call wrote the event, when it is durable, and before the call returns. A
    receiver that raises is logged, and changes nothing. Raises UnsupportedBackend where `backend` cannot be watched.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._mine = threading.local()
        backend.watch(self._told)

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
        """Hands in first and waits then, so that signals of what is handed in do not wait for a task to come."""
        ask = None if decide is None else self._remembering(decide)
        wanted: Any = {"decisions": decisions, "activities": activities, "identity": identity, "decide": ask}
        try:
            if not finished:
                return self.backend.exchange(timeout=timeout, interrupt=interrupt, **wanted)
            # An engine takes in the commit that hands in. To others, as to SWF, those are two calls anyway.
            in_one = isinstance(self.backend, Engine)
            got = self.backend.exchange(finished, **(wanted if in_one else {}))
            late = {id(item) for item, _ in got.refused}
            for item in finished:
                if id(item) not in late:
                    self._completed(item)
            if got or (in_one and timeout <= 0):
                return got
            with suppress(BackendUnavailable):  # What was handed in is: the next call hears of it.
                got = self.backend.exchange(timeout=timeout, interrupt=interrupt, **wanted)
            return got
        finally:
            self._asked().clear()

    def _completed(self, finished: Finished) -> None:
        if not isinstance(finished.outcome, Failed | Released):
            of_activity = isinstance(finished.task, ActivityTask)
            self._send(COMPLETED_ACTIVITY if of_activity else COMPLETED_DECISION, None, finished)

    # -- decided on the way ----------

    def _remembering(self, decide: Decide) -> Decide:
        """The same decider; what it answers counts when it is told, for the commit may be refused."""

        def ask(task: DecisionTask) -> Any:
            outcome = decide(task)
            process = task.process
            self._asked()[process.id, process.run, process.history[-1].id] = Finished(task, outcome or [])
            return outcome

        return ask

    def _asked(self) -> dict[_Place, Finished]:
        asked: dict[_Place, Finished] = self._mine.__dict__.setdefault("asked", {})
        return asked

    # -- sending ----------

    def _told(self, process: Process, events: Sequence[ev.Event]) -> None:
        begun: ev.Event | None = None
        before: ev.Event | None = None
        for event in events[_taken_over(events) :]:
            if isinstance(event, ev.DecisionStartedEvent):
                begun = event
            elif begun is not None and isinstance(event, _ANSWERED):
                # A decision that begins and is answered in one step was made on the way.
                if answer := self._asked().pop((process.id, process.run, begun.id), None):
                    self._completed(answer)
                begun = None
            row, it = row_of(process, event, before)
            before = event
            if row is not None:
                self._send(row, process, it)

    def _send(self, row: Row, process: Process | None, it: Any) -> None:
        signal = getattr(type(self), row.signal)
        if not signal.receivers or signal.is_muted:
            return
        for receiver in list(signal.receivers_for(self)):
            try:
                answer = receiver(self, **row.keywords(process, it))
                if inspect.iscoroutine(answer):
                    answer.close()
                    raise TypeError(f"{receiver!r} is a coroutine function: connect one that can be called")
            except Exception:
                logger.exception("a receiver of %s raised", row.signal)


def _taken_over(events: Sequence[ev.Event]) -> int:
    """How many of them stand there only because an earlier run, where they happened, was reset."""
    return next((place for place, event in enumerate(events) if isinstance(event, ev.ProcessResetEvent)), 0)
