"""Timetables: at which times a schedule starts what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from .exceptions import to_install

OVERLAPS = ("skip", "queue", "allow", "cancel")
EVERY = (1.0, 10 * 365 * 86_400.0)
"""The shortest and the longest interval, in seconds."""


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
        if self.every is not None and not EVERY[0] <= self.every <= EVERY[1]:  # Nor is "not a number" between them.
            raise ValueError(f"every so many seconds: 1 or more, and at most ten years, not {self.every}")
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
        return next(self.times(start, after))

    def times(self, start: datetime, after: datetime) -> Iterator[datetime]:
        """All times after `after`. Raises ValueError for a cron expression that is none."""
        if self.every is not None:  # Whole microseconds: a sum of fractions might never get past `after`.
            interval = timedelta(seconds=self.every)
            return (start + number * interval for number in count((after - start) // interval + 1))
        return self._by_cron(after)

    def _by_cron(self, after: datetime) -> Iterator[datetime]:
        try:
            from cronsim import CronSim, CronSimError
        except ImportError:
            raise ValueError(f"cron expressions need cronsim: {to_install('schedules')}") from None
        try:
            for found in CronSim(str(self.cron), after.astimezone(ZoneInfo(self.time_zone))):
                yield found.astimezone(UTC)
        except CronSimError:
            pass
        raise ValueError(f"{self.cron!r} is no cron expression: write five fields such as '30 8 * * MON-FRI'")
