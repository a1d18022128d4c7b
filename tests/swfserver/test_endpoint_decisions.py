"""Decisions of SWF's clients, and the histories that come of them, each event as SWF's model says."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.testing import VirtualClock

from .support import ACTIVITY, CHARGE, TYPE, WORKFLOW, Shop, attributes, complete, decision, schedule


def last(shop: Shop, run: str, kind: str, id: str = "o") -> dict[str, Any]:
    """What the last event of a type tells."""
    return [attributes(event) for event in shop.events(run, id) if event["eventType"] == kind][-1]


def test_what_a_start_says_is_in_the_history(shop: Shop) -> None:
    run = shop.start(
        input="not JSON", tagList=["a", "b"], taskPriority="3", childPolicy="REQUEST_CANCEL",
        executionStartToCloseTimeout="100", taskStartToCloseTimeout="NONE", taskList={"name": "mine"},
    )  # fmt: skip
    assert last(shop, run, "WorkflowExecutionStarted") == {
        "input": "not JSON", "tagList": ["a", "b"], "taskPriority": "3", "childPolicy": "REQUEST_CANCEL",
        "executionStartToCloseTimeout": "100", "taskStartToCloseTimeout": "NONE", "taskList": {"name": "mine"},
        "workflowType": TYPE, "parentInitiatedEventId": 0,
    }  # fmt: skip
    about = shop.describe(run)
    assert about["executionConfiguration"]["childPolicy"] == "REQUEST_CANCEL"
    assert about["executionInfo"]["tagList"] == ["a", "b"]
    assert about["openCounts"]["openDecisionTasks"] == 1
    assert shop.poll("mine")["workflowExecution"] == {"workflowId": "o", "runId": run}


def test_an_activity_from_its_schedule_to_its_end(shop: Shop) -> None:
    run = shop.start()
    shop.answer(schedule(input="hello", control="mine", heartbeatTimeout="5", taskPriority="2"))
    scheduled = last(shop, run, "ActivityTaskScheduled")
    assert scheduled == {
        "activityType": CHARGE, "activityId": "a", "input": "hello", "control": "mine", "taskPriority": "2",
        "taskList": {"name": "work"}, "heartbeatTimeout": "5", "scheduleToStartTimeout": "60",
        "startToCloseTimeout": "30", "scheduleToCloseTimeout": "90", "decisionTaskCompletedEventId": 4,
    }  # fmt: skip
    task = shop.take()
    assert (task["activityId"], task["activityType"], task["input"], task["startedEventId"]) == (
        "a",
        CHARGE,
        "hello",
        6,
    )
    assert shop.swf.record_activity_task_heartbeat(taskToken=task["taskToken"])["cancelRequested"] is False
    shop.swf.respond_activity_task_completed(taskToken=task["taskToken"], result='{"n": 1}')
    ended = last(shop, run, "ActivityTaskCompleted")
    assert ended == {"result": '{"n": 1}', "scheduledEventId": 5, "startedEventId": 6}
    assert shop.types(run)[-1] == "DecisionTaskScheduled"


@pytest.mark.parametrize(
    ("end", "about"),
    [("failed", {"reason": "why", "details": "d"}), ("canceled", {"details": "d"}), ("failed", {}), ("canceled", {})],
)
def test_other_ends_of_an_activity(shop: Shop, end: str, about: dict[str, str]) -> None:
    run = shop.start()
    shop.answer(schedule())
    getattr(shop.swf, f"respond_activity_task_{end}")(taskToken=shop.take()["taskToken"], **about)
    told = last(shop, run, f"ActivityTask{end.capitalize()}")
    assert {name: told[name] for name in about} == about


def test_a_cancel_request_reaches_a_worker_with_its_heartbeat(shop: Shop) -> None:
    run = shop.start()
    shop.answer(schedule())
    token = shop.take()["taskToken"]
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="stop")
    shop.answer(decision("RequestCancelActivityTask", activityId="a"))
    assert shop.swf.record_activity_task_heartbeat(taskToken=token, details="half")["cancelRequested"] is True
    shop.swf.respond_activity_task_canceled(taskToken=token)
    assert last(shop, run, "ActivityTaskCanceled")["latestCancelRequestedEventId"] > 0


def test_timers_markers_and_what_is_said_beside(shop: Shop, clock: VirtualClock, backend: MemoryBackend) -> None:
    run = shop.start()
    shop.answer(
        decision("StartTimer", timerId="t", startToFireTimeout="10", control="{}"),
        decision("StartTimer", timerId="u", startToFireTimeout="10"),
        decision("RecordMarker", markerName="m", details=" spaces "),
        decision("CancelTimer", timerId="u"),
        executionContext="where we are",
    )
    assert last(shop, run, "DecisionTaskCompleted")["executionContext"] == "where we are"
    assert shop.describe(run)["latestExecutionContext"] == "where we are"
    assert shop.describe(run)["openCounts"]["openTimers"] == 1
    started = [attributes(each) for each in shop.events(run) if each["eventType"] == "TimerStarted"]
    assert [each.get("control") for each in started] == ["{}", None]
    assert last(shop, run, "MarkerRecorded")["details"] == " spaces "
    clock.advance(10)
    backend.exchange()
    assert last(shop, run, "TimerFired") == {"timerId": "t", "startedEventId": 5}
    shop.answer()
    assert shop.describe(run)["latestExecutionContext"] == "where we are"
    assert shop.types(run)[-1] == "DecisionTaskCompleted"


def test_signals_with_and_without_input(shop: Shop) -> None:
    run = shop.start()
    about = {"domain": "shop", "workflowId": "o", "signalName": "s"}
    for more in ({}, {"input": "{}"}, {"input": "text"}, {"input": '{"a": 1}', "runId": run}):
        shop.swf.signal_workflow_execution(**about, **more)
    signals = [attributes(each) for each in shop.events(run) if each["eventType"] == "WorkflowExecutionSignaled"]
    assert [each.get("input") for each in signals] == [None, "{}", "text", '{"a": 1}']


@pytest.mark.parametrize(
    ("kind", "about", "status"),
    [
        ("CompleteWorkflowExecution", {"result": "r"}, "COMPLETED"),
        ("FailWorkflowExecution", {"reason": "r", "details": "d"}, "FAILED"),
        ("CancelWorkflowExecution", {"details": "d"}, "CANCELED"),
    ],
)
def test_ends_of_an_execution(shop: Shop, kind: str, about: dict[str, str], status: str) -> None:
    run = shop.start()
    shop.answer(decision(kind, **about))
    assert last(shop, run, f"WorkflowExecution{status.capitalize()}") == {**about, "decisionTaskCompletedEventId": 4}
    assert shop.describe(run)["executionInfo"]["closeStatus"] == status


def test_a_close_that_has_not_seen_everything_is_refused(shop: Shop) -> None:
    run = shop.start()
    token = shop.poll()["taskToken"]
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="late")
    shop.swf.respond_decision_task_completed(taskToken=token, decisions=[complete()])
    assert last(shop, run, "CompleteWorkflowExecutionFailed")["cause"] == "UNHANDLED_DECISION"
    assert shop.poll()["previousStartedEventId"] == 3


def test_termination_and_a_cancel_request(shop: Shop) -> None:
    run = shop.start()
    shop.swf.request_cancel_workflow_execution(domain="shop", workflowId="o")
    assert shop.describe(run)["executionInfo"]["cancelRequested"] is True
    shop.swf.terminate_workflow_execution(domain="shop", workflowId="o", reason="why", details="d")
    ended = last(shop, run, "WorkflowExecutionTerminated")
    assert ended == {"reason": "why", "details": "d", "cause": "OPERATOR_INITIATED", "childPolicy": "TERMINATE"}


# -- refusals ----------


@pytest.mark.parametrize("missing", [name for name in ACTIVITY if name != "defaultTaskPriority"])
def test_an_activity_without_a_default_is_refused(shop: Shop, missing: str) -> None:
    about = {name: value for name, value in ACTIVITY.items() if name != missing}
    shop.swf.register_activity_type(domain="shop", name="Bare", version="1", **about)
    run = shop.start()
    shop.answer(schedule(activityType={"name": "Bare", "version": "1"}))
    cause = last(shop, run, "ScheduleActivityTaskFailed")["cause"]
    assert cause.startswith("DEFAULT_") and cause.endswith("_UNDEFINED")
    words = {"TaskList": "TASK_LIST"}.get(missing.removeprefix("default"), "TIMEOUT")
    assert words in cause
    assert shop.poll()["taskToken"]


def test_refusals_have_the_causes_of_swf(shop: Shop) -> None:
    run = shop.start()
    old = {"name": "Old", "version": "1"}
    shop.swf.register_activity_type(domain="shop", **old, **ACTIVITY)
    shop.swf.deprecate_activity_type(domain="shop", activityType=old)
    shop.answer(
        schedule(activityType={"name": "Nope", "version": "1"}, control="c"),
        schedule(activityType=old),
        schedule("a"),
        schedule("a"),
        decision("CancelTimer", timerId="t"),
        decision("RequestCancelActivityTask", activityId="z"),
        decision("StartChildWorkflowExecution", workflowId="c", workflowType={"name": "Nope", "version": "1"}),
    )
    causes = [attributes(event).get("cause") for event in shop.events(run)]
    assert [cause for cause in causes if cause] == [
        "ACTIVITY_TYPE_DOES_NOT_EXIST",
        "ACTIVITY_TYPE_DEPRECATED",
        "ACTIVITY_ID_ALREADY_IN_USE",
        "TIMER_ID_UNKNOWN",
        "ACTIVITY_ID_UNKNOWN",
        "WORKFLOW_TYPE_DOES_NOT_EXIST",
    ]
    assert shop.take()["activityId"] == "a"


# -- families ----------


def child(id: str = "c", **about: Any) -> dict[str, Any]:
    about = {"workflowType": TYPE, "taskList": {"name": "children"}, **about}
    return decision("StartChildWorkflowExecution", workflowId=id, **about)


def test_a_child_knows_its_parent_and_the_parent_its_child(shop: Shop, backend: MemoryBackend) -> None:
    run = shop.start()
    shop.answer(child(input="for you", control="mine", tagList=["t"], childPolicy="ABANDON"))
    backend.exchange()
    initiated = last(shop, run, "StartChildWorkflowExecutionInitiated")
    assert (initiated["control"], initiated["childPolicy"], initiated["input"]) == ("mine", "ABANDON", "for you")
    started = last(shop, run, "ChildWorkflowExecutionStarted")
    child_run = started["workflowExecution"]["runId"]
    first = last(shop, child_run, "WorkflowExecutionStarted", "c")
    assert first["parentWorkflowExecution"] == {"workflowId": "o", "runId": run}
    assert (first["parentInitiatedEventId"], first["childPolicy"], first["input"]) == (5, "ABANDON", "for you")
    assert shop.describe(child_run, "c")["executionInfo"]["parent"] == {"workflowId": "o", "runId": run}
    shop.answer(complete(result="done"), list="children")
    backend.exchange()
    ended = last(shop, run, "ChildWorkflowExecutionCompleted")
    assert (ended["result"], ended["workflowExecution"]) == ("done", {"workflowId": "c", "runId": child_run})
    assert ended["initiatedEventId"] == 5


@pytest.mark.parametrize(
    ("policy", "status"), [("TERMINATE", "TERMINATED"), ("REQUEST_CANCEL", None), ("ABANDON", None)]
)
def test_an_executions_own_policy_is_that_of_its_children(
    shop: Shop, backend: MemoryBackend, policy: str, status: str | None
) -> None:
    shop.start(childPolicy=policy)
    shop.answer(child(childPolicy="ABANDON"))
    backend.exchange()
    child_run = backend.describe_process("~shop~c").process.run
    shop.swf.terminate_workflow_execution(domain="shop", workflowId="o")
    about = shop.describe(str(child_run), "c")["executionInfo"]
    assert about.get("closeStatus") == status
    assert about["cancelRequested"] is (policy == "REQUEST_CANCEL")


def test_signals_and_cancel_requests_to_others(shop: Shop, backend: MemoryBackend) -> None:
    run, other = shop.start(), shop.start("other", taskList={"name": "others"})
    shop.answer(
        decision("SignalExternalWorkflowExecution", workflowId="other", signalName="s", input="i", control="c"),
        decision("RequestCancelExternalWorkflowExecution", workflowId="other", runId=other, control="d"),
    )
    backend.exchange()
    assert last(shop, run, "SignalExternalWorkflowExecutionInitiated")["control"] == "c"
    assert last(shop, run, "RequestCancelExternalWorkflowExecutionInitiated")["control"] == "d"
    told = last(shop, run, "ExternalWorkflowExecutionSignaled")
    assert told == {"workflowExecution": {"workflowId": "other", "runId": other}, "initiatedEventId": 5}
    assert last(shop, other, "WorkflowExecutionSignaled", "other")["input"] == "i"
    assert "WorkflowExecutionCancelRequested" in shop.types(other, "other")


def test_a_refusal_that_comes_late_names_the_answer_it_is_of(shop: Shop, clock: VirtualClock) -> None:
    run = shop.start()
    shop.answer(decision("SignalExternalWorkflowExecution", workflowId="nobody", signalName="s", control="c"))
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    shop.answer(decision("RecordMarker", markerName="m"))
    while not shop.poll().get("taskToken"):
        clock.advance(5)
    sent = last(shop, run, "SignalExternalWorkflowExecutionInitiated")
    refused = last(shop, run, "SignalExternalWorkflowExecutionFailed")
    assert (refused["initiatedEventId"], refused["control"]) == (5, "c")
    assert refused["decisionTaskCompletedEventId"] == sent["decisionTaskCompletedEventId"] == 4


def test_a_run_that_continues_takes_its_types_defaults(shop: Shop) -> None:
    shop.swf.register_workflow_type(domain="shop", name="Order", version="2", **WORKFLOW)
    run = shop.start(tagList=["t"], taskList={"name": "mine"}, input="one", executionStartToCloseTimeout="50")
    again = decision("ContinueAsNewWorkflowExecution", input="two", workflowTypeVersion="2", childPolicy="ABANDON")
    shop.answer(again, list="mine")
    ended = last(shop, run, "WorkflowExecutionContinuedAsNew")
    assert (ended["workflowType"]["version"], ended["taskList"], ended["childPolicy"]) == (
        "2",
        {"name": "deciders"},
        "ABANDON",
    )
    new = ended["newExecutionRunId"]
    first = last(shop, new, "WorkflowExecutionStarted")
    assert (first["continuedExecutionRunId"], first["input"], first["childPolicy"]) == (run, "two", "ABANDON")
    assert (first["executionStartToCloseTimeout"], first.get("tagList")) == ("3600", None)
    assert shop.describe(run)["executionInfo"]["closeStatus"] == "CONTINUED_AS_NEW"


def test_a_type_that_is_gone_does_not_continue(shop: Shop) -> None:
    run = shop.start()
    shop.answer(decision("ContinueAsNewWorkflowExecution", workflowTypeVersion="9"))
    assert last(shop, run, "ContinueAsNewWorkflowExecutionFailed")["cause"] == "WORKFLOW_TYPE_DOES_NOT_EXIST"


# -- sticky lists ----------


def test_a_sticky_list_falls_back_at_once_and_one_for_good_is_refused(shop: Shop) -> None:
    shop.start()
    token = shop.poll()["taskToken"]
    with pytest.raises(shop.swf.exceptions.OperationNotPermittedFault):
        shop.swf.respond_decision_task_completed(taskToken=token, taskList={"name": "mine"})
    shop.swf.respond_decision_task_completed(
        taskToken=token, taskList={"name": "mine"}, taskListScheduleToStartTimeout="5"
    )
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    assert shop.poll()["taskToken"]
