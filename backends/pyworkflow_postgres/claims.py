"""Taking the tasks that are due, each by one taker, together with the heads of their processes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from pyworkflow.engine.store import Row, Task
from pyworkflow_sql import rows

from .database import Rows, Transaction

_LEVELS = """
WITH RECURSIVE level (queue, priority) AS (
    SELECT asked.queue, (SELECT max(priority) FROM {schema}.task WHERE task.queue = asked.queue)
    FROM unnest(%b::text[]) AS asked (queue)
    UNION
    SELECT queue, (
        SELECT max(priority) FROM {schema}.task WHERE task.queue = level.queue AND task.priority < level.priority
    ) FROM level WHERE priority IS NOT NULL
)
SELECT priority, queue FROM level WHERE %s::float8 >= (
    SELECT min(due) FROM {schema}.task WHERE task.queue = level.queue AND task.priority = level.priority
) ORDER BY priority DESC
"""
_DUE = f"""
SELECT task.due, task.number, {", ".join(f"task.{column}" for column in rows.TASK.split(", "))}
FROM {{schema}}.task LEFT JOIN LATERAL (
    SELECT stamp FROM {{schema}}.run WHERE run.id = task.process AND run.current FOR UPDATE SKIP LOCKED
) AS owner ON true
WHERE task.queue = %s::text AND task.priority = %s::int4 AND task.due <= %s::float8 AND (
    owner.stamp IS NOT NULL
    OR (SELECT count(*) FROM {{schema}}.run WHERE run.id = task.process AND run.current) = 0
)
ORDER BY task.due, task.number LIMIT %s::int8 FOR UPDATE OF task SKIP LOCKED
"""
_HOLD = """
WITH held AS (
    UPDATE {schema}.task SET due = %s::float8 FROM unnest(%b::text[], %b::text[]) AS taken (process, key)
    WHERE task.process = taken.process AND task.key = taken.key
)
SELECT id, stamp, head FROM {schema}.run WHERE current AND id = ANY(%b::text[])
"""
NEXT_DUE = """
SELECT asked.queue, first.due FROM unnest(%b::text[]) AS asked (queue) CROSS JOIN LATERAL (
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
    taken: list[Task] = []
    for _, levels in groupby(transaction.rows(_LEVELS, (list(queues), now)), key=itemgetter(0)):
        left = limit - len(taken)
        if left > 0:
            found = [row for level in levels for row in _due(transaction, level, now, left)]
            taken += [_held(row, until) for row in sorted(found, key=itemgetter(0, 1))[:left]]
    if not taken:
        return []
    processes = [task.process for task in taken]
    keys = [task.key for task in taken]
    held = transaction.rows(_HOLD, (until, processes, keys, list(set(processes))))
    heads = {id: Row(stamp, head) for id, stamp, head in held}
    return [(task, heads.get(task.process)) for task in taken]


def _due(transaction: Transaction, level: tuple[Any, ...], now: float, limit: int) -> Rows:
    priority, queue = level
    return transaction.rows(_DUE, (queue, priority, now, limit))


def _held(row: tuple[Any, ...], until: float) -> Task:
    _, _, process, key, queue, _, priority, body = row
    return Task(process, key, queue, until, priority, body)
