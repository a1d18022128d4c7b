"""What becomes of a decision task whose decider fails, hands it back, is blocked, or is one of several."""

from __future__ import annotations

import pytest

from ..decision import CompleteProcess, RecordMarker, Timer
from ..events import DecisionFailedEvent, ProcessBlockedEvent, SignalEvent
from ..exceptions import UnknownDecisionException
from .backend_bench import TICK, BackendBench


class Deciders(BackendBench):
    """Deciders that do not answer."""

    def fail(self, reason: str = "why") -> None:
        self.backend.fail_decision_task(self.open_decision(), reason, {"line": 1})

    def block(self) -> None:
        for _ in range(5):
            self.fail()
            self.clock.advance(60)
        assert self.status() == "blocked"

    # -- failing ----------

    def test_a_failed_decision_is_tried_again_ever_later(self) -> None:
        self.start()
        for delay in (1, 2, 4, 8):
            self.fail()
            assert self.idle()
            self.clock.advance(delay - TICK)
            assert self.idle()
            self.clock.advance(TICK)
        assert self.events(DecisionFailedEvent) == [DecisionFailedEvent(reason="why", details={"line": 1})] * 4
        assert self.backend.describe_process("p").decision_attempts == 4
        assert self.status() == "running"

    def test_a_decision_that_keeps_failing_blocks_its_process(self) -> None:
        self.start()
        self.block()
        assert self.last(ProcessBlockedEvent) == ProcessBlockedEvent(reason="why", details={"line": 1})
        assert self.backend.describe_process("p").blocked == ("why", {"line": 1})
        self.clock.advance(1_000)
        assert self.idle()

    def test_an_answer_in_between_counts_the_failures_anew(self) -> None:
        self.start()
        for _ in range(3):
            for _ in range(4):
                self.fail()
                self.clock.advance(60)
            self.decide(Timer(1))
            self.clock.advance(1)
        assert self.status() == "running"

    def test_what_failed_is_still_unseen(self) -> None:
        self.start()
        self.backend.signal_process("p", "s")
        self.fail()
        self.clock.advance(1)
        unseen = [event.type for event in self.open_decision().process.unseen_events()]
        assert unseen == ["process_started", "signal"]

    def test_a_blocked_process_goes_on_living_undecided(self) -> None:
        self.start(timeout=10_000)
        self.decide(Timer(500, id="t"))
        self.backend.signal_process("p", "first")
        self.block()
        self.backend.signal_process("p", "second")
        self.backend.cancel_process("p", "please")
        self.clock.advance(500)
        assert self.idle()
        assert {"timer", "cancel_requested"} <= set(self.types())
        assert [event.signal.name for event in self.events(SignalEvent)] == ["first", "second"]
        self.backend.resume_process("p")
        names = {event.type for event in self.open_decision().process.unseen_events()}
        assert {"signal", "timer", "cancel_requested", "process_blocked", "process_resumed"} <= names

    def test_a_blocked_process_can_be_resumed(self) -> None:
        self.start()
        self.block()
        self.backend.resume_process("p")
        assert self.status() == "running"
        assert self.backend.describe_process("p").blocked is None
        self.decide(CompleteProcess("at last"))
        assert self.status() == "completed"

    def test_a_resumed_process_can_be_blocked_again(self) -> None:
        self.start()
        self.block()
        self.backend.resume_process("p")
        self.block()
        assert self.types().count("process_blocked") == 2

    def test_a_process_that_is_not_blocked_needs_no_resuming(self) -> None:
        self.start()
        self.backend.resume_process("p")
        assert self.types() == ["process_started"]

    def test_a_blocked_process_is_open(self) -> None:
        self.start(timeout=1_000)
        self.block()
        assert [process.id for process in self.backend.processes()] == ["p"]
        self.clock.advance(1_000)
        self.settle()
        assert self.status() == "timedout"

    def test_a_blocked_process_can_be_terminated(self) -> None:
        self.start()
        self.block()
        self.backend.terminate_process("p")
        assert self.status() == "terminated"

    # -- handing back ----------

    def test_a_decision_handed_back_is_handed_out_again(self) -> None:
        self.start()
        task = self.open_decision()
        self.backend.release_task(task)
        again = self.open_decision()
        assert again.token != task.token
        assert [event.type for event in again.process.history][1:] == [
            "decision_started", "decision_released", "decision_started",
        ]  # fmt: skip
        assert "process_started" in [event.type for event in again.process.unseen_events()]

    def test_a_decision_can_be_handed_back_for_later(self) -> None:
        self.start()
        self.backend.release_task(self.open_decision(), 7.5)
        self.clock.advance(7.5 - TICK)
        assert self.idle()
        self.clock.advance(TICK)
        assert not self.idle()

    def test_handing_back_is_no_failure(self) -> None:
        self.start()
        for _ in range(12):
            self.backend.release_task(self.open_decision())
        assert self.status() == "running"
        assert self.backend.describe_process("p").decision_attempts == 0

    # -- tokens ----------

    @pytest.mark.parametrize("how", ["answered", "failed", "released", "timed out"])
    def test_a_token_is_good_for_one_hand_out(self, how: str) -> None:
        self.start(decision_timeout=5)
        task = self.open_decision()
        match how:
            case "answered":
                self.backend.complete_decision_task(task)
                self.backend.signal_process("p", "s")
            case "failed":
                self.backend.fail_decision_task(task, "why")
            case "released":
                self.backend.release_task(task)
        self.clock.advance(5)
        current = self.open_decision()
        before = self.types()
        self.refused(
            UnknownDecisionException,
            lambda: self.backend.complete_decision_task(task, CompleteProcess()),
            lambda: self.backend.fail_decision_task(task, "late"),
            lambda: self.backend.release_task(task),
        )
        assert self.types() == before
        self.backend.complete_decision_task(current, RecordMarker("m"))

    def test_tokens_are_never_used_again(self) -> None:
        self.start()
        tokens = []
        for _ in range(4):
            task = self.open_decision()
            tokens.append(task.token)
            self.backend.release_task(task)
        assert len(set(tokens)) == 4

    def test_a_token_of_an_earlier_run_is_stale(self) -> None:
        self.start()
        task = self.open_decision()
        self.start(if_running="terminate_existing")
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(task, CompleteProcess())
        assert self.status() == "running"
