"""The bench of the store suite: a fresh store for each test, a second door to it, and short ways to fill it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..engine.store import Archive, Commit, Entry, Query, Store, Summary, Task

ALL_BYTES = bytes(range(256))
A_LINE = ALL_BYTES.replace(b"\n", b"")
ODD_NAMES = [
    "plain",
    "with space",
    "o'hare",
    'say "hi"',
    "'; DROP TABLE run; --",
    "{tag}{0}",
    "100%_of*it?[a-z]",
    "../../etc/passwd",
    "back\\slash",
    "<script>alert(1)</script>",
    "Ünïcödé ß İ",
    "\u202eright-to-left\u202c",
    "日本語",
    "😀" * 10,
    "e\u0301 is not \u00e9",
    "x" * 256,
]


class StoreBench:
    """What a store's tests stand on. Override `make_store`, and `make_other` where machines can share the data."""

    transactional = True
    """Does an error inside `batch` undo what was done in it?"""

    def make_store(self, tmp_path: Path) -> Store:
        """An empty store; `tmp_path` is a directory of this test's own."""
        raise NotImplementedError("a StoreSuite needs make_store")

    def make_other(self, store: Store, tmp_path: Path) -> Store:
        """Another door to the same data, such as a connection of its own; the store itself where there is only one."""
        return store

    @pytest.fixture(autouse=True)
    def _open(self, tmp_path: Path) -> Iterator[None]:
        self.store = self.make_store(tmp_path)
        self.other = self.make_other(self.store, tmp_path)
        yield
        self.other.close()
        self.store.close()
        vars(self).clear()  # pytest keeps the instances of all tests.

    # -- making things ----------

    def put(self, process: str = "p", base: str = "", stamp: str = "1", **parts: Any) -> bool:
        """Commit one step; was it applied?"""
        return self.store.commit([make_commit(process, base, stamp, **parts)])[0]

    def put_tasks(self, *tasks: Task) -> None:
        """Give each process a head and its tasks, in this order."""
        for task in tasks:
            row = self.store.read(task.process)
            base, number = ("", 0) if row is None else (row.stamp, int(row.stamp))
            assert self.put(task.process, base, str(number + 1), add=[task])

    def claim(self, *queues: str, now: float = 100.0, until: float = 105.0, limit: int = 100) -> list[Task]:
        return [task for task, _ in self.store.claim(queues, now, until, limit)]

    def keys(self, process: str = "p") -> list[str]:
        return sorted(task.key for task in self.store.tasks(process))

    def found(self, **query: Any) -> list[str]:
        return [summary.id for summary in self.store.find(Query(**query))]


def make_commit(
    process: str = "p",
    base: str = "",
    stamp: str = "1",
    *,
    run: str = "r1",
    head: bytes = b"head",
    events: Sequence[bytes] = (),
    first: int = 1,
    entries: Sequence[Entry] = (),
    add: Sequence[Task] = (),
    remove: Sequence[str] = (),
    summary: Summary | None = None,
    archive: Archive | None = None,
) -> Commit:
    """A commit; `events` are numbered from `first`, and a process that begins gets a summary."""
    written = [*entries, *(Entry(run, first + index, body) for index, body in enumerate(events))]
    if summary is None and not base:
        summary = make_summary(process, run)
    return Commit(process, run, base, stamp, head, summary, written, list(add), list(remove), archive)


def make_summary(
    id: str = "p", run: str = "r1", status: str = "running", started: float = 10.0, **more: Any
) -> Summary:
    return Summary(id, run, more.pop("workflow", "W"), status, started, version=more.pop("version", "1.0"), **more)


def make_task(process: str = "p", key: str = "d", queue: str = "q", due: float = 1.0, **more: Any) -> Task:
    return Task(process, key, queue, due, **more)
