"""The operations of workers: what is handed out, kept alive and handed in. A task's token is the backend's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow.activity import ActivityCanceled, ActivityCompleted, ActivityFailed, ActivityResult
from pyworkflow.engine.tokens import activity_token, decision_token
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask

from . import pages
from .endpoint import Endpoint
from .executions import page_of
from .faults import not_permitted
from .names import domain_of
from .texts import ExactTexts

Request = dict[str, Any]
Handler = Callable[[Endpoint, Request], Any]

NOBODY: dict[str, Request] = {
    "PollForDecisionTask": {"startedEventId": 0, "previousStartedEventId": 0},
    "PollForActivityTask": {"startedEventId": 0},
}
"""What a poll brings that brings nothing."""

# -- handed out ----------


def handed_out(endpoint: Endpoint, task: DecisionTask | ActivityTask, request: Request) -> Request:
    """A task as its poller gets it."""
    if isinstance(task, DecisionTask):
        return _decision_page(endpoint, task.token, request, 0)
    return _activity(endpoint, task, request)


def next_decision_page(endpoint: Endpoint, request: Request) -> Request:
    """A further page of a task that somebody has: no other task is taken for it."""
    token, done = pages.place(request["nextPageToken"], tuple[str, int]) or ("", 0)
    return _decision_page(endpoint, token, request, done)


def _decision_page(endpoint: Endpoint, token: str, request: Request, done: int) -> Request:
    id, run, started = decision_token(token)
    domain = endpoint.domain(request["domain"])
    scribe = endpoint.histories.get(id, run, started)
    last = scribe.started[started]
    previous = scribe.before[last]
    first = previous - 1 if request.get("startAtPreviousStartedEvent") and previous else 0
    page = page_of(scribe.pages, done, last, request, first)
    if "nextPageToken" in page:
        page["nextPageToken"] = pages.token(token, done + len(page["events"]))
    return {
        "taskToken": token,
        "startedEventId": last,
        "previousStartedEventId": previous,
        "workflowExecution": {"workflowId": domain.outside(id), "runId": run},
        "workflowType": {"name": domain.outside(scribe.start.workflow), "version": scribe.start.version},
        **page,
    }


def _activity(endpoint: Endpoint, task: ActivityTask, request: Request) -> Request:
    id, run, _, started = activity_token(task.token)
    domain = endpoint.domain(request["domain"])
    scribe = endpoint.histories.get(id, run, started)
    text = domain.texts.dump(task.input)
    return {
        "taskToken": task.token,
        "activityId": task.activity_execution.id,
        "startedEventId": scribe.started[started],
        "workflowExecution": {"workflowId": domain.outside(id), "runId": run},
        "activityType": {"name": domain.outside(task.activity), "version": task.context["version"]},
        **({} if text is None else {"input": text}),
    }


# -- handed in ----------


def _answer(endpoint: Endpoint, request: Request) -> None:
    token = request["taskToken"]
    id, run, _ = decision_token(token)
    if "taskList" in request and "taskListScheduleToStartTimeout" not in request:
        raise not_permitted("a task list for good cannot be set by an answer: set it when you start the execution")
    domain = endpoint.registry.of_process(domain_of(id))
    decisions = endpoint.answers.read(request, domain, endpoint.histories.start(id, run))
    endpoint.backend.complete_decision_task(DecisionTask(Process(id=id), {"token": token}), decisions)


Result = Callable[[Request, ExactTexts], ActivityResult]


def _end(result: Result) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> None:
        task, texts = _held(endpoint, request)
        endpoint.backend.complete_activity_task(task, result(request, texts))

    return handle


def _heartbeat(endpoint: Endpoint, request: Request) -> Request:
    task, texts = _held(endpoint, request)
    details = texts.load(request.get("details"))
    return {"cancelRequested": endpoint.backend.heartbeat_activity_task(task, details)}


def _held(endpoint: Endpoint, request: Request) -> tuple[ActivityTask, ExactTexts]:
    """The task that a worker has, and how its texts are read."""
    id = activity_token(request["taskToken"])[0]
    return ActivityTask.from_token(request["taskToken"]), endpoint.registry.of_process(domain_of(id)).texts


OPERATIONS: dict[str, Handler] = {
    "RespondDecisionTaskCompleted": _answer,
    "RespondActivityTaskCompleted": _end(lambda request, texts: ActivityCompleted(texts.load(request.get("result")))),
    "RespondActivityTaskFailed": _end(
        lambda request, texts: ActivityFailed(request.get("reason"), texts.load(request.get("details")))
    ),
    "RespondActivityTaskCanceled": _end(lambda request, texts: ActivityCanceled(texts.load(request.get("details")))),
    "RecordActivityTaskHeartbeat": _heartbeat,
}
