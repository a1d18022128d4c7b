"""Connections while a server is away, or is not the primary; how often it is asked when it is there."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from pyworkflow import BackendUnavailable
from pyworkflow.testing.store_bench import make_commit, make_task
from pyworkflow_postgres import PostgresStore, database
from pyworkflow_postgres.wire import Wire

from ..servers import postgres


def test_a_server_that_is_away_is_tried_again_and_again() -> None:
    """Not ever less often: whoever waits for it should go on as soon as it is back."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tried: list[socket.socket] = []
        threading.Thread(target=lambda: _hang_up(listening, tried), daemon=True).start()
        url = f"postgresql://127.0.0.1:{listening.getsockname()[1]}/shop"
        away = database.Database(url, "pyworkflow", 2, 2.0, False, lambda topics: None)
        with pytest.raises(BackendUnavailable, match="closed the connection"):
            away.rows("SELECT 1")
        away.close()
    assert len(tried) > 6


def _hang_up(listening: socket.socket, tried: list[socket.socket]) -> None:
    with suppress(OSError):
        while True:
            tried.append(listening.accept()[0])
            tried[-1].close()


def test_a_standby_is_waited_for_until_it_is_promoted() -> None:
    """It would show a past in which tasks are still free."""
    q = make_commit("q")
    with closing(postgres.Server(postgres.binaries(), postgres.QUICK)) as server:
        server.start()
        store = PostgresStore(server.url, connect_timeout=0.5)
        store.commit([make_commit("p")])
        server.stand_by()
        for call in (lambda: store.read("p"), lambda: store.commit([q]), lambda: PostgresStore(server.url)):
            with pytest.raises(BackendUnavailable, match=r"standby|recovery"):
                call()
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        assert store.read("p") and store.commit([q]) == [True]
        store.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that the server is asked for something is an item."""
    made: list[str] = []

    def counted(name: str) -> Any:
        asked = getattr(Wire, name)

        def ask(wire: Wire, *statements: Any) -> Any:
            made.append(name)
            return asked(wire, *statements)

        return ask

    for name in ("ask", "ask_at_once"):
        monkeypatch.setattr(Wire, name, counted(name))
    return made


def test_only_a_lease_by_itself_is_not_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    ask = Wire.ask_at_once

    def noted(wire: Wire, *some: Any) -> Any:
        asked.extend(statement for statement, _ in some)
        return ask(wire, *some)

    monkeypatch.setattr(Wire, "ask_at_once", noted)
    unsynced = b"SET LOCAL synchronous_commit = off"
    with closing(PostgresStore(postgres.url(), schema=postgres.emptied(), clock=lambda: 1.0)) as store:
        store.commit([make_commit("p", add=[make_task("p")])])
        with store.batch():
            store.claim(["q"], 100.0, 105.0, 1)
            store.commit([make_commit("p", "1", "2")])
        assert unsynced not in asked
        store.claim(["q"], 200.0, 205.0, 1)
        assert asked.count(unsynced) == 1


def test_how_often_the_server_is_asked(trips: list[str]) -> None:
    with closing(PostgresStore(postgres.url(), schema=postgres.emptied(), clock=lambda: 1.0)) as store:
        store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")]) for number in range(20)])
        assert len(trips) == 1
        with store.batch():
            taken = store.claim(["q"], 100.0, 105.0, 20)
            assert len(taken) == 20
            store.commit([make_commit(task.process, "1", "2", remove=["d"]) for task, _ in taken])
        assert len(trips) == 1 + 3
        with store.batch():
            store.commit([make_commit("p1", "2", "3"), make_commit("p2", "2", "3", add=[make_task("p2")])])
            store.claim(["q"], 100.0, 105.0, 20)
            store.commit([make_commit("p2", "3", "4", remove=["d"])])
        assert len(trips) == 1 + 3 + 4
        with store.batch():
            pass
        assert len(trips) == 1 + 3 + 4
