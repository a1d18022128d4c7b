"""Nobody waits for who waits for him: batches over the same processes, and letters that cross."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
import pytest

from pyworkflow import BackendUnavailable, Process, SignalProcess
from pyworkflow.backend.model import Finished, Wanted
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import LETTERS
from pyworkflow.testing.invariants import check
from pyworkflow.testing.store_bench import make_commit
from pyworkflow_postgres import PostgresBackend, PostgresStore, database

from ..servers import postgres

PATIENCE = 60.0
_WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"


def test_batches_over_the_same_processes_lock_them_in_one_order() -> None:
    """Both get as far as a process in the middle that somebody else has locked, and then go on."""
    schema = postgres.emptied()
    stores = [PostgresStore(postgres.url(), schema=schema, listen=False) for _ in range(2)]
    ids = [f"p{number}" for number in range(10, 50)]
    stores[0].commit([make_commit(id) for id in ids])
    failed: list[BaseException] = []
    with psycopg.connect(postgres.url()) as middle:
        middle.execute(f"SELECT FROM {schema}.run WHERE id = 'p30' FOR UPDATE".encode())
        some = [partial(store.commit, [make_commit(id, "1", "1") for id in mine])
                for store, mine in zip(stores, (ids, ids[::-1]), strict=True)]  # fmt: skip
        threads = [threading.Thread(target=_try, args=(commit, failed)) for commit in some]
        for thread in threads:
            thread.start()
        until = time.monotonic() + PATIENCE
        while middle.execute(_WAITING).fetchall() != [(2,)]:
            assert time.monotonic() < until and not failed, failed
            time.sleep(0.02)
    for thread in threads:
        thread.join(PATIENCE)
    assert failed == []
    for store in stores:
        store.close()


def in_parallel(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def _try(call: Callable[..., object], failed: list[BaseException], *arguments: Any) -> None:
    try:
        call(*arguments)
    except BaseException as error:
        failed.append(error)


def test_what_a_callers_open_transaction_holds_is_waited_for_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK", "200ms")
    backend = PostgresBackend(postgres.url(), schema=postgres.emptied())
    backend.start_process(Process("W", "p"))
    with psycopg.connect(postgres.url()) as connection:
        backend.signal_process("p", "mine", connection=connection)
        with pytest.raises(BackendUnavailable, match=r"held by a transaction .*lock timeout"):
            backend.signal_process("p", "other")
    backend.signal_process("p", "other")
    assert [event.signal.name for event in backend.history("p")[1:]] == ["mine", "other"]
    backend.close()


class Meeting(PostgresStore):
    """A store that takes one letter at a time, and with the first waits for the other machine to have taken one.

    Only with the first: under load a lease may lapse, and the letter be taken again by who meets nobody.
    """

    barrier: threading.Barrier
    met = False

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[Any]:
        if list(queues) != [LETTERS]:
            return super().claim(queues, now, until, limit)
        claimed = super().claim(queues, now, until, 1)
        if claimed and not self.met:
            self.barrier.wait(PATIENCE)
            self.met = True
        return claimed


def test_letters_that_cross_do_not_block_each_other() -> None:
    schema = postgres.emptied()
    stores = [Meeting(postgres.url(), schema=schema, listen=False) for _ in range(2)]
    Meeting.barrier = threading.Barrier(2)
    engine, other = Engine(stores[0]), {"p": "q", "q": "p"}
    for id in other:
        engine.start_process(Process("W", id))
    tasks = engine.exchange(decisions=Wanted(("default",), 2)).decisions
    engine.exchange([Finished(task, [SignalProcess(other[str(task.process.id)], "hello")]) for task in tasks])
    failed: list[BaseException] = []
    in_parallel([partial(_try, _deliver, failed, Engine(store)) for store in stores])
    assert failed == []
    for id in other:
        assert [event.type for event in engine.history(id)].count("signal") == 1
    check(stores[0])
    for store in stores:
        store.close()


def _deliver(engine: Engine) -> None:
    while (due := engine.store.next_due([LETTERS]).get(LETTERS)) is not None:
        time.sleep(min(max(due - engine.store.now(), 0.0), 0.05))
        engine.exchange()
