"""Deadlines: exact to the fraction of a second, fired once, by whoever comes by."""

from __future__ import annotations

from typing import Any

import pytest

from ..activity import ActivityCompleted, ActivityTimedOut
from ..decision import CancelTimer, CompleteProcess, ScheduleActivity, Timer
from ..events import ActivityEvent, ProcessTimedOutEvent, TimerEvent
from ..exceptions import UnknownActivityException, UnknownDecisionException, UnknownProcessException
from ..process import ProcessTimedOut
from .backend_bench import TICK, BackendBench

TIMES = [0.25, 1, 5.5, 86_400 * 30]
KINDS = {
    "SCHEDULE_TO_START": "scheduled_timeout",
    "START_TO_CLOSE": "execution_timeout",
    "SCHEDULE_TO_CLOSE": "close_timeout",
    "HEARTBEAT": "heartbeat_timeout",
}


class Timeouts(BackendBench):
    """All timeouts, and timers."""

    def timed_out(self) -> ActivityTimedOut | None:
        ended = self.events(ActivityEvent)
        assert len(ended) < 2
        result = ended[0].result if ended else None
        assert result is None or isinstance(result, ActivityTimedOut)
        return result

    def schedule(self, kind: str, seconds: float, taken: bool) -> Any:
        self.start()
        options: dict[str, Any] = {KINDS[kind]: seconds}
        self.decide(ScheduleActivity("A", "a", **options))
        return self.take() if taken else None

    # -- activities ----------

    @pytest.mark.parametrize("seconds", TIMES)
    @pytest.mark.parametrize(
        ("kind", "taken"),
        [
            ("SCHEDULE_TO_START", False), ("START_TO_CLOSE", True), ("SCHEDULE_TO_CLOSE", False),
            ("SCHEDULE_TO_CLOSE", True), ("HEARTBEAT", True),
        ],
    )  # fmt: skip
    def test_an_activity_times_out_exactly(self, kind: str, taken: bool, seconds: float) -> None:
        self.schedule(kind, seconds, taken)
        self.clock.advance(seconds - TICK)
        self.settle()
        assert self.timed_out() is None
        self.clock.advance(TICK)
        assert not self.idle()
        result = self.timed_out()
        assert result is not None
        assert result.timeout_type == kind
        assert self.no_activity()

    @pytest.mark.parametrize("kind", ["START_TO_CLOSE", "SCHEDULE_TO_CLOSE", "HEARTBEAT"])
    def test_a_deadline_counts_although_nobody_came_by(self, kind: str) -> None:
        task = self.schedule(kind, 5, True)
        self.clock.advance(5)
        with pytest.raises(UnknownActivityException):
            self.backend.complete_activity_task(task, ActivityCompleted("late"))
        result = self.timed_out()
        assert result is not None
        assert result.timeout_type == kind
        with pytest.raises(UnknownActivityException):
            self.backend.heartbeat_activity_task(task)

    @pytest.mark.parametrize("kind", ["START_TO_CLOSE", "SCHEDULE_TO_CLOSE", "HEARTBEAT"])
    def test_an_end_just_in_time_counts(self, kind: str) -> None:
        task = self.schedule(kind, 5, True)
        self.clock.advance(5 - TICK)
        self.backend.complete_activity_task(task, ActivityCompleted("just"))
        self.clock.advance(100)
        self.settle()
        assert [event.result for event in self.events(ActivityEvent)] == [ActivityCompleted("just")]

    def test_an_activity_that_waited_too_long_is_not_handed_out(self) -> None:
        self.schedule("SCHEDULE_TO_START", 5, False)
        self.clock.advance(5)
        assert self.no_activity()
        assert self.timed_out() is not None

    def test_the_time_to_be_taken_ends_with_being_taken(self) -> None:
        task = self.schedule("SCHEDULE_TO_START", 5, True)
        self.clock.advance(1_000)
        self.settle()
        assert self.timed_out() is None
        self.backend.complete_activity_task(task)

    def test_the_time_to_execute_begins_with_being_taken(self) -> None:
        self.schedule("START_TO_CLOSE", 5, False)
        self.clock.advance(1_000)
        task = self.take()
        self.clock.advance(5 - TICK)
        self.backend.complete_activity_task(task)

    def test_the_time_altogether_goes_on_when_it_is_taken(self) -> None:
        self.schedule("SCHEDULE_TO_CLOSE", 5, False)
        self.clock.advance(3)
        task = self.take()
        self.clock.advance(2)
        with pytest.raises(UnknownActivityException):
            self.backend.complete_activity_task(task)

    def test_the_time_to_be_taken_begins_anew_when_it_is_handed_back(self) -> None:
        task = self.schedule("SCHEDULE_TO_START", 5, True)
        self.clock.advance(100)
        self.backend.release_task(task)
        self.clock.advance(5 - TICK)
        self.settle()
        assert self.timed_out() is None
        self.clock.advance(TICK)
        self.settle()
        assert self.timed_out() is not None

    def test_a_heartbeat_begins_its_time_anew(self) -> None:
        task = self.schedule("HEARTBEAT", 5, True)
        for _ in range(4):
            self.clock.advance(5 - TICK)
            self.backend.heartbeat_activity_task(task)
        self.clock.advance(5)
        self.settle()
        result = self.timed_out()
        assert result is not None
        assert result.timeout_type == "HEARTBEAT"

    @pytest.mark.parametrize("kind", ["HEARTBEAT", "START_TO_CLOSE", "SCHEDULE_TO_CLOSE"])
    def test_a_time_out_carries_the_last_heartbeat(self, kind: str) -> None:
        task = self.schedule(kind, 5, True)
        self.backend.heartbeat_activity_task(task, {"row": 1})
        self.backend.heartbeat_activity_task(task, {"row": 2})
        self.clock.advance(5)
        self.settle()
        assert self.timed_out() == ActivityTimedOut({"row": 2})

    def test_the_earliest_of_several_deadlines_counts(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a", execution_timeout=9, close_timeout=7, heartbeat_timeout=8))
        self.take()
        self.clock.advance(100)
        self.settle()
        result = self.timed_out()
        assert result is not None
        assert result.timeout_type == "SCHEDULE_TO_CLOSE"

    def test_each_of_several_activities_has_its_own_deadline(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", str(n), execution_timeout=float(n)) for n in (3, 1, 2)))
        for _ in range(3):
            self.take()
        for number in (1, 2, 3):
            self.clock.advance(1)
            self.settle()
            assert [e.activity_execution.id for e in self.events(ActivityEvent)] == [
                str(n) for n in range(1, number + 1)
            ]

    # -- decisions and processes ----------

    @pytest.mark.parametrize("seconds", TIMES)
    def test_a_decision_times_out_exactly_and_is_handed_out_again(self, seconds: float) -> None:
        self.start(decision_timeout=seconds, timeout=1e9)
        task = self.open_decision()
        self.clock.advance(seconds - TICK)
        assert self.idle()
        self.clock.advance(TICK)
        again = self.open_decision()
        assert [event.type for event in again.process.history][-2:] == ["decision_timed_out", "decision_started"]
        assert "process_started" in [event.type for event in again.process.unseen_events()]
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(task)

    def test_a_decision_just_in_time_counts(self) -> None:
        self.start(decision_timeout=5)
        task = self.open_decision()
        self.clock.advance(5 - TICK)
        self.backend.complete_decision_task(task, CompleteProcess())
        assert self.status() == "completed"

    def test_a_decision_too_late_is_refused_although_nobody_came_by(self) -> None:
        self.start(decision_timeout=5)
        task = self.open_decision()
        self.clock.advance(5)
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(task, CompleteProcess())
        assert self.types()[-1] == "decision_timed_out"

    def test_a_decision_that_waits_has_all_the_time(self) -> None:
        self.start(decision_timeout=5)
        self.clock.advance(1_000)
        assert "decision_timed_out" not in [event.type for event in self.open_decision().process.history]

    @pytest.mark.parametrize("seconds", TIMES)
    def test_a_process_times_out_exactly(self, seconds: float) -> None:
        self.start(timeout=seconds)
        self.clock.advance(seconds - TICK)
        self.settle()
        assert self.status() == "running"
        self.clock.advance(TICK)
        self.settle()
        assert self.status() == "timedout"
        assert isinstance(self.backend.process_by_id("p").history[-1], ProcessTimedOutEvent)
        assert self.backend.wait_for_process("p", 0) == ProcessTimedOut()
        assert self.idle()

    def test_a_process_that_timed_out_takes_nothing_although_nobody_came_by(self) -> None:
        self.start(timeout=5)
        self.clock.advance(5)
        with pytest.raises(UnknownProcessException):
            self.backend.signal_process("p", "late")
        assert self.status() == "timedout"

    def test_a_decision_open_when_its_process_times_out_is_stale(self) -> None:
        self.start(timeout=5)
        task = self.open_decision()
        self.clock.advance(5)
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(task, CompleteProcess())
        assert self.status() == "timedout"

    # -- timers ----------

    @pytest.mark.parametrize("seconds", TIMES)
    def test_a_timer_fires_once_and_not_early(self, seconds: float) -> None:
        self.start(timeout=1e9)
        self.decide(Timer(seconds, {"n": 1}, id="t"))
        assert self.backend.describe_process("p").timers == {"t": self.clock.now + seconds}
        self.clock.advance(seconds - TICK)
        assert self.idle()
        self.clock.advance(TICK)
        self.decide()
        self.clock.advance(1_000)
        assert self.idle()
        assert self.events(TimerEvent) == [TimerEvent(timer=Timer(seconds, {"n": 1}, id="t"))]

    def test_a_timer_of_no_time_fires_at_the_next_poll(self) -> None:
        self.start()
        self.decide(Timer(0, id="t"))
        assert not self.idle()
        assert self.types()[-2:] == ["timer", "decision_started"]

    def test_timers_fire_in_their_order(self) -> None:
        self.start()
        self.decide(*(Timer(float(n), id=str(n)) for n in (3, 1, 2)))
        self.clock.advance(10)
        self.settle()
        assert [event.timer.id for event in self.events(TimerEvent)] == ["1", "2", "3"]

    def test_a_canceled_timer_does_not_fire(self) -> None:
        self.start()
        self.decide(Timer(5, id="t"), Timer(6, id="u"))
        self.backend.signal_process("p", "s")
        self.decide(CancelTimer("t"))
        self.clock.advance(100)
        self.settle()
        assert [event.timer.id for event in self.events(TimerEvent)] == ["u"]

    def test_a_timer_id_can_be_used_again(self) -> None:
        self.start()
        self.decide(Timer(5, id="t"), CancelTimer("t"), Timer(7, id="t"))
        self.clock.advance(7)
        self.decide(Timer(2, id="t"))
        self.clock.advance(2)
        self.settle()
        assert [event.timer.delay for event in self.events(TimerEvent)] == [7, 2]
