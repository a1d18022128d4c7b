"""The server's time, told without asking each time: its distance from this machine's monotonic clock is measured."""

from __future__ import annotations

import time
from collections.abc import Callable

REFRESH = 30.0


class ServerClock:
    """`ask` gives the server's time; this machine's own time of day never counts, and may be hours wrong."""

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask = ask
        self._next = float("-inf")
        self._offset = 0.0

    def __call__(self) -> float:
        """Seconds since 1970. Raises BackendUnavailable."""
        now = time.monotonic()
        if now >= self._next:
            told = self._ask()
            answered = time.monotonic()
            self._offset, self._next = told - (now + answered) / 2, answered + REFRESH
            now = answered
        return now + self._offset
