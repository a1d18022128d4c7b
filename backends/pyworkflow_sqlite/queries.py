"""The queries that are built: what is due in some queues, and which processes match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyworkflow.engine.store import Query

from .access import Database

_PRIORITIES = """
WITH RECURSIVE level (value) AS (
    SELECT max(priority) FROM pyworkflow_task WHERE queue = :queue
    UNION ALL
    SELECT (SELECT max(priority) FROM pyworkflow_task WHERE queue = :queue AND priority < level.value)
    FROM level WHERE level.value IS NOT NULL
)
"""
_NEXT_DUE = "SELECT min(due) AS due FROM pyworkflow_task WHERE queue = ?"
_LEVELS = f"{_PRIORITIES} SELECT value FROM level WHERE value IS NOT NULL"
_DUE = """
SELECT number, process, key, queue, due, priority, body FROM pyworkflow_task
WHERE queue = ? AND priority = ? AND due <= ? ORDER BY due, number LIMIT ?
"""
_SUMMARY = "id, run, workflow, status, started, closed, parent, tags, version"


def next_due(db: Database, queues: Sequence[str]) -> float | None:
    """When the earliest task of some queues is due: one look into the index for each."""
    each = " UNION ALL ".join([_NEXT_DUE] * len(queues))
    due: float | None = db.execute(f"SELECT min(due) FROM ({each})", queues).fetchone()[0]
    return due


def due(db: Database, queues: Sequence[str], now: float, limit: int) -> list[tuple[Any, ...]]:
    """The due tasks of several queues: the highest priority first, then the earliest."""
    found: list[tuple[Any, ...]] = []
    for queue in queues:
        left = limit
        if (first := next_due(db, (queue,))) is None or first > now:
            continue
        for (level,) in db.execute(_LEVELS, {"queue": queue}).fetchall():
            rows = db.execute(_DUE, (queue, level, now, left)).fetchall()
            found += rows
            left -= len(rows)
            if not left:
                break
    if len(queues) > 1:
        found.sort(key=lambda row: (-row[5], row[4], row[0]))
    return found[:limit]


def find(db: Database, query: Query) -> list[tuple[Any, ...]]:
    """The summaries of the processes that match, a page of them."""
    where, values = _where(query)
    if query.cursor is not None:
        started, id, run = query.cursor
        where.append("(started < ? OR started = ? AND (id, run) > (?, ?))")
        values += [started, started, id, run]
    values.append(-1 if query.limit is None else query.limit)
    sql = f"SELECT {_SUMMARY} FROM pyworkflow_run {_all(where)} ORDER BY started DESC, id, run LIMIT ?"
    return db.execute(sql, values).fetchall()


def count(db: Database, query: Query) -> int:
    """How many processes match."""
    where, values = _where(query)
    number: int = db.execute(f"SELECT count(*) FROM pyworkflow_run {_all(where)}", values).fetchone()[0]
    return number


def _all(where: list[str]) -> str:
    return f"WHERE {' AND '.join(where)}" if where else ""


def _where(query: Query) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if query.statuses is not None:
        where.append(f"status IN ({', '.join('?' * len(query.statuses))})")
        values += sorted(query.statuses)
    if query.id_prefix is not None:
        where.append("substr(id, 1, ?) = ?")
        values += [len(query.id_prefix), query.id_prefix]
    if query.tag is not None:
        where.append("key IN (SELECT run FROM pyworkflow_tag WHERE tag = ?)")
        values.append(query.tag)
    for condition, value in (
        ("workflow = ?", query.workflow),
        ("parent = ?", query.parent),
        ("id = ?", query.id),
        ("started >= ?", query.started_from),
        ("started < ?", query.started_to),
        ("closed >= ?", query.closed_from),
        ("closed < ?", query.closed_to),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    return where, values
