"""Wake-ups from the server: one thread blocks there for all threads of this operating-system process that wait.

A commit leaves a token on the list of each topic. The server gives it to one of those who block, and one of the threads
here is woken, not all. A token that nobody here wants any more goes back. All of it is a hint: a wait never lasts
longer than NAP.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from pyworkflow.engine.bell import Bell, process_topic
from pyworkflow.exceptions import BackendUnavailable

from .layout import Keys
from .pipe import FAILURES, Call
from .scripts import RING
from .server import Server

NAP = 1.0
KEPT = 100
KEPT_MS = 3_000
PAUSE = 0.1
_PROCESS = process_topic("")


class _Waiter:
    """A thread that waits."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.woken = threading.Event()


class Listener:
    """Topics are queues and processes. A task is for one waiter; the end of a process is for all that are here."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self._server = server
        self._keys = keys
        self._rung = Bell()  # What was rung here, for tickets.
        self._changed = threading.Condition()
        self._waiting: list[_Waiter] = []
        self._heard: frozenset[str] | None = None
        self._own = f"listener {os.urandom(8).hex()}"
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._closed = False

    def ticket(self) -> int:
        return self._rung.ticket()

    def ring(self, topics: Iterable[str]) -> None:
        """Wake all who wait for a topic in this operating-system process."""
        topics = frozenset(topics)
        self._rung.ring(topics)
        self._wake(lambda waiter: not topics.isdisjoint(waiter.topics))

    def ringing(self, topics: Iterable[str]) -> Call:
        """The call that leaves a token for each topic."""
        call = Call.script(RING, [self._keys.bell(topic) for topic in topics], KEPT, KEPT_MS)
        call.hint = True
        return call

    def wait(self, ticket: int, topics: Iterable[str], timeout: float) -> None:
        """Wait for a ring since the ticket, or a token: those that nobody took are still there."""
        if self._pid != os.getpid():
            self._begin_again()
        waiter = _Waiter(frozenset(topics))
        with self._changed:
            self._waiting.append(waiter)
            self._start()
            unheard = self._heard is not None and not waiter.topics <= self._heard
            self._changed.notify()
        try:
            if unheard:
                self._server.run([self.ringing([self._own])])
            if not self._closed and not self._rung.wait(ticket, waiter.topics, 0):
                waiter.woken.wait(min(timeout, NAP))
        finally:
            with self._changed, suppress(ValueError):
                self._waiting.remove(waiter)

    def _begin_again(self) -> None:
        """After a fork, where the thread has not come along and a lock may be held by nobody."""
        self.__init__(self._server, self._keys)  # type: ignore[misc]

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._listen, name="pyworkflow-redis", daemon=True)
            self._thread.start()

    def _wake(self, whom: Callable[[_Waiter], bool], one: bool = False) -> bool:
        """Wake some of those who wait, or the first of them; was there any?"""
        with self._changed:
            woken = [waiter for waiter in self._waiting if whom(waiter)][: 1 if one else None]
            for waiter in woken:
                self._waiting.remove(waiter)
                waiter.woken.set()
        return bool(woken)

    # -- the thread ----------

    def _listen(self) -> None:
        while topics := self._topics():
            try:
                topic = self._hear(topics)
            except (*FAILURES, BackendUnavailable):
                self._wake(lambda waiter: True)  # They look for themselves, and say what is wrong.
                time.sleep(PAUSE)
                continue
            if topic is not None and topic != self._own:
                self._pass_on(topic)

    def _topics(self) -> list[str]:
        """What is waited for, once there is something; nothing when this is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return []
            self._heard = frozenset().union(*(waiter.topics for waiter in self._waiting))
            return [self._own, *self._heard]

    def _hear(self, topics: list[str]) -> str | None:
        """Block until there is a token, for a nap at most; its topic."""
        lists = {self._keys.bell(topic): topic for topic in topics}
        try:
            found = self._server.block(*lists, seconds=NAP)
        finally:
            with self._changed:
                self._heard = None
        return None if found is None else lists[found]

    def _pass_on(self, topic: str) -> None:
        """Give a token to the first who waits for it here; back to the server where there is none."""
        if not self._wake(lambda waiter: topic in waiter.topics, one=not topic.startswith(_PROCESS)):
            with suppress(BackendUnavailable):
                self._server.run([self.ringing([topic])])

    def leave(self) -> None:
        """Let all who wait return, and the thread end within a nap."""
        self._closed = True
        if self._pid == os.getpid():
            self._wake(lambda waiter: True)
            with self._changed:
                self._changed.notify_all()

    def close(self) -> None:
        """Let all who wait return, and the thread end before its connection does."""
        self.leave()
        thread = self._thread
        if thread is None or self._pid != os.getpid():
            return
        if self._heard is not None:
            with suppress(BackendUnavailable):
                self._server.run([self.ringing([self._own])])
        thread.join(NAP)
