"""Long polls, each in a thread and on a connection of its own, and the tasks that they have brought.

SWF holds a poll for 60 seconds and cannot be told otherwise; a task that it hands to a poll that nobody hears is lost
until it times out. So no poll is given up: who stops waiting leaves it open, and who comes next gets what it brings.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from pyworkflow.backend.model import Wanted
from pyworkflow.task import ActivityTask, DecisionTask

logger = logging.getLogger("pyworkflow.amazonswf")

Task = ActivityTask | DecisionTask
Key = tuple[str, str]
"""The kind of task, "decision" or "activity", and the category."""

AT_ONCE = 50
"""How many polls are made at most for tasks that SWF says are there."""
PROMPT = 10.0
"""Seconds in which SWF answers a poll for a task that it says is there."""


class PollAgain(Exception):
    """The poll brought a task that is dealt with already."""


class Polls:
    """`poll` makes one long poll; None where it brought nothing. `hand_back` is for tasks that come after the end."""

    def __init__(
        self,
        poll: Callable[[Key, str | None], Task | None],
        hand_back: Callable[[Task], None],
        count: Callable[[Key], int],
        most: int,
    ) -> None:
        self._poll = poll
        self._hand_back = hand_back
        self._count = count
        self._most = most
        self.closed = False
        self._begin()

    def _begin(self) -> None:
        """With no poll open: at first, and in a child of a fork, which has no threads."""
        self._process = os.getpid()
        self._news = threading.Condition()
        self._open: dict[Key, int] = {}
        self._ready: dict[Key, deque[Task]] = {}
        self._errors: list[Exception] = []
        self._again = False
        self._interrupts: set[str] = set()

    def _after_fork(self) -> None:
        if self._process != os.getpid():
            self._begin()

    # -- for those who want tasks ----------

    def take(self, wanted: dict[str, Wanted], identity: str | None, timeout: float, name: str | None) -> list[Task]:
        """Tasks of these kinds and categories, waiting for the first of them.

        Without a timeout, those that SWF says are there: then no poll stays open. Raises what a poll raised.
        """
        self._after_fork()
        keys = {(kind, category): it.limit for kind, it in wanted.items() for category in it.categories if it.limit > 0}
        if timeout <= 0:
            return self._at_once(keys, wanted, identity)
        end = time.monotonic() + timeout
        with self._news:
            while True:
                got = self._fetch(wanted)
                left = end - time.monotonic()
                if got or left <= 0 or self.closed or name in self._interrupts:
                    self._interrupts.discard(name or "")
                    return got
                for key, limit in keys.items():
                    self._start(key, min(self._most, max(1, limit // len(keys))), identity)
                self._news.wait(left)

    def _at_once(self, keys: dict[Key, int], wanted: dict[str, Wanted], identity: str | None) -> list[Task]:
        while True:
            with self._news:
                if got := self._fetch(wanted):
                    return got
                self._again = False
            began = time.monotonic()
            there = {key: count for key in keys if (count := self._count(key)) > 0}
            counted = time.monotonic() - began
            end = time.monotonic() + (PROMPT if there else 2 * counted)
            with self._news:
                for key, count in there.items():
                    self._start(key, min(AT_ONCE, keys[key], count), identity)
                watched = there or {key: 1 for key in keys if self._open.get(key)}
                while not self.closed and any(self._open.get(key) for key in watched):
                    # One that came is enough, but those that are on their way come with it.
                    left = end - time.monotonic()
                    if left <= 0 or not self._news.wait(left):
                        break
                if (got := self._fetch(wanted)) or not self._again or self.closed:
                    return got

    def interrupt(self, name: str) -> None:
        """Let the `take` of this name return."""
        self._after_fork()
        with self._news:
            self._interrupts.add(name)
            self._news.notify_all()

    def close(self, patience: float) -> None:
        """Let everybody who waits return, and wait for open polls; what they bring is handed back."""
        self._after_fork()
        with self._news:
            self.closed = True
            self._news.notify_all()
            left = [task for tasks in self._ready.values() for task in tasks]
            self._ready.clear()
            open = sum(self._open.values())
        for task in left:
            self._give_back(task)
        if open and patience > 0:
            logger.info("waiting up to %.0f s for %d open polls, so that no task is lost", patience, open)
        end = time.monotonic() + patience
        with self._news:
            while sum(self._open.values()) and (remaining := end - time.monotonic()) > 0:
                self._news.wait(remaining)
            if sum(self._open.values()) and patience > 0:
                logger.warning("a poll is still open: a task that it brings times out")

    def _fetch(self, wanted: dict[str, Wanted]) -> list[Task]:
        """What is there; an error where there is nothing else."""
        got: list[Task] = []
        for kind, it in wanted.items():
            room = it.limit
            for category in it.categories:
                tasks = self._ready.get((kind, category), deque())
                while tasks and room > 0:
                    got.append(tasks.popleft())
                    room -= 1
        if self._errors and not got:
            error, self._errors = self._errors[0], []
            raise error
        return got

    # -- the threads ----------

    def _start(self, key: Key, number: int, identity: str | None) -> None:
        for _ in range(number - self._open.get(key, 0)):
            self._open[key] = self._open.get(key, 0) + 1
            # Not a daemon: the interpreter waits for it at its end.
            threading.Thread(target=self._run, args=(key, identity), name=f"swf-{'-'.join(key)}").start()

    def _run(self, key: Key, identity: str | None) -> None:
        task: Task | None = None
        error: Exception | None = None
        again = False
        try:
            task = self._poll(key, identity)
        except PollAgain:
            again = True
        except Exception as caught:
            error = caught
        with self._news:
            heard = not self.closed and threading.main_thread().is_alive()
            if task is not None and heard:
                self._ready.setdefault(key, deque()).append(task)
        if task is not None and not heard:
            self._give_back(task)
        with self._news:  # Not before: whoever closes waits for this.
            self._open[key] -= 1
            self._again = self._again or again
            if error is not None and heard:
                self._errors = [error]
            self._news.notify_all()

    def _give_back(self, task: Task) -> None:
        try:
            self._hand_back(task)
        except Exception as error:
            logger.warning("a task came after the end and times out: %s", error)


def wanted_of(decisions: Wanted | None, activities: Wanted | None) -> dict[str, Wanted]:
    """What an exchange wants, by kind."""
    both = {"decision": decisions, "activity": activities}
    return {kind: wanted for kind, wanted in both.items() if wanted is not None and wanted.limit > 0}


def by_kind(tasks: Sequence[Any]) -> tuple[list[ActivityTask], list[DecisionTask]]:
    """Activities and decisions."""
    activities = [task for task in tasks if isinstance(task, ActivityTask)]
    return activities, [task for task in tasks if isinstance(task, DecisionTask)]
