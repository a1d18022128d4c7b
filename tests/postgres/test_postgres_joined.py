"""A start or a signal as a part of a transaction of the caller's own in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pyworkflow import Manager, Process
from pyworkflow.exceptions import UnsupportedBackend
from pyworkflow.testing.invariants import check
from pyworkflow_postgres import PostgresBackend

from ..backends.joining import Joining, Ship
from ..servers import postgres


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(PostgresBackend(postgres.url(), schema=postgres.emptied()), [Ship])
    yield manager
    check(manager.backend.store)  # type: ignore[attr-defined]
    manager.close()


@pytest.fixture
def connection(manager: Manager) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("CREATE TABLE parcel (id TEXT PRIMARY KEY)")
        connection.commit()
        yield connection
        connection.rollback()
        connection.execute("DROP TABLE parcel")


class TestJoined(Joining):
    def transaction(self, connection: psycopg.Connection) -> Any:
        return connection.transaction()


def test_rows_may_look_as_their_owner_likes(manager: Manager, connection: psycopg.Connection) -> None:
    with psycopg.connect(postgres.url(), row_factory=psycopg.rows.dict_row) as other:  # type: ignore[arg-type]
        manager.start_process(Process(Ship, "p1"), connection=other)
        manager.signal_process("p1", "go", connection=other)
    assert manager.count() == 1


def test_in_autocommit_mode_the_caller_begins(manager: Manager) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as other:
        with pytest.raises(ValueError, match="no open transaction"):
            manager.start_process(Process(Ship, "p1"), connection=other)
        with other.transaction():
            manager.start_process(Process(Ship, "p1"), connection=other)
    assert manager.count() == 1


def test_another_database_is_refused(manager: Manager) -> None:
    refused = pytest.raises(UnsupportedBackend, match="not to the database")
    with psycopg.connect(postgres.url(), dbname="template1") as other, refused:
        manager.start_process(Process(Ship), connection=other)
    with pytest.raises(UnsupportedBackend, match=r"joined by a psycopg\.Connection"):
        manager.start_process(Process(Ship), connection="nonsense")


def test_a_pipeline_is_refused(manager: Manager) -> None:
    refused = pytest.raises(UnsupportedBackend, match="pipeline")
    with psycopg.connect(postgres.url()) as connection, connection.pipeline(), refused:
        manager.start_process(Process(Ship), connection=connection)


@pytest.mark.parametrize("encoding", ["latin1", "sql_ascii"])
def test_an_encoding_that_cannot_say_everything_is_refused(manager: Manager, encoding: str) -> None:
    refused = pytest.raises(UnsupportedBackend, match="client_encoding is UTF8")
    with psycopg.connect(postgres.url(), client_encoding=encoding) as connection, refused:
        manager.start_process(Process(Ship, "p-€"), connection=connection)
