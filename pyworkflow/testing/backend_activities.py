"""Activities: handed out in order, ended once by whoever holds them, canceled, handed back."""

from __future__ import annotations

from typing import Any

import pytest

from ..activity import ActivityCanceled, ActivityCompleted, ActivityFailed, ActivityResult, ActivityTimedOut
from ..decision import CancelActivity, CompleteProcess, ScheduleActivity
from ..events import ActivityEvent
from ..exceptions import PayloadError, UnknownActivityException
from ..task import ActivityTask
from .backend_bench import TICK, BackendBench
from .backend_starting import JSON


class Activities(BackendBench):
    """Activity tasks."""

    def late(self, task: ActivityTask) -> None:
        """Nothing that the holder of a stale task says changes anything."""
        before = self.backend.history(str(task.process_id))
        self.refused(
            UnknownActivityException,
            lambda: self.backend.complete_activity_task(task, ActivityCompleted("late")),
            lambda: self.backend.complete_activity_task(task, ActivityFailed("late")),
            lambda: self.backend.complete_activity_task(task, ActivityCanceled("late")),
            lambda: self.backend.heartbeat_activity_task(task, "late"),
            lambda: self.backend.release_task(task),
        )
        assert self.backend.history(str(task.process_id)) == before

    # -- handing out ----------

    def test_a_task_says_what_there_is_to_do(self) -> None:
        task = self.begin(input={"n": [1]}, heartbeat_timeout=3)
        assert (task.activity, task.input, task.process_id) == ("A", {"n": [1]}, "p")
        assert (task.activity_execution.id, task.heartbeat_timeout, task.context["version"]) == ("a", 3, "1.0")
        assert self.no_activity()

    @pytest.mark.parametrize("value", JSON, ids=lambda value: repr(value)[:20])
    def test_inputs_and_results_come_back_as_they_were(self, value: Any) -> None:
        task = self.begin(input=value)
        self.backend.complete_activity_task(task, ActivityCompleted(value))
        for back in (task.input, self.last(ActivityEvent).result.result):  # type: ignore[attr-defined]
            assert back == value
            assert type(back) is type(value)

    def test_higher_priorities_go_first_and_then_the_earlier(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", id, priority=p) for id, p in (("a", 0), ("b", 2), ("c", -2), ("d", 2))))
        assert [self.take().activity_execution.id for _ in range(4)] == ["b", "d", "a", "c"]

    def test_priorities_count_across_processes(self) -> None:
        for id, priority in (("p", 0), ("q", 2**31 - 1), ("r", -(2**31)), ("s", 1)):
            self.start(id)
            self.decide(ScheduleActivity("A", "a", priority=priority))
        assert [self.take().process_id for _ in range(4)] == ["q", "s", "p", "r"]

    def test_categories_are_kept_apart(self) -> None:
        self.backend.register_activity("B", "far")
        self.start()
        self.decide(ScheduleActivity("A", "a"), ScheduleActivity("B", "b"), ScheduleActivity("A", "c", "other"))
        assert [self.take(category).activity_execution.id for category in ("other", "far", "default")] == [
            "c",
            "b",
            "a",
        ]
        assert all(self.no_activity(category) for category in ("other", "far", "default", "unknown"))

    def test_an_activity_and_a_decision_of_one_category_are_different_things(self) -> None:
        self.start()
        assert self.no_activity()
        self.decide(ScheduleActivity("A", "a"))
        assert self.idle()
        assert self.take().activity == "A"

    def test_an_idempotency_key_stays_while_tokens_change(self) -> None:
        task = self.begin()
        self.backend.release_task(task)
        again = self.take()
        assert again.token != task.token
        assert again.idempotency_key == task.idempotency_key
        self.backend.complete_activity_task(again)
        self.decide(ScheduleActivity("A", "a"))
        assert self.take().idempotency_key != task.idempotency_key

    # -- ending ----------

    @pytest.mark.parametrize(
        "result",
        [
            ActivityCompleted(), ActivityCompleted([1]), ActivityFailed(), ActivityFailed("why"),
            ActivityFailed("why", {"n": 1}), ActivityCanceled(), ActivityCanceled("d"), ActivityTimedOut(),
            ActivityTimedOut({"n": 1}),
        ],
        ids=repr,
    )  # fmt: skip
    def test_an_activity_ends_with_its_result(self, result: ActivityResult) -> None:
        task = self.begin(input=1)
        self.backend.complete_activity_task(task, result)
        assert self.last(ActivityEvent) == ActivityEvent(activity_execution=task.activity_execution, result=result)
        assert self.types().count("activity") == 1
        self.late(task)

    def test_a_result_that_cannot_be_stored_leaves_the_task_open(self) -> None:
        task = self.begin()
        for bad in (
            ActivityCompleted({1, 2}.__iter__()),
            ActivityFailed("r", float("inf")),
            ActivityCanceled(object()),
        ):
            with pytest.raises(PayloadError):
                self.backend.complete_activity_task(task, bad)
        self.backend.complete_activity_task(task)
        assert self.types().count("activity") == 1

    @pytest.mark.parametrize("result", ["a string", 5, CompleteProcess()], ids=repr)
    def test_what_is_no_result_is_an_error(self, result: Any) -> None:
        task = self.begin()
        with pytest.raises(ValueError):
            self.backend.complete_activity_task(task, result)
        self.backend.complete_activity_task(task)

    def test_an_activity_can_be_completed_by_its_token_alone(self) -> None:
        token = self.begin().token
        self.backend.complete_activity_task(ActivityTask.from_token(token), ActivityCompleted(5))
        assert self.last(ActivityEvent).result == ActivityCompleted(5)

    def test_an_id_can_be_used_again_after_it_ended(self) -> None:
        self.begin()
        self.backend.cancel_process("p")
        self.decide(CancelActivity("a"))
        token = self.backend.describe_process("p").activities[0].token
        assert token
        self.backend.complete_activity_task(ActivityTask.from_token(token))
        self.decide(ScheduleActivity("A", "a", input="again"))
        assert self.take().input == "again"

    # -- canceling ----------

    def test_an_activity_that_nobody_has_is_canceled_at_once(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"))
        self.backend.signal_process("p", "s")
        self.decide(CancelActivity("a"))
        assert self.last(ActivityEvent).result == ActivityCanceled()
        assert self.no_activity()
        assert not self.idle()

    def test_a_schedule_can_be_canceled_in_the_same_answer(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), CancelActivity("a"))
        assert self.types()[-3:] == ["decision", "decision", "activity"]
        assert self.no_activity()

    def test_an_activity_in_hand_hears_of_it_with_its_heartbeat(self) -> None:
        task = self.begin()
        assert self.backend.heartbeat_activity_task(task) is False
        self.backend.signal_process("p", "s")
        self.decide(CancelActivity("a"))
        assert self.idle()
        assert self.backend.heartbeat_activity_task(task) is True
        assert self.backend.describe_process("p").activities[0].cancel_requested
        self.backend.complete_activity_task(task, ActivityCanceled("stopped"))
        assert self.last(ActivityEvent).result == ActivityCanceled("stopped")

    def test_an_activity_may_complete_although_it_was_to_be_canceled(self) -> None:
        task = self.begin()
        self.backend.signal_process("p", "s")
        self.decide(CancelActivity("a"))
        self.backend.complete_activity_task(task, ActivityCompleted("done"))
        assert self.last(ActivityEvent).result == ActivityCompleted("done")

    def test_a_heartbeat_adds_no_event(self) -> None:
        task = self.begin()
        before = self.types()
        self.backend.heartbeat_activity_task(task, {"progress": 0.5})
        assert self.types() == before
        assert self.backend.describe_process("p").activities[0].heartbeat == {"progress": 0.5}
        self.backend.heartbeat_activity_task(task)
        assert self.backend.describe_process("p").activities[0].heartbeat == {"progress": 0.5}

    def test_heartbeat_details_that_cannot_be_stored_are_refused(self) -> None:
        task = self.begin()
        with pytest.raises(PayloadError):
            self.backend.heartbeat_activity_task(task, float("nan"))
        self.backend.complete_activity_task(task)

    # -- handing back ----------

    def test_an_activity_handed_back_is_handed_out_again(self) -> None:
        task = self.begin(input=[1], priority=4, heartbeat_timeout=9)
        self.backend.release_task(task)
        assert self.types()[-2:] == ["activity_started", "activity_released"]
        again = self.take()
        assert (again.activity, again.input, again.heartbeat_timeout) == ("A", [1], 9)
        self.late(task)
        self.backend.complete_activity_task(again)

    def test_an_activity_can_be_handed_back_for_later(self) -> None:
        self.backend.release_task(self.begin(), 2.5)
        self.clock.advance(2.5 - TICK)
        assert self.no_activity()
        self.clock.advance(TICK)
        assert self.take().activity == "A"

    def test_an_activity_handed_back_keeps_its_priority_and_category(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a", "far", priority=5), ScheduleActivity("A", "b", "far", priority=3))
        self.backend.release_task(self.take("far"))
        assert self.take("far").activity_execution.id == "a"

    def test_an_activity_to_be_canceled_is_when_it_is_handed_back(self) -> None:
        task = self.begin()
        self.backend.signal_process("p", "s")
        self.decide(CancelActivity("a"))
        self.backend.release_task(task)
        assert self.last(ActivityEvent).result == ActivityCanceled()
        assert self.no_activity()

    # -- after the end ----------

    def test_activities_are_dropped_when_their_process_closes(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), ScheduleActivity("A", "b"))
        task = self.take()
        self.backend.signal_process("p", "s")
        self.decide(CompleteProcess())
        assert self.no_activity()
        assert self.backend.describe_process("p").activities == []
        self.late(task)
