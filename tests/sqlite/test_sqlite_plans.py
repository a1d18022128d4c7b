"""A page of a list costs as much as it is long, however many processes there are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pyworkflow.engine.store import Query
from pyworkflow.testing.store_bench import make_commit, make_summary
from pyworkflow_sql import questions
from pyworkflow_sqlite import SQLiteStore

MANY, PAGE = 4_000, 10
OPEN = frozenset({"running", "blocked"})


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "many.db")
    store = SQLiteStore(path, durability="normal")
    summaries = [make_summary(f"p{number}", started=float(number)) for number in range(MANY)]
    store.commit([make_commit(summary.id, summary=summary) for summary in summaries])
    store.close()
    return path


@pytest.mark.parametrize(
    "query",
    [
        Query(limit=PAGE),
        Query(statuses=OPEN, limit=PAGE),
        Query(statuses=OPEN, limit=PAGE, cursor=(MANY / 2, "p", "r1")),
        Query(statuses=OPEN, workflow="W", limit=PAGE),
        Query(statuses=frozenset({"completed", "failed"}), limit=PAGE),
        Query(statuses=OPEN, id="p7", limit=PAGE),
        Query(statuses=OPEN, parent="p7", limit=PAGE),
    ],
    ids=str,
)
def test_a_page_does_not_read_all_processes(file: str, query: Query) -> None:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with sqlite3.connect(file) as connection:
        statement, values = questions.find(query, "pyworkflow_")
        connection.set_progress_handler(count, 1)
        connection.execute(statement, values).fetchall()
    assert steps < MANY
