"""Questions: which processes there are, how they stand, what is pending; nothing changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pyworkflow import decision as dec
from pyworkflow import events as ev
from pyworkflow.backend.model import Description, Page, PendingActivity, ProcessFilter
from pyworkflow.engine.checks import count
from pyworkflow.engine.questions import cursor_of, lazy, query_of
from pyworkflow.engine.store import Summary
from pyworkflow.exceptions import UnknownProcessException
from pyworkflow.process import Process, ProcessContinued, ProcessResult

from .lists import CLOSED, OPEN, Lists
from .run import Run
from .runs import Runs
from .service import Service
from .tokens import described

FIRST_NAP, LAST_NAP = 0.1, 5.0
"""Seconds between two looks at a process that somebody waits for."""


class Questions:
    """Reads lists and histories."""

    def __init__(self, service: Service, runs: Runs) -> None:
        self.runs = runs
        self.lists = Lists(service)
        self._current: dict[str, str] = {}

    def remember(self, id: str, run: str) -> None:
        """The run of a process that was just started, which SWF's lists may not have yet."""
        self._current[id] = run
        while len(self._current) > 1_000:
            self._current.pop(next(iter(self._current)), None)

    def run(self, id: str, run: str | None) -> Run:
        """A run as it is now; the current one where none is named. Raises UnknownProcessException."""
        if run is not None:
            return self.runs.now(id, run)
        found = self.lists.newest(id, OPEN)
        if found is not None:
            return self.runs.now(id, found.run)
        closed = self._current.get(id) or getattr(self.lists.newest(id, CLOSED), "run", None)
        if closed is None:
            raise UnknownProcessException(f"there is no {described(id, None)}")
        current = self.runs.now(id, closed)
        while isinstance(current.result, ProcessContinued):
            current = self.runs.now(id, current.result.run)
        return current

    def process(self, id: str, run: str | None) -> Process:
        return self.run(id, run).process()

    def events(self, id: str, run: str | None, skip: int, limit: int | None) -> list[ev.Event]:
        count("skip", skip, 0)
        if limit is not None:
            count("a limit", limit, 0)
        return self.run(id, run).all_events()[skip : None if limit is None else skip + limit]

    def wait(self, id: str, run: str | None, timeout: float | None, closed: Any) -> ProcessResult | None:
        """How a process ended, looking ever less often; None after `timeout` seconds, or when `closed()`."""
        end = None if timeout is None else time.monotonic() + timeout
        nap = FIRST_NAP
        while True:
            result = self.run(id, run).result
            left = LAST_NAP if end is None else end - time.monotonic()
            if result is not None or left <= 0 or closed():
                return result
            time.sleep(min(nap, left))
            nap = min(nap * 1.5, LAST_NAP)

    # -- lists ----------

    def page(self, which: ProcessFilter, limit: int, cursor: str | None) -> Page:
        query = query_of(which, count("a page's size", limit, 1) + 1, cursor)
        found = list(islice(self._found(query), limit + 1))
        shown = found[:limit]
        processes = [lazy(summary, self.process) for summary in shown]
        return Page(processes, cursor_of(shown[-1]) if len(found) > limit else None)

    def count(self, which: ProcessFilter) -> int:
        return sum(1 for _ in self._found(query_of(which, None, None)))

    def _found(self, query: Any) -> Iterator[Summary]:
        """What matches. Whether an open process is blocked only its history tells, which is read where it matters."""
        for summary in self.lists.find(query):
            if summary.closed is None and summary.status == "running":
                told = query.statuses is None or {"running", "blocked"} <= query.statuses
                summary.status = "running" if told else self.runs.now(summary.id, summary.run).status
            if query.statuses is None or summary.status in query.statuses:
                yield summary

    # -- one process ----------

    def describe(self, id: str, run_id: str | None) -> Description:
        run = self.run(id, run_id)
        process = run.process()
        started = process.history[0].datetime.timestamp()
        timeout = run.started.get("executionStartToCloseTimeout")
        open = run.result is None
        return Description(
            process,
            started,
            None if open else process.history[-1].datetime.timestamp(),
            run.last,
            run.decision if open else "idle",
            run.failures + run.timeouts,
            started + int(timeout) if open and timeout else None,
            run.cancel_requested,
            list(_activities(process)) if open else [],
            _timers(process) if open else {},
            list(_children(process)) if open else [],
            run.result,
            run.blocked,
        )


def _activities(process: Process) -> Iterator[PendingActivity]:
    """What is pending; the tokens that workers hold, and their heartbeats, SWF does not tell."""
    scheduled: dict[str, tuple[dec.ScheduleActivity, float]] = {}
    begun: dict[str, float] = {}
    canceled: set[str] = set()
    for event in process.history:
        match event:
            case ev.DecisionEvent(decision=dec.ScheduleActivity() as it):
                scheduled[it.id] = (it, event.datetime.timestamp())
            case ev.DecisionEvent(decision=dec.CancelActivity(id=id)):
                canceled.add(id)
            case ev.ActivityStartedEvent(activity_execution=it):
                begun[it.id] = event.datetime.timestamp()
            case ev.ActivityReleasedEvent(activity_execution=it):
                begun.pop(it.id, None)
            case ev.ActivityEvent(activity_execution=it):
                for known in (scheduled, begun):
                    known.pop(it.id, None)
                canceled.discard(it.id)
    for id, (it, since) in scheduled.items():
        began = begun.get(id)
        yield PendingActivity(
            id, it.activity, it.category or "", "scheduled" if began is None else "started",
            deadline=_deadline(it, since, began), cancel_requested=id in canceled,
        )  # fmt: skip


def _deadline(it: dec.ScheduleActivity, since: float, began: float | None) -> float | None:
    ends = [(it.close_timeout, since)]
    ends += [(it.scheduled_timeout, since)] if began is None else [(it.execution_timeout, began)]
    return min((start + length for length, start in ends if length is not None), default=None)


def _timers(process: Process) -> dict[str, float]:
    starts = {id(event.decision): event for event in process.history if isinstance(event, ev.DecisionEvent)}
    return {timer.id: starts[id(timer)].datetime.timestamp() + timer.delay for timer in process.untriggered_timers()}


def _children(process: Process) -> list[str]:
    """The children that run, or are about to."""
    children: dict[str, None] = {}
    for event in process.history:
        match event:
            case ev.DecisionEvent(decision=dec.StartChildProcess(process=child)):
                children[str(child.id)] = None
            case ev.ChildProcessEvent(process_id=child_id):
                children.pop(child_id, None)
            case ev.DecisionRefusedEvent(decision=dec.StartChildProcess(process=child)):
                children.pop(str(child.id), None)
    return list(children)
