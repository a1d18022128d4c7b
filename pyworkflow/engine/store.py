"""The seam to storage. A store keeps heads, histories and tasks, changes them by whole commits, and decides nothing.

docs/backends.md is the guide to writing one; `pyworkflow.testing.StoreSuite` is the proof.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from msgspec import Struct

from ..exceptions import UnsupportedBackend

ALARMS, LETTERS = "alarm", "letter"


def decisions_queue(category: str) -> str:
    return f"decision/{category}"


def activities_queue(category: str) -> str:
    return f"activity/{category}"


class Task(Struct, array_like=True, frozen=True, gc=False):
    """Something to do for `process` once `due` has come; `key` tells the tasks of a process apart.

    A claim moves `due` into the future: that is the lease. Higher `priority` first, then the earlier `due`.
    """

    process: str
    key: str
    queue: str
    due: float
    priority: int = 0
    body: bytes = b""


class Summary(Struct, omit_defaults=True, gc=False):
    """What processes are listed and found by. Times are seconds since 1970; `parent` is a process id."""

    id: str
    run: str
    workflow: str
    status: str
    started: float
    closed: float | None = None
    parent: str | None = None
    tags: list[str] = []
    version: str = ""


class Row(Struct, gc=False):
    """A stored head: `stamp` names this state of it, `head` is opaque."""

    stamp: str
    head: bytes


class Entry(Struct, gc=False):
    """One event to append: its run, its number in it, and its sealed record, which is one line."""

    run: str
    seq: int
    body: bytes


class Archive(Struct, gc=False):
    """The run that a commit puts behind the process, for the next one to take its place."""

    head: bytes
    summary: Summary


class Commit(Struct, gc=False):
    """One step of one process, applied as a whole, if the stored head's stamp is still `base` ("": there is none).

    `summary` is given where it changed. `remove` names tasks by key; `add` replaces tasks of the same key.
    """

    process: str
    run: str
    base: str
    stamp: str
    head: bytes
    summary: Summary | None
    entries: list[Entry]
    add: list[Task]
    remove: list[str]
    archive: Archive | None = None


Excerpt = tuple[str, str, int, int]
"""Which records: of which process and run, after how many, and how many, one at least."""


class Query(Struct, frozen=True):
    """Which processes to find; every field that is given must match. Newest first.

    `cursor` is the (started, id, run) of the last one of the page before.
    """

    statuses: frozenset[str] | None = None
    workflow: str | None = None
    tag: str | None = None
    parent: str | None = None
    id: str | None = None
    id_prefix: str | None = None
    started_from: float | None = None
    started_to: float | None = None
    closed_from: float | None = None
    closed_to: float | None = None
    cursor: tuple[float, str, str] | None = None
    limit: int | None = None

    def matches(self, summary: Summary) -> bool:
        """Is this one of those that are asked for, whatever the page?"""
        return (
            (self.statuses is None or summary.status in self.statuses)
            and self.workflow in (None, summary.workflow)
            and (self.tag is None or self.tag in summary.tags)
            and self.parent in (None, summary.parent)
            and self.id in (None, summary.id)
            and (self.id_prefix is None or summary.id.startswith(self.id_prefix))
            and _within(summary.started, self.started_from, self.started_to)
            and _within(summary.closed, self.closed_from, self.closed_to)
        )


def _within(time: float | None, start: float | None, end: float | None) -> bool:
    if start is None and end is None:
        return True
    return time is not None and (start is None or time >= start) and (end is None or time < end)


class QueueInfo(Struct, gc=False):
    """How many tasks a queue holds: due, and due later or held by a worker."""

    queue: str
    ready: int
    later: int


class Store(ABC):
    """What a backend's storage does. Every method may raise BackendUnavailable, and may be called from any thread."""

    @abstractmethod
    def now(self) -> float:
        """The time that counts, in seconds since 1970: the server's where there is one."""

    def batch(self) -> AbstractContextManager[object]:
        """Group what is done inside into one transaction or round trip where that is faster; it never nests."""
        return nullcontext()

    def joined(self, connection: Any) -> Store:
        """This store in the transaction that the caller has open on a connection of its own to the same database.

        All of a commit is in the transaction, or nothing. Raises UnsupportedBackend where there is no such thing.
        """
        raise UnsupportedBackend(f"{type(self).__name__} cannot join a transaction: leave `connection` out")

    @abstractmethod
    def read(self, process: str, run: str | None = None) -> Row | None:
        """The head of the process's current run, or of a given one."""

    @abstractmethod
    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        """The sealed records of a run after the first `skip`, in order."""

    def histories(self, wanted: Sequence[Excerpt]) -> list[list[bytes]]:
        """Several histories at once, in one round trip where there is a trip."""
        return [self.history(*each) for each in wanted]

    @abstractmethod
    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        """Apply each commit whole; False for one whose base is no longer the stored stamp. At most one per process."""

    @abstractmethod
    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        """Take tasks that are due, with their processes' heads; each is held until `until`, then due again."""

    @abstractmethod
    def postpone(self, task: Task, due: float) -> None:
        """Let a claimed task be due at `due`; nothing happens when it is not as it was claimed."""

    @abstractmethod
    def discard(self, task: Task) -> None:
        """Remove a claimed task; nothing happens when it is not as it was claimed."""

    @abstractmethod
    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        """When the earliest task of each of these queues is due, be it in the past; an empty one is left out."""

    @abstractmethod
    def tasks(self, process: str) -> list[Task]:
        """What is waiting or held for a process."""

    @abstractmethod
    def find(self, query: Query) -> list[Summary]:
        """The processes that match: newest start first, then by id, then by run."""

    @abstractmethod
    def count(self, query: Query) -> int:
        """How many processes match, whatever the query's cursor and limit."""

    @abstractmethod
    def queues(self, now: float) -> list[QueueInfo]:
        """The queues that hold tasks, by name."""

    @abstractmethod
    def purge(self, closed_before: float, limit: int) -> int:
        """Delete up to `limit` runs that closed before then, with their histories; how many there were."""

    @abstractmethod
    def ticket(self) -> object:
        """Where the news stand now; `wait` compares with it, so that nothing in between is missed."""

    @abstractmethod
    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        """Return when there may be news of these queues or processes since `ticket`, or after `timeout` seconds."""

    @abstractmethod
    def ring(self, topics: Iterable[str]) -> None:
        """Wake those of this operating-system process who wait for one of these topics."""

    @abstractmethod
    def info(self) -> dict[str, object]:
        """What the store is and how it is set up, for people."""

    @abstractmethod
    def close(self) -> None:
        """Give up connections; waiting calls return."""
