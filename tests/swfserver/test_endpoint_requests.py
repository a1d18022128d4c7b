"""Requests: every operation of the service model, what is refused before anything is done, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pyworkflow_swfserver.app import HANDLERS, POLLS
from pyworkflow_swfserver.model import Model
from tests.swf.model import service

from .support import TYPE, Shop, complete, decision, raw, schedule

TARGET = "SimpleWorkflowService."
VALIDATION = "com.amazon.coral.validate#ValidationException"


def refused(call: Any, **about: Any) -> tuple[str, str]:
    """The code and message of the fault that a call of boto3's brings."""
    with pytest.raises(ClientError) as caught:
        call(**about)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_every_operation_is_there() -> None:
    assert HANDLERS.keys() | POLLS.keys() == {*service().operation_names}


def test_the_longer_target_of_old_clients_is_understood(url: str) -> None:
    target = "com.amazonaws.swf.service.model.SimpleWorkflowService.ListDomains"
    status, found = raw(url, target, {"registrationStatus": "REGISTERED"})
    assert (status, [each["name"] for each in found["domainInfos"]]) == (200, ["default"])


def test_an_operation_without_an_answer_has_an_empty_body(url: str) -> None:
    about = {"name": "d", "workflowExecutionRetentionPeriodInDays": "1"}
    assert raw(url, f"{TARGET}RegisterDomain", about) == (200, None)


@pytest.mark.parametrize(
    ("operation", "body", "kind", "message"),
    [
        ("Nonsense", {}, "com.amazon.coral.service#UnknownOperationException", "'Nonsense' is no operation"),
        ("DescribeDomain", b"{", "com.amazon.coral.service#SerializationException", "not JSON"),
        ("DescribeDomain", b"\xff", "com.amazon.coral.service#SerializationException", "not JSON"),
        ("DescribeDomain", [], "com.amazon.coral.service#SerializationException", "the request is a list"),
        ("DescribeDomain", {"name": 5}, "com.amazon.coral.service#SerializationException", "name is a int"),
        ("ListDomains", {"registrationStatus": "REGISTERED", "maximumPageSize": True},
         "com.amazon.coral.service#SerializationException", "maximumPageSize is a bool"),
        ("DescribeDomain", {}, VALIDATION,
         "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"),
        ("DescribeDomain", {"name": ""}, VALIDATION, "length greater than or equal to 1"),
        ("DescribeDomain", {"name": "x" * 257}, VALIDATION, "length less than or equal to 256"),
        ("ListDomains", {"registrationStatus": "X"}, VALIDATION, "enum value set: [REGISTERED, DEPRECATED]"),
        ("ListDomains", {"registrationStatus": "REGISTERED", "maximumPageSize": 1001}, VALIDATION,
         "value less than or equal to 1000"),
        ("ListDomains", {"registrationStatus": "REGISTERED", "maximumPageSize": -1}, VALIDATION,
         "value greater than or equal to 0"),
        ("RespondDecisionTaskCompleted", {"taskToken": "t", "decisions": [{"decisionType": "X"}, {}]}, VALIDATION,
         "2 validation errors detected: Value 'X' at 'decisions.1.member.decisionType' failed"),
        ("ListDomains", {"registrationStatus": "REGISTERED", "nextPageToken": "nonsense"}, VALIDATION, "Invalid token"),
        ("DescribeDomain", {"name": "no"}, "com.amazonaws.swf.base.model#UnknownResourceFault", "Unknown domain: no"),
        ("DescribeDomain", b'{"name":"d","x":%s}' % (b"[" * 9_000), "com.amazon.coral.service#SerializationException",
         "recursion"),
        ("DescribeDomain", b'{"name":%s}' % (b"[" * 9_000 + b"]" * 9_000),
         "com.amazon.coral.service#SerializationException", "recursion"),
    ],
)  # fmt: skip
def test_a_bad_request_is_told_what_is_wrong(url: str, operation: str, body: Any, kind: str, message: str) -> None:
    status, found = raw(url, TARGET + operation, body)
    assert (status, found["__type"]) == (400, kind)
    assert message in found["message"]


RETENTION = "workflowExecutionRetentionPeriodInDays"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    *(
        ("RegisterDomain", {"name": name, RETENTION: "1"}, "name")
        for name in ("a:b", "a/b", "a|b", "a\x01", "arn", " a")
    ),
    *(("RegisterDomain", {"name": "d", RETENTION: days}, RETENTION) for days in ("91", "abc", "-1", "1.5")),
    ("RegisterWorkflowType", {"domain": "default", "name": "a/b", "version": "1"}, "name"),
    ("RegisterActivityType", {"domain": "default", "name": "a", "version": "1:0"}, "version"),
    *(
        ("RegisterActivityType", {"domain": "default", "name": "a", "version": "1", member: wrong}, member)
        for member in ("defaultTaskHeartbeatTimeout", "defaultTaskStartToCloseTimeout", "defaultTaskPriority")
        for wrong in ("abc", "-1.5", "1e3")
    ),
    *(
        ("RegisterWorkflowType", {"domain": "default", "name": "w", "version": "1", member: "NONE"}, member)
        for member in ("defaultExecutionStartToCloseTimeout", "defaultTaskPriority")
    ),
    ("PollForDecisionTask", {"domain": "default", "taskList": {"name": "a|b"}}, "taskList.name"),
]


@pytest.mark.parametrize(("operation", "body", "at"), WRONG)
def test_names_and_numbers_are_written_as_swf_writes_them(url: str, operation: str, body: Any, at: str) -> None:
    status, found = raw(url, TARGET + operation, body)
    assert (status, found["__type"]) == (400, VALIDATION)
    assert f"at '{at}' failed to satisfy constraint: Member must " in found["message"]


@pytest.mark.parametrize("wrong", ["NONE", "abc", "1.5"])
def test_a_timer_has_a_number_of_seconds(shop: Shop, wrong: str) -> None:
    shop.start()
    task, timer = shop.poll(), decision("StartTimer", timerId="t", startToFireTimeout=wrong)
    told = refused(shop.swf.respond_decision_task_completed, taskToken=task["taskToken"], decisions=[timer])
    assert told[0] == "ValidationException" and "a whole number of seconds" in told[1]


def test_an_execution_has_an_end(shop: Shop) -> None:
    """As the service model's documentation says; a type of pyworkflow's own may have none."""
    code, told = refused(shop.start, executionStartToCloseTimeout="NONE")
    assert code == "ValidationException" and "executionStartToCloseTimeout" in told
    assert shop.start(taskStartToCloseTimeout="NONE")


def test_null_is_as_good_as_nothing(url: str) -> None:
    about = {"registrationStatus": "REGISTERED", "nextPageToken": None, "reverseOrder": None}
    assert raw(url, f"{TARGET}ListDomains", about)[0] == 200


def test_what_is_too_large_is_refused(url: str) -> None:
    status, found = raw(url, f"{TARGET}DescribeDomain", {"name": "x" * 1_000_001})
    assert (status, found["__type"]) == (413, "com.amazon.coral.service#RequestEntityTooLargeException")


def test_the_fast_way_to_read_a_request_agrees_with_the_slow_one() -> None:
    model = Model()
    good = b'{"domain":"d","workflowId":"w","workflowType":{"name":"n","version":"1"},"tagList":["a"],"unknown":1}'
    read = model.read("StartWorkflowExecution", good)
    assert read == {"domain": "d", "workflowId": "w", "workflowType": {"name": "n", "version": "1"}, "tagList": ["a"]}


# -- executions and tasks that are not there ----------


def test_unknown_things_are_faults_of_swfs(shop: Shop) -> None:
    swf, domain = shop.swf, shop.domain
    unknown = "UnknownResourceFault"
    gone = {"domain": domain, "workflowId": "gone"}
    about = "Unknown execution: WorkflowExecution=[workflowId=gone"
    assert refused(swf.signal_workflow_execution, **gone, signalName="s") == (unknown, f"{about}]")
    assert refused(swf.terminate_workflow_execution, **gone, runId="r") == (unknown, f"{about}, runId=r]")
    assert refused(swf.request_cancel_workflow_execution, **gone) == (unknown, f"{about}]")
    execution = {"domain": domain, "execution": {"workflowId": "gone", "runId": "r"}}
    assert refused(swf.describe_workflow_execution, **execution) == (unknown, f"{about}, runId=r]")
    assert refused(swf.get_workflow_execution_history, **execution) == (unknown, f"{about}, runId=r]")
    for respond in (swf.respond_activity_task_completed, swf.record_activity_task_heartbeat):
        assert refused(respond, taskToken="nonsense")[0] == unknown
    assert refused(swf.respond_decision_task_completed, taskToken="nonsense")[0] == unknown
    assert refused(swf.poll_for_decision_task, domain="nope", taskList={"name": "l"})[0] == unknown


def test_a_task_is_answered_once(shop: Shop) -> None:
    shop.start()
    task = shop.answer(schedule())
    with pytest.raises(shop.swf.exceptions.UnknownResourceFault):
        shop.swf.respond_decision_task_completed(taskToken=task["taskToken"])
    token = shop.take()["taskToken"]
    shop.swf.respond_activity_task_completed(taskToken=token)
    assert refused(shop.swf.respond_activity_task_failed, taskToken=token)[0] == "UnknownResourceFault"


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ([complete(), schedule()], "Close must be last decision in list"),
        ([{"decisionType": "RecordMarker"}], "Value null at 'decisions.1.member.recordMarkerDecisionAttributes'"),
        ([decision("RecordMarker", markerName="~swf.answer")], "names that begin with ~swf"),
        ([schedule(), schedule(id="x" * 200, activityType={"name": "y" * 256, "version": "1"})], "decisions.2: "),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused_whole(shop: Shop, decisions: Any, message: str) -> None:
    shop.start()
    task = shop.poll()
    code, told = refused(shop.swf.respond_decision_task_completed, taskToken=task["taskToken"], decisions=decisions)
    assert code == "ValidationException"
    assert message in told
    shop.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[complete()])


def test_lambda_tasks_are_not_permitted(shop: Shop) -> None:
    shop.start()
    answer = decision("ScheduleLambdaFunction", id="l", name="f")
    code, told = refused(
        shop.swf.respond_decision_task_completed, taskToken=shop.poll()["taskToken"], decisions=[answer]
    )
    assert code == "OperationNotPermittedFault"
    assert "no Lambda functions" in told


def test_starting_twice_is_a_fault(shop: Shop) -> None:
    shop.start()
    assert refused(shop.start) == ("WorkflowExecutionAlreadyStartedFault", "Already Started")


@pytest.mark.parametrize("missing", ["defaultTaskList", "defaultChildPolicy", "defaultTaskStartToCloseTimeout"])
def test_a_start_without_a_default_is_a_fault(shop: Shop, missing: str) -> None:
    from .support import WORKFLOW

    about = {name: value for name, value in WORKFLOW.items() if name != missing}
    shop.swf.register_workflow_type(domain="shop", name="Bare", version="1", **about)
    start = {"domain": "shop", "workflowId": "b", "workflowType": {"name": "Bare", "version": "1"}}
    assert refused(shop.swf.start_workflow_execution, **start) == ("DefaultUndefinedFault", missing)


def test_an_unknown_or_deprecated_type_does_not_start(shop: Shop) -> None:
    about = {"domain": "shop", "workflowId": "o"}
    start = shop.swf.start_workflow_execution
    assert refused(start, **about, workflowType={"name": "No", "version": "1"}) == (
        "UnknownResourceFault",
        "Unknown type: WorkflowType=[name=No, version=1]",
    )
    shop.swf.deprecate_workflow_type(domain="shop", workflowType=TYPE)
    assert refused(start, **about, workflowType=TYPE)[0] == "TypeDeprecatedFault"


@pytest.mark.parametrize("id", ["a:b", "a/b", "a|b", "a\x01b"])
def test_ids_are_as_swfs(shop: Shop, id: str) -> None:
    assert refused(shop.start, id=id)[0] == "ValidationException"
