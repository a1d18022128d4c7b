"""The Blinker backend by the backend suite, over three others; after each test, what was signalled is what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pyworkflow.backend import Backend, ProcessFilter
from pyworkflow.backend.blinker import BlinkerBackend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.redis import RedisBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.events import Event
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.testing import BackendSuite
from tests.servers.redis import Keyspace

SIGNALS = [name for name in dir(BlinkerBackend) if name.startswith("on_") and not name.startswith("on_complete")]
NAMES = {
    "activity_released": "on_activity_released",
    "activity_started": "on_activity_started",
    "cancel_requested": "on_process_cancel_requested",
    "child_process": "on_child_process_closed",
    "child_process_started": "on_child_process_started",
    "decision_failed": "on_decision_failed",
    "decision_refused": "on_decision_refused",
    "decision_timed_out": "on_decision_timedout",
    "process_blocked": "on_process_blocked",
    "process_reset": "on_process_reset",
    "process_resumed": "on_process_resumed",
    "process_started": "on_process_started",
    "process_terminated": "on_process_terminated",
    "process_timed_out": "on_process_timedout",
    "signal": "on_process_signaled",
    "timer": "on_timer_fired",
}
DECISIONS = {
    "cancel_activity": "on_activity_cancel_requested",
    "cancel_process": "on_process_canceled",
    "cancel_timer": "on_timer_canceled",
    "complete_process": "on_process_completed",
    "continue_as_new": "on_process_continued",
    "fail_process": "on_process_failed",
    "record_marker": "on_marker_recorded",
    "schedule_activity": "on_activity_scheduled",
    "timer": "on_timer_started",
}


def signal_of(event: Event | Any) -> str | None:
    if event.type == "activity":
        return f"on_activity_{event.result.type}"
    return DECISIONS.get(event.decision.type) if event.type == "decision" else NAMES.get(event.type)


class Signalled(BackendSuite):
    """`inner` makes the backend inside."""

    inner: Callable[..., Backend]

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        inner = self.inner(clock, tmp_path)
        backend = BlinkerBackend(inner)
        self.sent: Counter[tuple[str, str]] = Counter()
        self.purged = False
        inner.purge = self.purging(inner.purge)  # type: ignore[method-assign]
        for name in SIGNALS:
            getattr(BlinkerBackend, name).connect(self.receiver(name), sender=backend, weak=False)
        return backend

    def purging(self, purge: Callable[[Any], int]) -> Callable[[Any], int]:
        """The same, and a note that there is less to compare with."""

        def noted(closed_before: Any) -> int:
            self.purged = True
            return purge(closed_before)

        return noted

    def receiver(self, name: str) -> Callable[..., None]:
        def receive(sender: object, **keywords: Any) -> None:
            process = keywords.get("process_id") or keywords["process"].id
            self.sent[process, name] += 1

        return receive

    @pytest.fixture(autouse=True)
    def _compare(self, _open: None) -> Iterator[None]:
        yield
        with suppress(BackendUnavailable):  # after tests that closed it
            self.compare()

    def compare(self) -> None:
        happened: Counter[tuple[str, str]] = Counter()
        for run in self.backend.list_processes(ProcessFilter(status="all"), 1_000).processes:
            history = self.backend.history(run)
            own = next((place for place, event in enumerate(history) if event.type == "process_reset"), 0)
            for name in filter(None, map(signal_of, history[own:])):
                happened[str(run.id), name] += 1
        assert happened <= self.sent
        assert happened == self.sent or self.purged


class TestBlinkerOverMemory(Signalled):
    def inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock)


class TestBlinkerOverMemoryWithoutCache(Signalled):
    def inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock, cache_size=0)


class TestBlinkerOverSQLite(Signalled):
    def inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return SQLiteBackend(str(tmp_path / "work.db"), clock=clock)


class TestBlinkerOverRedis(Signalled):
    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, redis_server: Keyspace) -> None:
        cls.server = redis_server

    def inner(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        self.server.begin()
        with self.server.kept():
            return RedisBackend(self.server.url, prefix=self.server.prefix, clock=clock)
