"""Commits: each applied whole or refused by itself, all of them in a few statements over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyworkflow.engine.store import Commit
from pyworkflow_sql import rows
from pyworkflow_sql.lines import fold

from .database import Transaction

Values = list[tuple[Any, ...]]

_LOCK = "SELECT FROM {schema}.run WHERE current AND id = ANY(%b::text[]) ORDER BY id FOR UPDATE"
_MOVE = """
WITH put AS (
    UPDATE {schema}.run SET stamp = new.stamp, head = new.head,
        status = coalesce(new.status, run.status), closed = coalesce(new.closed, run.closed)
    FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::float8[], %b::int4[], %b::bytea[])
        AS new (id, base, stamp, head, status, closed, seq, records)
    WHERE run.id = new.id AND run.current AND run.stamp = new.base
    RETURNING run.key, run.id, new.seq, new.records
),
recorded AS (INSERT INTO {schema}.event SELECT key, seq, records FROM put WHERE seq IS NOT NULL)
SELECT id, key FROM put
"""
_ARCHIVE = """
WITH put AS (
    UPDATE {schema}.run SET current = false, head = old.head, status = old.status, closed = old.closed
    FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::float8[], %b::int4[], %b::bytea[])
        AS old (id, base, head, status, closed, seq, records)
    WHERE run.id = old.id AND run.current AND run.stamp = old.base
    RETURNING run.key, run.id, old.seq, old.records
),
recorded AS (INSERT INTO {schema}.event SELECT key, seq, records FROM put WHERE seq IS NOT NULL)
SELECT id, key FROM put
"""
_BEGIN = f"""
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[],
        %b::float8[], %b::float8[], %b::text[], %b::text[], %b::int4[], %b::bytea[]) AS new ({rows.BEGUN}, seq, records)
),
put AS (
    INSERT INTO {{schema}}.run (current, {rows.BEGUN}) SELECT true, {rows.BEGUN} FROM new
    ORDER BY id ON CONFLICT DO NOTHING RETURNING run.key, run.id
),
recorded AS (
    INSERT INTO {{schema}}.event SELECT put.key, new.seq, new.records FROM put JOIN new USING (id)
    WHERE new.seq IS NOT NULL
)
SELECT id, key FROM put
"""
_TAG = "INSERT INTO {schema}.tag SELECT * FROM unnest(%b::text[], %b::int8[]) ON CONFLICT DO NOTHING"
_REMOVE = """
DELETE FROM {schema}.task USING unnest(%b::text[], %b::text[]) AS old (process, key)
WHERE task.process = old.process AND task.key = old.key
"""
_ADD = f"""
INSERT INTO {{schema}}.task ({rows.TASK})
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::float8[], %b::int4[], %b::bytea[])
ON CONFLICT (process, key) DO UPDATE SET queue = excluded.queue, due = excluded.due,
    priority = excluded.priority, body = excluded.body
"""


def apply(transaction: Transaction, commits: Sequence[Commit]) -> set[str]:
    """Apply what can be applied; the processes for which that was done.

    Runs are locked in the order of their ids, and tasks only by who holds the lock of their run: so no two that do
    this wait for each other.
    """
    if len(commits) > 1:
        transaction.run(_LOCK, ([commit.process for commit in commits],))
    done = _put_runs(transaction, commits)
    _over(transaction, _REMOVE, [(commit.process, key) for commit in commits if commit.process in done
                                 for key in commit.remove])  # fmt: skip
    _over(transaction, _ADD, [rows.task(task) for commit in commits if commit.process in done for task in commit.add])
    return done


def _put_runs(transaction: Transaction, commits: Sequence[Commit]) -> set[str]:
    """Change runs and begin them, and record their events."""
    done = set(_put(transaction, _MOVE, [_moved(commit) for commit in commits if commit.base and not commit.archive]))
    begun = [commit for commit in commits if not commit.base]
    if old := [commit for commit in commits if commit.archive is not None]:
        behind = _put(transaction, _ARCHIVE, [_archived(commit) for commit in old])
        begun += [commit for commit in old if commit.process in behind]
    keys = _put(transaction, _BEGIN, [(*rows.begun(commit), *_records(commit, commit.run)) for commit in begun])
    tagged = [commit.summary for commit in begun if commit.summary is not None and commit.process in keys]
    _over(transaction, _TAG, [(tag, keys[summary.id]) for summary in tagged for tag in summary.tags])
    return done | keys.keys()


def _put(transaction: Transaction, statement: str, values: Values) -> dict[str, int]:
    """Put some runs, each with its records; the keys of those that were put."""
    return dict(transaction.rows(statement, _columns(values))) if values else {}


def _records(commit: Commit, run: str) -> tuple[int | None, bytes | None]:
    """The number and the records of one run's row of events, if it has got any."""
    runs = [commit.run] if commit.archive is None else [commit.archive.summary.run, commit.run]
    found = {of: (seq, records) for of, seq, records in fold(commit.entries, {run: run for run in runs})}
    return found.get(run, (None, None))


def _over(transaction: Transaction, statement: str, values: Values) -> None:
    """Run a statement over the columns of some rows, if there are any."""
    if values:
        transaction.run(statement, _columns(values))


def _columns(values: Values) -> list[list[Any]]:
    return [list(column) for column in zip(*values, strict=True)]


def _moved(commit: Commit) -> tuple[Any, ...]:
    new = commit.summary
    status, closed = (None, None) if new is None else (new.status, new.closed)
    return (commit.process, commit.base, commit.stamp, commit.head, status, closed, *_records(commit, commit.run))


def _archived(commit: Commit) -> tuple[Any, ...]:
    assert commit.archive is not None
    old = commit.archive
    state = (old.head, old.summary.status, old.summary.closed)
    return (commit.process, commit.base, *state, *_records(commit, old.summary.run))
