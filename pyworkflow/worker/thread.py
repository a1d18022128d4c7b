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
            if not self._step():
                self._ending.wait(self.delay_on_idle)

    def _step(self) -> bool:
        try:
            return self.worker.step(self.logger)
        except Exception as error:
            self.worker.log.warning("trying again in %.1f s: %s", self.delay_on_idle, error)
            return False

    def join(self, timeout: float | None = None) -> None:
        """Let the worker finish its step and stop."""
        self._ending.set()
        super().join(timeout)
