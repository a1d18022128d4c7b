"""Watching: every event is told once, when it is kept, by the backend whose call wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from ..activity import ActivityCompleted
from ..backend import Finished, ProcessFilter, Wanted
from ..decision import CompleteProcess, ContinueAsNew, RecordMarker, ScheduleActivity, StartChildProcess, Timer
from ..events import Event
from ..exceptions import UnknownDecisionException
from ..process import Process
from ..task import DecisionTask
from .backend_bench import BackendBench
from .concurrency import in_threads


class Watching(BackendBench):
    """`told` is what was told, by process and run. `watched = False` says that the backend cannot tell."""

    watched = True

    @pytest.fixture(autouse=True)
    def _watch(self, request: pytest.FixtureRequest, _open: None) -> Iterator[None]:
        if not self.watched and hasattr(Watching, request.function.__name__):
            pytest.skip("this backend does not tell what it writes")
        self.told: dict[tuple[str, str], list[Event]] = {}
        yield

    def tell(self, process: Process, events: Sequence[Event]) -> None:
        self.told.setdefault((str(process.id), str(process.run)), []).extend(events)

    def all_was_told(self) -> bool:
        """Is it what the histories hold, every event once?"""
        runs = self.backend.list_processes(ProcessFilter(status="all"), 1_000).processes
        kept = {(str(run.id), str(run.run)): self.backend.history(run) for run in runs}
        told = {run: sorted(events, key=lambda event: event.id or 0) for run, events in self.told.items()}
        assert told == kept
        assert _numbers(told) == _numbers(kept)
        return True

    def test_what_calls_write_is_told_in_order(self) -> None:
        self.backend.watch(self.tell)
        self.start(input=1)
        self.decide(ScheduleActivity("A", "a"), RecordMarker("m"))
        self.perform("done")
        self.backend.signal_process("p", "hello")
        self.decide(CompleteProcess(2))
        (events,) = self.told.values()
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert self.all_was_told()

    def test_it_is_told_before_the_call_returns(self) -> None:
        self.backend.watch(self.tell)
        self.start()
        assert [event.type for events in self.told.values() for event in events] == ["process_started"]

    def test_the_process_is_told_with_it(self) -> None:
        told: list[Process] = []
        self.backend.watch(lambda process, events: told.append(process))
        self.start("p", input=[1], tags=["t"])
        (process,) = told
        assert (process.id, process.workflow, process.tags, process.status) == ("p", "W", ["t"], "running")
        assert process.input == [1]
        assert process.history == self.backend.process_by_id("p").history

    def test_what_falls_due_is_told_by_whoever_comes_by(self) -> None:
        self.start(timeout=20, decision_timeout=3)
        self.decide(ScheduleActivity("A", "a", execution_timeout=2), Timer(5))
        self.take()
        self.backend.watch(self.tell)
        self.pass_time(6)
        self.open_decision()
        self.pass_time(20)
        (events,) = self.told.values()
        types = [event.type for event in events]
        assert types == ["activity", "timer", "decision_started", "decision_timed_out", "process_timed_out"]

    def test_a_parent_and_its_child_are_told(self) -> None:
        self.backend.watch(self.tell)
        self.start()
        self.decide(StartChildProcess(Process("W", "c"), category="children"))
        self.settle()
        self.decide(CompleteProcess(), category="children")
        self.settle()
        assert self.all_was_told()
        assert len(self.told) == 2

    def test_both_runs_are_told_when_one_continues(self) -> None:
        self.backend.watch(self.tell)
        self.start()
        self.decide(ContinueAsNew(5))
        assert self.all_was_told()
        assert len(self.told) == 2

    def test_what_was_decided_on_the_way_is_told(self) -> None:
        self.backend.watch(self.tell)
        task = self.begin()

        def decide(task: DecisionTask) -> Any:
            return [CompleteProcess("done")]

        got = self.backend.exchange(
            [Finished(task, ActivityCompleted())], decisions=Wanted(("default",), 1), decide=decide
        )
        for task_left in got.decisions:
            self.backend.complete_decision_task(task_left, decide(task_left))
        assert self.all_was_told()

    def test_a_refused_call_tells_what_fell_due_and_no_more(self) -> None:
        self.start(decision_timeout=5)
        task = self.open_decision()
        self.backend.watch(self.tell)
        self.clock.advance(5)
        self.refused(UnknownDecisionException, lambda: self.backend.complete_decision_task(task, CompleteProcess()))
        assert [event.type for events in self.told.values() for event in events] == ["decision_timed_out"]

    def test_who_took_a_task_is_told(self) -> None:
        self.backend.watch(self.tell)
        self.start()
        task = self.backend.poll_decision_task(identity="decider")
        assert task is not None
        self.backend.complete_decision_task(task, ScheduleActivity("A", "a"))
        self.backend.poll_activity_task(identity="worker")
        (events,) = self.told.values()
        assert [getattr(event, "identity", None) for event in events] == [None, "decider", None, "worker"]

    def test_a_heartbeat_tells_nothing(self) -> None:
        task = self.begin(heartbeat_timeout=5)
        self.backend.watch(self.tell)
        self.backend.heartbeat_activity_task(task, 1)
        assert self.told == {}

    def test_several_may_watch_and_use_the_backend(self) -> None:
        def start_next(process: Process, events: Sequence[Event]) -> None:
            if process.status == "completed" and process.id == "p":
                self.start("next")

        self.backend.watch(start_next)
        self.backend.watch(self.tell)
        self.start()
        self.decide(CompleteProcess())
        assert self.status("next") == "running"
        assert self.all_was_told()

    def test_threads_tell_each_event_once(self) -> None:
        self.backend.watch(self.tell)
        self.start()

        def signal() -> None:
            for number in range(10):
                self.backend.signal_process("p", "s", number)

        in_threads(*[signal] * 4)
        assert self.all_was_told()


def _numbers(runs: dict[tuple[str, str], list[Event]]) -> dict[tuple[str, str], list[int | None]]:
    return {run: [event.id for event in events] for run, events in runs.items()}
