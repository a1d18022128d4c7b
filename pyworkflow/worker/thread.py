"""A worker in a thread, as the first API had it."""

from __future__ import annotations

import threading
from logging import Logger

from .worker import Worker


class WorkerThread(threading.Thread):
    """Steps a worker until `join()`; waits `delay_on_idle` seconds when there was nothing to do."""

    def __init__(self, worker: Worker, logger: Logger | None = None, delay_on_idle: float = 1) -> None:
        super().__init__(name=f"{worker.name}-thread", daemon=True)
        self.worker = worker
        self.logger = logger
        self.delay_on_idle = delay_on_idle
        self._ending = threading.Event()

    def run(self) -> None:
        while not self._ending.is_set():
            if not self.worker.step(self.logger):
                self._ending.wait(self.delay_on_idle)

    def join(self, timeout: float | None = None) -> None:
        """Let the worker finish its step and stop."""
        self._ending.set()
        super().join(timeout)
