"""Schedules: a workflow of the library's own that starts others, by cron or at intervals. It runs on every backend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, to_builtins

from .code import CodeWorkflow, Context, query, signal
from .code.calls import Call
from .exceptions import UnknownProcessException
from .process import Process, ProcessResult
from .values import name_of
from .workflow.base import Workflow

if TYPE_CHECKING:
    from .manager import Manager

OVERLAPS = ("skip", "queue", "allow", "cancel")
PREFIX = "schedule-"
LONG = 2_000
"""Events after which a schedule begins a new run."""


class Schedule(Struct, kw_only=True):
    """What is started when: `cron`, five fields in `time_zone`, or `every` so many seconds since it was created.

    `overlap` says what to do while the last one is still running: "skip" this time, "queue" it (once), "allow" both, or
    "cancel" the last one. A time that nobody looked at for longer than `catch_up` seconds is missed.
    """

    workflow: str
    input: Any = None
    cron: str | None = None
    every: float | None = None
    time_zone: str = "UTC"
    overlap: str = "skip"
    catch_up: float = 3600.0
    tags: list[str] = []
    version: str | None = None

    def check(self) -> None:
        """Raises ValueError where it makes no sense."""
        if (self.cron is None) == (self.every is None):
            raise ValueError("a schedule has either cron or every")
        if self.every is not None and self.every <= 0:
            raise ValueError(f"every so many seconds: more than 0, not {self.every}")
        if self.overlap not in OVERLAPS:
            raise ValueError(f"overlap is {', '.join(OVERLAPS)}, not {self.overlap!r}")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {self.time_zone!r}: write it like Europe/Berlin") from None
        if self.cron is not None:
            self.next(datetime.now(UTC), datetime.now(UTC))

    def next(self, start: datetime, after: datetime) -> datetime:
        """The first time after `after`. Raises ValueError for a cron expression that is none."""
        if self.every is not None:
            times = (after - start).total_seconds() // self.every + 1
            return start + timedelta(seconds=times * self.every)
        try:
            from cronsim import CronSim, CronSimError
        except ImportError:
            raise ValueError("cron expressions need cronsim: pip install pyworkflow[schedules]") from None
        try:
            found: datetime = next(CronSim(str(self.cron), after.astimezone(ZoneInfo(self.time_zone))))
        except (CronSimError, StopIteration):
            raise ValueError(
                f"{self.cron!r} is no cron expression: write five fields such as '30 8 * * MON-FRI'"
            ) from None
        return found.astimezone(UTC)


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


class Scheduler(CodeWorkflow):
    """The workflow of schedules: whoever decides on them has it among its workflows."""

    name = "Schedule"
    timeout: ClassVar[float] = 365 * 86_400.0

    def __init__(self) -> None:
        self.schedule: Schedule
        self.at = Progress()
        self.due: datetime | None = None
        self.triggered = self.changed = 0
        self.waiting: datetime | None = None
        self.running: list[Call[Any]] = []

    # -- what it hears ----------

    @signal
    def pause(self, note: str | None = None) -> None:
        self.at.paused, self.at.note = True, note if isinstance(note, str) else None
        self.changed += 1

    @signal
    def resume(self) -> None:
        self.at.paused, self.at.note = False, None
        self.changed += 1

    @signal
    def trigger(self) -> None:
        self.triggered += 1
        self.changed += 1

    @query
    def describe(self) -> dict[str, Any]:
        """The schedule and how far it has come."""
        known = {**to_builtins(self.schedule), **to_builtins(self.at), "next": None, "running": []}
        due = None if self.at.paused or self.due is None else self.due.isoformat()
        return known | {"next": due, "running": [call.id for call in self.running]}

    # -- what it does ----------

    async def run(self, ctx: Context, schedule: Schedule, progress: Progress | None = None) -> None:
        self.schedule, self.at = schedule, progress or self.at
        self.at.start = self.at.start or ctx.now()
        self.at.after = self.at.after or ctx.now()
        while True:
            if self._is_long(ctx):
                ctx.continue_as_new(schedule, self.at)
            self.due = schedule.next(self.at.start, self.at.after)
            if await self._is_due(ctx, self.due):
                self.at.after = self.due
                self._pass(ctx, self.due)
            while self.triggered:
                self.triggered -= 1
                self._start(ctx, ctx.now())

    async def _is_due(self, ctx: Context, due: datetime) -> bool:
        """Wait until it is due, False where something was said before."""
        seen = self.changed
        left = (due - ctx.now()).total_seconds()
        if left > 0 or self.at.paused:
            try:
                said = lambda: self.changed > seen or self.triggered or self._is_long(ctx)  # noqa: E731
                await ctx.wait_condition(said, timeout=max(left, 0.001))
                return False
            except TimeoutError:
                pass
        return True

    def _is_long(self, ctx: Context) -> bool:
        """Is it time for a new run, which does not hear of what this one has started?"""
        return ctx.info.events > LONG and not self.running and not self.triggered

    def _pass(self, ctx: Context, due: datetime) -> None:
        """A time has come."""
        self.running = [call for call in self.running if not call.done()]
        late = (ctx.now() - due).total_seconds()
        if self.at.paused:
            return
        if late > self.schedule.catch_up:
            self.at.missed += 1
            self.at.after = max(due, ctx.now() - timedelta(seconds=self.schedule.catch_up))
        elif not self.running or self.schedule.overlap == "allow":
            self._start(ctx, due)
        elif self.schedule.overlap == "cancel":
            for call in self.running:
                call.cancel()
            self._start(ctx, due)
        elif self.schedule.overlap == "queue" and self.waiting is None:
            self.waiting = due
        else:
            self.at.skipped += 1

    def _start(self, ctx: Context, at: datetime) -> None:
        schedule = self.schedule
        self.at.started += 1
        self.at.last = at.isoformat()
        id = f"{ctx.info.id.removeprefix(PREFIX)}-{at:%Y%m%dT%H%M%S}-{self.at.started}"
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
        if self.waiting is not None and not self.running:
            due, self.waiting = self.waiting, None
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
