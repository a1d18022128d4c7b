"""The memory backend: the engine over dictionaries of one operating-system process, for tests and short-lived work."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from heapq import heappop, heappush
from typing import Any

from ..engine.bell import Bell, topics_of
from ..engine.engine import Engine
from ..engine.store import Commit, Query, QueueInfo, Row, Store, Summary, Task


class _Queue:
    """Tasks of one queue in two heaps: those to come by their time, those that are due by priority and time."""

    def __init__(self) -> None:
        self.later: list[tuple[float, int, Task]] = []
        self.ready: list[tuple[int, float, int, Task]] = []

    def put(self, task: Task, number: int) -> None:
        heappush(self.later, (task.due, number, task))

    def ripen(self, now: float) -> None:
        later = self.later
        while later and later[0][0] <= now:
            due, number, task = heappop(later)
            heappush(self.ready, (-task.priority, due, number, task))


class _Run:
    """One run of a process: its row, its summary and its history."""

    __slots__ = ("events", "row", "summary")

    def __init__(self, row: Row, summary: Summary) -> None:
        self.row = row
        self.summary = summary
        self.events: list[bytes] = []


class MemoryStore(Store):
    """Everything in dictionaries under one lock. `clock` gives the time in seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._bell = Bell()
        self._current: dict[str, str] = {}
        self._runs: dict[tuple[str, str], _Run] = {}
        self._tasks: dict[str, dict[str, Task]] = defaultdict(dict)
        self._queues: dict[str, _Queue] = defaultdict(_Queue)
        self._number = 0

    def now(self) -> float:
        return self._clock()

    def batch(self) -> AbstractContextManager[object]:
        return self._lock

    def read(self, process: str, run: str | None = None) -> Row | None:
        found = self._runs.get((process, run or self._current.get(process, "")))
        return None if found is None else found.row

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        found = self._runs.get((process, run))
        return [] if found is None else found.events[skip : None if limit is None else skip + limit]

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        with self._lock:
            done = [self._apply(commit) for commit in commits]
        topics = {
            topic for commit, applied in zip(commits, done, strict=True) if applied for topic in topics_of(commit)
        }
        if topics:
            self._bell.ring(topics)
        return done

    def _apply(self, commit: Commit) -> bool:
        row = self.read(commit.process)
        if commit.base != ("" if row is None else row.stamp):
            return False
        if commit.archive is not None:
            old = self._runs[commit.process, commit.archive.summary.run]
            old.row, old.summary = Row(commit.base, commit.archive.head), commit.archive.summary
        run = self._runs.get((commit.process, commit.run))
        row = Row(commit.stamp, commit.head)
        if run is None:
            assert commit.summary is not None
            run = self._runs[commit.process, commit.run] = _Run(row, commit.summary)
        else:
            run.row, run.summary = row, commit.summary or run.summary
        for entry in commit.entries:
            self._runs[commit.process, entry.run].events.append(entry.body)
        self._current[commit.process] = commit.run
        self._change_tasks(commit)
        return True

    def _change_tasks(self, commit: Commit) -> None:
        tasks = self._tasks[commit.process]
        for key in commit.remove:
            tasks.pop(key, None)
        for task in commit.add:
            self._put(task)
        if not tasks:
            del self._tasks[commit.process]

    def _put(self, task: Task) -> None:
        self._number += 1
        self._tasks[task.process][task.key] = task
        self._queues[task.queue].put(task, self._number)

    def _is_current(self, task: Task) -> bool:
        return self._tasks.get(task.process, {}).get(task.key) is task

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        with self._lock:
            claimed: list[tuple[Task, Row | None]] = []
            while len(claimed) < limit and (task := self._pop(queues, now)) is not None:
                held = Task(task.process, task.key, task.queue, until, task.priority, task.body)
                self._put(held)
                claimed.append((held, self.read(task.process)))
            return claimed

    def _pop(self, queues: Sequence[str], now: float) -> Task | None:
        best: _Queue | None = None
        for name in queues:
            queue = self._queues.get(name)
            if queue is None:
                continue
            queue.ripen(now)
            self._skip_gone(queue.ready)
            if queue.ready and (best is None or queue.ready[0][:3] < best.ready[0][:3]):
                best = queue
        return None if best is None else heappop(best.ready)[-1]

    def _skip_gone(self, heap: list[Any]) -> None:
        while heap and not self._is_current(heap[0][-1]):
            heappop(heap)

    def postpone(self, task: Task, due: float) -> None:
        with self._lock:
            if self._is_current(task):
                self._put(Task(task.process, task.key, task.queue, due, task.priority, task.body))
        self._bell.ring([task.queue])

    def discard(self, task: Task) -> None:
        with self._lock:
            if self._is_current(task):
                del self._tasks[task.process][task.key]
                if not self._tasks[task.process]:
                    del self._tasks[task.process]

    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        with self._lock:
            dues = {}
            for name in queues:
                if (queue := self._queues.get(name)) is not None:
                    self._skip_gone(queue.ready)
                    self._skip_gone(queue.later)
                    first = [head[-1].due for head in queue.ready[:1]] + [head[0] for head in queue.later[:1]]
                    if first:
                        dues[name] = min(first)
            return dues

    def tasks(self, process: str) -> list[Task]:
        with self._lock:
            return list(self._tasks.get(process, {}).values())

    def find(self, query: Query) -> list[Summary]:
        with self._lock:
            found = [run.summary for run in self._runs.values() if query.matches(run.summary)]
        found.sort(key=_order)
        if query.cursor is not None:
            started, id, run = query.cursor
            found = [summary for summary in found if _order(summary) > (-started, id, run)]
        return found[: query.limit]

    def count(self, query: Query) -> int:
        with self._lock:
            return sum(query.matches(run.summary) for run in self._runs.values())

    def queues(self, now: float) -> list[QueueInfo]:
        with self._lock:
            infos: dict[str, QueueInfo] = {}
            for task in (task for tasks in self._tasks.values() for task in tasks.values()):
                info = infos.setdefault(task.queue, QueueInfo(task.queue, 0, 0))
                if task.due <= now:
                    info.ready += 1
                else:
                    info.later += 1
            return [infos[name] for name in sorted(infos)]

    def purge(self, closed_before: float, limit: int) -> int:
        with self._lock:
            gone = [
                key
                for key, run in self._runs.items()
                if run.summary.closed is not None and run.summary.closed < closed_before
            ][:limit]
            for process, run in gone:
                del self._runs[process, run]
                if self._current.get(process) == run:
                    del self._current[process]
            return len(gone)

    def ticket(self) -> object:
        return self._bell.ticket()

    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        assert isinstance(ticket, int)
        self._bell.wait(ticket, topics, timeout)

    def ring(self, topics: Iterable[str]) -> None:
        self._bell.ring(topics)

    def info(self) -> dict[str, object]:
        return {"backend": "memory", "durable": False, "processes": len(self._current)}

    def close(self) -> None:
        self._bell.ring_all()


def _order(summary: Summary) -> tuple[float, str, str]:
    return (-summary.started, summary.id, summary.run)


class MemoryBackend(Engine):
    """A backend in memory: fast, thread-safe, and gone with the operating-system process.

    `clock` gives the time in seconds since 1970; the other arguments are the Engine's.
    """

    def __init__(self, clock: Callable[[], float] = time.time, **options: Any) -> None:
        super().__init__(MemoryStore(clock), **options)
