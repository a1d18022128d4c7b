"""A bundle: what is committed together, a visit to each process, and what these begin of what was claimed."""

from __future__ import annotations

from typing import NamedTuple

from ..exceptions import WorkflowError
from .desk import Caller, Taken
from .head import Work
from .office import Visit
from .store import Task


class Drawn(NamedTuple):
    """A task that was claimed, and the visit in which it is begun for a caller.

    `reply` is the place of its start among that visit's replies, None where it was not to be had, and so not said;
    `answered` is whether it was a decision that got its answer in the same visit.
    """

    task: Task
    work: Work
    visit: Visit
    reply: int | None
    caller: Caller
    answered: bool = False

    @property
    def taken(self) -> Taken | None:
        """It as it was begun, the last time that this was said; None where it is not to be had any more."""
        visit = self.visit.again or self.visit
        started = None if self.reply is None else visit.replies[self.reply]
        if started is None or isinstance(started, WorkflowError):
            return None
        return Taken(self.task.queue, self.work, started, visit.draft, self.caller)


class Bundle:
    """The visits, and what was drawn for them."""

    def __init__(self, visits: list[Visit]) -> None:
        self.visits = visits
        self.drawn: list[Drawn] = []
        self._open = {visit.process: visit for visit in visits}

    def visit(self, process: str) -> Visit | None:
        """That in which something changes, so that its commit proves what it says."""
        visit = self._open.get(process)
        return visit if visit is not None and visit.draft.changed else None

    def add(self, visit: Visit) -> Visit:
        self._open[visit.process] = visit
        self.visits.append(visit)
        return visit
