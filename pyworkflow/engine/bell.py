"""A bell: wakes the threads of one operating-system process that wait for news of some topics."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable

from .store import Commit

_REMEMBERED = 10_000


class Bell:
    """Topics are queues and processes. A ticket taken before looking makes sure that no ring is missed after it."""

    def __init__(self) -> None:
        self._renew()
        self._count = 0
        self._rung: dict[str, int] = {}
        self._forgotten = 0
        _BELLS.add(self)

    def after_fork(self) -> None:
        """In the child: a thread that is not there any more may have the lock."""
        self._renew()

    def _renew(self) -> None:
        # With the lock itself an interrupt (Ctrl-C) cannot come between having it and leaving it again.
        self._lock = threading.RLock()
        self._condition = threading.Condition(self._lock)

    def ticket(self) -> int:
        return self._count

    def ring(self, topics: Iterable[str]) -> None:
        with self._lock:
            self._count += 1
            for topic in topics:
                self._rung[topic] = self._count
            if len(self._rung) > _REMEMBERED:
                self._rung.clear()
                self._forgotten = self._count
            self._condition.notify_all()

    def ring_all(self) -> None:
        """Wake everybody."""
        with self._lock:
            self._count += 1
            self._forgotten = self._count
            self._condition.notify_all()

    def wait(self, ticket: int, topics: Iterable[str], timeout: float) -> bool:
        """Was a topic rung since the ticket? Waits up to `timeout` seconds for it."""
        topics = tuple(topics)
        with self._lock:
            return self._condition.wait_for(lambda: self._since(ticket, topics), timeout)

    def _since(self, ticket: int, topics: tuple[str, ...]) -> bool:
        return self._forgotten > ticket or any(self._rung.get(topic, 0) > ticket for topic in topics)


_BELLS: weakref.WeakSet[Bell] = weakref.WeakSet()


def _after_fork() -> None:
    for bell in list(_BELLS):
        bell.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def topics_of(commit: Commit) -> Iterable[str]:
    """What waiters are told of a commit: the queues that got tasks, and the process when its status changed."""
    for task in commit.add:
        yield task.queue
    if commit.summary is not None:
        yield process_topic(commit.process)


def process_topic(process: str) -> str:
    return f"process/{process}"
