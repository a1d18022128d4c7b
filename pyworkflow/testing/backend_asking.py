"""Deciders that are handed to an exchange: a backend may ask them at once, or hand out every decision as ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..activity import ActivityCompleted
from ..backend import Exchanged, Failed, Finished, Released, Wanted
from ..decision import CompleteProcess, ScheduleActivity, Timer
from ..events import ActivityEvent
from ..process import Process
from ..task import DecisionTask
from .backend_bench import BackendBench


class Asking(BackendBench):
    """What comes of an answer is the same whichever way it was asked for."""

    def work(self, decide: Callable[[DecisionTask], Any], *finished: Finished, category: str = "default") -> Exchanged:
        """Hand in, and answer by `decide` what the backend does not ask by itself."""
        got = self.backend.exchange(
            finished, decisions=Wanted((category,), 5), activities=Wanted((category,), 5), decide=decide
        )
        if got.decisions:
            more = self.work(decide, *(Finished(task, decide(task)) for task in got.decisions))
            got.activities += more.activities
            got.refused += more.refused
        return got

    def test_an_answer_follows_what_it_answers(self) -> None:
        seen: list[Process] = []

        def decide(task: DecisionTask) -> Any:
            seen.append(task.process)
            return [ScheduleActivity("A", "b", input=2), Timer(9, id="t")]

        task = self.begin(input=1)
        got = self.work(decide, Finished(task, ActivityCompleted("one")))
        assert not got.refused
        (process,) = seen
        assert (process.id, process.status, process.history[-2].result) == ("p", "running", ActivityCompleted("one"))  # type: ignore[attr-defined]
        assert [event.type for event in process.history] == self.types()[: len(process.history)]
        assert self.types()[-5:] == ["activity", "decision_started", "decision", "decision", "activity_started"]
        assert [task.input for task in got.activities] == [2]

    def test_a_whole_process_is_decided_on_the_way(self) -> None:
        def decide(task: DecisionTask) -> Any:
            step = sum(event.type == "activity" for event in task.process.history)
            return [ScheduleActivity("A", str(step), input=step)] if step < 5 else [CompleteProcess(step)]

        self.start()
        got = self.work(decide)
        for _ in range(5):
            (task,) = got.activities
            got = self.work(decide, Finished(task, ActivityCompleted()))
        assert self.status() == "completed"
        assert self.idle()
        assert self.no_activity()

    @pytest.mark.parametrize(
        ("answer", "last"),
        [
            (Failed("why", attempts=3), "decision_failed"),
            (Failed("why", attempts=1), "process_blocked"),
            (Released(60.0), "decision_released"),
            ([CompleteProcess(float("nan"))], "decision_failed"),
            (["nonsense"], "decision_failed"),
            ([CompleteProcess("too long" * 100_000)], "decision_failed"),
        ],
        ids=["failed", "failed for good", "released", "not JSON", "no decision", "too large"],
    )
    def test_every_kind_of_answer_is_recorded(self, answer: Any, last: str) -> None:
        task = self.begin()
        got = self.work(lambda task: answer, Finished(task, ActivityCompleted()))
        for refused, error in got.refused:  # a backend that did not ask lets the worker say what is wrong
            self.backend.fail_decision_task(refused.task, str(error))  # type: ignore[arg-type]
        assert self.types()[-1] == last
        assert self.types().count("activity") == 1

    def test_nobody_is_asked_for_another_category(self) -> None:
        task = self.begin()
        got = self.work(lambda task: pytest.fail("asked"), Finished(task, ActivityCompleted()), category="other")
        assert not got
        self.decide(CompleteProcess())
        assert self.status() == "completed"

    def test_a_refused_result_is_not_decided_on(self) -> None:
        task = self.begin()
        self.backend.complete_activity_task(task)
        self.decide()
        got = self.work(lambda task: pytest.fail("asked"), Finished(task, ActivityCompleted()))
        assert len(got.refused) == 1

    def test_results_of_one_process_are_decided_on_together(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", str(number)) for number in range(4)))
        tasks = self.backend.exchange(activities=Wanted(("default",), 4)).activities
        asked: list[DecisionTask] = []

        def decide(task: DecisionTask) -> Any:
            asked.append(task)
            return []

        self.work(decide, *(Finished(task, ActivityCompleted()) for task in tasks))
        assert len(asked) == 1
        assert [event.type for event in asked[0].process.history].count("activity") == 4

    def test_one_that_takes_longer_than_its_timeout_is_not_heard(self) -> None:
        def decide(task: DecisionTask) -> Any:
            self.clock.advance(6.0)
            return [CompleteProcess()]

        self.start(decision_timeout=5.0)
        self.decide(ScheduleActivity("A", "a"))
        self.work(decide, Finished(self.take(), ActivityCompleted()))
        assert self.status() == "running"

    def test_one_that_does_not_want_to_be_asked_gets_the_task(self) -> None:
        task = self.begin()
        got = self.backend.exchange(
            [Finished(task, ActivityCompleted(1))], decisions=Wanted(("default",), 1), decide=lambda task: None
        )
        (decision,) = got.decisions
        assert decision.process.history[-2].result == ActivityCompleted(1)  # type: ignore[attr-defined]
        self.backend.complete_decision_task(decision, CompleteProcess(2))
        assert self.status() == "completed"

    def test_nobody_is_asked_for_more_than_is_wanted(self) -> None:
        task = self.begin()
        got = self.backend.exchange(
            [Finished(task, ActivityCompleted())],
            decisions=Wanted(("default",), 0),
            decide=lambda task: pytest.fail("asked"),
        )
        assert not got
        assert not self.idle()

    def test_time_that_a_decider_takes_is_nobody_else_s(self) -> None:
        def decide(task: DecisionTask) -> Any:
            self.clock.advance(3.0)
            return [ScheduleActivity("A", "b", scheduled_timeout=2.0, execution_timeout=2.0), Timer(2.0, id="t")]

        task = self.begin()
        (task,) = self.work(decide, Finished(task, ActivityCompleted())).activities
        self.settle()
        assert "timer" not in self.types()
        self.backend.complete_activity_task(task)
        assert self.last(ActivityEvent).result == ActivityCompleted()

    def test_a_process_that_times_out_meanwhile_is_not_completed(self) -> None:
        def decide(task: DecisionTask) -> Any:
            self.clock.advance(10.0)
            return [CompleteProcess()]

        self.start(timeout=5.0)
        self.decide(ScheduleActivity("A", "a"))
        self.work(decide, Finished(self.take(), ActivityCompleted()))
        self.settle()
        assert self.status() == "timedout"
