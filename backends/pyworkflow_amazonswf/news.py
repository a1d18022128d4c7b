"""News: what SWF wrote into histories, told to those who watch, each event once.

SWF tells nobody what it writes. But each event is followed by the start of a decision or by the end of its run: so
whoever takes a decision tells what came since the one before, and whoever ends a run tells the rest.
"""

from __future__ import annotations

import logging
from bisect import bisect_left

from pyworkflow.backend.model import Tell
from pyworkflow.exceptions import WorkflowError

from .run import Run
from .runs import Runs

logger = logging.getLogger("pyworkflow.amazonswf")


class News:
    """Reads nothing while nobody watches. An end that cannot be read is logged: what was said to SWF has happened."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._watchers: tuple[Tell, ...] = ()

    @property
    def wanted(self) -> bool:
        return bool(self._watchers)

    def watch(self, tell: Tell) -> None:
        self._watchers += (tell,)

    def taken(self, run: Run, started: int, asked: bool) -> None:
        """A decision was taken; its own start is news where a decider is `asked`, for the first time."""
        place = bisect_left(run.starts, started)
        until = started if asked and run.part is None else started - 1
        self._tell(run, run.starts[place - 1] if place else 0, until)

    def ended(self, id: str, run_id: str, started: int | None = None) -> None:
        """A run may have ended: by the answer to the decision that was `started`, or by a call, where that is None."""
        if not self._watchers:
            return
        try:
            run = self._runs.now(id, run_id)
        except WorkflowError as error:
            logger.warning("how process %r ended cannot be told: %s", id, error)
            return
        last = run.starts[-1] if run.starts else 0
        if run.result is not None and started in (None, last):
            self._tell(run, last, run.last)

    def _tell(self, run: Run, after: int, until: int) -> None:
        if self._watchers:
            events = [event for event in run.all_events() if after < (event.id or 0) <= until]
            process = run.process(until)
            for tell in self._watchers:
                tell(process, events)
