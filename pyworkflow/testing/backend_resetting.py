"""The backend suite, resetting: a process goes on anew from an earlier event, in its place or as another process."""

from __future__ import annotations

from typing import Any

import pytest

from ..activity import ActivityCompleted, ActivityFailed
from ..decision import (
    CancelActivity,
    CompleteProcess,
    FailProcess,
    RecordMarker,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from ..events import ActivityEvent, DecisionEvent, Event, ProcessResetEvent, SignalEvent, TimerEvent
from ..exceptions import (
    CannotReset,
    InvalidName,
    PayloadError,
    ProcessAlreadyRunning,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
)
from ..process import Process, ProcessCompleted
from .backend_bench import BackendBench


class Resetting(BackendBench):
    def seen(self, task: Any) -> list[str]:
        """What a decider is shown, in short."""
        return [event.type for event in task.process.history]

    def number(self, kind: type[Event], which: int = -1, id: str = "p") -> int:
        number = self.events(kind, id)[which].id
        assert number is not None
        return number

    def test_without_an_event_the_last_answer_is_taken_back(self) -> None:
        self.start(input=[1], tags=["t"])
        self.decide(ScheduleActivity("A", "a"))
        self.perform("done")
        self.decide(FailProcess("a bug"))
        old = self.backend.process_by_id("p")
        self.clock.advance(1_000)
        assert self.backend.reset_process("p", reason="mended") == "p"
        task = self.open_decision()
        assert self.seen(task)[:-3] == [event.type for event in old.history][:-1]
        assert self.seen(task)[-3:] == ["process_reset", "decision_released", "decision_started"]
        assert "activity" in [event.type for event in task.process.unseen_events()]
        reset = self.last(ProcessResetEvent)
        assert (reset.process_id, reset.run, reset.reason) == ("p", old.run, "mended")
        assert reset.event == len(self.backend.history(old)) - 1
        assert (task.process.input, task.process.tags, task.process.run != old.run) == ([1], ["t"], True)
        self.backend.complete_decision_task(task, CompleteProcess("good"))
        assert self.backend.wait_for_process("p", 0) == ProcessCompleted("good")
        assert self.backend.process_by_id(old).status == "failed"

    def test_what_happened_before_keeps_its_time(self) -> None:
        self.start()
        self.decide(RecordMarker("m", {"n": 1}))
        before = self.backend.history("p")
        self.clock.advance(50)
        self.backend.reset_process("p", len(before))
        after = self.backend.history("p")
        assert after[: len(before)] == before
        assert [event.datetime for event in after[: len(before)]] == [event.datetime for event in before]
        assert [event.id for event in after] == list(range(1, len(after) + 1))

    def test_an_open_run_is_terminated_and_its_tasks_are_gone(self) -> None:
        held = self.begin()
        self.backend.signal_process("p", "s")
        decision = self.open_decision()
        old = self.backend.process_by_id("p")
        self.backend.reset_process("p", 1)
        assert self.types("p")[:2] == ["process_started", "process_reset"]
        ended = self.backend.process_by_id(old)
        assert (ended.status, ended.history[-1].cause) == ("terminated", "RESET")  # type: ignore[attr-defined]
        self.refused(UnknownActivityException, lambda: self.backend.complete_activity_task(held))
        self.refused(UnknownDecisionException, lambda: self.backend.complete_decision_task(decision))
        self.decide(CompleteProcess())
        assert self.no_activity()

    @pytest.mark.parametrize("taken", [False, True])
    def test_activities_that_were_open_wait_again(self, taken: bool) -> None:
        self.backend.register_activity("B", "default", 60, 30, 20)
        self.start()
        self.decide(ScheduleActivity("B", "b", input=[7], priority=3))
        self.clock.advance(40)
        if taken:
            self.take()
        at = len(self.backend.history("p"))
        self.perform("first") if not taken else None
        self.clock.advance(1_000)
        self.backend.reset_process("p", at)
        self.clock.advance(59)
        task = self.take()
        assert (task.activity_execution.id, task.activity_execution.input) == ("b", [7])
        self.clock.advance(19)
        self.backend.complete_activity_task(task, ActivityCompleted("again"))
        assert self.last(ActivityEvent).result == ActivityCompleted("again")

    def test_activities_that_nobody_takes_time_out_anew(self) -> None:
        self.backend.register_activity("B", "default", 60, 30, 20)
        self.start()
        self.decide(ScheduleActivity("B", "b"))
        self.clock.advance(1)
        self.backend.reset_process("p", len(self.backend.history("p")))
        self.clock.advance(59)
        self.settle()
        assert not self.events(ActivityEvent)
        self.clock.advance(1)
        self.settle()
        assert self.last(ActivityEvent).result.type == "timedout"

    def test_results_can_be_given_for_what_was_open(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), ScheduleActivity("A", "b"), ScheduleActivity("A", "c"))
        at = len(self.backend.history("p"))
        self.perform("wrong")
        results = {"a": ActivityCompleted("right"), "c": ActivityFailed("no", {"n": 1})}
        self.backend.reset_process("p", at, results=results)
        ends = [(event.activity_execution.id, event.result) for event in self.events(ActivityEvent)]
        assert ends == list(results.items())
        assert self.take().activity_execution.id == "b"
        assert self.no_activity()

    def test_signals_that_came_later_come_again(self) -> None:
        self.start()
        self.backend.signal_process("p", "before", request_id="1")
        self.decide()
        at = len(self.backend.history("p"))
        self.backend.signal_process("p", "after", [2], request_id="2")
        self.decide(CompleteProcess())
        self.backend.reset_process("p", at)
        assert [event.signal.name for event in self.events(SignalEvent)] == ["before", "after"]
        self.backend.signal_process("p", "after", [2], request_id="2")
        self.backend.signal_process("p", "before", request_id="1")
        assert len(self.events(SignalEvent)) == 2
        assert [event.type for event in self.open_decision().process.unseen_events()] == ["process_reset", "signal"]

    def test_timers_keep_their_time(self) -> None:
        self.start()
        self.decide(Timer(10, id="short"), Timer(100, id="long"))
        at = len(self.backend.history("p"))
        self.clock.advance(20)
        self.settle()
        self.backend.reset_process("p", at)
        assert [event.timer.id for event in self.events(TimerEvent)] == ["short"]
        self.clock.advance(80)
        self.settle()
        assert [event.timer.id for event in self.events(TimerEvent)] == ["short", "long"]

    def test_its_timeout_begins_anew(self) -> None:
        self.start(timeout=50)
        self.decide()
        self.clock.advance(40)
        self.backend.reset_process("p", 1)
        self.pass_time(49)
        assert self.status() == "running"
        self.pass_time(1)
        assert self.status() == "timedout"

    # -- as another process ----------

    def test_a_fork_leaves_the_process_alone(self) -> None:
        self.start(input=1, tags=["t"])
        self.decide(ScheduleActivity("A", "a"))
        at = len(self.backend.history("p"))
        before = self.backend.history("p")
        assert self.backend.reset_process("p", at, id="q", results={"a": ActivityCompleted(2)}) == "q"
        assert self.backend.history("p") == before
        fork = self.backend.process_by_id("q")
        assert (fork.status, fork.input, fork.tags, fork.parent) == ("running", 1, ["t"], None)
        assert self.last(ProcessResetEvent, "q").process_id == "p"
        self.decide(CompleteProcess())
        assert (self.status("p"), self.status("q")) == ("running", "completed")

    def test_a_fork_does_not_displace_a_process(self) -> None:
        self.start("p")
        self.start("q")
        self.refused(ProcessAlreadyRunning, lambda: self.backend.reset_process("p", 1, id="q"))
        self.backend.terminate_process("q")
        self.backend.reset_process("p", 1, id="q")
        assert self.status("q") == "running"

    def test_a_request_counts_once(self) -> None:
        self.start()
        self.backend.reset_process("p", 1, request_id="r")
        run = self.backend.process_by_id("p").run
        self.backend.reset_process("p", 1, request_id="r")
        assert self.backend.process_by_id("p").run == run
        self.backend.reset_process("p", 1, id="q", request_id="r")
        self.backend.reset_process("p", 1, id="q", request_id="r")
        assert self.status("q") == "running"

    # -- refusals ----------

    def test_an_answer_cannot_be_cut_in_two(self) -> None:
        self.start()
        self.decide(RecordMarker("m"), ScheduleActivity("A", "a"), CancelActivity("a"))
        first = self.number(DecisionEvent, 0)
        for number in range(first, first + 3):
            with pytest.raises(CannotReset, match=f"events {number} and {number + 1} are of one answer"):
                self.backend.reset_process("p", number)
        self.backend.reset_process("p", first - 1)
        self.backend.reset_process("p", 1)

    def test_there_must_be_such_an_event(self) -> None:
        self.start()
        with pytest.raises(CannotReset, match="no event 99"):
            self.backend.reset_process("p", 99)

    @pytest.mark.parametrize("event", [0, -1, "3", 2.0, True], ids=repr)
    def test_an_event_is_a_number(self, event: Any) -> None:
        self.start()
        self.refused(ValueError, lambda: self.backend.reset_process("p", event))

    @pytest.mark.parametrize("request_id", [7, ["r"], b"r", "\ud800", "x" * 2_000], ids=lambda value: repr(value)[:9])
    def test_a_request_id_is_text(self, request_id: Any) -> None:
        self.start()
        self.refused(InvalidName, lambda: self.backend.reset_process("p", 1, request_id=request_id))
        assert self.backend.describe_process("p").events == 1

    def test_a_process_is_not_its_own_fork(self) -> None:
        self.start()
        self.refused(CannotReset, lambda: self.backend.reset_process("p", 1, id="p"))
        assert self.types() == ["process_started"]

    def test_a_close_cannot_be_where_it_goes_on(self) -> None:
        self.start()
        self.decide(CompleteProcess())
        with pytest.raises(CannotReset, match="event 3 closes the run"):
            self.backend.reset_process("p", 3)

    def test_nothing_can_be_taken_back_before_the_first_answer(self) -> None:
        self.start()
        with pytest.raises(CannotReset, match="nothing has been decided"):
            self.backend.reset_process("p")

    def test_other_processes_are_not_told_twice(self) -> None:
        """A child or a letter that was on its way then belongs to the old run: its news would never come."""
        self.start("c")
        self.start("p")
        self.decide()
        self.decide(StartChildProcess(Process("W", "k")), SignalProcess("c", "s"))
        at = len(self.backend.history("p"))
        self.settle()
        self.refused(CannotReset, lambda: self.backend.reset_process("p", at))
        assert self.status() == "running"
        self.backend.reset_process("p", 2)

    def test_results_are_for_open_activities(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"))
        with pytest.raises(CannotReset, match="no activity b is open at event 3"):
            self.backend.reset_process("p", 3, results={"b": ActivityCompleted()})
        self.refused(
            ValueError,
            lambda: self.backend.reset_process("p", 3, results=[ActivityCompleted()]),  # type: ignore[arg-type]
            lambda: self.backend.reset_process("p", 3, results={"a": "done"}),  # type: ignore[dict-item]
        )
        with pytest.raises(PayloadError):
            self.backend.reset_process("p", 3, results={"a": ActivityCompleted(float("nan"))})
        assert self.status() == "running"

    def test_there_must_be_such_a_process(self) -> None:
        self.start()
        self.refused(
            UnknownProcessException,
            lambda: self.backend.reset_process("nobody", 1),
            lambda: self.backend.reset_process("p:nowhere", 1),
        )

    def test_an_earlier_run_can_be_taken_up_again(self) -> None:
        self.start(input="first")
        first = self.backend.process_by_id("p")
        self.decide(CompleteProcess())
        self.start(input="second")
        self.backend.signal_process("p", "to the second")
        self.backend.reset_process(first, 1)
        assert self.backend.process_by_id("p").input == "first"
        assert self.events(SignalEvent) == []
        assert len(list(self.backend.processes())) == 1
