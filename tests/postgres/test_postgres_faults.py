"""Servers that crash, connections that are cut, clients that stop: nothing acknowledged is lost, and all goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from pyworkflow import (
    Activity,
    BackendUnavailable,
    CompleteProcess,
    Manager,
    Process,
    RuleSetWorkflow,
    Worker,
    rules,
)
from pyworkflow.testing.invariants import check
from pyworkflow.testing.store_bench import make_commit, make_task
from pyworkflow_postgres import PostgresBackend, PostgresStore, database
from pyworkflow_postgres.wire import Wire

from ..servers.cutting import Proxy
from ..servers.postgres import QUICK, Server, binaries

PATIENCE = 60.0


class Step(Activity):
    execution_timeout = 3.0

    def execute(self) -> Any:
        time.sleep(0.01)
        return "done"


class Steps(RuleSetWorkflow):
    """Thirty events; what was given to a worker in a commit that it never heard of is done again."""

    activities = [Step]
    decision_timeout = 3.0

    @rules.process_started
    @rules.interrupted_activity(Step)
    def begin(self, event: Any, process: Any) -> Any:
        return Step

    @rules.completed_activity(Step)
    def go_on(self, event: Any, process: Any) -> Any:
        return CompleteProcess("fine") if len(process.history) > 30 else Step


OPENED: list[Any] = []


def store(server: Server, **options: Any) -> Any:
    """A store on the server, to be closed when the test is over."""
    OPENED.append(PostgresStore(server.url, **options))
    return OPENED[-1]


def backend(url: str, **options: Any) -> PostgresBackend:
    """A backend, to be closed when the test is over."""
    OPENED.append(PostgresBackend(url, **options))
    return OPENED[-1]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of these tests' own, since they do not treat it well."""
    server = Server(binaries(), {**QUICK, "fsync": "on"})
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """It runs, and has no schema of ours."""
    yield running
    for store in OPENED:
        store.close()
    OPENED.clear()
    running.start()
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS pyworkflow CASCADE")


def until(true: Callable[[], Any]) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def ask(server: Server, sql: str) -> list[Any]:
    with psycopg.connect(server.url, autocommit=True) as connection:
        return [row[0] for row in connection.execute(sql.encode()).fetchall()]


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT], ids=["crash", "shutdown"])
@pytest.mark.parametrize("listen", [True, False], ids=["listening", "polling"])
def test_a_server_that_restarts_in_the_middle(server: Server, how: signal.Signals, listen: bool) -> None:
    manager = Manager(backend(server.url, listen=listen, connect_timeout=1.0), [Steps])
    worker = Worker(manager, concurrency=4)
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    for number in range(20):
        manager.start_process(Process(Steps, f"p{number}"))
    for _ in range(2):
        before = sum(len(manager.history(f"p{number}")) for number in range(20))
        server.stop(how)
        with pytest.raises(BackendUnavailable):
            manager.count()
        server.start()
        until(lambda: _available(manager))
        assert sum(len(manager.history(f"p{number}")) for number in range(20)) >= before
    assert [manager.result(f"p{number}", PATIENCE) for number in range(20)] == ["fine"] * 20
    check(manager.backend.store)  # type: ignore[attr-defined]
    until(lambda: manager.backend.info()["listening"] == listen)
    worker.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def _available(manager: Manager) -> bool:
    try:
        return manager.count() >= 0
    except BackendUnavailable:
        return False


def test_who_waits_is_woken_after_the_listener_was_cut_off(server: Server) -> None:
    mine, other = store(server), store(server)
    mine.ticket()
    ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    until(lambda: mine.info()["listening"])
    woken = threading.Event()
    ticket = mine.ticket()

    def wait() -> None:
        mine.wait(ticket, ["q"], PATIENCE)
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    other.commit([make_commit(add=[make_task(queue="q")])])
    assert woken.wait(PATIENCE / 2)


def test_an_idle_connection_that_was_cut_is_replaced_unseen(server: Server) -> None:
    shop = backend(server.url)
    shop.start_process(Process("w", "before"))
    for _ in range(2):
        ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pyworkflow'")
        assert shop.process_by_id("before").status == "running"
        ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pyworkflow'")
        shop.signal_process("before", "s")
    assert [event.type for event in shop.history("before")].count("signal") == 2


def test_a_server_that_hung_up_says_that_nothing_was_done(server: Server) -> None:
    with Wire.connect(server.url, autocommit=True) as wire:
        asked = (b"BEGIN", ()), (b"SELECT %s::int4", (1,)), (b"COMMIT", ())
        assert wire.read(wire.ask_at_once(*asked)[1]) == [(1,)]
        pid = wire.info.backend_pid
        ask(server, f"SELECT pg_terminate_backend({pid}, 10000)")
        with pytest.raises(psycopg.errors.AdminShutdown):
            wire.ask_at_once(*asked)
        assert wire.undone


def test_a_connection_that_is_cut_in_a_transaction(server: Server) -> None:
    mine = store(server)
    with pytest.raises(BackendUnavailable, match="terminating connection"), mine.batch():
        assert mine.commit([make_commit("p", events=[b"e"], add=[make_task("p")])]) == [True]
        ask(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
        mine.read("p")
    assert mine.read("p") is None
    assert mine.commit([make_commit("p", events=[b"e"])]) == [True]


def test_a_reply_that_is_lost(server: Server) -> None:
    """What was committed has happened, though nobody heard of it: repeated with its request, the call counts once."""
    proxy = Proxy(server.port)
    shop = backend(server.url.replace(f":{server.port}", f":{proxy.port}"))
    shop.start_process(Process("w", "p"), request_id="start")
    proxy.losing = b"COMMIT\0"
    with pytest.raises(BackendUnavailable):
        shop.signal_process("p", "s", request_id="once")
    shop.signal_process("p", "s", request_id="once")
    assert proxy.lost == 1
    assert [event.type for event in shop.history("p")] == ["process_started", "signal"]
    check(shop.store)
    proxy.close()


def test_a_transaction_that_had_only_begun_is_begun_again_unseen(server: Server) -> None:
    proxy = Proxy(server.port)
    mine = backend(server.url.replace(f":{server.port}", f":{proxy.port}")).store
    mine.read("p")
    proxy.losing = b"BEGIN "
    with mine.batch():
        assert mine.read("p") is None
        assert mine.commit([make_commit("p", events=[b"e"])]) == [True]
    assert proxy.lost == 1
    assert mine.read("p") is not None
    proxy.close()


def test_an_error_that_was_swallowed_in_a_batch_is_no_commit(server: Server) -> None:
    mine = store(server)
    mine.commit([make_commit(add=[make_task()])])
    with pytest.raises(BackendUnavailable, match="nothing of it"), mine.batch():
        mine.discard(make_task())
        with pytest.raises(psycopg.DataError):
            mine._database.rows("SELECT 1 / 0")
    assert mine.tasks("p") == [make_task()]


def test_a_client_that_stopped_in_a_transaction_holds_up_nobody(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_IN_TRANSACTION", "2s")
    zombie, other = store(server), store(server)
    zombie.commit([make_commit("p", add=[make_task("p")])])
    with pytest.raises(BackendUnavailable), zombie.batch():
        assert zombie.commit([make_commit("p", "1", "2", head=b"zombie")]) == [True]
        assert other.claim(["q"], 100.0, 105.0, 9) == []
        assert other.commit([make_commit("p", "1", "2", head=b"other")]) == [True]
        zombie.read("p")
    row = zombie.read("p")
    assert row is not None and row.head == b"other"


def test_a_server_that_is_not_there_is_said_at_once(server: Server) -> None:
    server.stop()
    begun = time.monotonic()
    with pytest.raises(BackendUnavailable, match=r"127\.0\.0\.1.*refused"):
        PostgresBackend(server.url)
    assert time.monotonic() - begun < 5


def test_too_many_connections_are_said(server: Server) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS few")
        connection.execute("CREATE ROLE few LOGIN SUPERUSER CONNECTION LIMIT 2")
        connection.execute("ALTER ROLE few NOSUPERUSER")
        connection.execute("GRANT CREATE ON DATABASE postgres TO few")
    url = server.url.replace("tester@", "few@")
    shop = backend(url, connect_timeout=1.0)
    shop.start_process(Process("w", "p"))
    shop.store.ticket()
    until(lambda: shop.info()["listening"])
    with pytest.raises(BackendUnavailable, match="too many connections"):
        PostgresBackend(url)
    with shop.store.batch():
        shop.store.read("p")
        refused: list[BaseException] = []
        thread = threading.Thread(target=_catch, args=(lambda: shop.process_by_id("p"), refused))
        thread.start()
        thread.join(PATIENCE)
    assert "too many connections" in str(refused[0])
    assert shop.process_by_id("p").id == "p"


def test_a_pool_that_is_used_up_is_said(server: Server) -> None:
    mine = store(server, pool_size=1, connect_timeout=0.5)
    with mine.batch():
        mine.read("p")
        refused: list[BaseException] = []
        thread = threading.Thread(target=_catch, args=(lambda: mine.read("p"), refused))
        thread.start()
        thread.join(PATIENCE)
    assert isinstance(refused[0], BackendUnavailable)
    assert "pool_size" in str(refused[0])


def _catch(call: Callable[[], Any], errors: list[BaseException]) -> None:
    try:
        call()
    except BaseException as error:
        errors.append(error)


def test_the_servers_time_counts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 5.0)
    mine = store(server)
    (told,) = ask(server, "SELECT extract(epoch FROM clock_timestamp())::float8")
    assert told - 1 < mine.now() < told + 60


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_stores_that_are_closed_leave_no_connection_and_no_socket(server: Server) -> None:
    before = descriptors()
    own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pyworkflow'"
    stores = [store(server) for _ in range(3)]
    for each in stores:
        each.commit([make_commit(f"p{os.urandom(4).hex()}")])
        each.ticket()
    until(lambda: ask(server, own) == [6])
    for each in stores:
        each.close()
    until(lambda: ask(server, own) == [0])
    until(lambda: descriptors() <= before)
