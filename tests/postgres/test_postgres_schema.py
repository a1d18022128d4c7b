"""What a database may hold: nothing, our schema, an older or newer one, another's; each is told apart."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from pyworkflow import CompleteProcess, Manager, Process, UnsupportedBackend, Worker, Workflow, open_backend
from pyworkflow.testing.store_bench import make_commit, make_summary
from pyworkflow_postgres import PostgresBackend, PostgresStore
from pyworkflow_postgres import schema as tables

from ..servers import postgres

NAME = f"test_own_{os.getpid()}"


class Ends(Workflow):
    def decide(self, process: Process) -> Any:
        return CompleteProcess("fine")


@pytest.fixture(autouse=True)
def _dropped() -> Iterator[None]:
    postgres.drop(NAME)
    yield
    postgres.drop(NAME)


def execute(sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        cursor = connection.execute(sql.replace("NAME", NAME).encode())
        return cursor.fetchall() if cursor.description else []


def opened(**options: Any) -> PostgresBackend:
    return PostgresBackend(postgres.url(), schema=NAME, **options)


def test_opening_one_empty_database_at_the_same_time() -> None:
    with ThreadPoolExecutor(8) as pool:
        backends = list(pool.map(lambda _: opened(pool_size=2), range(8)))
    backends[0].start_process(Process("w", "p"))
    assert [backend.process_by_id("p").id for backend in backends] == ["p"] * 8
    for backend in backends:
        backend.close()


def test_a_newer_schema_is_refused_and_left_as_it_is() -> None:
    opened().close()
    execute("UPDATE NAME.version SET number = 99")
    with pytest.raises(UnsupportedBackend, match="newer pyworkflow"):
        opened()
    assert execute("SELECT number FROM NAME.version") == [(99,)]


def test_the_schema_of_another_application_is_refused() -> None:
    execute("CREATE SCHEMA NAME")
    execute("CREATE TABLE NAME.run (theirs integer)")
    with pytest.raises(UnsupportedBackend, match="another application"):
        opened()
    assert execute("SELECT tablename FROM pg_tables WHERE schemaname = 'NAME'") == [("run",)]


def test_an_older_schema_is_brought_up_to_date_with_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = opened()
    backend.start_process(Process("w", "p"))
    backend.close()
    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, ("ALTER TABLE {schema}.run ADD extra integer",)))
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    with ThreadPoolExecutor(4) as pool:
        backends = list(pool.map(lambda _: opened(pool_size=2), range(4)))
    assert [each.process_by_id("p").id for each in backends] == ["p"] * 4
    assert execute("SELECT number FROM NAME.version") == [(tables.VERSION,)]
    assert execute("SELECT extra FROM NAME.run") == [(None,)]
    for each in backends:
        each.close()


def test_a_schema_of_the_first_version_gets_what_came_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tables, "MIGRATIONS", tables.MIGRATIONS[:1])
        patch.setattr(tables, "VERSION", 1)
        opened().close()
    assert execute("SELECT number FROM NAME.version") == [(1,)]
    manager = Manager(opened(), [Ends])
    manager.start_process(Process(Ends, "p"))
    Worker(manager).run(burst=True)
    assert manager.result("p", 0) == "fine"
    assert execute("SELECT number FROM NAME.version") == [(tables.VERSION,)]
    manager.close()


def test_a_migration_that_fails_leaves_the_older_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    opened().close()
    steps = ("ALTER TABLE {schema}.run ADD extra integer", "ALTER TABLE {schema}.nowhere ADD extra integer")
    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, steps))
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    with pytest.raises(UnsupportedBackend, match="nowhere"):
        opened()
    monkeypatch.undo()
    opened().close()


def test_a_schema_that_somebody_else_made_needs_no_right_to_make_one() -> None:
    role = f"{NAME}_role"
    execute("CREATE SCHEMA NAME")
    execute(f"DROP ROLE IF EXISTS {role}")
    execute(f"CREATE ROLE {role} LOGIN")
    execute(f"GRANT USAGE, CREATE ON SCHEMA NAME TO {role}")
    try:
        url = postgres.url().replace("tester@", f"{role}@")
        backend = PostgresBackend(url, schema=NAME)
        backend.start_process(Process("w", "p"))
        backend.close()
        with pytest.raises(UnsupportedBackend, match="permission denied"):
            PostgresBackend(url, schema=f"{NAME}_more")
    finally:
        postgres.drop(NAME)
        execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    "name", ["", "Upper", "with space", 'quo"te', "x" * 64, "pg_mine", "1st", "a.b", "a;b", "100%"]
)
def test_odd_names_of_schemas_are_refused(name: str) -> None:
    with pytest.raises(UnsupportedBackend, match="schema"):
        PostgresBackend(postgres.url(), schema=name)


def test_urls() -> None:
    url = f"{postgres.url()}?application_name=with%20space"
    backend = open_backend(f"{url}&schema={NAME}&listen=off", pool_size=1)
    info = backend.info()
    assert (info["schema"], info["listening"]) == (NAME, False)
    assert "with space" in {name for (name,) in execute("SELECT application_name FROM pg_stat_activity")}
    backend.close()
    open_backend(f"{url.replace('postgresql://', 'postgres://')}&schema={NAME}", create=False).close()
    postgres.drop(NAME)
    with pytest.raises(UnsupportedBackend, match="there is no schema"):
        open_backend(f"{url}&schema={NAME}", create=False)
    with pytest.raises(UnsupportedBackend, match="on or off"):
        open_backend(f"{url}&listen=maybe")
    with pytest.raises(UnsupportedBackend, match="URL"):
        open_backend("postgresql://host/db?no_such_option=1")


def test_settings_that_lose_work_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    url = f"{postgres.url()}?options=-c%20synchronous_commit%3Doff"
    with caplog.at_level(logging.WARNING, "pyworkflow.engine"):
        backend = PostgresBackend(url, schema=NAME)
    assert "may be lost" in caplog.text and "synchronous_commit off" in caplog.text
    assert backend.info()["durable"] is False
    backend.close()


def test_through_a_pooler_nothing_stays_on_a_connection() -> None:
    manager = Manager(opened(listen=False, pool_size=1), [Ends])
    manager.start_process(Process(Ends, "p"))
    Worker(manager).run(burst=True)
    assert manager.result("p", 0) == "fine"
    store: Any = manager.backend.store  # type: ignore[attr-defined]
    for left in (
        "SELECT name FROM pg_prepared_statements",
        "SELECT pg_listening_channels()",
        "SELECT name FROM pg_settings WHERE source = 'session'",
        "SELECT 1 FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
    ):
        assert store._database.rows(left) == []
    manager.close()


def test_purging_leaves_no_row() -> None:
    store = PostgresStore(postgres.url(), schema=NAME)
    closed = make_summary(status="completed", closed=5.0, tags=["t"])
    assert store.commit([make_commit(events=[b"e"], summary=closed)]) == [True]
    assert store.purge(9.0, 10) == 1
    tables_ = [name for (name,) in execute("SELECT tablename FROM pg_tables WHERE schemaname = 'NAME'")]
    left = {name: execute(f"SELECT count(*) FROM NAME.{name}") for name in tables_ if name != "version"}
    assert left == {name: [(0,)] for name in ("run", "event", "task", "tag")}
    store.close()


def test_a_fork_connects_anew() -> None:
    backend = opened()
    backend.start_process(Process("w", "parent"))
    child = os.fork()
    if not child:
        try:
            backend.start_process(Process("w", "child"))
            store = backend.store
            store.wait(store.ticket(), ["q"], 0.01)
            os._exit(0 if backend.info()["listening"] else 2)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    backend.start_process(Process("w", "after"))
    assert {process.id for process in backend.processes()} == {"parent", "child", "after"}
    backend.close()


def test_names_that_no_row_can_have_are_unknown() -> None:
    store = PostgresStore(postgres.url(), schema=NAME)
    assert store.read("a\0b") is None
    assert store.tasks("a\0b") == store.history("a\0b", "r") == []
    store.close()
