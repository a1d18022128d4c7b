"""The faulty store: each fault is what it says."""

from __future__ import annotations

from random import Random

import pytest

from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.process import Process
from pyworkflow.testing.faults import Crash, FaultyStore, Rates
from pyworkflow.testing.invariants import check


def faulty(**rates: float) -> tuple[MemoryStore, FaultyStore, Engine]:
    store = MemoryStore()
    proxy = FaultyStore(store, Random(1), Rates(**rates))
    return store, proxy, Engine(proxy)


@pytest.mark.parametrize(("fault", "error"), [("lost_request", BackendUnavailable), ("crash", Crash)])
def test_a_lost_request_leaves_nothing_and_a_crash_what_was_written(fault, error):
    store, proxy, engine = faulty(**{fault: 1.0})
    with pytest.raises(error):
        engine.start_process(Process("W", "p"))
    assert (store.read("p") is None) == (fault == "lost_request")
    assert proxy.happened


def test_a_lost_reply_has_happened():
    store, proxy, engine = faulty()
    commit = proxy.commit
    proxy.commit = lambda commits: (setattr(proxy, "rates", Rates(lost_reply=1.0)), commit(commits))[1]
    with pytest.raises(BackendUnavailable, match="commit: the reply was lost"):
        engine.start_process(Process("W", "p"))
    assert store.read("p") is not None
    assert proxy.touched == {"p"}


def test_a_commit_that_comes_twice_counts_once():
    store, proxy, engine = faulty(duplicate=1.0)
    engine.start_process(Process("W", "p"))
    engine.signal_process("p", "s")
    assert proxy.happened == ["duplicate commit"] * 2
    check(store)
    proxy.store.commit = lambda commits: [True] * len(commits)
    with pytest.raises(AssertionError, match="applied twice"):
        engine.signal_process("p", "s")


def test_endless_loops_are_found():
    _, proxy, engine = faulty()
    proxy.calls_left = 10
    with pytest.raises(AssertionError, match="endless loop"):
        for number in range(20):
            engine.start_process(Process("W", str(number)))


def test_others_act_in_between():
    store, proxy, engine = faulty(interlude=1.0)
    others = Engine(store)
    proxy.interlude = lambda: None if store.read("p") else others.start_process(Process("W", "p"), request_id="other")
    engine.start_process(Process("W", "p"), if_running="use_existing", request_id="mine")
    assert len(store._runs) == 1
