"""What is sent to the server in its own format arrives as it was, and what fails leaves a connection that works."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.pq import PipelineStatus, TransactionStatus

from pyworkflow_postgres.wire import Wire

from ..servers import postgres

VALUES = [
    ("text", ["", "name", "ä€😀", "100%", "{a,b}", 'quo"te', None]),
    ("bytea", [b"", b"\0\xff\\x", bytes(range(256)), None]),
    ("float8", [0.0, -0.1, 1e300, 1795681709.366579, 7, None]),
    ("int4", [0, -1, 2**31 - 1, None]),
    ("int8", [0, -(2**63), 2**63 - 1, None]),
]


@pytest.fixture(params=[5, None], ids=["prepared", "through a pooler"])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with Wire.connect(postgres.url(), autocommit=True, prepare_threshold=request.param) as connection:
        yield connection


def ask(wire: Wire, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    return wire.read(wire.ask(statement.encode(), values))


@pytest.mark.parametrize(("type", "values"), VALUES, ids=[type for type, _ in VALUES])
def test_values_arrive(wire: Wire, type: str, values: list[Any]) -> None:
    for _ in range(2):
        assert [ask(wire, f"SELECT %s::{type}", value) for value in values] == [[(value,)] for value in values]
        assert ask(wire, f"SELECT * FROM unnest(%b::{type}[])", values) == [(value,) for value in values]
        assert ask(wire, f"SELECT cardinality(%b::{type}[])", []) == [(0,)]
        assert ask(wire, f"SELECT %b::{type}[] IS NULL", None) == [(True,)]


def test_more_than_a_socket_holds(wire: Wire) -> None:
    body = b"x" * 5_000_000
    assert ask(wire, "SELECT length(%s::bytea), %s::bytea", body, body) == [(len(body), body)]


def test_a_percent_sign_is_written_twice(wire: Wire) -> None:
    assert ask(wire, "SELECT 7 %% 4, %s::text", "100%") == [(3, "100%")]


def test_only_some_statements_are_kept_by_the_server(wire: Wire) -> None:
    for _ in range(3):
        ask(wire, "SELECT %s::int4", 1)
        ask(wire, "SELECT 1")
    kept = ask(wire, "SELECT statement FROM pg_prepared_statements")
    assert kept == ([("SELECT $1",)] if wire.prepare_threshold is not None else [])


def test_what_fails_leaves_a_connection_that_works(wire: Wire) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(wire, "SELECT 1 / %s::int4", 0)
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(wire, "SELECT %s::int4 FROM nowhere", 0)
    assert ask(wire, "SELECT 1 / %s::int4", 1) == [(1,)]


def test_several_at_once_are_answered_each(wire: Wire) -> None:
    begun, *answers = wire.ask_at_once((b"BEGIN", ()), (b"SELECT %s::int4", (1,)), (b"SELECT %s::text", ("last",)))
    assert begun.command_status == b"BEGIN"
    assert [wire.read(answer) for answer in answers] == [[(1,)], [("last",)]]
    assert wire.info.transaction_status == TransactionStatus.INTRANS
    assert wire.ask_at_once((b"SELECT %s::int4", (2,)), (b"COMMIT", ()))[-1].command_status == b"COMMIT"
    assert wire.info.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("place", [0, 1, 2])
def test_after_one_that_fails_nothing_is_executed(wire: Wire, place: int) -> None:
    ask(wire, "CREATE TEMP TABLE IF NOT EXISTS mark (number int4)")
    asked: list[Any] = [(b"INSERT INTO mark VALUES (%s::int4)", (number,)) for number in range(3)]
    asked[place] = (b"SELECT 1 / %s::int4", (0,))
    with pytest.raises(psycopg.errors.DivisionByZero):
        wire.ask_at_once(*asked)
    assert wire.pgconn.pipeline_status == PipelineStatus.OFF
    assert ask(wire, "SELECT * FROM mark") == []


@pytest.mark.parametrize("place", ["_know", "_send", "_answer", "_answers"])
def test_one_that_was_interrupted_in_the_middle_is_closed(wire: Wire, place: str, monkeypatch: Any) -> None:
    """Nobody knows where it stands: what it has prepared, or whether answers are still to come."""
    asked = getattr(wire, place)

    def interrupted(*arguments: Any) -> Any:
        asked(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(wire, place, interrupted)
    with pytest.raises(KeyboardInterrupt):
        wire.ask_at_once((b"BEGIN", ()), (b"SELECT %s::int4", (1,)))
        wire.ask(b"SELECT %s::int4", (1,))
    assert wire.closed


def test_a_session_that_is_ended_says_why(wire: Wire) -> None:
    ended = threading.Thread(target=_end, args=(wire.info.backend_pid,))
    ended.start()
    with pytest.raises(psycopg.OperationalError, match="terminating connection"):
        wire.ask_at_once((b"BEGIN", ()), (b"SELECT pg_sleep(60)", ()), (b"COMMIT", ()))
    ended.join()
    assert wire.closed


def _end(session: int) -> None:
    """As soon as it is busy."""
    with psycopg.connect(postgres.url(), autocommit=True) as other:
        asleep = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"
        while not other.execute(asleep, (session,)).rowcount:
            time.sleep(0.01)
        other.execute("SELECT pg_terminate_backend(%s)", (session,))
