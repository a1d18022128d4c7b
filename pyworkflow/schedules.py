"""Schedules: a workflow of the library's own that starts others, by cron or at intervals. It runs on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Struct, to_builtins

from .code import CodeWorkflow, Context, query, signal
from .code.calls import Call
from .exceptions import UnknownProcessException
from .process import Process, ProcessResult
from .retry import short_id
from .timetable import Schedule as Schedule
from .values import name_of
from .workflow.base import Workflow

if TYPE_CHECKING:
    from .manager import Manager

PREFIX = "schedule-"
LONG, OLD = 2_000, timedelta(days=30)
"""Events and age after which a schedule begins a new run."""
LAST = timedelta(days=330)
"""How long a run waits for what it has started, to begin the next one: its own timeout is near."""


class Progress(Struct):
    """How far a schedule has come, handed from run to run."""

    start: datetime | None = None
    after: datetime | None = None
    paused: bool = False
    note: str | None = None
    started: int = 0
    failed: int = 0
    skipped: int = 0
    missed: int = 0
    last: str | None = None
    waiting: datetime | None = None
    earlier: list[str] = []


class Scheduler(CodeWorkflow):
    """The workflow of schedules: whoever decides on them has it among its workflows."""

    name = "Schedule"
    timeout: ClassVar[float] = 365 * 86_400.0

    def __init__(self) -> None:
        self.schedule: Schedule
        self.at = Progress()
        self.begun: datetime
        self.due: datetime | None = None
        self.triggered = self.changed = 0
        self.heard: dict[str, Any] = {}
        self.running: list[Call[Any]] = []

    # -- what it hears ----------

    @signal
    def pause(self, note: str | None = None) -> None:
        self._hear(paused=True, note=note)

    @signal
    def resume(self) -> None:
        self._hear(paused=False, note=None)

    def _hear(self, **said: Any) -> None:
        """It may be said before a run has begun, which is then told how far the one before had come."""
        self.heard |= said
        for name, value in said.items():
            setattr(self.at, name, value)
        self.changed += 1

    @signal
    def trigger(self) -> None:
        self.triggered += 1
        self.changed += 1

    @query
    def describe(self) -> dict[str, Any]:
        """The schedule and how far it has come."""
        known = {**to_builtins(self.schedule), **to_builtins(self.at)}
        due = None if self.at.paused or self.due is None else self.due.isoformat()
        running = [*known.pop("earlier"), *(call.id for call in self.running)]
        return known | {"next": due, "running": running}

    # -- what it does ----------

    async def run(self, ctx: Context, schedule: Schedule, progress: Progress | None = None) -> None:
        self.schedule, self.at, self.begun = schedule, progress or self.at, ctx.now()
        self._hear(**self.heard)
        self.at.start = self.at.start or ctx.now()
        self.at.after = self.at.after or ctx.now()
        self._start_waiting(ctx)
        while True:
            while self.triggered:
                self.triggered -= 1
                self._start(ctx, ctx.now())
            if self._is_long(ctx):
                await self._hand_on(ctx)
                continue
            self.due = schedule.next(self.at.start, self.at.after)
            if await self._is_due(ctx, self.due):
                self.at.after = self.due
                self._pass(ctx, self.due)

    async def _is_due(self, ctx: Context, due: datetime) -> bool:
        """Wait until it is due, False where something else comes first."""
        seen = self.changed
        left = (min(due, self.begun + OLD) - ctx.now()).total_seconds()
        if left > 0 or self.at.paused:
            try:
                said = lambda: self.changed > seen or self.triggered or self._is_long(ctx)  # noqa: E731
                await ctx.wait_condition(said, timeout=max(left, 0.001))
                return False
            except TimeoutError:
                pass
        return ctx.now() >= due

    def _is_long(self, ctx: Context) -> bool:
        """Is it time for a new run?"""
        return ctx.info.events > LONG or ctx.now() >= self.begun + OLD

    async def _hand_on(self, ctx: Context) -> None:
        """Begin a new run. It does not hear of what this one has started: where that matters, this one waits for it.

        Nothing would be started until then, so the times that pass need no timers.
        """
        if self.running and self.schedule.overlap in ("skip", "queue"):
            left = (self.begun + LAST - ctx.now()).total_seconds()
            try:
                await ctx.wait_condition(lambda: self.triggered or not self.running, timeout=max(left, 0.001))
            except TimeoutError:
                pass
            self._skip_until(ctx.now())
        if not self.triggered:
            if self.schedule.overlap == "cancel":
                self.at.earlier += [call.id for call in self.running]
            ctx.continue_as_new(self.schedule, self.at)

    def _skip_until(self, end: datetime) -> None:
        times = [] if self.at.paused else self._times_until(end)
        if times and self.schedule.overlap == "queue" and self.at.waiting is None:
            self.at.waiting = times.pop(0)
        self.at.skipped += len(times)
        self.at.after = end

    def _times_until(self, end: datetime) -> list[datetime]:
        """The times after the last one that was looked at."""
        assert self.at.start is not None and self.at.after is not None
        return list(takewhile(lambda it: it <= end, self.schedule.times(self.at.start, self.at.after)))

    def _pass(self, ctx: Context, due: datetime) -> None:
        """A time has come."""
        self.running = [call for call in self.running if not call.done()]
        overlap, earliest = self.schedule.overlap, ctx.now() - timedelta(seconds=self.schedule.catch_up)
        if self.at.paused:
            return
        if due < earliest:
            self.at.missed += 1 + len(self._times_until(earliest))
            self.at.after = earliest
        elif overlap in ("allow", "cancel") or not self.running:
            if overlap == "cancel":
                self._cancel(ctx)
            self._start(ctx, due)
        elif overlap == "queue" and self.at.waiting is None:
            self.at.waiting = due
        else:
            self.at.skipped += 1

    def _cancel(self, ctx: Context) -> None:
        for call in self.running:
            call.cancel()
        for id in self.at.earlier:
            ctx.cancel_process(id)  # It is refused where that one has ended.
        self.at.earlier = []

    def _start(self, ctx: Context, at: datetime) -> None:
        schedule = self.schedule
        self.at.started += 1
        self.at.last = at.isoformat()
        id = short_id(f"{ctx.info.id.removeprefix(PREFIX)}-{at:%Y%m%dT%H%M%S}-{self.at.started}")
        call = ctx.call_workflow(
            schedule.workflow, schedule.input, id=id, tags=list(schedule.tags), version=schedule.version
        )
        self.running.append(call)
        asyncio.create_task(self._follow(ctx, call))  # noqa: RUF006 - the call keeps it.

    async def _follow(self, ctx: Context, call: Call[Any]) -> None:
        try:
            await call
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.at.failed += 1
            what = error if isinstance(error, ProcessResult) else repr(error)
            ctx.logger.warning("schedule %s: %s ended as %s", ctx.info.id, call.id, what)
        if call in self.running:
            self.running.remove(call)
        if not self._is_long(ctx):
            self._start_waiting(ctx)

    def _start_waiting(self, ctx: Context) -> None:
        """Start what has been queued, once nothing is running any more."""
        if self.at.waiting is not None and not self.running:
            due, self.at.waiting = self.at.waiting, None
            self._start(ctx, due)


class Schedules:
    """The schedules of a manager. A worker decides on them whose manager has `Scheduler` among its workflows."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        if Scheduler not in manager.workflows:
            manager.register_workflow(Scheduler)

    def create(self, id: str, workflow: str | type[Workflow], input: Any = None, **schedule: Any) -> str:
        """Create a schedule; the id of its process. The arguments are the fields of Schedule.

        Raises ValueError, and ProcessAlreadyRunning where there is one of this id.
        """
        made = Schedule(workflow=name_of(workflow), input=input, **schedule)
        made.check()
        process = Process(Scheduler, f"{PREFIX}{id}", {"schedule": to_builtins(made)})
        return self._manager.start_process(process)

    def list(self) -> Iterator[dict[str, Any]]:
        """All schedules, the newest first."""
        for process in self._manager.processes(Scheduler):
            yield self.describe(str(process.id).removeprefix(PREFIX))

    def describe(self, id: str) -> dict[str, Any]:
        """A schedule, its progress, the `next` time and what is `running`. Raises UnknownProcessException."""
        process = self._manager.process_by_id(f"{PREFIX}{id}")
        if process.status not in ("running", "blocked"):
            raise UnknownProcessException(f"there is no schedule {id!r} any more")
        begun = any(event.type == "decision_started" for event in process.history)
        told = self._manager.query(process, "describe") if begun else dict(process.input["schedule"])
        return {"id": id, **told}

    def pause(self, id: str, note: str | None = None) -> None:
        """Start nothing more until it is resumed. Raises UnknownProcessException."""
        self._manager.signal_process(f"{PREFIX}{id}", "pause", note)

    def resume(self, id: str) -> None:
        """Go on. What was due in the meantime is not made up for. Raises UnknownProcessException."""
        self._manager.signal_process(f"{PREFIX}{id}", "resume")

    def trigger(self, id: str) -> None:
        """Start it now, whatever else is running. Raises UnknownProcessException."""
        self._manager.signal_process(f"{PREFIX}{id}", "trigger")

    def delete(self, id: str) -> None:
        """Start nothing more; what is running goes on. Raises UnknownProcessException."""
        self._manager.terminate_process(f"{PREFIX}{id}", "the schedule was deleted")
