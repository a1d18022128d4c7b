"""The store in SQL. Whatever decides anything is in the engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from copy import copy

from pyworkflow.engine.bell import Bell, topics_of
from pyworkflow.engine.store import Commit, Query, QueueInfo, Row, Store, Summary, Task
from pyworkflow_sql import questions, rows
from pyworkflow_sql.lines import fold, unfold

from . import queries
from .access import Access
from .connection import Connection
from .joined import Joined

FASTEST_LOOK, SLOWEST_LOOK = 0.001, 0.05
PATIENCE = 0.1
KEYS = 10_000

_PREFIX = "pyworkflow_"
_KEY = "SELECT key FROM pyworkflow_run WHERE id = ? AND run = ?"
_IF_SAME = "WHERE key = ? AND id = ? AND current AND stamp = ?"
_UPDATE = f"UPDATE pyworkflow_run SET stamp = ?, head = ? {_IF_SAME}"
_UPDATE_STATUS = f"UPDATE pyworkflow_run SET stamp = ?, head = ?, status = ?, closed = ? {_IF_SAME}"
_ARCHIVE = f"UPDATE pyworkflow_run SET current = 0, head = ?, status = ?, closed = ? {_IF_SAME}"
_INSERT = f"""
INSERT INTO pyworkflow_run (current, {rows.BEGUN})
VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING key
"""
_PUT_EVENTS = "INSERT INTO pyworkflow_event VALUES (?, ?, ?)"
_REMOVE_TASK = "DELETE FROM pyworkflow_task WHERE process = ? AND key = ?"
_PUT_TASK = f"""
INSERT INTO pyworkflow_task ({rows.TASK}) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (process, key) DO UPDATE SET queue = excluded.queue, due = excluded.due,
    priority = excluded.priority, body = excluded.body
"""
_SAME_TASK = "process = ? AND key = ? AND queue = ? AND due = ? AND body = ?"


class SQLiteStore(Store):
    """A store in the file at `path`. `clock` gives the time in seconds since 1970."""

    def __init__(
        self,
        path: str,
        *,
        durability: str = "full",
        busy_timeout: float = 30.0,
        create: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._own = Connection(path, durability, busy_timeout, create)
        self._connection: Access = self._own
        self._bell = Bell()
        self._keys: dict[tuple[str, str], int] = {}
        self._last_news = time.monotonic()

    def now(self) -> float:
        return self._clock()

    def batch(self) -> AbstractContextManager[object]:
        return self._connection.writing()

    def joined(self, connection: object) -> SQLiteStore:
        """This store in the transaction that is open on a caller's sqlite3.Connection to the same file."""
        store = copy(self)
        store._connection = Joined(connection, self._own.path)
        store._keys = {}
        return store

    def read(self, process: str, run: str | None = None) -> Row | None:
        with self._connection.reading() as db:
            if run is None:
                found = db.execute(
                    "SELECT stamp, head FROM pyworkflow_run WHERE id = ? AND current", (process,)
                ).fetchone()
            else:
                found = db.execute(
                    "SELECT stamp, head FROM pyworkflow_run WHERE id = ? AND run = ?", (process, run)
                ).fetchone()
        return None if found is None else Row(*found)

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        with self._connection.reading() as db:
            found = db.execute(
                "SELECT event.seq, event.body FROM pyworkflow_run AS run "
                "JOIN pyworkflow_event AS event ON event.run = run.key "
                "WHERE run.id = ? AND run.run = ? AND event.seq > ? ORDER BY event.seq LIMIT ?",
                (process, run, skip, -1 if limit is None else limit),
            ).fetchall()
        return unfold(found, skip, limit)

    # -- commits ----------

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        with self._connection.writing():
            keys = [self._put_head(commit) for commit in commits]
            self._put_rest([(commit, key) for commit, key in zip(commits, keys, strict=True) if key is not None])
        done = [key is not None for key in keys]
        topics = {topic for commit, ok in zip(commits, done, strict=True) if ok for topic in topics_of(commit)}
        if topics:
            self._bell.ring(topics)
        return done

    def _put_rest(self, commits: list[tuple[Commit, dict[str, int]]]) -> None:
        """The events and tasks of the commits whose heads were put, a statement a kind."""
        events = [row for commit, keys in commits for row in fold(commit.entries, keys)]
        removed = [(commit.process, key) for commit, _ in commits for key in commit.remove]
        added = [rows.task(task) for commit, _ in commits for task in commit.add]
        for sql, values in ((_PUT_EVENTS, events), (_REMOVE_TASK, removed), (_PUT_TASK, added)):
            if values:
                self._connection.db.executemany(sql, values)

    def _put_head(self, commit: Commit) -> dict[str, int] | None:
        """The keys of the runs that get events, None when somebody was faster."""
        new, old = commit.summary, commit.archive
        keys = {}
        if old is not None:
            key = self._put(_ARCHIVE, commit, old.summary.run, old.head, old.summary.status, old.summary.closed)
            if key is None:
                return None
            keys[old.summary.run] = key
        if old is not None or not commit.base:
            key = self._insert(commit)
        elif new is not None:
            key = self._put(_UPDATE_STATUS, commit, commit.run, commit.stamp, commit.head, new.status, new.closed)
        else:
            key = self._put(_UPDATE, commit, commit.run, commit.stamp, commit.head)
        if key is None:
            return None
        keys[commit.run] = key
        return keys

    def _put(self, sql: str, commit: Commit, run: str, *values: object) -> int | None:
        """Change the current run if it is as the commit knows it; its key."""
        db, known = self._connection.db, self._keys.get((commit.process, run))
        if known is not None and db.execute(sql, (*values, known, commit.process, commit.base)).rowcount:
            return known
        found = db.execute(_KEY, (commit.process, run)).fetchone()
        if (
            found is None
            or found[0] == known
            or not db.execute(sql, (*values, found[0], commit.process, commit.base)).rowcount
        ):
            return None
        return self._remember(commit.process, run, found[0])

    def _insert(self, commit: Commit) -> int | None:
        db, new = self._connection.db, commit.summary
        assert new is not None
        found = db.execute(_INSERT, rows.begun(commit)).fetchone()
        if found is None:
            return None
        if new.tags:
            db.executemany("INSERT OR IGNORE INTO pyworkflow_tag VALUES (?, ?)", [(tag, found[0]) for tag in new.tags])
        return self._remember(commit.process, commit.run, found[0])

    def _remember(self, process: str, run: str, key: int) -> int:
        if len(self._keys) >= KEYS:
            self._keys.clear()
        self._keys[process, run] = key
        return key

    # -- tasks ----------

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        with self._connection.writing(lasting=False) as db:  # A lease that is forgotten is one that ended early.
            found = queries.due(db, queues, now, limit)
            if found:
                db.executemany(
                    "UPDATE pyworkflow_task SET due = ? WHERE number = ?", [(until, row[0]) for row in found]
                )
            heads = {process: self.read(process) for process in {row[1] for row in found}}
        return [
            (Task(process, key, queue, until, priority, body), heads[process])
            for _, process, key, queue, _, priority, body in found
        ]

    def postpone(self, task: Task, due: float) -> None:
        with self._connection.writing() as db:
            db.execute(f"UPDATE pyworkflow_task SET due = ? WHERE {_SAME_TASK}", (due, *rows.identity(task)))
        self._bell.ring([task.queue])

    def discard(self, task: Task) -> None:
        with self._connection.writing() as db:
            db.execute(f"DELETE FROM pyworkflow_task WHERE {_SAME_TASK}", rows.identity(task))

    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        with self._connection.reading() as db:
            return queries.next_due(db, tuple(queues))

    def tasks(self, process: str) -> list[Task]:
        with self._connection.reading() as db:
            found = db.execute(f"SELECT {rows.TASK} FROM pyworkflow_task WHERE process = ? ORDER BY number", (process,))
            return [Task(*row) for row in found]

    # -- questions ----------

    def find(self, query: Query) -> list[Summary]:
        with self._connection.reading() as db:
            return [rows.summary(row) for row in db.execute(*questions.find(query, _PREFIX))]

    def count(self, query: Query) -> int:
        with self._connection.reading() as db:
            number: int = db.execute(*questions.count(query, _PREFIX)).fetchone()[0]
        return number

    def queues(self, now: float) -> list[QueueInfo]:
        with self._connection.reading() as db:
            found = db.execute(
                "SELECT queue, sum(due <= ?), sum(due > ?) FROM pyworkflow_task GROUP BY queue ORDER BY queue",
                (now, now),
            )
            return [QueueInfo(*row) for row in found]

    def purge(self, closed_before: float, limit: int) -> int:
        with self._connection.writing() as db:
            keys = db.execute(
                "SELECT key FROM pyworkflow_run WHERE closed IS NOT NULL AND closed < ? LIMIT ?", (closed_before, limit)
            ).fetchall()
            for table, column in (("event", "run"), ("tag", "run"), ("run", "key")):
                db.executemany(f"DELETE FROM pyworkflow_{table} WHERE {column} = ?", keys)
        return len(keys)

    # -- waking up ----------

    def ticket(self) -> object:
        return (self._bell.ticket(), self._data_version())

    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        """Threads of this process ring. Other processes' commits show in SQLite's data_version: the longer there was no
        news, the less often it is looked at."""
        assert isinstance(ticket, tuple)
        rung, version = ticket
        until = time.monotonic() + timeout
        topics = tuple(topics)
        while (now := time.monotonic()) < until:
            look = min(max(FASTEST_LOOK, (now - self._last_news) * PATIENCE), SLOWEST_LOOK)
            if self._bell.wait(rung, topics, min(look, until - now)) or self._data_version() != version:
                self._last_news = time.monotonic()
                return

    def _data_version(self) -> int:
        with self._connection.reading() as db:
            version: int = db.execute("PRAGMA data_version").fetchone()[0]
        return version

    def ring(self, topics: Iterable[str]) -> None:
        self._bell.ring(topics)

    def info(self) -> dict[str, object]:
        path = self._connection.path
        with self._connection.reading() as db:
            schema = db.execute("SELECT version FROM pyworkflow_schema").fetchone()[0]
            processes = db.execute("SELECT count(*) FROM pyworkflow_run WHERE current").fetchone()[0]
        return {
            "backend": "sqlite",
            "path": os.path.abspath(path),
            "bytes": sum(os.path.getsize(path + end) for end in ("", "-wal") if os.path.exists(path + end)),
            "durable": True,
            "durability": self._own.durability,
            "schema": schema,
            "processes": processes,
        }

    def close(self) -> None:
        self._bell.ring_all()
        self._own.close()
