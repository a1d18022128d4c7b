"""Children's policies, which SWF knows only for all children of a run at once: whoever closes a parent applies them."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pyworkflow.decision import CompleteProcess, ContinueAsNew, Decision, StartChildProcess
from pyworkflow.events import CancelRequestedEvent, DecisionEvent, ProcessTerminatedEvent
from pyworkflow.process import Process

from .inside import fault
from .support import Desk, desk, desk_with

__all__ = ["desk", "desk_with"]

TERMINATE, CANCEL = "terminate_workflow_execution", "request_cancel_workflow_execution"


def family(desk: Desk, *policies: str) -> None:
    """A parent `p` with a child for each policy, `c0`, `c1` …, all with nothing to decide but what woke the parent."""
    desk.start()
    children = enumerate(policies)
    desk.decide(*(StartChildProcess(Process("W", f"c{number}"), policy, category="far") for number, policy in children))
    for _ in policies:
        task = desk.backend.poll_decision_task("far")
        assert task is not None
        desk.backend.complete_decision_task(task, [])


def ends(desk: Desk, *ids: str) -> list[str]:
    return [desk.backend.process_by_id(id).history[-1].type for id in ids]


@pytest.mark.parametrize("close", [CompleteProcess(), ContinueAsNew()], ids=lambda close: str(close.type))
def test_each_child_is_told_its_own(desk: Desk, close: Decision) -> None:
    family(desk, "TERMINATE", "REQUEST_CANCEL", "ABANDON")
    desk.decide(close)
    terminated = desk.backend.process_by_id("c0").history[-1]
    assert isinstance(terminated, ProcessTerminatedEvent)
    assert (terminated.reason, terminated.cause) == (None, "CHILD_POLICY_APPLIED")
    assert isinstance(desk.backend.process_by_id("c1").history[-1], CancelRequestedEvent)
    assert ends(desk, "c2") == ["decision_started"]


def test_swf_is_told_to_abandon_and_ours_is_in_the_history(desk: Desk) -> None:
    family(desk, "TERMINATE", "ABANDON")
    run = str(desk.backend.process_by_id("p").run)
    kind = "startChildWorkflowExecutionInitiatedEventAttributes"
    told = [
        (event[kind]["childPolicy"], event[kind].get("control")) for event in desk.swf.events("p", run) if kind in event
    ]
    assert told == [("ABANDON", "pyworkflow.policy.TERMINATE"), ("ABANDON", None)]
    history = desk.another().process_by_id("p").history
    started = [event.decision for event in history if isinstance(event, DecisionEvent)]
    assert [each.child_policy for each in started if isinstance(each, StartChildProcess)] == ["TERMINATE", "ABANDON"]


def test_a_close_that_swf_refuses_touches_no_child(desk: Desk) -> None:
    family(desk, "TERMINATE")
    task = desk.open()
    desk.backend.signal_process("p", "news")
    desk.backend.complete_decision_task(task, CompleteProcess())
    assert ends(desk, "c0") == ["decision_started"]
    desk.decide(CompleteProcess())
    assert ends(desk, "c0") == ["process_terminated"]


def test_a_child_that_is_only_on_its_way_is_left_alone(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Its id may be that of another process, which keeps it from starting."""
    desk.backend.start_process(Process("W", "c0"), category="far")
    desk.start()
    with caplog.at_level(logging.WARNING, "pyworkflow.amazonswf"):
        desk.decide(StartChildProcess(Process("W", "c0"), "TERMINATE", category="far"), CompleteProcess())
    assert desk.backend.process_by_id("c0").status == "running"
    assert "'c0' goes on" in caplog.text


@pytest.mark.parametrize("call", [TERMINATE, CANCEL])
def test_what_goes_wrong_with_a_child_is_logged_and_the_answer_stands(
    desk: Desk, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    family(desk, "TERMINATE", "REQUEST_CANCEL")

    def throttled(**about: Any) -> Any:
        raise fault("ThrottlingException", Exception("Rate exceeded"), call)

    desk.swf.do[call] = throttled
    desk.decide(CompleteProcess())
    assert desk.backend.process_by_id("p").status == "completed"
    assert "Rate exceeded" in caplog.text
    left = {TERMINATE: ["decision_started", "cancel_requested"], CANCEL: ["process_terminated", "decision_started"]}
    assert ends(desk, "c0", "c1") == left[call]


def test_a_parent_without_policies_costs_no_call(desk: Desk) -> None:
    family(desk, "ABANDON")
    task = desk.open()
    before = len(desk.swf.calls)
    desk.backend.complete_decision_task(task, CompleteProcess())
    assert [name for name, _ in desk.swf.calls[before:]] == ["respond_decision_task_completed"]


def test_a_process_that_cannot_be_read_can_be_terminated(desk: Desk) -> None:
    desk.start(input="x")
    task = desk.swf.poll_for_decision_task(domain="test", taskList={"name": "default"})
    marker = {"decisionType": "RecordMarker", "recordMarkerDecisionAttributes": {"markerName": "pyworkflow.failed"}}
    desk.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[marker])
    desk.backend.terminate_process("p")
    run = task["workflowExecution"]["runId"]
    assert desk.swf.events("p", run)[-1]["eventType"] == "WorkflowExecutionTerminated"


def test_a_process_that_swf_does_not_list_yet_can_be_terminated(desk: Desk) -> None:
    desk.start()
    for name in ("list_open_workflow_executions", "list_closed_workflow_executions"):
        desk.swf.do[name] = lambda **about: {"executionInfos": []}
    other = desk.another()
    other.terminate_process("p")
    assert desk.backend.process_by_id("p").status == "terminated"
