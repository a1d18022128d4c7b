"""Taking the tasks that are due, each by one taker, together with the heads of their processes."""

from __future__ import annotations

from collections.abc import Sequence

from pyworkflow.engine.store import Row, Task

from .database import Alone, Transaction

_CLAIM = "SELECT * FROM {schema}.claim_2(%b::text[], %s::float8, %s::float8, %s::int4)"
NEXT_DUE = """
SELECT asked.queue, first.due FROM unnest(%b::text[]) AS asked (queue) CROSS JOIN LATERAL (
    SELECT due FROM {schema}.task WHERE task.queue = asked.queue ORDER BY due LIMIT 1
) AS first
"""


def claim(
    transaction: Transaction | Alone, queues: Sequence[str], now: float, until: float, limit: int
) -> list[tuple[Task, Row | None]]:
    """Take what is due, highest priority first, then the earliest."""
    taken = transaction.rows(_CLAIM, (list(queues), now, until, limit))
    heads = {process: Row(stamp, head) for process, *_, stamp, head in taken if head is not None}
    return [(Task(*task), heads.get(task[0])) for *task, _, _ in taken]
