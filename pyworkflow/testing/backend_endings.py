"""How processes end, who waits for it, that nothing comes after it, and how a process goes on as a new run."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ..backend import ProcessFilter
from ..decision import (
    CancelProcess,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    ScheduleActivity,
    Timer,
)
from ..events import DecisionEvent, ProcessTerminatedEvent, SignalEvent
from ..exceptions import UnknownProcessException
from ..process import (
    Process,
    ProcessCanceled,
    ProcessCompleted,
    ProcessContinued,
    ProcessFailed,
    ProcessResult,
    ProcessTerminated,
)
from .backend_bench import BackendBench
from .backend_starting import JSON
from .concurrency import PATIENCE

ENDS: list[tuple[Decision, str, ProcessResult]] = [
    (CompleteProcess([1]), "completed", ProcessCompleted([1])),
    (FailProcess("why", {"n": 1}), "failed", ProcessFailed("why", {"n": 1})),
    (FailProcess(), "failed", ProcessFailed()),
    (CancelProcess({"n": 1}), "canceled", ProcessCanceled({"n": 1})),
]


class Endings(BackendBench):
    """Closed processes."""

    def refuses_everything(self, ref: str | Process) -> None:
        self.refused(
            UnknownProcessException,
            lambda: self.backend.signal_process(ref, "s"),
            lambda: self.backend.cancel_process(ref),
            lambda: self.backend.terminate_process(ref),
            lambda: self.backend.resume_process(ref),
        )

    @pytest.mark.parametrize(("decision", "status", "result"), ENDS, ids=lambda value: repr(value)[:30])
    def test_a_process_closes_as_it_was_decided(self, decision: Decision, status: str, result: ProcessResult) -> None:
        self.start()
        self.clock.advance(3)
        self.decide(decision)
        assert self.status() == status
        assert self.last(DecisionEvent).decision == decision
        assert self.backend.wait_for_process("p", 0) == result
        description = self.backend.describe_process("p")
        assert (description.result, description.closed) == (result, self.clock.now)
        assert list(self.backend.processes()) == []

    @pytest.mark.parametrize("value", JSON, ids=lambda value: repr(value)[:20])
    def test_a_result_comes_back_as_it_was(self, value: Any) -> None:
        self.start()
        self.decide(CompleteProcess(value))
        result = self.backend.wait_for_process("p", 0)
        assert isinstance(result, ProcessCompleted)
        assert result.result == value
        assert type(result.result) is type(value)

    def test_a_process_can_be_terminated(self) -> None:
        self.start()
        self.backend.terminate_process("p", "because", {"n": 1})
        assert self.status() == "terminated"
        assert self.types() == ["process_started", "process_terminated"]
        assert self.last(ProcessTerminatedEvent) == ProcessTerminatedEvent(
            reason="because", details={"n": 1}, cause="OPERATOR_INITIATED"
        )
        assert self.backend.wait_for_process("p", 0) == ProcessTerminated("because", {"n": 1})
        assert self.idle()

    @pytest.mark.parametrize("end", ["complete", "terminate", "time out"])
    def test_a_closed_process_accepts_nothing(self, end: str) -> None:
        self.start(timeout=50)
        self.decide(ScheduleActivity("A", "a"), Timer(5, id="t"))
        match end:
            case "complete":
                self.backend.signal_process("p", "s")
                self.decide(CompleteProcess())
            case "terminate":
                self.backend.terminate_process("p")
            case "time out":
                self.clock.advance(50)
                self.settle()
        before = self.backend.history("p")
        process = self.backend.process_by_id("p")
        for ref in ("p", f"p:{process.run}", process):
            self.refuses_everything(ref)
        self.clock.advance(1_000)
        self.settle()
        assert self.idle()
        assert self.no_activity()
        assert self.backend.history("p") == before

    def test_a_closed_run_is_not_mistaken_for_the_next_one(self) -> None:
        self.start()
        old = self.backend.process_by_id("p")
        self.backend.terminate_process("p")
        self.start()
        for ref in (f"p:{old.run}", old):
            self.refuses_everything(ref)
        assert self.types() == ["process_started"]

    def test_nothing_of_a_closed_process_is_left_in_a_queue(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), ScheduleActivity("A", "b"), Timer(5))
        self.take()
        self.backend.signal_process("p", "s")
        self.backend.terminate_process("p")
        self.settle()
        assert self.backend.queues() == []

    # -- waiting ----------

    def test_a_wait_for_what_is_open_ends_without_it(self) -> None:
        self.start()
        assert self.backend.wait_for_process("p", 0) is None
        assert self.backend.wait_for_process("p", 0.01) is None

    def test_a_wait_for_a_result_ends_with_it(self) -> None:
        self.start()
        results: list[ProcessResult | None] = []
        waiter = threading.Thread(
            target=lambda: results.append(self.backend.wait_for_process("p", 10 * PATIENCE)), daemon=True
        )
        waiter.start()
        self.decide(CompleteProcess(5))
        waiter.join(PATIENCE)
        assert results == [ProcessCompleted(5)]

    def test_a_wait_follows_a_process_over_its_runs(self) -> None:
        self.start()
        results: list[ProcessResult | None] = []
        waiter = threading.Thread(
            target=lambda: results.append(self.backend.wait_for_process("p", 10 * PATIENCE)), daemon=True
        )
        waiter.start()
        for number in range(3):
            self.decide(ContinueAsNew(number))
        self.decide(CompleteProcess("end"))
        waiter.join(PATIENCE)
        assert results == [ProcessCompleted("end")]

    # -- continuing as new ----------

    def test_a_process_continues_with_an_empty_history(self) -> None:
        self.start(input=1, tags=["t"])
        old = self.backend.process_by_id("p")
        self.decide(ContinueAsNew(2))
        new = self.backend.process_by_id("p")
        assert new.run != old.run
        assert (new.input, new.tags, new.status, new.version, self.types()) == (
            2,
            ["t"],
            "running",
            "1.0",
            ["process_started"],
        )
        ended = self.backend.process_by_id(f"p:{old.run}")
        assert (ended.input, ended.status) == (1, "continued")
        assert self.backend.wait_for_process(f"p:{old.run}", 0) == ProcessContinued(str(new.run))
        task = self.open_decision()
        assert (task.process.run, task.process.input) == (new.run, 2)
        assert self.idle()

    def test_a_run_inherits_what_the_decision_leaves_out(self) -> None:
        self.start(timeout=100, decision_timeout=10, category="far", priority=3, tags=["t"])
        self.clock.advance(60)
        self.decide(ContinueAsNew(), category="far")
        assert self.backend.describe_process("p").deadline == self.clock.now + 100
        assert self.open_decision("far").process.tags == ["t"]
        self.clock.advance(10)
        assert self.open_decision("far").process.history[-2].type == "decision_timed_out"

    def test_a_run_gets_what_the_decision_says(self) -> None:
        self.start()
        self.decide(
            ContinueAsNew([2], version="2.0", tags=["new"], timeout=50, decision_timeout=5, category="far", priority=9)
        )
        process = self.open_decision("far").process
        assert (process.input, process.version, process.tags) == ([2], "2.0", ["new"])
        assert self.backend.describe_process("p").deadline == self.clock.now + 50
        self.clock.advance(5)
        assert self.open_decision("far").process.history[-2].type == "decision_timed_out"

    def test_what_was_pending_stays_behind(self) -> None:
        self.start()
        self.decide(ScheduleActivity("A", "a"), Timer(5, id="t"))
        self.backend.signal_process("p", "s")
        self.decide(ContinueAsNew())
        description = self.backend.describe_process("p")
        assert (description.activities, description.timers) == ([], {})
        self.decide()
        self.clock.advance(10)
        assert self.idle()
        assert self.no_activity()

    def test_no_signal_finds_a_continuing_process_closed(self) -> None:
        self.start()
        for number in range(5):
            self.backend.signal_process("p", "s", number)
            task = self.open_decision()
            assert [e.signal.data for e in task.process.history if isinstance(e, SignalEvent)] == [number]
            self.backend.complete_decision_task(task, ContinueAsNew())
        assert self.status() == "running"

    def test_a_repeated_request_to_start_finds_the_process_that_continued(self) -> None:
        self.start("p", request_id="r")
        self.decide(ContinueAsNew())
        assert self.start("p", request_id="r") == "p"
        self.decide(CompleteProcess())
        assert self.start("p", request_id="r") == "p"
        assert self.status() == "completed"

    def test_every_run_can_be_listed(self) -> None:
        self.start()
        for _ in range(3):
            self.clock.advance(1)
            self.decide(ContinueAsNew())
        statuses = [
            process.status for process in self.backend.list_processes(ProcessFilter(id="p", status="all")).processes
        ]
        assert statuses == ["running", "continued", "continued", "continued"]
