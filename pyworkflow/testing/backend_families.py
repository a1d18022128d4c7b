"""Parents and children: how children begin and end, and what becomes of them when their parent closes."""

from __future__ import annotations

from typing import Any

import pytest

from ..decision import (
    CancelProcess,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    StartChildProcess,
)
from ..events import (
    CancelRequestedEvent,
    ChildProcessEvent,
    DecisionRefusedEvent,
    ProcessTerminatedEvent,
)
from ..process import (
    Process,
    ProcessCanceled,
    ProcessCompleted,
    ProcessFailed,
    ProcessResult,
    ProcessTerminated,
    ProcessTimedOut,
)
from ..task import DecisionTask
from .backend_letters import PATIENCE, Letters

WORKFLOW = "W"


class Families(Letters):
    """Parents decide in category "parents", children in "children"."""

    def child(self, policy: str = "ABANDON", id: str = "c", **options: Any) -> None:
        """A parent with a child; both have nothing to decide."""
        process = Process(WORKFLOW, id, [1], ["t"])
        self.parent(StartChildProcess(process, policy, category="children"), **options)
        self.decide(category="parents")
        self.decide(category="children")

    # -- starting children ----------

    def test_a_child_begins_with_what_the_parent_gave(self) -> None:
        child = Process(WORKFLOW, "c", {"n": 1}, ["t", "u"])
        self.parent(StartChildProcess(child, category="children", timeout=50, decision_timeout=5, priority=3))
        process = self.open_decision("children").process
        assert (process.id, process.input, process.tags, process.parent) == ("c", {"n": 1}, ["t", "u"], "p")
        assert self.backend.describe_process("c").deadline == self.clock.now + 50
        assert self.backend.describe_process("p").children == ["c"]
        self.clock.advance(5)
        assert self.open_decision("children").process.history[-2].type == "decision_timed_out"

    def test_a_child_gets_an_id_where_none_is_given(self) -> None:
        self.parent(StartChildProcess(Process(WORKFLOW)))
        (id,) = self.backend.describe_process("p").children
        assert self.backend.process_by_id(id).parent == "p"

    def test_a_child_is_of_its_types_version_and_defaults(self) -> None:
        self.backend.register_workflow("T", "children", 50, version="3")
        self.parent(StartChildProcess(Process("T", "c")))
        assert self.open_decision("children").process.version == "3"
        assert self.backend.describe_process("c").deadline == self.clock.now + 50

    def test_a_parent_hears_that_its_child_began(self) -> None:
        self.parent(StartChildProcess(Process(WORKFLOW, "c", tags=["t"]), category="children"))
        assert [event.type for event in self.news().process.unseen_events()] == ["decision", "child_process_started"]

    def test_an_id_in_use_refuses_the_child(self) -> None:
        self.start("c", category="children", input="mine")
        child = StartChildProcess(Process(WORKFLOW, "c"), category="children")
        self.parent(child)
        assert self.news().process.unseen_events()[-1] == self.last(DecisionRefusedEvent)
        assert self.last(DecisionRefusedEvent).cause == "WORKFLOW_ALREADY_RUNNING"
        assert repr(self.last(DecisionRefusedEvent).decision) == repr(child)
        assert self.backend.describe_process("p").children == []
        assert self.backend.process_by_id("c").parent is None

    def test_a_child_may_have_the_id_of_one_that_closed(self) -> None:
        self.child()
        self.backend.terminate_process("c")
        self.news()
        self.backend.complete_decision_task(
            DecisionTask(Process(), {"token": self._token()}), StartChildProcess(Process(WORKFLOW, "c"))
        )
        self.settle()
        assert self.status("c") == "running"

    def _token(self) -> str:
        seq = self.backend.history("p")[-1].id
        return f"p:{self.backend.process_by_id('p').run}:{seq}"

    def test_many_children_are_told_apart(self) -> None:
        self.parent(*(StartChildProcess(Process(WORKFLOW, f"c{n}", n), category="children") for n in range(5)))
        for _ in range(5):
            task = self.open_decision("children")
            self.backend.complete_decision_task(task, CompleteProcess(task.process.input * 10))
        self.settle()
        ended = {event.process_id: event.result for event in self.events(ChildProcessEvent)}
        assert ended == {f"c{n}": ProcessCompleted(n * 10) for n in range(5)}
        assert self.types().count("child_process_started") == 5

    # -- ends of children ----------

    @pytest.mark.parametrize(
        ("end", "result"),
        [
            (CompleteProcess({"n": 1}), ProcessCompleted({"n": 1})),
            (FailProcess("why", {"n": 1}), ProcessFailed("why", {"n": 1})),
            (CancelProcess({"n": 1}), ProcessCanceled({"n": 1})),
            ("terminate", ProcessTerminated("because", {"n": 1})),
            ("time out", ProcessTimedOut()),
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_a_parent_hears_how_its_child_ended(self, end: Decision | str, result: ProcessResult) -> None:
        self.parent(StartChildProcess(Process(WORKFLOW, "c", None, ["t"]), category="children", timeout=50))
        self.decide(category="parents")
        if end == "terminate":
            self.backend.terminate_process("c", "because", {"n": 1})
        elif end == "time out":
            self.clock.advance(50)
        else:
            assert isinstance(end, Decision)
            self.decide(end, category="children")
        unseen = self.news().process.unseen_events()
        assert unseen == [ChildProcessEvent(process_id="c", result=result, workflow=WORKFLOW, tags=["t"])]
        assert self.backend.describe_process("p").children == []

    def test_a_child_that_continues_has_not_ended(self) -> None:
        self.child()
        for number in range(2):
            self.backend.signal_process("c", "s")
            self.decide(ContinueAsNew(number), category="children")
            self.decide(category="children")
        self.settle()
        assert self.idle("parents")
        self.backend.signal_process("c", "s")
        self.decide(CompleteProcess("at last"), category="children")
        assert self.news().process.unseen_events()[-1].type == "child_process"
        assert self.last(ChildProcessEvent).result == ProcessCompleted("at last")

    def test_a_grandchild_is_its_parents_business(self) -> None:
        self.child()
        self.backend.signal_process("c", "s")
        self.decide(StartChildProcess(Process(WORKFLOW, "g"), category="far"), category="children")
        self.settle()
        self.decide(CompleteProcess("g"), category="far")
        self.settle()
        assert self.last(ChildProcessEvent, "c").process_id == "g"
        assert self.idle("parents")

    def test_nobody_waits_for_a_child_whose_parent_is_gone(self) -> None:
        self.child()
        self.backend.terminate_process("p")
        before = self.types("p")
        self.backend.signal_process("c", "s")
        self.decide(CompleteProcess(), category="children")
        self.pass_time(PATIENCE)
        assert self.status("c") == "completed"
        assert self.types("p") == before
        assert self.backend.queues() == []

    # -- policies ----------

    @pytest.mark.parametrize("end", ["complete", "fail", "cancel", "terminate", "time out"])
    @pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
    def test_a_policy_says_what_becomes_of_a_child(self, policy: str, end: str) -> None:
        self.child(policy, timeout=50)
        match end:
            case "terminate":
                self.backend.terminate_process("p")
            case "time out":
                self.clock.advance(50)
            case _:
                self.backend.signal_process("p", "s")
                close = {"complete": CompleteProcess(), "fail": FailProcess(), "cancel": CancelProcess()}[end]
                self.decide(close, category="parents")
        self.settle()
        self.settle()
        match policy:
            case "TERMINATE":
                assert self.last(ProcessTerminatedEvent, "c").cause == "CHILD_POLICY_APPLIED"
                assert self.status("c") == "terminated"
            case "REQUEST_CANCEL":
                assert len(self.events(CancelRequestedEvent, "c")) == 1
                assert not self.idle("children")
            case "ABANDON":
                assert self.types("c") == ["process_started", "decision_started"]
                assert self.status("c") == "running"

    @pytest.mark.parametrize("policy", ["TERMINATE", "REQUEST_CANCEL", "ABANDON"])
    def test_a_termination_can_say_another_policy(self, policy: str) -> None:
        self.child("TERMINATE" if policy == "ABANDON" else "ABANDON")
        self.backend.terminate_process("p", child_policy=policy)
        self.settle()
        expected = {
            "TERMINATE": "process_terminated",
            "REQUEST_CANCEL": "cancel_requested",
            "ABANDON": "decision_started",
        }
        assert self.types("c")[-1] == expected[policy]

    def test_a_terminated_familys_grandchildren_are_terminated_too(self) -> None:
        self.child("TERMINATE")
        self.backend.signal_process("c", "s")
        self.decide(StartChildProcess(Process(WORKFLOW, "g"), "TERMINATE", category="far"), category="children")
        self.settle()
        self.backend.terminate_process("p")
        self.settle()
        assert [self.status(id) for id in "pcg"] == ["terminated"] * 3

    def test_a_child_that_ended_is_left_alone(self) -> None:
        self.child("TERMINATE")
        self.backend.signal_process("c", "s")
        self.decide(CompleteProcess(1), category="children")
        self.settle()
        self.start("c", category="children")
        self.backend.terminate_process("p")
        self.settle()
        assert self.status("c") == "running"
