"""The customers: threads that start processes and pay for them, each call repeated until it is acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from queue import Empty, PriorityQueue

from pyworkflow import BackendUnavailable, Manager, Process, UnknownProcessException

from .app import PAID, Errand

PAUSE = 0.1
RUSH = (-1.0, 0.2)  # seconds around a death
THREADS = 4
Job = tuple[float, str, int]


class Customers:
    """They start `count` processes, most of them shortly before one of the times at which the server `dies` (seconds
    from now), and pay for the first `paying` of them some time later.

    `acknowledged` is when each call first returned, by what it was and for which process; `forgotten` are the processes
    that were acknowledged and then not there; `refused` counts the calls that have to be repeated.
    """

    def __init__(self, manager: Manager, count: int, paying: int, dies: Sequence[float], seed: int) -> None:
        self.manager = manager
        self.count = count
        self.paying = paying
        self.refused = 0
        self.acknowledged: dict[tuple[str, int], float] = {}
        self.forgotten: list[int] = []
        self._random = random.Random(seed)
        self._jobs: PriorityQueue[Job] = PriorityQueue()
        self._stopped = threading.Event()
        begun = time.monotonic()
        for number in range(count):
            self._jobs.put((begun + self._random.choice(dies) + self._random.uniform(*RUSH), "start", number))
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    @property
    def done(self) -> bool:
        return len(self.acknowledged) == self.count + self.paying

    def _serve(self) -> None:
        while not (self.done or self._stopped.is_set()):
            try:
                job = self._jobs.get(timeout=PAUSE)
            except Empty:
                continue
            if (wait := job[0] - time.monotonic()) > 0:
                self._jobs.put(job)
                self._stopped.wait(min(wait, PAUSE))
            else:
                self._do(job[1], job[2])

    def _do(self, what: str, number: int) -> None:
        """Once, or again later if nobody knows whether it was done."""
        try:
            (self.start if what == "start" else self.pay)(number)
        except BackendUnavailable:
            self.refused += 1
            self._jobs.put((time.monotonic() + PAUSE, what, number))
            return
        except UnknownProcessException:  # It was paid for because its start was acknowledged.
            self.forgotten.append(number)
            self._jobs.put((time.monotonic() + PAUSE, "start", number))
            return
        self.acknowledged.setdefault((what, number), time.monotonic())
        if what == "start" and number < self.paying:
            self._jobs.put((time.monotonic() + self._random.uniform(0, 2), "pay", number))

    def start(self, number: int) -> None:
        input = {"number": number, "waits": number < self.paying}
        self.manager.start_process(Process(Errand, name(number), input), request_id=f"start-{number}")

    def pay(self, number: int) -> None:
        self.manager.signal_process(name(number), PAID, number, request_id=f"pay-{number}")

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def name(number: int) -> str:
    return f"errand-{number}"
