"""A client of an endpoint, in virtual time: boto3's, with short words for a domain `shop` and its types."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tests.swf.model import check

SESSION = boto3.session.Session()  # it reads the service model once
KEYS = {"aws_access_key_id": "KEY", "aws_secret_access_key": "secret"}
WORKFLOW = {
    "defaultTaskStartToCloseTimeout": "30",
    "defaultExecutionStartToCloseTimeout": "3600",
    "defaultTaskList": {"name": "deciders"},
    "defaultChildPolicy": "TERMINATE",
}
ACTIVITY = {
    "defaultTaskStartToCloseTimeout": "30",
    "defaultTaskHeartbeatTimeout": "NONE",
    "defaultTaskScheduleToStartTimeout": "60",
    "defaultTaskScheduleToCloseTimeout": "90",
    "defaultTaskList": {"name": "work"},
}
TYPE = {"name": "Order", "version": "1"}
CHARGE = {"name": "Charge", "version": "1"}


def client_of(url: str, **keys: str) -> Any:
    return SESSION.client(
        "swf",
        region_name="us-east-1",
        endpoint_url=url,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=70),
        **(keys or KEYS),
    )


class Shop:
    """A domain with a workflow Order and an activity Charge, and what a test does there."""

    def __init__(self, url: str, domain: str = "shop") -> None:
        self.url = url
        self.domain = domain
        self.swf = client_of(url)

    def open(self) -> Shop:
        self.swf.register_domain(name=self.domain, workflowExecutionRetentionPeriodInDays="7")
        self.swf.register_workflow_type(domain=self.domain, **TYPE, **WORKFLOW)
        self.swf.register_activity_type(domain=self.domain, **CHARGE, **ACTIVITY)
        return self

    def start(self, id: str = "o", **about: Any) -> str:
        """Start an execution; its run."""
        started = self.swf.start_workflow_execution(
            domain=self.domain, workflowId=id, **{"workflowType": TYPE, **about}
        )
        return str(started["runId"])

    def poll(self, list: str = "deciders", **about: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.swf.poll_for_decision_task(domain=self.domain, taskList={"name": list}, **about)
        return found

    def answer(self, *decisions: dict[str, Any], list: str = "deciders", **about: Any) -> dict[str, Any]:
        """Take the decision task that must be there and answer it."""
        task = self.poll(list)
        self.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[*decisions], **about)
        return task

    def take(self, list: str = "work") -> dict[str, Any]:
        """The activity task that must be there."""
        found: dict[str, Any] = self.swf.poll_for_activity_task(domain=self.domain, taskList={"name": list})
        assert found["taskToken"]
        return found

    def events(self, run: str, id: str = "o", **about: Any) -> list[dict[str, Any]]:
        """The history of a run, each event as SWF's model says."""
        execution = {"workflowId": id, "runId": run}
        found = self.swf.get_workflow_execution_history(domain=self.domain, execution=execution, **about)["events"]
        for event in found:
            check("HistoryEvent", event)
        assert about or [event["eventId"] for event in found] == [*range(1, len(found) + 1)]
        return list(found)

    def types(self, run: str, id: str = "o") -> list[str]:
        return [event["eventType"] for event in self.events(run, id)]

    def describe(self, run: str, id: str = "o") -> dict[str, Any]:
        execution = {"workflowId": id, "runId": run}
        found: dict[str, Any] = self.swf.describe_workflow_execution(domain=self.domain, execution=execution)
        found.pop("ResponseMetadata")
        check("WorkflowExecutionDetail", found)
        return found


def decision(kind: str, **attributes: Any) -> dict[str, Any]:
    return {"decisionType": kind, f"{kind[0].lower()}{kind[1:]}DecisionAttributes": attributes}


def schedule(id: str = "a", **about: Any) -> dict[str, Any]:
    return decision("ScheduleActivityTask", **{"activityType": CHARGE, "activityId": id, **about})


def complete(**about: Any) -> dict[str, Any]:
    return decision("CompleteWorkflowExecution", **about)


def attributes(event: dict[str, Any]) -> dict[str, Any]:
    """What an event tells."""
    (found,) = (value for name, value in event.items() if name.endswith("Attributes"))
    return dict(found)


def raw(url: str, target: str, body: bytes | Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """A request as it is, and the status and JSON that come back."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", "/", data, {"X-Amz-Target": target, **(headers or {})})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text) if text else None
