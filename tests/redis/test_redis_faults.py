"""Lost replies, forgotten scripts, servers that are killed: once is once, and nothing gets stuck."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pyworkflow import Activity, BackendUnavailable, CompleteProcess, DefaultWorkflow, Manager, Process, Worker
from pyworkflow.backend.redis import RedisBackend, RedisStore
from pyworkflow.engine.store import Row
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_redis import server as server_module
from pyworkflow_redis.address import Address
from pyworkflow_redis.layout import sized
from pyworkflow_redis.pipe import Pipe
from tests.servers.proxy import LosingProxy
from tests.servers.redis import ALWAYS, RunningServer, running

PATIENCE = 60


class Step(Activity):
    def execute(self) -> Any:
        return self.input


class Steps(DefaultWorkflow):
    activities = [Step]

    def initiate(self, process: Process) -> Any:
        return Step

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        done = sum(event.type == "activity" for event in process.history)
        return CompleteProcess(done) if done == 3 else Step


def open_store(url: str, **options: Any) -> RedisStore:
    return RedisStore(Address(url), **options)


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """One that forgets nothing when it is killed: with everysec it may, while its disk is busy."""
    with running(ALWAYS) as server:
        yield server


@pytest.fixture
def store(server: RunningServer) -> Iterator[RedisStore]:
    store = open_store(server.url, patience=0.2)
    yield store
    store.close()


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[LosingProxy]:
    proxy = LosingProxy(str(server.socket))
    yield proxy
    proxy.close()


def through(proxy: LosingProxy) -> str:
    return f"redis://127.0.0.1:{proxy.port}"


# -- lost replies ----------


def test_a_commit_whose_reply_is_lost_counts_once(proxy: LosingProxy) -> None:
    store = open_store(through(proxy))
    for number, lose in enumerate((1, 2, 3, 0, 1)):
        proxy.lose = lose
        base = str(number) if number else ""
        commit = make_commit("p", base, str(number + 1), events=[b"%d" % number], first=number + 1)
        assert store.commit([commit]) == [True]
    assert store.history("p", "r1") == [b"0", b"1", b"2", b"3", b"4"]
    assert proxy.lost == 7
    store.close()


def test_a_commit_that_is_sent_again_is_answered_as_before_whatever_happened_since(store: RedisStore) -> None:
    first, stale = make_commit("p", add=[make_task()]), make_commit("q", "7", "8")
    (call,) = [store._committing(store._shards[0], [first, stale])]
    assert store._server.run([call]) == [b"10"]
    assert store.commit([make_commit("p", "1", "2", head=b"later", remove=["d"])]) == [True]
    assert store._server.run([call]) == [b"10"]
    assert store.read("p") == Row("2", b"later")
    assert store.tasks("p") == []
    assert store.commit([first]) == [False]


def test_a_commit_is_not_sent_again_when_the_server_may_have_forgotten_its_answer(
    proxy: LosingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(through(proxy), patience=20)
    store.commit([make_commit("known")])  # So the server has the script.
    begun, away = server_module.steady(), [0.0]
    monkeypatch.setattr(server_module, "steady", lambda: begun + away[0])
    monkeypatch.setattr(server_module, "time", SimpleNamespace(sleep=lambda _: away.append(away.pop() + 40)))
    proxy.lose = 1
    with pytest.raises(BackendUnavailable):
        store.commit([make_commit("p")])
    assert store.read("p") == Row("1", b"head")
    store.close()


def test_a_claim_whose_reply_is_lost_brings_the_same_tasks(proxy: LosingProxy) -> None:
    store = open_store(through(proxy))
    store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")]) for number in range(6)])
    taken = []
    for lose in (1, 0, 2):
        proxy.lose = lose
        taken += [task.process for task, row in store.claim(["q"], 10.0, 15.0, 2) if row is not None]
    assert sorted(taken) == [f"p{number}" for number in range(6)]
    store.close()


def test_a_claim_that_is_sent_again_brings_only_what_it_still_holds(store: RedisStore) -> None:
    store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")]) for number in range(3)])
    call = store._claiming(store._shards[0], [1, sized("q")], 10.0, 15.0, 3)
    (answer,) = store._server.run([call])
    assert len(answer[0]) == 6
    store.commit([make_commit("p0", "1", "2", remove=["d"])])
    store.commit([make_commit("p1", "1", "2", add=[make_task("p1", due=30.0)])])
    (answer,) = store._server.run([call])
    assert answer[1] == [b"p2"]


def test_a_run_that_has_changed_since_it_was_found_is_not_purged(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = make_summary(status="completed", closed=20.0)
    store.commit([make_commit("p", events=[b"e"], summary=closed)])
    find = store._finder.closed

    def find_and_change(before: float, limit: int) -> Any:
        found = find(before, limit)
        changed = make_summary(status="failed", closed=90.0)
        assert store.commit([make_commit("p", "1", "2", summary=changed)]) == [True]
        return found

    monkeypatch.setattr(store._finder, "closed", find_and_change)
    store.purge(50.0, 10)
    assert store.read("p") == Row("2", b"head")
    assert store.history("p", "r1") == [b"e"]


def test_an_answer_that_nobody_waited_for_is_not_given_to_the_next_call(
    store: RedisStore, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between the call and its answer, which comes later."""
    store.commit([make_commit("p", events=[b"e"])])
    server.client().client_pause(500)
    with monkeypatch.context() as patch:
        patch.setattr(Pipe, "read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.history("p", "r1")
    assert store.read("p") == Row("1", b"head")


def interrupted(pipe: Pipe) -> None:
    raise KeyboardInterrupt


def test_work_goes_on_over_a_connection_that_loses_replies(server: RunningServer, proxy: LosingProxy) -> None:
    manager = Manager(RedisBackend(server.url), [Steps])
    ids = [manager.start_process(Process(Steps, f"p{number}")) for number in range(50)]
    proxy.every = 7
    lossy = Manager(RedisBackend(through(proxy)), [Steps])
    Worker(lossy, concurrency=5).run(burst=True)
    assert [manager.result(id, PATIENCE) for id in ids] == [3] * 50
    for id in ids:
        assert sum(event.type == "activity_started" for event in manager.history(id)) == 3
    assert proxy.lost > 3
    lossy.close()
    manager.close()


# -- scripts ----------


def test_scripts_that_the_server_has_forgotten_are_sent_again(server: RunningServer, store: RedisStore) -> None:
    for number in range(3):
        server.client().script_flush()
        assert store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")])]) == [True]
        assert store.next_due(["q"]) == {"q": 1.0}
        assert len(store.claim(["q"], 10.0, 15.0, 5)) == 1
        server.client().script_flush()
        assert store.queues(10.0)[0].later == number + 1


# -- servers that go and come ----------


def test_a_killed_server_is_unavailable_and_then_goes_on(server: RunningServer, store: RedisStore) -> None:
    assert store.commit([make_commit("p", events=[b"e"], add=[make_task()])]) == [True]
    server.kill()
    with pytest.raises(BackendUnavailable, match=r"redis\.sock"):
        store.commit([make_commit("p", "1", "2")])
    with pytest.raises(BackendUnavailable):
        store.claim(["q"], 10.0, 15.0, 1)
    server.start()
    assert store.history("p", "r1") == [b"e"]
    assert store.commit([make_commit("p", "1", "2")]) == [True]
    assert len(store.claim(["q"], 10.0, 15.0, 1)) == 1


def test_a_wait_is_woken_after_the_server_was_away(server: RunningServer, store: RedisStore) -> None:
    other = open_store(server.url)
    store.wait(store.ticket(), ["q"], 0.01)
    server.kill()
    server.start()
    woken = 0
    for number in range(20):
        ticket = store.ticket()
        timer = threading.Timer(0.05, other.commit, [[make_commit(f"p{number}", add=[make_task(f"p{number}")])]])
        timer.start()
        begun = time.monotonic()
        store.wait(ticket, ["q"], 5.0)
        woken += time.monotonic() - begun < 0.9
        timer.join()
    assert woken > 10  # All of them without the tokens would take a nap.
    other.close()


def test_workers_survive_a_server_that_is_killed_again_and_again(server: RunningServer) -> None:
    manager = Manager(RedisBackend(server.url), [Steps])
    for number in range(100):
        manager.start_process(Process(Steps, f"p{number}"))
    workers = [Worker(Manager(RedisBackend(server.url, patience=0.1), [Steps]), concurrency=2) for _ in range(2)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.3)
        server.kill()
        time.sleep(0.1)
        server.start()
    until_true(lambda: manager.count(status="completed") + _stuck(manager) == 100)
    for worker in workers:
        worker.stop()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert _stuck(manager) < 20
    manager.close()


def _stuck(manager: Manager) -> int:
    """Processes whose activity was handed out in an answer that never came: they wait for their timeouts."""
    queues = manager.backend.queues()
    return manager.count() if not any(queue.ready for queue in queues) else 0


def until_true(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


# -- forks ----------


def test_a_store_works_on_both_sides_of_a_fork(store: RedisStore) -> None:
    store.wait(store.ticket(), ["q"], 0.01)
    store.commit([make_commit("p")])
    child = os.fork()
    if child == 0:
        try:
            ticket = store.ticket()
            store.commit([make_commit("p", "1", "2", add=[make_task()])])
            store.wait(ticket, ["q"], 0.5)
            os._exit(0 if store.read("p") == Row("2", b"head") else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert store.commit([make_commit("p", "2", "3")]) == [True]
    assert [task.key for task, _ in store.claim(["q"], 10.0, 15.0, 1)] == ["d"]
