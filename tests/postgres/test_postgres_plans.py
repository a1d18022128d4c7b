"""Whatever polls and steps do goes by an index, whether the server has statistics of the tables or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pyworkflow.engine.store import Query
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_postgres import PostgresStore

from ..servers import postgres

MANY = 20_000
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


@pytest.fixture(params=["with statistics", "without"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    store = PostgresStore(postgres.url(), schema=postgres.emptied())
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(FILL.replace("NAME", postgres.schema()).replace("MANY", str(MANY)).encode())
        if request.param == "with statistics":
            connection.execute("ANALYZE")
    yield store
    store.close()


def test_no_table_is_read_as_a_whole(store: Any) -> None:
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
        assert store.history("p2", "r") == [b"e", b"e"]
        store.postpone(store.tasks("p7")[0], 5.0)
        for query in ({}, {"workflow": "W3"}, {"id": "p7"}, {"id_prefix": "p77"}, {"statuses": OPEN}):
            assert store.find(Query(**query, limit=10, cursor=(1e9, "", "")))
        read = store._database.rows(
            "SELECT relname FROM pg_stat_xact_user_tables WHERE schemaname = %s AND seq_scan > 0", (postgres.schema(),)
        )
        assert read == []
