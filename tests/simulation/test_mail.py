"""Letters to and from processes that cannot be read wait until these can, and hold up no others."""

from __future__ import annotations

import pytest

from pyworkflow.backend.memory import MemoryBackend, MemoryStore
from pyworkflow.backend.model import Finished, Wanted
from pyworkflow.decision import CompleteProcess, SignalProcess, StartChildProcess
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import Row
from pyworkflow.process import Process
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import check


@pytest.mark.parametrize("damaged", ["to", "from"])
def test_a_process_that_cannot_be_read_holds_up_nobody_elses_letters(damaged: str) -> None:
    clock = VirtualClock()
    backend = MemoryBackend(clock, cache_size=0)
    targets = {"from": "to", "other": "third"}
    for id in ("from", "other", "to", "third"):
        backend.start_process(Process("W", id))
    tasks = backend.exchange(decisions=Wanted(("default",), 9)).decisions
    answers = {id: [SignalProcess(target, "hello")] for id, target in targets.items()}
    backend.exchange([Finished(task, answers.get(str(task.process.id), [])) for task in tasks])
    run = backend.store._runs[damaged, backend.store._current[damaged]]
    whole, run.row = run.row, Row(run.row.stamp, b"1deadbeefrubbish")
    backend.exchange()
    assert signals(backend, "third") == 1
    run.row = whole
    clock.now += 61.0
    backend.exchange()
    assert signals(backend, "to") == 1
    clock.now += 61.0
    backend.exchange()
    assert [event.type for event in backend.history("from")].count("process_signaled") == 1
    check(backend.store)


def signals(backend: MemoryBackend, process: str) -> int:
    return [event.type for event in backend.history(process)].count("signal")


def test_a_commit_begins_one_run_at_most() -> None:
    """Start, end and start again in one batch of letters: each run is stored before the next takes its place."""
    store = MemoryStore()
    engine = Engine(store)
    engine.register_workflow("W")
    for boss in ("a", "b"):
        engine.start_process(Process("W", boss))
    tasks = engine.exchange(decisions=Wanted(("default",), 2)).decisions
    child = StartChildProcess(Process("W", "k"), "TERMINATE")
    engine.exchange([Finished(task, [child, CompleteProcess()]) for task in tasks])
    for _ in range(3):
        engine.exchange()
    check(store)
