"""What is due in some queues."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
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
_NEXT_DUE = "(SELECT min(due) FROM pyworkflow_task WHERE queue = ?)"
_LEVELS = f"{_PRIORITIES} SELECT value FROM level WHERE value IS NOT NULL"
_DUE = """
SELECT number, process, key, queue, due, priority, body FROM pyworkflow_task
WHERE queue = ? AND priority = ? AND due <= ? ORDER BY due, number LIMIT ?
"""


def next_due(db: Database, queues: Sequence[str]) -> dict[str, float]:
    """When the earliest task of each of some queues is due: one look into the index for each."""
    sql = ", ".join([_NEXT_DUE] * len(queues))
    dues = db.execute(f"SELECT {sql}", queues).fetchone() if queues else ()
    return {queue: due for queue, due in zip(queues, dues, strict=True) if due is not None}


def due(db: Database, queues: Sequence[str], now: float, limit: int) -> list[tuple[Any, ...]]:
    """The due tasks of several queues: the highest priority first, then the earliest."""
    found: list[tuple[Any, ...]] = []
    for queue in queues:
        left = limit
        if next_due(db, (queue,)).get(queue, inf) > now:
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
