"""Exchanges: many tasks in one call, waiting for the first, being interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ..activity import ActivityCompleted, ActivityFailed
from ..backend import Exchanged, Failed, Finished, Released, Wanted
from ..decision import CompleteProcess, ScheduleActivity, Timer
from ..events import ActivityEvent
from ..exceptions import BackendUnavailable, PayloadError, UnknownActivityException, UnknownDecisionException
from ..task import ActivityTask, DecisionTask
from .backend_bench import BackendBench
from .concurrency import PATIENCE, in_threads

DEFAULT = ("default",)
LONG = 10 * PATIENCE


class Exchanges(BackendBench):
    """What a worker's loop does."""

    def get(self, decisions: int = 0, activities: int = 0, *finished: Finished) -> Exchanged:
        return self.backend.exchange(
            finished, decisions=Wanted(DEFAULT, decisions), activities=Wanted(DEFAULT, activities)
        )

    def test_an_exchange_of_nothing_brings_nothing(self) -> None:
        self.start()
        assert not self.backend.exchange()
        assert not self.get(0, 0)
        assert not self.get(0, 5)

    def test_several_tasks_come_at_once(self) -> None:
        for number in range(5):
            self.start(f"p{number}")
        got = self.get(3)
        assert len(got.decisions) == 3
        assert len(self.get(10).decisions) == 2
        assert not self.get(10)

    def test_several_activities_of_one_process_come_at_once(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", str(number), input=number) for number in range(7)))
        got = self.get(1, 5)
        assert sorted(task.input for task in got.activities) == [0, 1, 2, 3, 4]
        assert got.decisions == []
        assert len({task.token for task in got.activities}) == 5
        assert len(self.get(1, 5).activities) == 2

    def test_tasks_of_several_categories_come_at_once(self) -> None:
        for category in ("a", "b", "c"):
            self.start(f"p{category}", category=category)
        got = self.backend.exchange(decisions=Wanted(("a", "c"), 9))
        assert sorted(task.process.id or "" for task in got.decisions) == ["pa", "pc"]

    def test_many_are_handed_in_at_once(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", str(number)) for number in range(5)))
        tasks = self.get(0, 5).activities
        got = self.get(1, 0, *(Finished(task, ActivityCompleted(task.activity_execution.id)) for task in tasks))
        assert got.refused == []
        assert len(got.decisions) == 1
        assert len(got.decisions[0].process.history) == 3 + 5 + 5 + 5
        assert {event.result.result for event in self.events(ActivityEvent)} == set("01234")  # type: ignore[attr-defined]
        assert self.idle()

    def test_handing_in_and_taking_what_comes_of_it_is_one_call(self) -> None:
        self.start()
        (decision,) = self.get(1).decisions
        got = self.get(1, 1, Finished(decision, [ScheduleActivity("A", "a", input=5)]))
        assert [task.input for task in got.activities] == [5]
        got = self.get(1, 1, Finished(got.activities[0], ActivityCompleted(6)))
        assert [task.process.id for task in got.decisions] == ["p"]
        assert not self.get(1, 1, Finished(got.decisions[0], [CompleteProcess(6)]))
        assert self.status() == "completed"

    def test_what_comes_too_late_is_refused_and_the_rest_counts(self) -> None:
        for id in ("p", "q"):
            self.start(id, decision_timeout=5)
        tasks = {task.process.id: task for task in self.get(2).decisions}
        self.backend.complete_decision_task(tasks["p"])
        late = Finished(tasks["p"], [CompleteProcess()])
        bad = Finished(DecisionTask(tasks["q"].process, {"token": "nonsense"}), [])
        got = self.get(0, 0, late, bad, Finished(tasks["q"], [CompleteProcess()]))
        assert [item for item, _ in got.refused] == [bad, late] or [item for item, _ in got.refused] == [late, bad]
        assert all(isinstance(error, UnknownDecisionException) for _, error in got.refused)
        assert (self.status("p"), self.status("q")) == ("running", "completed")

    def test_what_cannot_be_stored_is_refused_and_the_rest_counts(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), ScheduleActivity("A", "b"))
        first, second = self.get(0, 2).activities
        got = self.get(0, 0, Finished(first, ActivityCompleted(float("nan"))), Finished(second, ActivityCompleted(1)))
        assert [(item.task, type(error)) for item, error in got.refused] == [(first, PayloadError)]
        assert len(self.events(ActivityEvent)) == 1
        assert not self.get(0, 0, Finished(first, ActivityFailed("cannot be stored")))
        assert len(self.events(ActivityEvent)) == 2

    def test_one_task_handed_in_twice_counts_once(self) -> None:
        task = self.begin()
        got = self.get(0, 0, Finished(task, ActivityCompleted(1)), Finished(task, ActivityCompleted(2)))
        assert [type(error) for _, error in got.refused] == [UnknownActivityException]
        assert [event.result for event in self.events(ActivityEvent)] == [ActivityCompleted(1)]

    def test_every_kind_of_outcome_can_be_handed_in(self) -> None:
        for id in "pqr":
            self.start(id)
        tasks = {str(task.process.id): task for task in self.get(3).decisions}
        got = self.get(
            0,
            0,
            Finished(tasks["p"], [Timer(5)]),
            Finished(tasks["q"], Failed("why")),
            Finished(tasks["r"], Released(1)),
        )
        assert not got
        assert [self.types(id)[-1] for id in "pqr"] == ["decision", "decision_failed", "decision_released"]

    @pytest.mark.parametrize("outcome", [Failed("why"), "text", 5], ids=repr)
    def test_an_outcome_of_the_wrong_kind_is_refused(self, outcome: object) -> None:
        task = self.begin()
        got = self.get(0, 0, Finished(task, outcome))  # type: ignore[arg-type]
        assert [type(error) for _, error in got.refused] == [ValueError]
        assert self.types()[-1] == "activity_started"

    def test_workers_at_once_never_get_the_same_task(self) -> None:
        for number in range(20):
            self.start(f"p{number}")
            self.decide(*(ScheduleActivity("A", str(n)) for n in range(3)))
        taken: list[ActivityTask] = []

        def work() -> None:
            while got := self.get(0, 2).activities:
                taken.extend(got)
                self.get(0, 0, *(Finished(task, ActivityCompleted()) for task in got))

        in_threads(*[work] * 4)
        assert len(taken) == len({task.token for task in taken}) == 60
        for number in range(20):
            assert len(self.events(ActivityEvent, f"p{number}")) == 3

    # -- waiting ----------

    def test_a_poll_ends_without_a_task(self) -> None:
        assert self.backend.poll_decision_task("default", timeout=0.01) is None
        assert self.backend.poll_activity_task("default", "somebody", timeout=0.01) is None

    def poll(self, poll: Callable[[], object]) -> Callable[[], object]:
        """Poll in a thread; the function returned waits for what came of it."""
        results: list[object] = []

        def run() -> None:
            try:
                results.append(poll())
            except BackendUnavailable as error:
                results.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def result() -> object:
            thread.join(PATIENCE)
            assert results, "the poll did not return"
            return results[0]

        return result

    def test_a_poll_ends_with_the_task_that_comes(self) -> None:
        result = self.poll(lambda: self.backend.poll_decision_task(timeout=LONG))
        self.start()
        task = result()
        assert isinstance(task, DecisionTask)
        result = self.poll(lambda: self.backend.poll_activity_task(timeout=LONG))
        self.backend.complete_decision_task(task, ScheduleActivity("A", "a"))
        assert isinstance(result(), ActivityTask)

    def test_a_poll_can_be_interrupted(self) -> None:
        def exchange() -> Exchanged:
            return self.backend.exchange(decisions=Wanted(DEFAULT, 1), timeout=LONG, interrupt="me")

        result = self.poll(exchange)
        self.backend.interrupt_wait("me")
        assert not result()
        self.start()
        assert self.poll(exchange)()

    def test_an_interruption_before_the_wait_is_not_lost(self) -> None:
        self.backend.interrupt_wait("me")
        result = self.poll(lambda: self.backend.exchange(decisions=Wanted(DEFAULT, 1), timeout=LONG, interrupt="me"))
        assert not result()

    def test_closing_ends_a_poll(self) -> None:
        result = self.poll(lambda: self.backend.poll_decision_task(timeout=LONG))
        self.backend.close()
        assert result() is None or isinstance(result(), BackendUnavailable)
