"""Tasks that cannot be understood, and answers that cannot be said: none is lost, and none goes round for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend.amazonswf import CallablePayloads
from pyworkflow.backend.model import Finished, Wanted
from pyworkflow.decision import CompleteProcess, RecordMarker, ScheduleActivity
from pyworkflow.exceptions import BackendUnavailable, CorruptRecord, UnknownDecisionException, UnsupportedBackend

from .inside import fault
from .support import Desk, desk, desk_with

__all__ = ["desk", "desk_with"]

ELSEWHERE = '{"pyworkflow":{"stored":"key"}}'
MARKER = {"decisionType": "RecordMarker", "recordMarkerDecisionAttributes": {"markerName": "pyworkflow.failed"}}
TIMER = {
    "decisionType": "StartTimer",
    "startTimerDecisionAttributes": {"timerId": "t", "startToFireTimeout": "0"},
}


def test_a_process_whose_input_cannot_be_read_is_blocked(desk: Desk) -> None:
    """Its worker has no payload_store."""
    desk.start()
    task = desk.open()
    desk.backend.complete_decision_task(task, CompleteProcess())
    desk.swf.start_workflow_execution(
        domain="test", workflowId="p", workflowType={"name": "W", "version": "1.0"}, taskList={"name": "default"},
        executionStartToCloseTimeout="100", taskStartToCloseTimeout="30", childPolicy="ABANDON", input=ELSEWHERE,
    )  # fmt: skip
    assert desk.idle()
    better = desk.another(payload_store=CallablePayloads(lambda data: "key", lambda key: b'"large"'))
    assert better.process_by_id("p").input == "large"
    blocked = better.describe_process("p").blocked
    assert blocked is not None and "payload_store" in blocked[0]


def test_words_of_ours_that_somebody_else_wrote_block_the_process(desk: Desk) -> None:
    desk.start()
    task = desk.swf.poll_for_decision_task(domain="test", taskList={"name": "default"})
    desk.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[MARKER, TIMER])
    assert desk.idle()
    events = desk.swf.events("p", task["workflowExecution"]["runId"])
    markers = [event["markerRecordedEventAttributes"] for event in events if event["eventType"] == "MarkerRecorded"]
    assert [marker["markerName"] for marker in markers] == [
        "pyworkflow.failed",
        "pyworkflow.failed",
        "pyworkflow.blocked",
    ]
    assert "event 5, MarkerRecorded, of process 'p'" in markers[-1]["details"]
    with pytest.raises(CorruptRecord, match="event 5"):
        desk.types()


class Away:
    """A store of payloads that is there or not."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.there = True

    def put(self, data: bytes) -> str:
        self.kept[str(len(self.kept))] = data
        return str(len(self.kept) - 1)

    def get(self, key: str) -> bytes:
        if not self.there:
            raise OSError("no route to host")
        return self.kept[key]


LARGE = "x" * 40_000


@pytest.mark.parametrize("what", ["decision", "activity"])
def test_a_task_whose_payloads_cannot_be_read_now_comes_again(desk_with: Callable[..., Desk], what: str) -> None:
    store = Away()
    desk = desk_with(payload_store=store)
    desk.start(input=LARGE if what == "decision" else None)
    if what == "activity":
        desk.decide(ScheduleActivity("A", id="a", input=LARGE))
    store.there = False
    with pytest.raises(BackendUnavailable, match="no route"):
        desk.open() if what == "decision" else desk.take()
    store.there = True
    if what == "decision":
        desk.clock.advance(5)
        assert desk.open().process.input == LARGE
    else:
        assert desk.idle()
        desk.clock.advance(5)
        assert desk.idle()
        assert desk.take().input == LARGE


@pytest.mark.parametrize("code", ["InvalidSignatureException", "IncompleteSignatureException"])
def test_a_result_outlives_keys_that_are_wrong_for_a_while(desk: Desk, code: str) -> None:
    """A clock that is wrong, or a key that was changed: the activity has not failed."""
    desk.start()
    desk.decide(ScheduleActivity("A", id="a"))
    task = desk.take()

    def refuse(**about: Any) -> Any:
        raise fault(code, Exception("Signature expired"), "RespondActivityTaskCompleted")

    desk.swf.do["respond_activity_task_completed"] = refuse
    with pytest.raises(UnsupportedBackend, match="keys and IAM policy"):
        desk.backend.exchange([Finished(task, ActivityCompleted(1))])
    del desk.swf.do["respond_activity_task_completed"]
    assert not desk.backend.exchange([Finished(task, ActivityCompleted(1))]).refused


def test_an_answer_that_swf_finds_invalid_is_not_called_late(desk: Desk) -> None:
    """Then its decider hears of it, and the process is blocked in the end, with what SWF said."""
    desk.start()
    task = desk.open()

    def refuse(message: str) -> Callable[..., Any]:
        def call(**about: Any) -> Any:
            raise fault("ValidationException", Exception(message), "RespondDecisionTaskCompleted")

        return call

    for message, late in (("Value 'x' at 'decisions.1.member' is wrong", False), ("Invalid token", True)):
        desk.swf.do["respond_decision_task_completed"] = refuse(message)
        ((_, error),) = desk.backend.exchange([Finished(task, [RecordMarker("m")])]).refused
        assert isinstance(error, UnknownDecisionException) == late
        assert message in str(error)


@pytest.mark.parametrize("timeout", [0.0, 1.0])
def test_what_was_handed_in_is_not_called_unsaid_because_polls_fail(desk: Desk, timeout: float) -> None:
    """Otherwise its worker hands it in again, and is told that it is late."""
    desk.start()
    desk.decide(ScheduleActivity("A", id="a"))
    task = desk.take()

    def throttled(**about: Any) -> Any:
        raise fault("ThrottlingException", Exception("Rate exceeded"), "a poll")

    for operation in ("poll_for_activity_task", "count_pending_activity_tasks"):
        desk.swf.do[operation] = throttled
    wanted = Wanted(("default",), 1)
    got = desk.backend.exchange([Finished(task, ActivityCompleted(1))], activities=wanted, timeout=timeout)
    assert not got
    with pytest.raises(BackendUnavailable, match="Rate exceeded"):
        desk.backend.exchange(activities=wanted, timeout=timeout)
    assert desk.types()[-1] == "activity"
