"""Whatever polls and steps do goes by an index, whether the server has statistics of the tables or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from pyworkflow.engine.store import Query
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_postgres import PostgresStore

from ..servers import postgres

FEW, MANY = 200, 20_000
OPEN = frozenset({"running", "blocked"})
FILL = """
INSERT INTO NAME.run (id, run, current, stamp, head, workflow, version, status, started, parent, tags)
    SELECT 'p' || n, 'r', true, '1', 'h', 'W' || n % 10, '1', 'running', n, NULL, '[]' FROM generate_series(1, MANY) n;
INSERT INTO NAME.event SELECT key, 2, 'e' FROM NAME.run;
INSERT INTO NAME.task (process, key, queue, due, priority, body)
    SELECT 'p' || n, 'alarm', 'alarm', 1e9 + n, 0, '' FROM generate_series(1, MANY) n;
INSERT INTO NAME.task (process, key, queue, due, priority, body)
    SELECT 'p' || n, 'd', 'decision/c', n, n % 3, '' FROM generate_series(1, MANY) n;
"""


@pytest.fixture
def schema() -> Iterator[str]:
    """One of its own: tables that were large once are still taken for large."""
    name = f"{postgres.schema()}_plans"
    yield name
    postgres.drop(name)


@pytest.mark.parametrize("know", ["statistics", "no statistics", "the tables as they were when there was little"])
def test_no_table_is_read_as_a_whole(schema: str, know: str) -> None:
    """A worker that opens a new schema keeps its plans; until the server has counted, nobody makes them anew."""
    with closing(PostgresStore(postgres.url(), schema=schema)) as store:
        if know.startswith("the tables"):
            _fill(schema, FEW)
            _use(store)
            _empty(schema)
        _fill(schema, MANY)
        if know == "statistics":
            with psycopg.connect(postgres.url(), autocommit=True) as connection:
                connection.execute("ANALYZE")
        assert _use(store) == []


def test_through_a_pooler_steps_go_by_an_index_too(schema: str) -> None:
    """The server keeps its functions' plans, whoever it is that calls them next on that connection."""
    with closing(PostgresStore(postgres.url(), schema=schema, listen=False)) as store:
        for many in (FEW, MANY):
            _fill(schema, many)
            for _ in range(10):
                with store.batch():
                    claimed = store.claim(["decision/c"], 1e6, 2e6, 5)
                    commits = [make_commit(task.process, "1", "2", run="r", remove=["d"]) for task, _ in claimed]
                    assert store.commit(commits) == [True] * 5
                    assert _read_as_a_whole(store) == []
            _empty(schema)


def _fill(schema: str, many: int) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(FILL.replace("NAME", schema).replace("MANY", str(many)).encode())


def _empty(schema: str) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        for table in ("run", "event", "task", "tag"):
            connection.execute(f"DELETE FROM {schema}.{table}".encode())


def _use(store: Any) -> list[Any]:
    """Do what polls and steps do; the tables of which all was read."""
    with store.batch():
        assert min(store.next_due(["alarm", "decision/c", "other"]).values()) == 1
        assert store.claim(["alarm", "letter"], 1e6, 2e6, 100) == []
        claimed = store.claim(["decision/c", "other"], 1e6, 2e6, 50)
        assert [task.priority for task, _ in claimed] == [2] * 50
        commits = [
            make_commit(
                task.process, "1", "2", run="r", events=[b"e"], first=3, add=[make_task(task.process)], remove=["d"]
            )
            for task, _ in claimed
        ]
        commits.append(make_commit("new", summary=make_summary("new", tags=["t"])))
        assert all(store.commit(commits))
        assert store.read("p7") and store.read("p7", "r") and store.tasks("p7")
        assert store.history("p2", "r") == [b"e", b"e"] and store.histories([("p2", "r", 0, 9)]) == [[b"e", b"e"]]
        store.postpone(store.tasks("p7")[0], 5.0)
        for query in ({}, {"workflow": "W3"}, {"id": "p7"}, {"id_prefix": "p77"}, {"statuses": OPEN}):
            assert store.find(Query(**query, limit=10, cursor=(1e9, "", "")))
        return _read_as_a_whole(store)


def _read_as_a_whole(store: Any) -> list[Any]:
    """Tables, by this transaction."""
    return store._database.rows(
        "SELECT relname FROM pg_stat_xact_user_tables WHERE schemaname = %s::text AND seq_scan > 0",
        (store._own.statements.schema,),
    )
