"""What is due in some queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
