"""Decisions that wait are leased, decided on, and committed with their answer, or given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pyworkflow import ActivityCompleted, BackendUnavailable, CompleteProcess, Process, ScheduleActivity, Worker
from pyworkflow.backend import Exchanged, Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.backend.sqlite import SQLiteStore
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import Commit, Store
from pyworkflow.task import DecisionTask
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import check

ANY = Wanted(("default",), 10)
Decide = Callable[[DecisionTask], Any]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, clock: VirtualClock, tmp_path: Any) -> Store:
    return MemoryStore(clock) if request.param == "memory" else SQLiteStore(str(tmp_path / "p.db"), clock=clock)


@pytest.fixture
def engine(store: Store) -> Engine:
    return make_engine(store)


def make_engine(store: Store, cache_size: int = 1_000) -> Engine:
    engine = Engine(store, cache_size=cache_size)
    engine.register_workflow("W")
    engine.register_activity("A")
    return engine


def work(engine: Engine, decide: Decide, *finished: Finished) -> Exchanged:
    return engine.exchange(finished, decisions=ANY, activities=ANY, decide=decide)


def complete(task: DecisionTask) -> Any:
    return [CompleteProcess(task.process.id)]


def test_start_and_answer_are_one_commit(engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[Commit] = []
    engine.start_process(Process("W", "first"))
    work(engine, complete)  # By the queues' order alone, as once a second.
    for id in ("p", "q"):
        engine.start_process(Process("W", id))
    commit = store.commit
    monkeypatch.setattr(store, "commit", lambda some: commits.extend(some) or commit(some))
    got = work(engine, lambda task: [ScheduleActivity("A", task.process.id)])
    assert (got.decided, got.decisions, sorted(task.process_id for task in got.activities)) == (2, [], ["p", "q"])
    assert [len(each.entries) for each in commits] == [3, 3]
    check(store)


def test_an_exchange_that_only_decided_says_so_at_once(engine: Engine) -> None:
    engine.start_process(Process("W", "p"))
    got = engine.exchange(decisions=ANY, timeout=60.0, decide=complete)
    assert (bool(got), got.decided, engine.process_by_id("p").status) == (True, 1, "completed")


def put_in_again(id: str, engine: Engine, store: Store) -> list[DecisionTask]:
    """Take the decision on a process, whose task is there for all that."""
    (waiting,) = [task for task in store.tasks(id) if task.key == "d"]
    (held,) = engine.exchange(decisions=ANY).decisions
    row = store.read(id)
    assert row is not None
    store.commit([Commit(id, str(held.process.run), row.stamp, row.stamp, row.head, None, [], [waiting], [])])
    return [held]


@pytest.mark.parametrize("news", ["signal", "end"])
def test_who_was_faster_is_seen_and_the_decision_is_handed_out(engine: Engine, store: Store, news: str) -> None:
    asked: list[int] = []

    def decide(task: DecisionTask) -> Any:
        if not asked:
            other = Engine(store)
            other.signal_process("p", "s") if news == "signal" else other.terminate_process("p")
        asked.append(len(task.process.history))
        return complete(task)

    engine.start_process(Process("W", "p"))
    handed_out = work(engine, decide).decisions
    seen = [[event.type for event in task.process.unseen_events()] for task in handed_out]
    assert (asked, seen) == ([2], [["process_started", "signal"]] if news == "signal" else [])
    assert not engine.exchange([Finished(task, complete(task)) for task in handed_out]).refused
    assert engine.process_by_id("p").status == ("completed" if news == "signal" else "terminated")
    assert engine.queues() == []
    check(store)


def test_a_task_of_a_decision_that_is_held_already_is_forgotten(engine: Engine, store: Store) -> None:
    engine.start_process(Process("W", "p"))
    put_in_again("p", engine, store)
    got = work(engine, lambda task: pytest.fail("asked"))
    assert (got.decided, got.decisions) == (0, [])
    assert [task.key for task in store.tasks("p")] == ["alarm"]


def test_what_can_be_had_after_all_is_no_more_than_was_asked_for(
    store: Store, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its decision was held; it is answered, and another is due, before the result of its activity is written."""
    engine, other, commit = make_engine(store, 0), make_engine(store), store.commit
    engine.start_process(Process("W", "p"))
    (task,) = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    engine.signal_process("p", "s")
    clock.advance(0.1)
    (held,) = put_in_again("p", other, store)
    engine.start_process(Process("W", "q"))

    def late(commits: Sequence[Commit]) -> list[bool]:
        monkeypatch.setattr(store, "commit", commit)
        other.exchange([Finished(held, [])])
        other.signal_process("p", "s")
        return commit(commits)

    clock.advance(1.0)
    monkeypatch.setattr(store, "commit", late)
    got = engine.exchange([Finished(task, ActivityCompleted())], decisions=Wanted(("default",), 1))
    assert ([decision.process.id for decision in got.decisions], got.refused) == (["q"], [])
    clock.advance(1.0)
    assert [decision.process.id for decision in engine.exchange(decisions=ANY).decisions] == ["p"]
    check(store)


def test_what_only_seemed_not_to_be_had_is_due_again(engine: Engine, store: Store, clock: VirtualClock) -> None:
    """As far as we remember its decision is held; it was answered elsewhere, and another is due."""
    other = make_engine(store)
    engine.start_process(Process("W", "p"))
    (task,) = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    engine.signal_process("p", "s")
    (held,) = engine.exchange(decisions=ANY).decisions
    other.exchange([Finished(held, [])])
    other.signal_process("p", "s")
    clock.advance(1.0)
    got = engine.exchange([Finished(task, ActivityCompleted())], decisions=ANY)
    (decision,) = got.decisions
    assert not got.refused
    assert [event.type for event in decision.process.unseen_events()] == ["signal", "activity"]
    check(store)


def test_what_is_refused_is_refused_once(engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its process's decision, begun beside it, is not to be had in the end."""
    commit = store.commit
    engine.start_process(Process("W", "p"))
    (task,) = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    late = Finished(task, ActivityCompleted())
    engine.exchange([late])

    def after_its_end(commits: Sequence[Commit]) -> list[bool]:
        monkeypatch.setattr(store, "commit", commit)
        make_engine(store).terminate_process("p")
        return commit(commits)

    monkeypatch.setattr(store, "commit", after_its_end)
    got = engine.exchange([late], decisions=ANY)
    assert (got.decisions, [item for item, _ in got.refused]) == ([], [late])


def test_a_result_and_a_waiting_decision_of_one_process_go_together(engine: Engine, store: Store) -> None:
    engine.start_process(Process("W", "p"))
    (task,) = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    engine.signal_process("p", "s")
    seen: list[list[str]] = []

    def decide(task: DecisionTask) -> Any:
        seen.append([event.type for event in task.process.unseen_events()])
        return complete(task)

    got = work(engine, decide, Finished(task, ActivityCompleted()))
    assert not got.refused
    assert seen == [["decision", "activity_started", "signal", "activity"]]
    assert engine.process_by_id("p").status == "completed"
    check(store)


def test_a_result_that_came_too_late_proves_nothing(engine: Engine, store: Store) -> None:
    """What is said to its process in the meantime is seen by the decision that was leased."""
    for id in ("p", "q"):
        engine.start_process(Process("W", id))
    tasks = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    done = {str(task.process_id): Finished(task, ActivityCompleted()) for task in tasks}
    engine.exchange([done["p"]])
    work(engine, lambda task: [])
    engine.start_process(Process("W", "r"))

    def decide(task: DecisionTask) -> Any:
        if task.process.id == "q":
            make_engine(store).signal_process("p", "s")
        return complete(task)

    got = work(engine, decide, done["p"], done["q"])
    assert [type(error).__name__ for _, error in got.refused] == ["UnknownActivityException"]
    while work(engine, complete):
        pass
    assert [engine.process_by_id(id).status for id in ("p", "q", "r")] == ["completed"] * 3
    assert "signal" in [event.type for event in engine.history("p")]
    check(store)


def test_what_a_decider_takes_is_no_other_decision_s_time(engine: Engine, clock: VirtualClock) -> None:
    def decide(task: DecisionTask) -> Any:
        clock.advance(4.0)
        return complete(task)

    for id in ("p", "q"):
        engine.start_process(Process("W", id), decision_timeout=3.0 if id == "q" else 60.0)
    (held,) = work(engine, decide).decisions
    assert not engine.exchange([Finished(held, complete(held))]).refused
    assert engine.process_by_id("q").status == "completed"


def test_what_was_committed_is_told_though_a_later_call_fails(
    engine: Engine, store: Store, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int | None] = []
    engine.watch(lambda process, events: told.extend(event.id for event in events if process.id == "p"))
    engine.start_process(Process("W", "p"))
    (task,) = work(engine, lambda task: [ScheduleActivity("A", "a")]).activities
    make_engine(store).start_process(Process("W", "q"))
    clock.advance(1.0)

    def gone(*args: Any) -> Any:
        raise BackendUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(store, "history", gone)
        with pytest.raises(BackendUnavailable):
            engine.exchange([Finished(task, ActivityCompleted())], decisions=ANY)
    assert told == [event.id for event in engine.history("p")]


def test_a_call_has_worked_though_what_is_gone_could_not_be_put_away(
    engine: Engine, store: Store, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: Any) -> Any:
        raise BackendUnavailable("gone")

    engine.start_process(Process("W", "p"))
    put_in_again("p", engine, store)
    clock.advance(1.0)
    with monkeypatch.context() as patch:
        patch.setattr(store, "discard", gone)
        assert not engine.exchange(decisions=ANY)
    clock.advance(5.0)
    engine.exchange(decisions=ANY)
    assert "d" not in [task.key for task in store.tasks("p")]


@pytest.mark.parametrize("kind", ["decisions", "activities"])
def test_something_else_is_had_where_somebody_was_faster(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    commit = store.commit
    for id in ("p", "q"):
        engine.start_process(Process("W", id))
    if kind == "activities":
        engine.exchange(
            [Finished(task, [ScheduleActivity("A", "a")]) for task in engine.exchange(decisions=ANY).decisions]
        )

    def after_its_end(commits: Sequence[Commit]) -> list[bool]:
        monkeypatch.setattr(store, "commit", commit)
        make_engine(store).terminate_process(commits[0].process)
        return commit(commits)

    monkeypatch.setattr(store, "commit", after_its_end)
    got = engine.exchange(**{kind: Wanted(("default",), 1)})
    assert len(got.decisions + got.activities) == 1
    assert not engine.exchange(**{kind: Wanted(("default",), 1)})


def test_a_worker_that_dies_while_it_decides_holds_up_nobody_for_long(engine: Engine, clock: VirtualClock) -> None:
    def dies(task: DecisionTask) -> Any:
        raise KeyboardInterrupt

    engine.start_process(Process("W", "p"))
    with pytest.raises(KeyboardInterrupt):
        work(engine, dies)
    assert not work(engine, complete)
    clock.advance(5.0)
    assert work(engine, complete).decided == 1
    assert [event.type for event in engine.history("p")] == ["process_started", "decision_started", "decision"]


def test_a_burst_does_not_end_where_all_is_decided_on_the_way() -> None:
    from pyworkflow import Manager, Workflow

    class Long(Workflow):
        def decide(self, process: Process) -> Any:
            return CompleteProcess(1)

    manager = Manager("memory://", [Long])
    for number in range(50):
        manager.start_process(Process(Long, f"p{number}"))
    Worker(manager).run(burst=True)
    assert manager.count(status="completed") == 50
