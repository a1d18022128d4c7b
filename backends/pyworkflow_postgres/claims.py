"""Taking the tasks that are due, each by one taker, together with the heads of their processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyworkflow.engine.store import Row, Task

from .database import Transaction

_CLAIM = """
WITH RECURSIVE level (queue, priority) AS (
    SELECT asked.queue, (SELECT max(priority) FROM {schema}.task WHERE task.queue = asked.queue)
    FROM unnest(%b::text[]) AS asked (queue)
    UNION ALL
    SELECT queue, (
        SELECT max(priority) FROM {schema}.task WHERE task.queue = level.queue AND task.priority < level.priority
    ) FROM level WHERE priority IS NOT NULL
),
due AS MATERIALIZED (
    SELECT found.* FROM level CROSS JOIN LATERAL (
        SELECT task.process, task.key, task.priority, task.due, task.number, owner.stamp, owner.head
        FROM {schema}.task LEFT JOIN LATERAL (
            SELECT stamp, head FROM {schema}.run WHERE run.id = task.process AND run.current
            FOR UPDATE SKIP LOCKED
        ) AS owner ON true
        WHERE task.queue = level.queue AND task.priority = level.priority AND task.due <= %s AND (
            owner.stamp IS NOT NULL
            OR NOT EXISTS (SELECT FROM {schema}.run WHERE run.id = task.process AND run.current)
        )
        ORDER BY task.due, task.number LIMIT %s FOR UPDATE OF task SKIP LOCKED
    ) AS found
    ORDER BY priority DESC, due, number LIMIT %s
)
UPDATE {schema}.task SET due = %s FROM due WHERE task.process = due.process AND task.key = due.key
RETURNING due.priority, due.due, due.number, task.process, task.key, task.queue, task.body, due.stamp, due.head
"""
NEXT_DUE = """
SELECT min(first.due) FROM unnest(%b::text[]) AS asked (queue) CROSS JOIN LATERAL (
    SELECT due FROM {schema}.task WHERE task.queue = asked.queue ORDER BY due LIMIT 1
) AS first
"""


def claim(
    transaction: Transaction, queues: Sequence[str], now: float, until: float, limit: int
) -> list[tuple[Task, Row | None]]:
    """Take what is due, highest priority first, then the earliest.

    A task is taken together with the lock on its process's run, and the run's comes first. What another transaction is
    about to change is passed over: nobody waits here.
    """
    rows = transaction.rows(_CLAIM, (list(queues), now, limit, limit, until))
    rows.sort(key=_order)
    return [
        (Task(process, key, queue, until, priority, body), None if stamp is None else Row(stamp, head))
        for priority, _, _, process, key, queue, body, stamp, head in rows
    ]


def _order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    priority, due, number = row[:3]
    return (-priority, due, number)
