"""Wake-ups: one waiter a task, none lost, nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from pyworkflow.backend.redis import RedisStore
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_redis import listener
from pyworkflow_redis.address import Address
from tests.servers.redis import RunningServer

PATIENCE = 30
SHORT = 0.3


@pytest.fixture
def stores(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[RedisStore]]:
    """Five machines; a nap is so long that nobody wakes by himself."""
    monkeypatch.setattr(listener, "NAP", float(PATIENCE))
    stores = [RedisStore(Address(server.url), patience=0.2) for _ in range(5)]
    yield stores
    for store in stores:
        store.close()


def wait_all(server: RunningServer, stores: list[RedisStore], *topics: str) -> threading.Semaphore:
    """All of them wait; the semaphore counts those that were woken."""
    woken = threading.Semaphore(0)

    def wait(store: RedisStore) -> None:
        store.wait(store.ticket(), topics, PATIENCE)
        woken.release()

    for store in stores:
        threading.Thread(target=wait, args=(store,), daemon=True).start()
    until = time.monotonic() + PATIENCE
    while any(not (store._listener._heard or set()) >= set(topics) for store in stores) or blocked(server) < len(
        set(stores)
    ):
        assert time.monotonic() < until
        time.sleep(0.01)
    return woken


def blocked(server: RunningServer) -> int:
    count: int = server.client().info("clients")["blocked_clients"]
    return count


def test_a_task_wakes_one_of_those_who_wait(server: RunningServer, stores: list[RedisStore]) -> None:
    woken = wait_all(server, stores, "q")
    for number in range(5):
        stores[0].commit([make_commit(f"p{number}", add=[make_task(f"p{number}")])])
        assert woken.acquire(timeout=PATIENCE)
        assert not woken.acquire(timeout=SHORT)


def test_a_task_wakes_one_of_the_threads_of_a_machine(server: RunningServer, stores: list[RedisStore]) -> None:
    woken = wait_all(server, stores[:1] * 3, "q")
    for number in range(3):
        stores[1].commit([make_commit(f"p{number}", add=[make_task(f"p{number}")])])
        assert woken.acquire(timeout=PATIENCE)
        assert not woken.acquire(timeout=SHORT)


def test_the_end_of_a_process_wakes_all_threads_of_a_machine(server: RunningServer, stores: list[RedisStore]) -> None:
    stores[1].commit([make_commit("p")])
    server.client().delete(stores[1]._keys.bell("process/p"))  # Its start is news, too.
    woken = wait_all(server, stores[:1] * 3, "process/p")
    closed = make_summary(status="completed", closed=20.0)
    stores[1].commit([make_commit("p", "1", "2", summary=closed)])
    assert all(woken.acquire(timeout=PATIENCE) for _ in range(3))


def test_a_topic_that_nobody_waits_for_wakes_nobody(server: RunningServer, stores: list[RedisStore]) -> None:
    woken = wait_all(server, stores, "q")
    stores[0].commit([make_commit("p", add=[make_task("p", queue="other")])])
    assert not woken.acquire(timeout=SHORT)


def test_a_token_that_was_taken_for_one_who_has_left_goes_to_another(
    server: RunningServer, stores: list[RedisStore]
) -> None:
    stores[0].wait(stores[0].ticket(), ["q"], 0.05)  # Its thread goes on blocking for what it waited for.
    woken = wait_all(server, stores[1:2], "q")
    stores[2].commit([make_commit("p", add=[make_task("p")])])
    assert woken.acquire(timeout=PATIENCE)


def test_a_wait_for_something_else_is_heard_while_the_thread_blocks(stores: list[RedisStore]) -> None:
    stores[0].wait(stores[0].ticket(), ["q"], 0.05)
    stores[1].commit([make_commit("p")])
    done = threading.Event()

    def wait() -> None:
        stores[0].wait(stores[0].ticket(), ["process/p"], PATIENCE)
        done.set()

    threading.Thread(target=wait, daemon=True).start()
    time.sleep(0.1)
    closed = make_summary(status="completed", closed=20.0)
    stores[1].commit([make_commit("p", "1", "2", summary=closed)])
    assert done.wait(PATIENCE)


def test_tokens_are_few_and_vanish(server: RunningServer, stores: list[RedisStore]) -> None:
    for number in range(listener.KEPT + 20):
        stores[0].commit([make_commit(f"p{number}", add=[make_task(f"p{number}")])])
    client = server.client()
    key = stores[0]._keys.bell("q")
    assert client.llen(key) == listener.KEPT
    assert 0 < client.pttl(key) <= listener.KEPT_MS


def test_what_is_due_much_later_wakes_nobody(server: RunningServer, stores: list[RedisStore]) -> None:
    now = stores[0].now()
    stores[0].commit([make_commit("p", add=[make_task("p", due=now + 10 * PATIENCE)])])
    assert server.client().llen(stores[0]._keys.bell("q")) == 0


def test_a_store_that_nobody_closed_listens_no_longer(server: RunningServer) -> None:
    before = threading.active_count()
    store = RedisStore(Address(server.url))
    store.wait(store.ticket(), ["q"], 0.01)
    assert threading.active_count() > before
    del store
    gc.collect()
    until = time.monotonic() + PATIENCE
    while threading.active_count() > before:
        assert time.monotonic() < until, threading.enumerate()
        time.sleep(0.05)
