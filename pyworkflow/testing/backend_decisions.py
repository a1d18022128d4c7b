"""Decision tasks: at most one is open, what is answered is applied once and as a whole, and what wakes a decider."""

from __future__ import annotations

from typing import Any

import pytest

from ..activity import ActivityCanceled, ActivityFailed, ActivityTimedOut
from ..decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    RecordMarker,
    ScheduleActivity,
    Timer,
)
from ..events import DecisionEvent, DecisionRefusedEvent
from ..exceptions import PayloadError, UnknownDecisionException
from .backend_bench import BackendBench

CLOSES: list[Decision] = [CompleteProcess(1), FailProcess("r", 1), CancelProcess(1), ContinueAsNew(1)]


class Decisions(BackendBench):
    """Answers to decision tasks."""

    # -- what is recorded ----------

    def test_a_schedule_is_recorded_with_all_that_was_resolved(self) -> None:
        self.backend.register_activity("T", "far", 1, 2, 3, version="7", close_timeout=4)
        self.start()
        self.decide(ScheduleActivity("T", "t", input=[1]))
        expected = ScheduleActivity(
            "T", "t", "far", [1], version="7",
            scheduled_timeout=1, execution_timeout=2, heartbeat_timeout=3, close_timeout=4,
        )  # fmt: skip
        assert self.decision() == expected

    def test_a_schedule_says_what_it_wants_otherwise(self) -> None:
        self.backend.register_activity("T", "far", 1, 2, 3, version="7", close_timeout=4)
        self.backend.register_activity("T", "new", version="8")
        asked = ScheduleActivity(
            "T", "t", "near", version="7", priority=-9, scheduled_timeout=1.5, execution_timeout=2.5,
            heartbeat_timeout=3.5, close_timeout=4.5,
        )  # fmt: skip
        self.start()
        self.decide(asked)
        assert self.decision() == asked
        assert self.take("near").context["version"] == "7"

    def test_a_marker_is_recorded(self) -> None:
        self.start()
        self.decide(RecordMarker("m", {"n": [1]}))
        assert self.decision() == RecordMarker("m", {"n": [1]})

    def test_decisions_come_back_with_their_payloads(self) -> None:
        self.start()
        decisions: list[Decision] = [Timer(1.5, {"a": None}, id="t"), RecordMarker("m"), CancelTimer("t")]
        self.decide(*decisions)
        assert [event.decision for event in self.events(DecisionEvent)] == decisions

    # -- all or none ----------

    @pytest.mark.parametrize(
        "bad",
        [
            RecordMarker("m", float("nan")),
            RecordMarker("m:n"),
            Timer(-1),
            ScheduleActivity("A", ""),
            "no decision",
            None,
        ],
        ids=lambda bad: repr(bad)[:30],
    )
    def test_an_answer_with_a_bad_decision_changes_nothing(self, bad: Any) -> None:
        self.start()
        task = self.open_decision()
        with pytest.raises(ValueError):
            self.backend.complete_decision_task(task, [RecordMarker("good"), bad])
        assert self.types() == ["process_started", "decision_started"]
        self.backend.complete_decision_task(task, RecordMarker("better"))
        assert self.decision() == RecordMarker("better")

    @pytest.mark.parametrize("close", CLOSES, ids=lambda decision: decision.type)
    def test_a_closing_decision_must_be_the_last(self, close: Decision) -> None:
        self.start()
        task = self.open_decision()
        with pytest.raises(ValueError, match="last"):
            self.backend.complete_decision_task(task, [close, RecordMarker("m")])
        assert self.status() == "running"
        self.backend.complete_decision_task(task, [RecordMarker("m"), close])
        assert self.backend.wait_for_process(f"p:{task.process.run}", 0) is not None

    def test_a_payload_that_cannot_be_stored_is_said_to_be_so(self) -> None:
        self.start()
        with pytest.raises(PayloadError):
            self.decide(CompleteProcess(object()))
        assert self.status() == "running"

    def test_an_answer_counts_once(self) -> None:
        self.start()
        task = self.decide(RecordMarker("m"))
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(task, RecordMarker("m"))
        assert self.types() == ["process_started", "decision_started", "decision"]

    # -- refusals ----------

    @pytest.mark.parametrize(
        ("decision", "cause"),
        [
            (ScheduleActivity("Unknown", "b"), "ACTIVITY_TYPE_DOES_NOT_EXIST"),
            (ScheduleActivity("A", "b", version="99"), "ACTIVITY_TYPE_DOES_NOT_EXIST"),
            (ScheduleActivity("A", "a"), "ACTIVITY_ID_ALREADY_IN_USE"),
            (CancelActivity("unknown"), "ACTIVITY_ID_UNKNOWN"),
            (Timer(1, id="t"), "TIMER_ID_ALREADY_IN_USE"),
            (CancelTimer("unknown"), "TIMER_ID_UNKNOWN"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_decision_that_cannot_be_applied_is_refused_alone(self, decision: Decision, cause: str) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), Timer(100, id="t"))
        self.backend.signal_process("p", "s")
        self.decide(RecordMarker("before"), decision, RecordMarker("after"))
        assert self.types()[-3:] == ["decision", "decision_refused", "decision"]
        refusal = self.last(DecisionRefusedEvent)
        assert refusal.cause == cause
        assert refusal.decision.type == decision.type
        assert refusal.decision == decision or repr(refusal.decision) == repr(decision)
        seen = self.open_decision().process.unseen_events()
        assert refusal in seen

    def test_too_many_of_a_kind_are_refused(self) -> None:
        self.start()
        self.decide(*(Timer(9, id=str(number)) for number in range(1_001)))
        assert [event.cause for event in self.events(DecisionRefusedEvent)] == ["OPEN_TIMERS_LIMIT_EXCEEDED"]
        assert len(self.backend.describe_process("p").timers) == 1_000

    def test_too_many_activities_are_refused(self) -> None:
        self.start()
        self.decide(*(ScheduleActivity("A", str(number)) for number in range(1_001)))
        assert [event.cause for event in self.events(DecisionRefusedEvent)] == ["OPEN_ACTIVITIES_LIMIT_EXCEEDED"]
        assert len(self.backend.describe_process("p").activities) == 1_000

    @pytest.mark.parametrize("close", CLOSES, ids=lambda decision: decision.type)
    def test_a_close_that_has_not_seen_everything_is_refused(self, close: Decision) -> None:
        self.start()
        task = self.open_decision()
        self.backend.signal_process("p", "late")
        self.backend.complete_decision_task(task, [RecordMarker("m"), close])
        assert self.status() == "running"
        assert self.types()[-3:] == ["signal", "decision", "decision_refused"]
        assert self.last(DecisionRefusedEvent).cause == "UNHANDLED_DECISION"
        assert self.last(DecisionRefusedEvent).decision == close
        unseen = self.open_decision().process.unseen_events()
        assert {"signal", "decision_refused"} <= {event.type for event in unseen}

    def test_a_close_beside_a_refused_decision_is_refused(self) -> None:
        self.start()
        self.decide(CancelTimer("unknown"), CompleteProcess())
        assert [event.cause for event in self.events(DecisionRefusedEvent)] == [
            "TIMER_ID_UNKNOWN",
            "UNHANDLED_DECISION",
        ]
        assert self.status() == "running"
        self.decide(CompleteProcess())
        assert self.status() == "completed"

    def test_a_decider_whose_answers_are_refused_is_slowed_down_and_blocked(self) -> None:
        self.start()
        waits = []
        while self.status() == "running":
            began = self.clock.now
            while (task := self.backend.poll_decision_task()) is None:
                self.clock.advance(0.5)
            waits.append(self.clock.now - began)
            self.backend.complete_decision_task(task, CancelTimer("unknown"))
        assert self.status() == "blocked"
        assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
        assert "TIMER_ID_UNKNOWN" in self.backend.describe_process("p").blocked[0]  # type: ignore[index]

    def test_a_late_signal_neither_slows_down_nor_blocks(self) -> None:
        self.start()
        for number in range(20):
            task = self.open_decision()
            self.backend.signal_process("p", "s", number)
            self.backend.complete_decision_task(task, CompleteProcess())
        assert self.status() == "running"
        self.decide(CompleteProcess())
        assert self.status() == "completed"

    # -- what wakes a decider ----------

    @pytest.mark.parametrize(
        "waker", ["signal", "cancel request", "timer", "completed", "failed", "canceled", "timed out"]
    )
    def test_news_wake_the_decider(self, waker: str) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a", execution_timeout=50), Timer(10, id="t"))
        task = self.take()
        assert self.idle()
        match waker:
            case "signal":
                self.backend.signal_process("p", "s")
            case "cancel request":
                self.backend.cancel_process("p")
            case "timer":
                self.clock.advance(10)
            case "completed":
                self.backend.complete_activity_task(task)
            case "failed":
                self.backend.complete_activity_task(task, ActivityFailed())
            case "canceled":
                self.backend.complete_activity_task(task, ActivityCanceled())
            case "timed out":
                self.backend.complete_activity_task(task, ActivityTimedOut())
        assert len(self.open_decision().process.unseen_events()) == 4 if waker != "timer" else 4

    def test_what_is_no_news_wakes_nobody(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), Timer(10, id="t"))
        self.take()
        assert self.idle()
        self.backend.signal_process("p", "s")
        self.decide(RecordMarker("m"), CancelTimer("t"), CancelActivity("a"))
        assert self.idle()
        self.clock.advance(20)
        assert self.idle()
