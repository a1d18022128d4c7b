"""Copying between stores: what the target has then is what the source has, and it goes on from there."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pyworkflow import (
    Activity,
    ActivityCompleted,
    CompleteProcess,
    ContinueAsNew,
    DefaultWorkflow,
    Manager,
    Process,
    ScheduleActivity,
    Worker,
    Workflow,
)
from pyworkflow.backend.memory import MemoryBackend, MemoryStore
from pyworkflow.engine import copying
from pyworkflow.engine.copying import Copier, Diverged
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.store import Query, Store
from pyworkflow.exceptions import BackendUnavailable, CorruptRecord, NewerRecord
from pyworkflow.testing.faults import FaultyStore, Rates
from pyworkflow.testing.invariants import check
from pyworkflow_sqlite.store import SQLiteStore


class Step(Activity):
    def execute(self):
        return self.input


class Rounds(Workflow):
    """Three runs of as many steps as its input says, then waits for a signal."""

    activities = [Step]

    def decide(self, process):
        if any(event.type == "signal" for event in process.history):
            return CompleteProcess("signaled")
        done = sum(event.type == "activity" for event in process.history)
        if done < process.input["steps"]:
            return ScheduleActivity(Step, str(done), input="x" * 100)
        left = process.input["runs"] - 1
        return ContinueAsNew({**process.input, "runs": left}) if left else None


class Once(DefaultWorkflow):
    activities = [Step]

    def initiate(self, process):
        return Step

    def respond_to_completed_activity(self, process, activity_execution, result):
        return CompleteProcess(result)


@pytest.fixture(params=["memory", "sqlite"])
def target(request, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SQLiteStore(str(tmp_path / "target.db"))


@pytest.fixture
def source() -> MemoryBackend:
    """Closed and open processes, with several runs, waiting tasks, and one that nobody has looked at yet."""
    manager = Manager(MemoryBackend(), [Rounds, Once])
    manager.start_process(Process(Once, "done", input=1, tags=["a", "b"]))
    manager.start_process(Process(Rounds, "long", input={"steps": 7, "runs": 3}))
    Worker(manager).run(burst=True)
    manager.start_process(Process(Once, "waiting", input=2))
    manager.backend.complete_decision_task(manager.backend.poll_decision_task(), ScheduleActivity(Step, "s", input=3))
    manager.start_process(Process(Once, "new", input=4))
    return manager.backend


def everything(store: Store) -> dict:
    """All that a store holds but where claims have put tasks."""
    shown = store.find(Query())
    return {
        "runs": [(it, store.history(it.id, it.run)) for it in shown],
        "heads": {it.id: store.read(it.id) for it in shown},
        "old": {(it.id, it.run): store.read(it.id, it.run).head for it in shown},
        "tasks": {it.id: sorted(store.tasks(it.id), key=lambda task: task.key) for it in shown},
    }


def copy_all(copier: Copier) -> int:
    return sum(copier.copy(summary.id) for summary in copier.processes())


def test_all_of_it_is_copied_and_goes_on(source: MemoryBackend, target: Store) -> None:
    copier = Copier(source.store, target)
    assert sorted(summary.id for summary in copier.processes()) == ["done", "long", "new", "waiting"]
    events = sum(len(source.store.history(it.id, it.run)) for it in source.store.find(Query()))
    assert copy_all(copier) == events
    assert everything(target) == everything(source.store)
    assert not any(copier.changed(summary.id) for summary in copier.processes())
    assert copy_all(copier) == 0
    check(target)
    manager = Manager(Engine(target), [Rounds, Once])
    manager.signal_process("long", "go")
    Worker(manager).run(burst=True)
    assert [manager.result(id, 0) for id in ("done", "waiting", "new", "long")] == [1, 3, 4, "signaled"]
    check(target)


def test_long_histories_go_in_parts_and_nobody_works_on_a_part(
    source: MemoryBackend, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 4)
    whole, commit = everything(source.store), target.commit
    for last in range(1, 30):
        left = [last]

        def some(commits, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise BackendUnavailable("gone")
            return commit(commits)

        monkeypatch.setattr(target, "commit", some)
        try:
            Copier(source.store, target).copy("long")
        except BackendUnavailable:
            if target.read("long").head == copying.UNFINISHED:
                with pytest.raises(NewerRecord):
                    Engine(target).signal_process("long", "go")
            continue
        break
    assert last > 1
    monkeypatch.setattr(target, "commit", commit)
    copy_all(Copier(source.store, target))
    assert everything(target) == whole


@pytest.mark.parametrize("seed", range(20))
def test_it_goes_on_after_faults(source: MemoryBackend, target: Store, seed: int, monkeypatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 10)
    faulty = FaultyStore(target, Random(seed), Rates(0.05, 0.1, 0.0, 0.0, 0.0))
    for _ in range(1_000):
        try:
            copy_all(Copier(source.store, faulty))
            break
        except (BackendUnavailable, Diverged):  # a lost reply looks like somebody else, for once
            continue
    assert everything(target) == everything(source.store)


def test_what_has_gone_on_in_the_source_follows(source: MemoryBackend, target: Store) -> None:
    copier = Copier(source.store, target)
    copy_all(copier)
    manager = Manager(source, [Rounds, Once])
    manager.signal_process("long", "go")
    Worker(manager).run(burst=True)
    manager.start_process(Process(Rounds, "long", input={"steps": 1, "runs": 2}))
    Worker(manager).run(burst=True)
    assert copier.changed("long")
    copy_all(copier)
    assert everything(target) == everything(source.store)
    check(target)


@pytest.mark.parametrize("where", ["a namesake", "gone on", "gone on without an event"])
def test_what_the_target_has_of_its_own_is_left_alone(source: MemoryBackend, target: Store, where: str) -> None:
    copier, own = Copier(source.store, target), Engine(target)
    if where == "a namesake":
        own.start_process(Process("Other", "waiting"))
    else:
        copy_all(copier)
        task = own.poll_activity_task()
        if where == "gone on":
            own.complete_activity_task(task, ActivityCompleted("there"))
        else:
            own.heartbeat_activity_task(task, "alive")
    before = everything(target)
    for process in ("waiting",) if where == "a namesake" else ("waiting", "done"):
        if copier.changed(process):
            with pytest.raises(Diverged, match=process):
                copier.copy(process)
    assert copier.changed("waiting")
    assert everything(target)["heads"]["waiting"] == before["heads"]["waiting"]


def test_damage_is_found_and_not_copied(source: MemoryBackend, target: Store) -> None:
    run = source.store._runs["done", source.store._current["done"]]
    run.events[2] = run.events[2].replace(b"1", b"2")
    with pytest.raises(CorruptRecord, match="event 3 of process 'done'"):
        Copier(source.store, target).copy("done")
    assert target.read("done") is None


def test_what_workers_hold_is_named(source: MemoryBackend) -> None:
    copier = Copier(source.store, MemoryStore())
    assert list(copier.held()) == []
    source.poll_decision_task()
    source.poll_activity_task()
    assert sorted(copier.held()) == ["activity 's' of process 'waiting'", "the decision on process 'new'"]
    source.store._runs["new", source.store._current["new"]].row.head += b"?"
    assert list(copier.held()) == ["activity 's' of process 'waiting'"]  # What is damaged is told when it is copied.


def test_more_processes_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PAGE", 3)
    source = MemoryBackend()
    for number in range(11):
        source.start_process(Process("W", f"p{number}"))
    assert len({summary.id for summary in Copier(source.store, MemoryStore()).processes()}) == 11
