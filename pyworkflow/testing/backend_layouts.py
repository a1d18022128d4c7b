"""The layouts of histories that deciders rely on, event by event."""

from __future__ import annotations

from ..activity import ActivityCanceled, ActivityCompleted, ActivityExecution, ActivityFailed, ActivityTimedOut
from ..decision import (
    CancelActivity,
    CompleteProcess,
    RecordMarker,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from ..events import (
    ActivityEvent,
    ActivityStartedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionEvent,
    DecisionStartedEvent,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from ..process import Process, ProcessCompleted
from ..signal import Signal
from ..task import ActivityTask
from .backend_bench import BackendBench


class Layouts(BackendBench):
    """What stands where."""

    def test_an_activity_from_start_to_end(self) -> None:
        self.start(input=[2, 3])
        self.decide(ScheduleActivity("A", "a", input=[2, 3]))
        self.perform(6)
        self.decide(CompleteProcess(6))
        history = self.backend.process_by_id("p").history
        execution = ActivityExecution("A", "a", [2, 3])
        scheduled = history[2]
        assert isinstance(scheduled, DecisionEvent)
        assert repr(scheduled.decision) == "ScheduleActivity(A, [2, 3])"
        assert history == [
            ProcessStartedEvent(),
            DecisionStartedEvent(),
            scheduled,
            ActivityStartedEvent(activity_execution=execution),
            ActivityEvent(activity_execution=execution, result=ActivityCompleted(6)),
            DecisionStartedEvent(),
            DecisionEvent(decision=CompleteProcess(6)),
        ]

    def test_a_decision_task_ends_with_its_own_start(self) -> None:
        self.start()
        task = self.open_decision()
        assert task.process.history == [ProcessStartedEvent(), DecisionStartedEvent()]
        assert task.process.unseen_events() == [ProcessStartedEvent()]

    def test_events_know_their_place_and_their_time(self) -> None:
        self.start()
        self.clock.advance(2.5)
        self.decide(ScheduleActivity("A", "a"))
        self.clock.advance(1)
        self.perform()
        history = self.backend.history("p")
        assert [event.id for event in history] == [1, 2, 3, 4, 5]
        start = history[0].datetime.timestamp()
        assert [event.datetime.timestamp() - start for event in history] == [0, 2.5, 2.5, 3.5, 3.5]

    def test_several_decisions_stand_in_their_order(self) -> None:
        self.start()
        self.decide(RecordMarker("m", 1), ScheduleActivity("A", "a"), Timer(5, {"k": 1}), RecordMarker("m", 2))
        assert self.types() == ["process_started", "decision_started", *["decision"] * 4]
        made = [event.decision.type for event in self.events(DecisionEvent)]
        assert made == ["record_marker", "schedule_activity", "timer", "record_marker"]

    def test_an_answer_of_nothing_leaves_nothing_that_a_decider_sees(self) -> None:
        self.start()
        self.decide()
        assert self.types() == ["process_started", "decision_started"]
        assert [event.type for event in self.backend.history("p")][-1] == "decision_completed"

    def test_a_timer_stands_before_the_decision_it_causes(self) -> None:
        self.start()
        self.decide(Timer(5, {"k": 1}, id="t"))
        self.clock.advance(5)
        self.open_decision()
        assert self.types() == ["process_started", "decision_started", "decision", "timer", "decision_started"]
        assert self.last(TimerEvent) == TimerEvent(timer=Timer(5, {"k": 1}, id="t"))

    def test_a_child_stands_before_the_decision_it_causes(self) -> None:
        self.start("p")
        self.decide(StartChildProcess(Process("W", "c", [1], ["t"]), category="children"))
        assert self.open_decision().process.id == "p"
        assert self.types()[-2:] == ["child_process_started", "decision_started"]
        assert self.last(ChildProcessStartedEvent) == ChildProcessStartedEvent(process_id="c", workflow="W", tags=["t"])

    def test_a_childs_end_stands_before_the_decision_it_causes(self) -> None:
        self.start("p")
        self.decide(StartChildProcess(Process("W", "c", [1], ["t"]), category="children"))
        self.decide()
        self.decide(CompleteProcess(7), category="children")
        assert self.open_decision().process.id == "p"
        assert self.types()[-2:] == ["child_process", "decision_started"]
        ended = ChildProcessEvent(process_id="c", result=ProcessCompleted(7), workflow="W", tags=["t"])
        assert self.last(ChildProcessEvent) == ended

    def test_a_signal_stands_where_it_arrived(self) -> None:
        self.start()
        self.decide()
        self.backend.signal_process("p", Signal("s", [1]))
        self.open_decision()
        assert self.types() == ["process_started", "decision_started", "signal", "decision_started"]
        assert self.last(SignalEvent) == SignalEvent(signal=Signal("s", [1]))

    def test_canceling_an_activity_gives_a_decision_then_its_end(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a", input=1))
        self.backend.signal_process("p", "s")
        self.decide(CancelActivity("a"))
        assert self.types()[-2:] == ["decision", "activity"]
        assert self.last(ActivityEvent) == ActivityEvent(
            activity_execution=ActivityExecution("A", "a", 1), result=ActivityCanceled()
        )

    def test_an_expired_activity_leaves_its_time_out(self) -> None:
        task = self.begin(input=1, execution_timeout=5)
        self.clock.advance(5)
        self.settle()
        assert self.types()[-2:] == ["activity_started", "activity"]
        result = self.last(ActivityEvent).result
        assert result == ActivityTimedOut()
        assert isinstance(result, ActivityTimedOut)
        assert result.timeout_type == "START_TO_CLOSE"
        assert task.activity_execution == self.last(ActivityEvent).activity_execution

    def test_a_failed_activity_leaves_its_reason(self) -> None:
        self.begin()
        task = self.backend.describe_process("p").activities[0]
        assert task.token
        self.backend.complete_activity_task(ActivityTask.from_token(task.token), ActivityFailed("why", {"line": 1}))
        assert self.last(ActivityEvent).result == ActivityFailed("why", {"line": 1})

    def test_however_many_events_arrive_one_decision_is_open(self) -> None:
        self.start()
        for number in range(3):
            self.backend.signal_process("p", "s", number)
        task = self.open_decision()
        assert self.idle()
        for number in range(3, 6):
            self.backend.signal_process("p", "s", number)
        assert self.idle()
        self.backend.complete_decision_task(task)
        again = self.open_decision()
        assert [event.signal.data for event in again.process.unseen_events() if isinstance(event, SignalEvent)] == [
            3,
            4,
            5,
        ]
        assert self.idle()
        self.backend.complete_decision_task(again)
        assert self.idle()

    def test_a_signal_sent_to_another_process_stands_in_both(self) -> None:
        self.start("q")
        self.decide()
        self.start("p")
        self.decide(SignalProcess("q", "hello", {"n": 1}))
        self.settle()
        assert self.types("q") == ["process_started", "decision_started", "signal"]
        assert self.types("p") == ["process_started", "decision_started", "decision", "process_signaled"]
        assert self.last(SignalEvent, "q").signal == Signal("hello", {"n": 1})

    def test_a_decider_sees_its_history_grow(self) -> None:
        """However much of it the backend keeps in memory."""
        self.start()
        seen: list[int] = []
        for number in range(6):
            task = self.open_decision()
            seen.append(len(task.process.history))
            assert [event.id for event in task.process.history] == sorted(
                event.id or 0 for event in task.process.history
            )
            assert task.process.history == self.backend.process_by_id("p").history
            self.backend.complete_decision_task(task, ScheduleActivity("A", f"a{number}", input=number))
            self.perform(number)
        assert seen == [2, 6, 10, 14, 18, 22]
        results = [event.result for event in self.events(ActivityEvent)]
        assert results == [ActivityCompleted(number) for number in range(6)]
