"""A store that fails: requests and replies are lost, commits come twice, machines die, others are faster.

Put it between an engine and its store, with a seed: `Engine(FaultyStore(store, Random(7), Rates(lost_reply=0.02)))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeVar

from msgspec import Struct

from ..engine.store import Commit, Excerpt, Query, QueueInfo, Row, Store, Summary, Task
from ..exceptions import BackendUnavailable

R = TypeVar("R")


class Crash(BaseException):
    """The machine died here: whatever it held is gone. No `except Exception` saves it, as none saves from kill -9."""


class Rates(Struct, frozen=True):
    """How often, per call of the store, each fault happens; from 0 to 1."""

    lost_request: float = 0.0
    lost_reply: float = 0.0
    duplicate: float = 0.0
    crash: float = 0.0
    interlude: float = 0.0


CALM = Rates()


class FaultyStore(Store):
    """Passes everything on to `store`, and lets happen what `rates` say, as `random` decides.

    `interlude` is called where others may act in between: before calls, and inside a batch only if `store` is not
    transactional. `happened` are the faults so far, `touched` the processes whose heads or tasks were changed. Set
    `calls_left` to find endless loops.
    """

    def __init__(
        self,
        store: Store,
        random: Random,
        rates: Rates = CALM,
        *,
        transactional: bool = False,
        interlude: Callable[[], None] | None = None,
    ) -> None:
        self.store = store
        self.random = random
        self.rates = rates
        self.transactional = transactional
        self.interlude = interlude
        self.calls_left: int | None = None
        self.happened: list[str] = []
        self.touched: set[str] = set()
        self._in_batch = False

    # -- the faults ----------

    def _happens(self, fault: str, call: str) -> bool:
        rate: float = getattr(self.rates, fault)
        if not rate or self.random.random() >= rate:
            return False
        self.happened.append(f"{fault} {call}")
        return True

    def _call(self, name: str, call: Callable[[], R]) -> R:
        if self.calls_left is not None:
            self.calls_left -= 1
            assert self.calls_left >= 0, f"{name}: too many calls, this is an endless loop"
        if self.rates is CALM:
            return call()
        if (
            self.interlude is not None
            and not (self._in_batch and self.transactional)
            and self._happens("interlude", name)
        ):
            self.interlude()
        self._fail("lost_request", f"{name}: the request was lost")
        done = call()
        self._fail("lost_reply", f"{name}: the reply was lost")
        return done

    def _fail(self, fault: str, text: str) -> None:
        if fault != "lost_request" and self._happens("crash", text):
            raise Crash(text)
        if self._happens(fault, text):
            raise BackendUnavailable(text)

    # -- what changes something ----------

    @contextmanager
    def batch(self) -> Iterator[None]:
        with self.store.batch():
            self._in_batch = True
            try:
                yield
            finally:
                self._in_batch = False
        if self.transactional:
            self._fail("lost_reply", "batch: the reply was lost")

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        def twice() -> list[bool]:
            self.touched.update(commit.process for commit in commits)
            done = self.store.commit(commits)
            if self._happens("duplicate", "commit"):
                again = self.store.commit(commits)
                assert not any(again), f"a commit was applied twice: {commits}"
            return done

        return self._call("commit", twice)

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        def claim() -> list[tuple[Task, Row | None]]:
            claimed = self.store.claim(queues, now, until, limit)
            self.touched.update(task.process for task, _ in claimed)
            return claimed

        return self._call("claim", claim)

    def postpone(self, task: Task, due: float) -> None:
        self.touched.add(task.process)
        self._call("postpone", lambda: self.store.postpone(task, due))

    def discard(self, task: Task) -> None:
        self.touched.add(task.process)
        self._call("discard", lambda: self.store.discard(task))

    def purge(self, closed_before: float, limit: int) -> int:
        return self._call("purge", lambda: self.store.purge(closed_before, limit))

    # -- what only looks ----------

    def now(self) -> float:
        return self.store.now()

    def read(self, process: str, run: str | None = None) -> Row | None:
        return self._call("read", lambda: self.store.read(process, run))

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        return self._call("history", lambda: self.store.history(process, run, skip, limit))

    def histories(self, wanted: Sequence[Excerpt]) -> list[list[bytes]]:
        return self._call("histories", lambda: self.store.histories(wanted))

    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        self._fail(
            "lost_request", "next_due: the request was lost"
        )  # nothing else can be seen of a look into the future
        return self.store.next_due(queues)

    def tasks(self, process: str) -> list[Task]:
        return self._call("tasks", lambda: self.store.tasks(process))

    def find(self, query: Query) -> list[Summary]:
        return self._call("find", lambda: self.store.find(query))

    def count(self, query: Query) -> int:
        return self._call("count", lambda: self.store.count(query))

    def queues(self, now: float) -> list[QueueInfo]:
        return self._call("queues", lambda: self.store.queues(now))

    def ticket(self) -> object:
        return self.store.ticket()

    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        self.store.wait(ticket, topics, timeout)

    def ring(self, topics: Iterable[str]) -> None:
        self.store.ring(topics)

    def info(self) -> dict[str, object]:
        return self.store.info()

    def close(self) -> None:
        self.store.close()
