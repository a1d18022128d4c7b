"""Signals and cancel requests from one process to another: delivered, or returned to their sender; never dropped."""

from __future__ import annotations

from typing import Any

import pytest

from ..decision import CompleteProcess, Decision, RequestCancelProcess, SignalProcess
from ..events import (
    CancelRequestedEvent,
    DecisionRefusedEvent,
    ProcessCancelRequestedEvent,
    ProcessSignaledEvent,
    SignalEvent,
)
from ..signal import Signal
from ..task import DecisionTask
from .backend_bench import BackendBench

PATIENCE = 10.0
"""Seconds after which a letter to a process that is not there has come back."""


class Letters(BackendBench):
    """The sender decides in category "parents"."""

    def parent(self, *decisions: Decision, **options: Any) -> None:
        self.start("p", category="parents", **options)
        self.decide(*decisions, category="parents")
        self.settle()

    def news(self) -> DecisionTask:
        self.settle()
        return self.open_decision("parents")

    def test_a_signal_reaches_another_process(self) -> None:
        self.start("q", category="far")
        self.decide(category="far")
        self.parent(SignalProcess("q", Signal("hello", [1])))
        assert self.last(SignalEvent, "q").signal == Signal("hello", [1])
        assert not self.idle("far")
        assert self.news().process.unseen_events()[-1] == ProcessSignaledEvent(
            process_id="q", signal=Signal("hello", [1])
        )

    def test_a_cancel_request_reaches_another_process(self) -> None:
        self.start("q", category="far")
        self.decide(category="far")
        self.parent(RequestCancelProcess("q", {"why": 1}))
        assert self.last(CancelRequestedEvent, "q").details == {"why": 1}
        assert not self.idle("far")
        assert self.news().process.unseen_events()[-1] == ProcessCancelRequestedEvent(process_id="q")

    @pytest.mark.parametrize("target", ["unknown", "closed", "another run"])
    @pytest.mark.parametrize("kind", ["signal", "cancel request"])
    def test_a_letter_that_cannot_be_delivered_comes_back(self, kind: str, target: str) -> None:
        self.start("q", category="far")
        old = self.backend.process_by_id("q").run
        if target != "unknown":
            self.backend.terminate_process("q")
        if target == "another run":
            self.start("q", category="far")
        to = {"unknown": "nobody", "closed": "q", "another run": f"q:{old}"}[target]
        decision: Decision = SignalProcess(to, "s", 1) if kind == "signal" else RequestCancelProcess(to, 1)
        before = self.types("q")
        self.parent(decision)
        self.pass_time(PATIENCE)
        refusal = DecisionRefusedEvent(decision=decision, cause="UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION")
        assert self.news().process.unseen_events()[-1] == refusal
        assert self.types("q") == before

    def test_a_letter_to_a_process_whose_start_is_on_its_way_arrives(self) -> None:
        """Letters may overtake one another."""
        self.parent(SignalProcess("c", "early"))
        self.clock.advance(1)
        self.start("c", category="children")
        self.pass_time(PATIENCE)
        assert self.types("c") == ["process_started", "signal"]
        assert self.news().process.unseen_events()[-1].type == "process_signaled"

    def test_a_process_can_signal_itself(self) -> None:
        self.parent(SignalProcess("p", "again", 1))
        self.settle()
        assert {"signal", "process_signaled"} <= {event.type for event in self.news().process.unseen_events()}

    def test_a_letter_from_a_process_that_closed_still_arrives(self) -> None:
        self.start("q", category="far")
        self.parent(SignalProcess("q", "farewell"), CompleteProcess())
        assert self.types("q") == ["process_started", "signal"]
        assert self.status("p") == "completed"
