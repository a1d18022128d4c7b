"""Times and lengths of time, as users write and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_LENGTH = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")


def length_of(text: str) -> float | None:
    """The seconds of a length such as 90s, 15m, 12h, 7d, 2w or 1d12h; None for anything else."""
    if not _LENGTH.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


class Length(click.ParamType):  # type: ignore[type-arg]  # click before 8.4 has no arguments here
    """A length of time in seconds, or with a unit."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        length = float(value) if re.fullmatch(r"\d+(\.\d+)?", value) else length_of(value)
        if length is None:
            self.fail(f"{value!r} is not a length of time: write seconds, or 90s, 15m, 12h, 7d.", param, ctx)
        return length


class Moment(click.ParamType):  # type: ignore[type-arg]
    """A moment: an ISO time (local where it names no zone), or an age, so long before now."""

    name = "time|age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            age = length_of(value)
            if age is not None:
                return datetime.now(UTC) - timedelta(seconds=age)
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither a time such as 2026-11-25T08:30 nor an age such as 7d.", param, ctx)


def moment(seconds: float | None) -> datetime | None:
    """The aware datetime of seconds since 1970."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def iso(time: datetime) -> str:
    """A time for programs: UTC, always with six decimals, so that its text sorts as the time does."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def local(time: datetime | None) -> str:
    """A time for people: theirs, to the second."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S}"


def local_iso(text: str | None) -> str:
    """A time that is told as ISO text, for people."""
    return "" if text is None else local(datetime.fromisoformat(text))


def local_precise(time: datetime | None) -> str:
    """A time for people who look at the order of events."""
    return "" if time is None else f"{time.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3]


def local_clock(time: datetime | None) -> str:
    """The time of day alone, for what happens now."""
    return "" if time is None else f"{time.astimezone():%H:%M:%S.%f}"[:-3]


def span(seconds: float) -> str:
    """A length of time for people, two units at most: 0.4s, 12s, 3m 20s, 2d 4h."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f}s"
    left = int(seconds)
    parts: list[tuple[int, str]] = []
    for unit in "dhms":
        count, left = divmod(left, int(_SECONDS[unit]))
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count)
