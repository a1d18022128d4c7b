"""Servers that change places: a primary that Sentinels replace, a slot that moves between the nodes of a cluster."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import redis

from pyworkflow.backend.redis import RedisStore
from pyworkflow.engine.store import Query, Row
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.testing.store_bench import make_commit, make_summary, make_task
from pyworkflow_redis.address import Address
from pyworkflow_redis.pipe import Pipe, exchange
from pyworkflow_redis.scripts import RING
from tests.servers.redis import DURABLE, cluster, cluster_nodes, free_port, running, sentinel, url_of

PATIENCE = 30
RINGS = {RING.digest, RING.text}


def until_true(condition: Callable[[], Any]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_what_replicas_have_confirmed_survives_a_failover() -> None:
    with running(port=free_port()) as primary:
        following = (*DURABLE, "--replicaof", f"127.0.0.1 {primary.port}")
        with running(following, port=free_port()) as replica, sentinel(primary, "shop") as url:
            watching = redis.Redis.from_url(url.replace("redis+sentinel", "redis").removesuffix("/shop"))
            until_true(lambda: replica.client().info("replication")["master_link_status"] == "up")
            until_true(lambda: answers(lambda: watching.execute_command("SENTINEL", "REPLICAS", "shop")))
            store = RedisStore(Address(url), wait_replicas=1, patience=20)
            assert store.commit([make_commit("p", events=[b"e"], add=[make_task()])]) == [True]
            primary.kill()
            assert store.read("p") == Row("1", b"head")
            assert store.history("p", "r1") == [b"e"]
            store._server._replicas = 0  # There is none left.
            assert store.commit([make_commit("p", "1", "2")]) == [True]
            assert [task.key for task, _ in store.claim(["q"], 10.0, 15.0, 1)] == ["d"]
            store.close()


def test_who_only_commits_finds_the_new_primary_of_a_cluster_where_replicas_must_confirm() -> None:
    with cluster_nodes(1, 1) as (primary, replica):
        store = RedisStore(Address(url_of([primary, replica])), wait_replicas=1, patience=20)
        assert store.commit([make_commit("p")]) == [True]
        replica.client().execute_command("CLUSTER FAILOVER")
        until_true(lambda: primary.client().info("replication").get("master_link_status") == "up")
        assert store.commit([make_commit("p", "1", "2")]) == [True]
        store.close()


def test_a_node_of_a_cluster_that_hangs_is_not_asked_once_it_is_replaced() -> None:
    with cluster_nodes(3, 3) as nodes:
        store = RedisStore(Address(url_of(nodes) + "?socket_timeout=1"), shards=16, patience=0.5)
        home = store._server.client_of(store._keys.of("p").rows).connection_pool.connection_kwargs["port"]
        (hanging,) = [node for node in nodes if node.port == home]
        os.kill(hanging.pid, signal.SIGSTOP)
        try:
            until_true(lambda: answers(lambda: nodes[5].client().cluster("INFO")["cluster_slots_ok"] == "16384"))
            until_true(lambda: commits(store))
        finally:
            os.kill(hanging.pid, signal.SIGCONT)
        store.close()


def commits(store: RedisStore) -> bool:
    with suppress(BackendUnavailable):
        return store.commit([make_commit("p")]) == [True]
    return False


def answers(call: Callable[[], Any]) -> bool:
    try:
        return bool(call())
    except redis.RedisError:
        return False


def test_a_shard_may_move_to_another_node() -> None:
    with cluster() as url:
        store = RedisStore(Address(url), shards=1)
        assert store.commit([make_commit("p", events=[b"e"], add=[make_task()])]) == [True]
        move(store, store._shards[0].rows)
        assert store.commit([make_commit("p", "1", "2", events=[b"f"], first=2)]) == [True]
        assert store.history("p", "r1") == [b"e", b"f"]
        assert [(task.key, row) for task, row in store.claim(["q"], 10.0, 15.0, 1)] == [("d", Row("2", b"head"))]
        store.close()


def move(store: RedisStore, key: bytes) -> None:
    """Move the slot of a key to a node that does not keep it."""
    client = store._server.client
    assert not isinstance(client, redis.Redis)
    source = store._server.client_of(key)
    target = next(node for node in store._server.primaries() if node is not source)
    slot, ids = client.keyslot(key), [node.cluster("MYID").decode() for node in (source, target)]
    target.cluster("SETSLOT", slot, "IMPORTING", ids[0])
    source.cluster("SETSLOT", slot, "MIGRATING", ids[1])
    place = target.connection_pool.connection_kwargs
    moved = False
    while not moved:
        while keys := source.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 1_000):  # As bytes, which some are.
            source.execute_command("MIGRATE", place["host"], place["port"], "", 0, 5_000, "KEYS", *keys)
        with suppress(redis.ResponseError):  # It has got another key meanwhile.
            source.cluster("SETSLOT", slot, "NODE", ids[1])
            moved = True
    for node in store._server.primaries():
        node.cluster("SETSLOT", slot, "NODE", ids[1])


@pytest.mark.parametrize("shards", [16, 64])
def test_shards_are_spread_over_the_nodes(shards: int) -> None:
    with cluster() as url:
        store = RedisStore(Address(url), shards=shards)
        nodes = [store._server.client_of(shard.rows) for shard in store._shards]
        assert all(nodes.count(node) >= shards // 6 for node in store._server.primaries())
        store.close()


def test_nobody_is_woken_before_all_nodes_have_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster() as url:
        store = RedisStore(Address(url), shards=16)
        sent: list[set[bool]] = []

        def note(pipes: list[Pipe]) -> None:
            sent.append({not RINGS.isdisjoint(call) for pipe in pipes for call in pipe._calls})
            exchange(pipes)

        monkeypatch.setattr("pyworkflow_redis.server.exchange", note)
        store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")]) for number in range(40)])
        assert all(len(kinds) == 1 for kinds in sent)
        assert sent[-1] == {True}
        store.close()


def test_a_batch_goes_to_all_nodes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster() as url:
        store = RedisStore(Address(url), shards=16)
        steps: list[str] = []
        write, read = Pipe.write, Pipe.read
        monkeypatch.setattr(Pipe, "write", lambda pipe: (steps.append("write"), write(pipe)))
        monkeypatch.setattr(Pipe, "read", lambda pipe: (steps.append("read"), read(pipe)))
        store.histories([(f"p{number}", "r1", 0, 1) for number in range(40)])
        assert steps == ["write"] * 3 + ["read"] * 3
        store.close()


def test_shards_are_listed_and_counted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster() as url:
        store = RedisStore(Address(url), shards=16)
        summaries = [make_summary(f"p{number}", tags=["red"]) for number in range(100)]
        store.commit([make_commit(summary.id, summary=summary) for summary in summaries])
        queries = [Query(limit=20), Query(tag="red", workflow="W", limit=20)]
        store.find(queries[1])  # The nodes know the scripts now.
        trips: list[int] = []
        monkeypatch.setattr("pyworkflow_redis.server.exchange", lambda pipes: (trips.append(1), exchange(pipes)))
        assert [len(store.find(query)) for query in queries] == [20, 20]
        assert [store.count(query) for query in queries] == [100, 100]
        assert len(trips) <= 16
        store.close()
