"""Commits: each applied whole or refused by itself, all of them in a few statements over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyworkflow.engine.store import Commit
from pyworkflow_sql import rows
from pyworkflow_sql.lines import fold

from .database import Rows, Transaction

Keys = dict[str, dict[str, int]]
"""The keys of the runs that a commit is about, by process and run."""

_LOCK = "SELECT FROM {schema}.run WHERE current AND id = ANY(%b::text[]) ORDER BY id FOR UPDATE"
_MOVE = """
UPDATE {schema}.run SET stamp = new.stamp, head = new.head,
    status = coalesce(new.status, run.status), closed = coalesce(new.closed, run.closed)
FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::float8[])
    AS new (id, base, stamp, head, status, closed)
WHERE run.id = new.id AND run.current AND run.stamp = new.base
RETURNING run.id, run.run, run.key
"""
_ARCHIVE = """
UPDATE {schema}.run SET current = false, head = old.head, status = old.status, closed = old.closed
FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::float8[]) AS old (id, base, head, status, closed)
WHERE run.id = old.id AND run.current AND run.stamp = old.base
RETURNING run.id, run.run, run.key
"""
_BEGIN = f"""
INSERT INTO {{schema}}.run (current, {rows.BEGUN})
SELECT true, {rows.BEGUN}
FROM unnest(%b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::text[], %b::text[], %b::float8[],
    %b::float8[], %b::text[], %b::text[])
    AS new ({rows.BEGUN})
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id, run, key
"""
_TAG = "INSERT INTO {schema}.tag SELECT * FROM unnest(%b::text[], %b::int8[]) ON CONFLICT DO NOTHING"
_RECORD = "INSERT INTO {schema}.event SELECT * FROM unnest(%b::int8[], %b::int4[], %b::bytea[])"
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

    Runs are locked in the order of their ids, and tasks only by who holds the lock of their run: so no two wait for
    each other.
    """
    if len(commits) > 1:
        transaction.run(_LOCK, ([commit.process for commit in commits],))
    keys = _put_heads(transaction, commits)
    done = [commit for commit in commits if commit.process in keys and commit.run in keys[commit.process]]
    _put_rest(transaction, done, keys)
    return {commit.process for commit in done}


def _put_heads(transaction: Transaction, commits: Sequence[Commit]) -> Keys:
    keys: Keys = {}

    def put(statement: str, values: list[tuple[Any, ...]]) -> None:
        for id, run, key in _over(transaction, statement, values):
            keys.setdefault(id, {})[run] = key

    put(_MOVE, [_moved(commit) for commit in commits if commit.base and commit.archive is None])
    put(_ARCHIVE, [_archived(commit) for commit in commits if commit.archive is not None])
    begun = [commit for commit in commits if not commit.base or (commit.archive and commit.process in keys)]
    put(_BEGIN, [rows.begun(commit) for commit in begun])
    tags = [
        (tag, keys[commit.process][commit.run])
        for commit in begun
        if commit.summary is not None and commit.process in keys
        for tag in commit.summary.tags
    ]
    _over(transaction, _TAG, tags)
    return keys


def _put_rest(transaction: Transaction, done: Sequence[Commit], keys: Keys) -> None:
    """The events, a row for those that a commit adds to a run, and the tasks."""
    events = [row for commit in done for row in fold(commit.entries, keys[commit.process])]
    _over(transaction, _RECORD, events)
    _over(transaction, _REMOVE, [(commit.process, key) for commit in done for key in commit.remove])
    _over(transaction, _ADD, [rows.task(task) for commit in done for task in commit.add])


def _over(transaction: Transaction, statement: str, values: Sequence[tuple[Any, ...]]) -> Rows:
    """Run a statement over the columns of some rows."""
    return transaction.rows(statement, [list(column) for column in zip(*values, strict=True)]) if values else []


def _moved(commit: Commit) -> tuple[Any, ...]:
    new = commit.summary
    status, closed = (None, None) if new is None else (new.status, new.closed)
    return (commit.process, commit.base, commit.stamp, commit.head, status, closed)


def _archived(commit: Commit) -> tuple[Any, ...]:
    assert commit.archive is not None
    old = commit.archive
    return (commit.process, commit.base, old.head, old.summary.status, old.summary.closed)
