"""Commits: many of them in one call of the server's function `commit`, over arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pyworkflow.engine.bell import topics_of
from pyworkflow.engine.store import Commit, Summary
from pyworkflow_sql import rows
from pyworkflow_sql.lines import fold

from .database import Alone, Transaction

Columns = list[list[Any] | None]

_RUN = ("text text text text bytea text float8 int4 bytea", "text text text float8 text text")
_KEY = "text text"
_TASK = "text text text float8 int4 bytea"
_TOPIC = "text text"
_TABLES = (*_RUN, _KEY, _TASK, _TOPIC)
_WIDTHS = [len(columns.split()) for columns in _TABLES]
_CALL = "SELECT {{schema}}.commit_2({}, %s::text)".format(
    ", ".join(f"%b::{type}[]" for columns in _TABLES for type in columns.split())
)
_NOTHING_NEW: tuple[None, ...] = (None,) * _WIDTHS[1]


def apply(transaction: Transaction | Alone, commits: Sequence[Commit], channel: str) -> set[str]:
    """Apply what can be applied, and tell others of it on a channel; the processes for which that was done."""
    puts = [put for commit in commits for put in _puts(commit)]
    begun = any(commit.archive is not None or not commit.base for commit in commits)
    values: list[Any] = [
        *_columns([put[: _WIDTHS[0]] for put in puts], _WIDTHS[0]),
        *_columns([put[_WIDTHS[0] :] for put in puts] if begun else [], _WIDTHS[1]),
        *_columns([(commit.process, key) for commit in commits for key in commit.remove], _WIDTHS[2]),
        *_columns([rows.task(task) for commit in commits for task in commit.add], _WIDTHS[3]),
        *_columns([(commit.process, topic) for commit in commits for topic in topics_of(commit)], _WIDTHS[4]),
        channel,
    ]
    ((done,),) = transaction.rows(_CALL, values)
    return set(done)


def _columns(table: Sequence[tuple[Any, ...]], width: int) -> Columns:
    """Rows as columns; those of a table without rows are none."""
    return [list(column) for column in zip(*table, strict=True)] if table else [None] * width


def _puts(commit: Commit) -> Iterator[tuple[Any, ...]]:
    """What a commit does to runs, as rows of the function's table."""
    id, new = commit.process, commit.summary
    if commit.base and commit.archive is None:
        status, closed = (None, None) if new is None else (new.status, new.closed)
        state = (commit.stamp, commit.head, status, closed)
        yield (id, "change", commit.base, *state, *_records(commit, commit.run), *_NOTHING_NEW)
        return
    if commit.archive is not None:
        old = commit.archive.summary
        state = ("", commit.archive.head, old.status, old.closed)
        yield (id, "archive", commit.base, *state, *_records(commit, old.run), *_NOTHING_NEW)
    assert new is not None
    how = "begin" if commit.archive is None else "follow"
    state = (commit.stamp, commit.head, new.status, new.closed)
    yield (id, how, "", *state, *_records(commit, commit.run), *_begun(new))


def _begun(new: Summary) -> tuple[Any, ...]:
    return (new.run, new.workflow, new.version, new.started, new.parent, json.dumps(new.tags))


def _records(commit: Commit, run: str) -> tuple[int | None, bytes | None]:
    """The number and the records of one run's row of events, if it has got any."""
    runs = [commit.run] if commit.archive is None else [commit.archive.summary.run, commit.run]
    found = {of: (seq, records) for of, seq, records in fold(commit.entries, {run: run for run in runs})}
    return found.get(run, (None, None))
