"""Servers that are loading, full or demoted, in the words of old ones and new: it is said why, nothing is half done."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pytest
from redis.exceptions import ResponseError

from pyworkflow import BackendUnavailable, UnsupportedBackend
from pyworkflow.backend.redis import RedisStore
from pyworkflow.engine.store import Row
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_redis.address import Address
from pyworkflow_redis.pipe import Pipe
from tests.servers.redis import ALWAYS, RunningServer, free_port, running

PATIENCE = 60
SLOW = """
local begun = redis.call('TIME')
repeat local now = redis.call('TIME') until (now[1] - begun[1]) * 1e6 + now[2] - begun[2] > 1e6
"""
SCRIPTS = files("pyworkflow_redis") / "lua"
COMMANDS = {word for file in SCRIPTS.iterdir() for word in re.findall(r"call\(\s*'([A-Z]+)'", file.read_text())}


def open_store(url: str, **options: Any) -> RedisStore:
    return RedisStore(Address(url), **options)


@pytest.fixture
def store(server: RunningServer) -> Iterator[RedisStore]:
    store = open_store(server.url, patience=0.2)
    yield store
    store.close()


def until_true(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_server_that_is_loading_is_waited_for() -> None:
    """It answers in between, and says so. Who has patience does not notice."""
    with running((*ALWAYS, "--aof-use-rdb-preamble", "no", "--key-load-delay", "150")) as server:
        patient, hasty = open_store(server.url, patience=20.0), open_store(server.url, patience=0.0)
        assert patient.commit([make_commit("p", events=[b"e"])]) == [True]
        pipeline = server.client().pipeline(transaction=False)
        for number in range(12_000):
            pipeline.set(f"ballast-{number}", "")
        pipeline.execute()
        server.kill()
        starting = threading.Thread(target=server.start)
        starting.start()
        said = set[str]()
        while starting.is_alive() and not any("still loading" in text for text in said):
            with suppress_and_note(said):
                hasty.read("p")
        with pytest.raises(BackendUnavailable, match="still loading"):
            open_store(server.url, patience=0.0)
        open_store(server.url, patience=20.0).close()
        assert patient.history("p", "r1") == [b"e"]
        starting.join()
        assert any("still loading" in text for text in said), said
        for store in (patient, hasty):
            store.close()


@contextmanager
def suppress_and_note(said: set[str]) -> Iterator[None]:
    try:
        yield
    except BackendUnavailable as error:
        said.add(str(error))


# -- servers that refuse ----------


def test_a_server_without_memory_takes_nothing_of_a_commit(server: RunningServer, store: RedisStore) -> None:
    store.commit([make_commit("p", add=[make_task()])])
    server.client().config_set("maxmemory", 1)
    next = make_commit("p", "1", "2", events=[b"e"], remove=["d"], summary=make_summary(status="completed", closed=9.0))
    with pytest.raises(BackendUnavailable, match="no memory"):
        store.commit([next])
    with pytest.raises(BackendUnavailable, match="no memory"):
        store.claim(["q"], 10.0, 15.0, 1)
    assert store.read("p") == Row("1", b"head")
    assert store.history("p", "r1") == []
    assert store.tasks("p") == [make_task()]
    server.client().config_set("maxmemory", 0)
    assert store.commit([next]) == [True]
    assert store.tasks("p") == []


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("-OOM command not allowed when used memory > 'maxmemory'.", "no memory left"),
        ("-READONLY You can't write against a read only replica.", "this is a replica"),
    ],
)
def test_what_is_wrong_is_said_by_old_servers_too(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch, said: str, hint: str
) -> None:
    """In the words of Redis 6.2.5, which wraps what happens in a script."""
    text = f"Error running script (call to f_485dc4ec): @user_script:91: @user_script: 91: {said}"

    def refuse(pipe: Pipe) -> None:
        pipe.answers = [ResponseError(text)] * len(pipe._calls)

    monkeypatch.setattr(Pipe, "read", refuse)
    with pytest.raises(BackendUnavailable, match=hint):
        store.discard(make_task())


def test_a_slow_script_of_somebody_else_is_waited_for(server: RunningServer) -> None:
    patient, hasty = open_store(server.url, patience=20.0), open_store(server.url, patience=0.0)
    client = server.client()
    client.config_set("busy-reply-threshold", 50)
    slow = threading.Thread(target=client.eval, args=(SLOW, 0))
    slow.start()
    said = set[str]()
    while slow.is_alive() and not any("BUSY" in text for text in said):
        with suppress_and_note(said):
            hasty.read("p")
    assert patient.commit([make_commit("p")]) == [True]
    assert any("BUSY" in text for text in said), said
    slow.join()
    client.config_set("busy-reply-threshold", 5_000)
    for store in (patient, hasty):
        store.close()


def test_a_user_who_lacks_a_right_is_refused_before_a_commit_stops_in_the_middle(server: RunningServer) -> None:
    client = server.client()
    for command in sorted(COMMANDS):
        client.execute_command(f"ACL SETUSER few reset on >pw ~* +@all -{command}")
        with pytest.raises(UnsupportedBackend, match=f"few.*{command.lower()}"):
            open_store(server.url.replace("unix://", "unix://few:pw@"), prefix="few")


def test_a_replica_takes_nothing_until_it_is_promoted(server: RunningServer, store: RedisStore) -> None:
    store.commit([make_commit("p")])
    server.client().execute_command("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(BackendUnavailable, match="replica"):
        store.commit([make_commit("p", "1", "2")])
    server.client().execute_command("REPLICAOF", "NO", "ONE")
    assert store.commit([make_commit("p", "1", "2")]) == [True]


def test_replicas_that_must_confirm(server: RunningServer) -> None:
    store = open_store(server.url, wait_replicas=1)
    with pytest.raises(BackendUnavailable, match="only 0 of 1 replicas"):
        store.commit([make_commit("p")])
    server.client().config_set("repl-diskless-sync-delay", 0)
    server.client().config_set("port", (port := free_port()))
    with running(("--appendonly", "no", "--replicaof", "127.0.0.1", str(port))) as replica:
        until_true(lambda: replica.client().info("replication")["master_link_status"] == "up")
        assert store.commit([make_commit("q")]) == [True]
        assert replica.client().hget("{pyworkflow:0}:rows", "hq") == b"head"
    store.close()
