"""The clock of a server, read at times and carried on by this machine's own steady one in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from ..exceptions import BackendUnavailable

FRESH = 10.0
AGAIN = 1.0

# Where there is one, a clock that also counts the time of a suspended machine.
steady: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class ServerClock:
    """Seconds since 1970 as `ask` tells them; this machine's own time of day never counts, and may be hours wrong.

    The first call may raise BackendUnavailable.
    """

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._stale = float("-inf")
        self._offset: float | None = None

    def __call__(self) -> float:
        now = steady()
        if self._offset is None:
            return self._measure()
        if now >= self._stale and self._lock.acquire(blocking=False):
            try:
                return self._measure()
            except BackendUnavailable:
                self._stale = now + AGAIN
            finally:
                self._lock.release()
        return now + self._offset

    def _measure(self) -> float:
        """The server looked at its clock at some time in between. What was thought stays where it can be right: so the
        time does not jump, nor go back, with each answer that was slow."""
        begun = steady()
        told = self._ask()
        ended = steady()
        least, most = told - ended, told - begun
        thought = (least + most) / 2 if self._offset is None else self._offset
        self._offset = min(max(thought, least), most)
        self._stale = ended + FRESH
        return ended + self._offset
