"""Wake-ups from the server: one thread blocks there for all threads of this operating-system process that wait.

A commit leaves a token on the list of each topic. The server gives it to one of those who block, so one is woken, not
all. A token that nobody here wants any more goes back. All of it is a hint: a wait never lasts longer than NAP.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from pyworkflow.engine.bell import Bell
from pyworkflow.exceptions import BackendUnavailable

from .layout import Keys
from .scripts import RING
from .server import FAILURES, Call, Server

NAP = 1.0
KEPT = 100
KEPT_MS = 3_000
PAUSE = 0.1


class Listener:
    """Topics are queues and processes."""

    def __init__(self, server: Server, keys: Keys) -> None:
        self.bell = Bell()
        self._server = server
        self._keys = keys
        self._changed = threading.Condition()
        self._wanted: Counter[str] = Counter()
        self._heard: frozenset[str] | None = None
        self._own = f"listener {os.urandom(8).hex()}"
        self._thread: threading.Thread | None = None
        self._pid = os.getpid()
        self._closed = False

    def ringing(self, topics: Iterable[str]) -> Call:
        """The call that leaves a token for each topic."""
        return Call.script(RING, [self._keys.bell(topic) for topic in topics], KEPT, KEPT_MS)

    def wait(self, ticket: int, topics: Iterable[str], timeout: float) -> None:
        topics = frozenset(topics)
        if self._pid != os.getpid():
            self._begin_again()
        with self._wanting(topics):
            self.bell.wait(ticket, topics, min(timeout, NAP))

    def _begin_again(self) -> None:
        """After a fork, where the thread has not come along and a lock may be held by nobody."""
        self.__init__(self._server, self._keys)  # type: ignore[misc]

    @contextmanager
    def _wanting(self, topics: frozenset[str]) -> Iterator[None]:
        with self._changed:
            self._wanted.update(topics)
            self._start()
            unheard = self._heard is not None and not topics <= self._heard
            self._changed.notify()
        if unheard:
            self._server.run([self.ringing([self._own])])
        try:
            yield
        finally:
            with self._changed:
                self._wanted.subtract(topics)
                self._wanted += Counter()  # Without those that nobody wants.

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._listen, name="pyworkflow-redis", daemon=True)
            self._thread.start()

    def _listen(self) -> None:
        while not self._closed:
            topics = self._topics()
            try:
                topic = self._hear(topics)
            except (*FAILURES, BackendUnavailable):
                self.bell.ring_all()  # They look for themselves, and say what is wrong.
                time.sleep(PAUSE)
                continue
            if topic is not None and topic != self._own:
                self._pass_on(topic)

    def _topics(self) -> list[str]:
        """What is waited for; there is something."""
        with self._changed:
            self._changed.wait_for(lambda: self._wanted or self._closed)
            self._heard = frozenset(self._wanted)
            return [self._own, *self._wanted]

    def _hear(self, topics: list[str]) -> str | None:
        """Block until there is a token, for a nap at most; its topic."""
        lists = {self._keys.bell(topic): topic for topic in topics}
        try:
            client = self._server.client_of(next(iter(lists)))
            found = client.execute_command("BLPOP", *lists, NAP)
        finally:
            with self._changed:
                self._heard = None
        return None if found is None else lists[found[0]]

    def _pass_on(self, topic: str) -> None:
        with self._changed:
            wanted = topic in self._wanted
        if wanted:
            self.bell.ring([topic])
        else:
            with suppress(BackendUnavailable):
                self._server.run([self.ringing([topic])])

    def close(self) -> None:
        """Let the thread end before its connection does."""
        self._closed = True
        self.bell.ring_all()
        with self._changed:
            self._changed.notify_all()
            thread, blocked = self._thread, self._heard is not None
        if thread is None or self._pid != os.getpid():
            return
        if blocked:
            with suppress(BackendUnavailable):
                self._server.run([self.ringing([self._own])])
        thread.join(NAP)
