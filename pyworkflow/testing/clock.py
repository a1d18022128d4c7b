"""A clock that stands still until it is moved, for backends and environments whose time is virtual."""

from __future__ import annotations

import datetime as dt

START = dt.datetime(2030, 1, 1, tzinfo=dt.UTC).timestamp()


class VirtualClock:
    """Called, it gives the time in seconds since 1970; it begins in 2030 unless `now` says otherwise."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} seconds")
        self.now += seconds

    def advance_to(self, time: float) -> None:
        """Let time pass until then; nothing happens where that is over."""
        self.now = max(self.now, time)
