"""Letters that cross: two machines deliver at once, each to a process whose letter the other has; nobody is stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from pyworkflow import Process, SignalProcess
from pyworkflow.backend.model import Finished, Wanted
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import LETTERS
from pyworkflow.testing.invariants import check
from pyworkflow_postgres import PostgresStore

from ..servers import postgres

PATIENCE = 20.0


class Meeting(PostgresStore):
    """A store that takes one letter at a time, and then waits for the other machine to have taken one."""

    barrier: threading.Barrier

    def claim(self, queues: Sequence[str], now: float, until: float, limit: int) -> list[Any]:
        if list(queues) != [LETTERS]:
            return super().claim(queues, now, until, limit)
        claimed = super().claim(queues, now, until, 1)
        if claimed:
            self.barrier.wait(PATIENCE)
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
    machines = [threading.Thread(target=_deliver, args=(Engine(store), failed)) for store in stores]
    for machine in machines:
        machine.start()
    for machine in machines:
        machine.join(PATIENCE)
    assert failed == []
    for id in other:
        assert [event.type for event in engine.history(id)].count("signal") == 1
    check(stores[0])
    for store in stores:
        store.close()


def _deliver(engine: Engine, failed: list[BaseException]) -> None:
    try:
        while (due := engine.store.next_due([LETTERS])) is not None:
            time.sleep(max(due - engine.store.now(), 0.0))
            engine.exchange()
    except BaseException as error:
        failed.append(error)
