"""The server's clock, read at times and carried on by the machine's own steady one in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pyworkflow.exceptions import BackendUnavailable

FRESH = 10.0
AGAIN = 1.0
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # The first one also counts a suspended machine's time.


class ServerClock:
    """Seconds since 1970 by the server; `ask` gives its seconds and microseconds. The first time may raise."""

    def __init__(self, ask: Callable[[], tuple[int, int]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._offset = self._stale = 0.0
        self._measure()

    def __call__(self) -> float:
        now = time.clock_gettime(_STEADY)
        if now >= self._stale and self._lock.acquire(blocking=False):
            try:
                self._measure()
            except BackendUnavailable:
                self._stale = now + AGAIN
            finally:
                self._lock.release()
        return now + self._offset

    def _measure(self) -> None:
        begun = time.clock_gettime(_STEADY)
        seconds, micros = self._ask()
        ended = time.clock_gettime(_STEADY)
        self._offset = int(seconds) + int(micros) / 1e6 - (begun + ended) / 2
        self._stale = ended + FRESH
