"""Threads for jobs. One is woken for a batch and does all of it if nothing blocks; where it does, others help.

Waking a thread costs more than many a job: an executor, which wakes one a job, takes three times as long for no-ops,
and threads that all run at once pass the interpreter's lock to and fro. So there is one that works and one that
watches, a millisecond at a time, whether the jobs that wait get fewer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

Job = Callable[[], None]

STUCK = 0.001


class Threads:
    """Runs jobs, which must not raise, in up to `limit` daemon threads."""

    def __init__(self, limit: int, name: str) -> None:
        self.limit = limit
        self.name = name
        self._jobs: deque[Job] = deque()
        self._roles: SimpleQueue[Job] = SimpleQueue()
        self._dry: SimpleQueue[None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._watched = False

    def submit(self, jobs: Sequence[Job]) -> None:
        while self._dry.qsize():
            self._dry.get()
        self._jobs.extend(jobs)
        with self._lock:
            self._rouse(self._work, 1)

    def settle(self, seconds: float) -> None:
        """Wait up to so long until a thread finds nothing more to do."""
        with suppress(Empty):
            self._dry.get(timeout=seconds)

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
                self._roles.put(self._work)

    def _rouse(self, role: Job, count: int) -> bool:
        """Give a role to idle or new threads, as many as there may be; were there any?"""
        roused = min(count, self._idle + self.limit - self._threads)
        for _ in range(roused):
            if self._idle:
                self._idle -= 1
                self._roles.put(role)
            else:
                self._threads += 1
                name = f"{self.name}-{self._threads}"
                threading.Thread(target=self._live, args=(role,), name=name, daemon=True).start()
        return roused > 0

    def _live(self, role: Job) -> None:
        while self.limit:
            role()
            with self._lock:
                rests = not self._jobs and bool(self.limit)
                self._idle += rests
            if rests and role == self._work:
                self._dry.put(None)
            role = self._roles.get() if rests else self._work

    def _work(self) -> None:
        """Do one job after the other, and see to it that somebody watches what waits behind them."""
        while self.limit:
            try:
                job = self._jobs.popleft()
            except IndexError:
                return
            if self._jobs and not self._watched:
                with self._lock:
                    self._watched = self._watched or self._rouse(self._watch, 1)
            job()

    def _watch(self) -> None:
        """Wait until the jobs that wait are begun, or do not get fewer: then let everybody help."""
        left = -1
        while self.limit and len(self._jobs) not in (0, left):
            left = len(self._jobs)
            time.sleep(STUCK)
        with self._lock:
            self._watched = False
            self._rouse(self._work, len(self._jobs) - 1)
