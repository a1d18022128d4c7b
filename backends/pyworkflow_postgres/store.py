"""The store in Postgres's SQL. Whatever decides anything is in the engine."""

from __future__ import annotations

import logging
import re
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from copy import copy

from pyworkflow.engine.bell import Bell, topics_of
from pyworkflow.engine.server_clock import ServerClock
from pyworkflow.engine.store import Commit, Excerpt, Query, QueueInfo, Row, Store, Summary, Task
from pyworkflow_sql import questions, rows
from pyworkflow_sql.lines import unfold

from . import schema as tables
from .claims import NEXT_DUE, claim
from .commits import apply
from .database import Database, Rows, Transaction
from .errors import translated
from .joined import Joined
from .listener import Listener

FASTEST_LOOK, SLOWEST_LOOK = 0.005, 0.5
PATIENCE = 0.1

_PREFIX = "{schema}."
_READ = "SELECT stamp, head FROM {schema}.run WHERE id = %s::text AND current"
_READ_RUN = "SELECT stamp, head FROM {schema}.run WHERE id = %s::text AND run = %s::text"
_HISTORY = """
SELECT event.seq, event.body FROM {schema}.run JOIN {schema}.event ON event.run = run.key
WHERE run.id = %s::text AND run.run = %s::text AND event.seq > %s::int4 ORDER BY event.seq LIMIT %s::int8
"""
_HISTORIES = """
SELECT wanted.place, event.seq, event.body
FROM unnest(%b::text[], %b::text[], %b::int4[]) WITH ORDINALITY AS wanted (id, run, skip, place)
JOIN {schema}.run ON run.id = wanted.id AND run.run = wanted.run
JOIN {schema}.event ON event.run = run.key AND event.seq > wanted.skip
ORDER BY wanted.place, event.seq
"""
_SAME_TASK = "process = %s::text AND key = %s::text AND queue = %s::text AND due = %s::float8 AND body = %s::bytea"
_POSTPONE = f"UPDATE {{schema}}.task SET due = %s::float8 WHERE {_SAME_TASK} RETURNING pg_notify(%s::text, queue)::text"
_DISCARD = f"DELETE FROM {{schema}}.task WHERE {_SAME_TASK}"
_TASKS = f"SELECT {rows.TASK} FROM {{schema}}.task WHERE process = %s::text ORDER BY number"
_QUEUES = """
SELECT queue, count(*) FILTER (WHERE due <= %s::float8), count(*) FILTER (WHERE due > %s::float8)
FROM {schema}.task GROUP BY queue ORDER BY queue
"""
_PURGE = """
WITH old AS MATERIALIZED (
    SELECT key FROM {schema}.run WHERE closed < %s::float8 ORDER BY closed LIMIT %s::int8 FOR UPDATE SKIP LOCKED
),
events AS (DELETE FROM {schema}.event USING old WHERE event.run = old.key),
tags AS (DELETE FROM {schema}.tag USING old WHERE tag.run = old.key),
runs AS (DELETE FROM {schema}.run USING old WHERE run.key = old.key RETURNING 1)
SELECT count(*) FROM runs
"""
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')"
_INFO = """
SELECT (SELECT number FROM {schema}.version), (SELECT count(*) FROM {schema}.run WHERE current), (
    SELECT sum(pg_total_relation_size(format('%%I.%%I', schemaname, tablename)::regclass))::int8
    FROM pg_tables WHERE schemaname = %s::text
)
"""

_ASKED = re.compile(r"\?")
_TYPES = {str: "text", int: "int8", float: "float8"}

logger = logging.getLogger("pyworkflow.engine")


class PostgresStore(Store):
    """A store in a schema of the database at `url`.

    `listen`: other operating-system processes wake this one by LISTEN and NOTIFY. Without it nothing is kept on a
    connection beyond a transaction, as poolers by transaction demand. `clock` gives the time in seconds since 1970;
    the server's time counts where there is none.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "pyworkflow",
        listen: bool = True,
        pool_size: int = 10,
        connect_timeout: float = 10.0,
        create: bool = True,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._bell = Bell()
        self._own = Database(url, schema, pool_size, connect_timeout, not listen, self._bell.ring)
        self._database: Database | Joined = self._own
        self._prepare(create)
        self._clock = clock or ServerClock(self._ask_time)
        self._listener = Listener(self._own, self._bell) if listen else None
        if self._listener is not None:
            weakref.finalize(self, self._listener.stop).atexit = False  # A store that nobody closed listens no longer.
        self._last_news = time.monotonic()

    def _prepare(self, create: bool) -> None:
        """The tables, before anything else; and a word to whoever runs a server that may forget."""
        database = self._own
        with closing(database.connect()) as connection, translated(database.where):
            tables.prepare(connection, database.statements, create)
            self._settings: dict[str, str] = dict(connection.execute(_SETTINGS).fetchall())
        if not self._durable:
            settings = ", ".join(f"{name} {value}" for name, value in self._settings.items())
            logger.warning("%s: acknowledged work may be lost in a crash of the server (%s)", database.where, settings)

    @property
    def _durable(self) -> bool:
        return self._settings["synchronous_commit"] != "off" and self._settings["fsync"] == "on"

    # -- time and transactions ----------

    def now(self) -> float:
        return self._clock()

    def _ask_time(self) -> float:
        ((now,),) = self._database.rows(_NOW)
        return float(now)

    def batch(self) -> AbstractContextManager[Transaction]:
        return self._database.transaction()

    def joined(self, connection: object) -> PostgresStore:
        """This store in the transaction that is open on a caller's psycopg.Connection to the same database."""
        store = copy(self)
        store._database = Joined(connection, self._own)
        return store

    # -- processes ----------

    def read(self, process: str, run: str | None = None) -> Row | None:
        found = self._look(_READ, process) if run is None else self._look(_READ_RUN, process, run)
        return Row(*found[0]) if found else None

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        return unfold(self._look(_HISTORY, process, run, skip, limit), skip, limit)

    def histories(self, wanted: Sequence[Excerpt]) -> list[list[bytes]]:
        found: list[list[tuple[int, bytes]]] = [[] for _ in wanted]
        processes, runs, skips, limits = zip(*wanted, strict=True)
        for place, seq, body in self._database.rows(_HISTORIES, (list(processes), list(runs), list(skips))):
            found[place - 1].append((seq, body))
        return [unfold(rows, skip, limit) for rows, skip, limit in zip(found, skips, limits, strict=True)]

    def commit(self, commits: Sequence[Commit]) -> list[bool]:
        alone = self._database.alone()
        done = apply(alone, sorted(commits, key=_process), self._database.statements.schema)
        alone.ring({topic for commit in commits if commit.process in done for topic in topics_of(commit)})
        if done:
            self._last_news = time.monotonic()
        return [commit.process in done for commit in commits]

    def purge(self, closed_before: float, limit: int) -> int:
        ((purged,),) = self._database.alone().rows(_PURGE, (closed_before, limit))
        return int(purged)

    # -- tasks ----------

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[tuple[Task, Row | None]]:
        # A lease that is forgotten is one that ended early.
        claimed = claim(self._database.alone(lasting=False), queues, now, until, limit)
        if claimed:
            self._last_news = time.monotonic()
        return claimed

    def postpone(self, task: Task, due: float) -> None:
        alone = self._database.alone()
        alone.rows(_POSTPONE, (due, *rows.identity(task), self._database.statements.schema))
        alone.ring([task.queue])

    def discard(self, task: Task) -> None:
        self._database.alone().rows(_DISCARD, rows.identity(task))

    def next_due(self, queues: Sequence[str]) -> dict[str, float]:
        return {queue: float(due) for queue, due in self._database.rows(NEXT_DUE, (list(queues),))}

    def tasks(self, process: str) -> list[Task]:
        return [Task(*row) for row in self._look(_TASKS, process)]

    # -- questions ----------

    def find(self, query: Query) -> list[Summary]:
        return [rows.summary(row) for row in self._ask(questions.find(query, _PREFIX))]

    def count(self, query: Query) -> int:
        found = self._ask(questions.count(query, _PREFIX))
        return int(found[0][0]) if found else 0

    def queues(self, now: float) -> list[QueueInfo]:
        return [QueueInfo(*row) for row in self._database.rows(_QUEUES, (now, now))]

    def _ask(self, asked: questions.Asked) -> Rows:
        statement, values = asked
        types = iter([_TYPES[type(value)] for value in values])
        return self._look(_ASKED.sub(lambda _: f"%s::{next(types)}", statement), *values)

    def _look(self, statement: str, *values: object) -> Rows:
        """What a statement finds; nothing where a text is asked for that no row can have."""
        if any(isinstance(value, str) and "\0" in value for value in values):
            return []
        return self._database.rows(statement, values)

    # -- waking up ----------

    def ticket(self) -> object:
        if self._listener is not None:
            self._listener.start()
        return self._bell.ticket()

    def wait(self, ticket: object, topics: Iterable[str], timeout: float) -> None:
        """Whoever cannot listen looks again: the longer there was no news, the less often."""
        assert isinstance(ticket, int)
        if self._listener is None or not self._listener.listening:
            idle = time.monotonic() - self._last_news
            timeout = min(timeout, max(FASTEST_LOOK, min(idle * PATIENCE, SLOWEST_LOOK)))
        self._bell.wait(ticket, topics, timeout)

    def ring(self, topics: Iterable[str]) -> None:
        self._bell.ring(topics)

    # -- the store itself ----------

    def info(self) -> dict[str, object]:
        name = self._database.statements.schema
        ((version, processes, size),) = self._database.rows(_INFO, (name,))
        return {
            "backend": "postgres",
            "server": self._database.where,
            "schema": name,
            "bytes": size,
            "durable": self._durable,
            **self._settings,
            "listening": self._listener is not None and self._listener.listening,
            "version": version,
            "processes": processes,
        }

    def close(self) -> None:
        if self._listener is not None:
            self._listener.stop()
        self._bell.ring_all()
        self._own.close()


def _process(commit: Commit) -> str:
    return commit.process
