"""Threads for jobs. One is woken for a batch and does all of it if nothing blocks; where it does, others help.

Waking a thread costs more than many a job: an executor, which wakes one a job, takes three times as long for no-ops,
and threads that all run at once pass the interpreter's lock to and fro.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

Job = Callable[[], None]

STUCK = 0.001
SETTLE = 0.01


class Threads:
    """Runs jobs, which must not raise, in up to `limit` daemon threads. Who submits must `settle` or `look` soon."""

    def __init__(self, limit: int, name: str) -> None:
        self.limit = limit
        self.name = name
        self._jobs: deque[Job] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._dry: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._seen = (0, 0.0)

    def submit(self, jobs: Sequence[Job]) -> None:
        while self._dry.qsize():
            self._dry.get()
        self._jobs.extend(jobs)
        self._seen = (len(self._jobs), time.monotonic())
        self._rouse(1)

    def settle(self) -> None:
        """Wait a few milliseconds for what was submitted to be done, as long as it is not stuck."""
        until = time.monotonic() + SETTLE
        while time.monotonic() < until:
            try:
                return self._dry.get(timeout=STUCK)
            except Empty:
                if not self.look():
                    return None
        return None

    def look(self) -> bool:
        """Let more threads help when no job was begun for a while; are there jobs that go on without?"""
        left, now = len(self._jobs), time.monotonic()
        seen, when = self._seen
        if left != seen:
            self._seen = (left, now)
        elif left and now - when >= STUCK:
            self._rouse(left)
            return False
        return left > 0

    def withdraw(self, job: Job) -> bool:
        """Take back a job that has not begun; was that so?"""
        try:
            self._jobs.remove(job)
        except ValueError:
            return False
        return True

    def close(self) -> None:
        """Let idle threads end, and the others when they are done."""
        with self._lock:
            self.limit = 0
            for _ in range(self._threads):
                self._wake.put(None)

    def _rouse(self, count: int) -> None:
        with self._lock:
            for _ in range(min(count, self._idle + self.limit - self._threads)):
                if self._idle:
                    self._idle -= 1
                    self._wake.put(None)
                else:
                    self._threads += 1
                    threading.Thread(target=self._run, name=f"{self.name}-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        while self.limit:
            try:
                job = self._jobs.popleft()
            except IndexError:
                self._rest()
            else:
                job()

    def _rest(self) -> None:
        """Wait to be roused, unless a job came in just now."""
        with self._lock:
            if self._jobs or not self.limit:
                return
            self._idle += 1
        self._dry.put(None)
        self._wake.get()
