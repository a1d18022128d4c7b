"""Threads for jobs: as many as are needed at once, up to a limit, woken one at a time.

A thread that finds more work wakes one other before it begins, so a job that blocks delays no other, and many short
jobs are done by the thread that is awake already. An executor wakes a thread a job: three times the cost for no-op
activities.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

Job = Callable[[], None]


class Threads:
    """Runs jobs, which must not raise, in up to `limit` daemon threads."""

    def __init__(self, limit: int, name: str) -> None:
        self.limit = limit
        self.name = name
        self._jobs: deque[Job] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Semaphore(0)
        self._threads = 0
        self._idle = 0
        self._waking = False

    def submit(self, jobs: Iterable[Job]) -> None:
        with self._lock:
            self._jobs.extend(jobs)
            self._wake_another()

    def withdraw(self, job: Job) -> bool:
        """Take back a job that has not begun; was that so?"""
        with self._lock:
            if job in self._jobs:
                self._jobs.remove(job)
                return True
        return False

    def close(self) -> None:
        """Let idle threads end, and the others when they are done."""
        with self._lock:
            self.limit = 0
            for _ in range(self._threads):
                self._wake.release()

    def _wake_another(self) -> None:
        if self._waking or not self._jobs:
            return
        if self._idle:
            self._idle -= 1
            self._waking = True
            self._wake.release()
        elif self._threads < self.limit:
            self._threads += 1
            self._waking = True
            threading.Thread(target=self._run, name=f"{self.name}-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        while self.limit:
            self._waking = False
            while (job := self._next()) is not None:
                job()
            self._wake.acquire()

    def _next(self) -> Job | None:
        with self._lock:
            if not self._jobs:
                self._idle += 1
                return None
            job = self._jobs.popleft()
            self._wake_another()
            return job
