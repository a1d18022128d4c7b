"""Heartbeats: sent as often as makes sense, by the activity or for it; what comes back is told to the activity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from ..activity import ActivityCanceled, ActivityMonitor
from ..exceptions import BackendUnavailable, PayloadError, UnknownActivityException
from ..task import ActivityTask

LONGEST_SILENCE = 1.0


def no_end() -> None:
    """Nothing is done at the end."""


class Heart(ActivityMonitor):
    """The monitor of one running activity.

    However often the activity beats, the backend hears it once in a third of the heartbeat timeout, and at least every
    second. `cancel_requested` and `lost` say what the backend answered last.
    """

    def __init__(
        self,
        task: ActivityTask,
        send: Callable[[ActivityTask, Any], bool],
        on_end: Callable[[], None] = no_end,
    ) -> None:
        super().__init__()
        self.task = task
        self.interval = min((task.heartbeat_timeout or LONGEST_SILENCE) / 3, LONGEST_SILENCE)
        self.cancel_requested = False
        self.lost: UnknownActivityException | None = None
        self.on_end = on_end
        self._send = send
        self._sent = float("-inf")
        self._details: Any = None
        self._lock = threading.Lock()

    def heartbeat(self, details: Any = None) -> None:
        """Raises ActivityCanceled when cancellation was requested, UnknownActivityException when the task is lost."""
        kept = self._details
        if details is not None:
            self._details = details
        try:
            self.beat()
        except Exception:
            self._details = kept
            raise
        if self.lost is not None:
            raise self.lost
        if self.cancel_requested:
            raise ActivityCanceled("its cancellation was requested")

    def outcome_of_cancel(self) -> ActivityCanceled:
        """What an activity that was stopped because of this heart ended with."""
        return ActivityCanceled(self._details if self.cancel_requested else "the worker shut down")

    def beat(self) -> None:
        """Tell the backend, if it is time to."""
        with self._lock:
            now = time.monotonic()
            if self.lost is not None or now - self._sent < self.interval:
                return
            was_running = not self.cancel_requested
            try:
                self.cancel_requested = self._send(self.task, self._details) or self.cancel_requested
                self._sent = now
            except UnknownActivityException as error:
                self.lost = error
            except BackendUnavailable:
                return
            except PayloadError:
                self._details = None  # Or every later heartbeat fails too, and the activity times out.
                raise
        if self.lost is not None or (self.cancel_requested and was_running):
            self.on_end()
