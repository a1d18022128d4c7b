"""A call that fails after its commit has started tasks that nobody has: the next call hands them out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pyworkflow import ActivityCompleted, CompleteProcess, ContinueAsNew, Process, ScheduleActivity
from pyworkflow.backend import Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.decision import Decision
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import Commit, Store
from pyworkflow.events import ActivityStartedEvent, DecisionStartedEvent
from pyworkflow.exceptions import BackendUnavailable, UnknownDecisionException
from pyworkflow.task import DecisionTask
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.faults import FaultyStore

ANY = Wanted(("default",), 10)


class LosingStore(FaultyStore):
    """Loses what `loses` says, once: "request commit", "reply claim" … In a transaction it is the reply to that."""

    loses = ""

    def _happens(self, fault: str, call: str) -> bool:
        lost = fault.removeprefix("lost_") + " " + call.partition(":")[0]
        if lost == "reply commit" and self._in_batch and self.transactional:
            return False
        happens = self.loses == lost.replace("batch", "commit")
        if happens:
            self.loses = ""
        return happens

    def _call(self, name: str, call: Callable[[], Any]) -> Any:
        self._fail("lost_request", f"{name}: the request was lost")
        done = call()
        self._fail("lost_reply", f"{name}: the reply was lost")
        return done


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["memory", "sqlite"])
def losing(request: pytest.FixtureRequest, clock: VirtualClock, tmp_path: Path) -> Iterator[LosingStore]:
    transactional = request.param == "sqlite"
    store: Store = SQLiteBackend(str(tmp_path / "p.db"), clock=clock).store if transactional else MemoryStore(clock)
    yield LosingStore(store, Random(1), transactional=transactional)
    store.close()


def make_engine(store: Store, cache_size: int = 0) -> Engine:
    engine = Engine(store, cache_size=cache_size)
    engine.register_workflow("W")
    engine.register_activity("A", scheduled_timeout=60, execution_timeout=60)
    return engine


def failing(losing: LosingStore, engine: Engine, what: str, *finished: Finished, **wanted: Any) -> None:
    """A call that fails by losing this."""
    losing.loses = what
    with pytest.raises(BackendUnavailable):
        engine.exchange(finished, identity="we", **wanted)
    assert not losing.loses


@pytest.mark.parametrize("cache_size", [0, 10])
@pytest.mark.parametrize("lost", ["reply commit", "request history", "reply history"])
def test_a_decision_that_was_started_by_a_failed_call_is_handed_out(
    losing: LosingStore, lost: str, cache_size: int
) -> None:
    engine = make_engine(losing, cache_size)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, lost, decisions=ANY)
    (decision,) = engine.exchange(decisions=ANY, identity="we").decisions
    assert not engine.exchange(decisions=ANY, identity="we"), "it is handed out once"
    assert not engine.exchange([Finished(decision, [CompleteProcess(1)])]).refused
    assert sum(isinstance(event, DecisionStartedEvent) for event in engine.history("p")) == 1


@pytest.mark.parametrize("cache_size", [0, 10])
def test_an_activity_that_was_started_with_an_answer_is_handed_out(losing: LosingStore, cache_size: int) -> None:
    engine = make_engine(losing, cache_size)
    engine.start_process(Process("W", "p"))
    (decision,) = engine.exchange(decisions=ANY).decisions
    answer = Finished(decision, [ScheduleActivity("A", "a"), ScheduleActivity("A", "b")])
    failing(losing, engine, "reply commit", answer, activities=ANY)
    if engine.exchange(decisions=ANY, identity="we"):
        pytest.fail("there is nothing to decide, and activities are not asked for")
    again = engine.exchange([answer], activities=ANY, identity="we")
    assert [type(error) for _, error in again.refused] == [UnknownDecisionException]
    assert [activity.activity_execution.id for activity in again.activities] == ["a", "b"]
    assert not engine.exchange([Finished(it, ActivityCompleted()) for it in again.activities]).refused
    assert sum(isinstance(event, ActivityStartedEvent) for event in engine.history("p")) == 2


def test_a_second_failure_leaves_it_in_doubt(losing: LosingStore) -> None:
    engine = make_engine(losing)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, "reply commit", decisions=ANY)
    failing(losing, engine, "reply read", decisions=ANY)
    failing(losing, engine, "reply history", decisions=ANY)
    assert len(engine.exchange(decisions=ANY, identity="we").decisions) == 1
    assert not engine.exchange(decisions=ANY, identity="we")


@pytest.mark.parametrize("what", ["reply commit", "request history"])
def test_what_was_started_when_it_was_all_said_again_is_found(
    losing: LosingStore, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A signal comes between the claim and the commit, and then the reply of the second one is lost."""
    engine, others, commit = make_engine(losing), make_engine(losing), losing.commit

    def late(commits: Sequence[Commit]) -> list[bool]:
        monkeypatch.setattr(losing, "commit", commit)
        others.signal_process("p", "news")
        done = commit(commits)
        losing.loses = what
        return done

    engine.start_process(Process("W", "p"))
    monkeypatch.setattr(losing, "commit", late)
    with pytest.raises(BackendUnavailable):
        engine.exchange(decisions=ANY, identity="we")
    assert not losing.loses
    (found,) = engine.exchange(decisions=ANY, identity="we").decisions
    assert "signal" in [event.type for event in found.process.history]
    assert not engine.exchange([Finished(found, [CompleteProcess()])], identity="we").refused


def test_the_decision_of_a_new_run_is_found_though_the_old_one_had_the_same_number(
    losing: LosingStore, clock: VirtualClock
) -> None:
    def go_on(task: DecisionTask) -> list[Decision]:
        clock.advance(0.03)  # So that the next one is handed out.
        return [ContinueAsNew("again")]

    engine = make_engine(losing)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, "reply commit", decisions=ANY, decide=go_on)
    (found,) = engine.exchange(decisions=ANY, identity="we").decisions
    assert found.process.input == "again"


def test_what_was_never_stored_is_taken_anew(losing: LosingStore) -> None:
    engine = make_engine(losing)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, "request commit", decisions=ANY)
    others = make_engine(losing)
    got = [
        *engine.exchange(decisions=ANY, identity="we").decisions,
        *others.exchange(decisions=ANY, identity="they").decisions,
    ]
    assert len(got) <= 1


def test_what_somebody_else_took_under_the_same_number_is_his(losing: LosingStore, clock: VirtualClock) -> None:
    engine, others = make_engine(losing), make_engine(losing)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, "request commit", decisions=ANY)
    (claimed,) = [task for task in losing.tasks("p") if task.key == "d"]
    losing.postpone(claimed, clock())
    (his,) = others.exchange(decisions=ANY, identity="we").decisions
    assert not engine.exchange(decisions=ANY, identity="we"), "not even in the same moment under the same name"
    assert not others.exchange([Finished(his, [CompleteProcess()])]).refused


def test_what_timed_out_meanwhile_is_not_handed_out(losing: LosingStore, clock: VirtualClock) -> None:
    engine = make_engine(losing)
    engine.start_process(Process("W", "p"))
    (decision,) = engine.exchange(decisions=ANY).decisions
    failing(losing, engine, "reply commit", Finished(decision, [ScheduleActivity("A", "a")]), activities=ANY)
    clock.advance(60)
    assert len(engine.exchange(decisions=ANY, identity="we").decisions) == 1
    assert not engine.exchange(activities=ANY, identity="we")


def test_each_worker_gets_its_own(losing: LosingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a poll of others costs no transaction."""
    engine = make_engine(losing)
    engine.start_process(Process("W", "p"))
    failing(losing, engine, "reply commit", decisions=ANY)
    with monkeypatch.context() as patch:
        patch.setattr(losing, "batch", lambda: pytest.fail("there is nothing to be had"))
        assert not engine.exchange(decisions=ANY, identity="they")
        assert not engine.exchange(decisions=ANY)
        assert not engine.exchange(activities=ANY, identity="we")
    assert len(engine.exchange(decisions=ANY, identity="we").decisions) == 1


def test_any_number_of_tasks_may_be_unreadable(clock: VirtualClock) -> None:
    """Activities whose payloads somebody else's key has written are failed, round by round."""

    class Key:
        def encode(self, data: bytes) -> bytes:
            return data

        def decode(self, data: bytes) -> bytes:
            raise ValueError("not my key")

    store = MemoryStore(clock)
    writer, reader = Engine(store, payload_codec=Key()), Engine(store, payload_codec=Key())
    writer.register_workflow("W")
    writer.register_activity("A")
    writer.start_process(Process("W", "p"))
    (decision,) = writer.exchange(decisions=ANY).decisions
    writer.exchange([Finished(decision, [ScheduleActivity("A", str(number), input=[1]) for number in range(600)])])
    polls = 0
    while (head := reader._office.stored("p")) is not None and head.activities:
        assert not reader.exchange(activities=ANY)
        polls += 1
    assert polls <= 60


def test_a_history_that_never_happened_is_not_shown(losing: LosingStore) -> None:
    engine, others = make_engine(losing, 10), make_engine(losing)
    engine.start_process(Process("W", "p"))
    engine.exchange(decisions=ANY)
    history = engine._office.histories.take("p", str(engine.process_by_id("p").run))
    assert history is not None
    history.crc += 1
    engine._office.histories._keep("p", history.run, history)
    others.signal_process("p", "real")
    assert engine.history("p") == others.history("p")
    held = engine._office.histories.take("p", history.run)
    if held is not None:
        engine._office.histories.clear()
        engine._office.histories._keep("p", history.run, held)
        assert engine._office.histories.take("p", history.run) is None
