"""The operations on single executions: started, signaled, canceled, terminated, described, and their histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow.backend import Description
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow_swf.decisions import join

from . import pages
from .answers import WORKFLOW, Undefined, completed, policy_to_keep, seconds
from .endpoint import Endpoint
from .faults import swf
from .names import Domain

Request = dict[str, Any]
Handler = Callable[[Endpoint, Request], Any]

CLOSE_STATUS = {
    "completed": "COMPLETED",
    "failed": "FAILED",
    "canceled": "CANCELED",
    "terminated": "TERMINATED",
    "continued": "CONTINUED_AS_NEW",
    "timedout": "TIMED_OUT",
}


def _start(endpoint: Endpoint, request: Request) -> Request:
    domain = endpoint.open_domain(request["domain"])
    named = request["workflowType"]
    type = endpoint.registry.type(domain.name, "Workflow", named)
    if type.deprecated is not None:
        raise swf("TypeDeprecatedFault", str(type))
    try:
        about = completed(request, type, WORKFLOW)
    except Undefined as missing:
        name = next(default.name for default in WORKFLOW if default.member == missing.member)
        raise swf("DefaultUndefinedFault", name) from None
    process = Process(
        domain.inside(named["name"]),
        domain.inside(request["workflowId"]),
        domain.texts.start(request.get("input"), policy_to_keep(request, type)),
        [domain.inside(tag) for tag in request.get("tagList") or ()],
        version=named["version"],
    )
    id = endpoint.backend.start_process(
        process,
        timeout=seconds(about["executionStartToCloseTimeout"]),
        decision_timeout=seconds(about["taskStartToCloseTimeout"]),
        category=domain.inside(about["taskList"]["name"]),
        priority=int(about["taskPriority"]),
    )
    return {"runId": endpoint.backend.describe_process(id).process.run}


def _target(endpoint: Endpoint, request: Request) -> tuple[Domain, str]:
    domain = endpoint.domain(request["domain"])
    return domain, join(domain.inside(request["workflowId"]), request.get("runId"))


def _signal(endpoint: Endpoint, request: Request) -> None:
    domain, target = _target(endpoint, request)
    endpoint.backend.signal_process(target, Signal(request["signalName"], domain.texts.load(request.get("input"))))


def _request_cancel(endpoint: Endpoint, request: Request) -> None:
    endpoint.backend.cancel_process(_target(endpoint, request)[1])


def _terminate(endpoint: Endpoint, request: Request) -> None:
    domain, target = _target(endpoint, request)
    details = domain.texts.load(request.get("details"))
    endpoint.backend.terminate_process(target, request.get("reason"), details, child_policy=request.get("childPolicy"))


# -- questions ----------


def _execution(endpoint: Endpoint, request: Request) -> tuple[Domain, str, str]:
    domain, named = endpoint.domain(request["domain"]), request["execution"]
    return domain, domain.inside(named["workflowId"]), named["runId"]


def _describe(endpoint: Endpoint, request: Request) -> Request:
    domain, id, run = _execution(endpoint, request)
    about = endpoint.backend.describe_process(f"{id}:{run}")
    scribe = endpoint.histories.get(id, run)
    counts = {
        "openActivityTasks": len(about.activities),
        "openDecisionTasks": int(about.decision != "idle"),
        "openTimers": len(about.timers),
        "openChildWorkflowExecutions": len(about.children),
        "openLambdaFunctions": 0,
    }
    started = scribe.events[0]["workflowExecutionStartedEventAttributes"]
    names = ("taskStartToCloseTimeout", "executionStartToCloseTimeout", "taskList", "taskPriority", "childPolicy")
    more = {"latestActivityTaskTimestamp": scribe.latest_activity, "latestExecutionContext": scribe.context}
    return {
        "executionInfo": execution_info(about, domain),
        "executionConfiguration": {name: started[name] for name in names if name in started},
        "openCounts": counts,
        **{name: value for name, value in more.items() if value is not None},
    }


def execution_info(about: Description, domain: Domain) -> Request:
    """What lists tell of an execution."""
    process = about.process
    info: Request = {
        "execution": {"workflowId": domain.outside(str(process.id)), "runId": process.run},
        "workflowType": {"name": domain.outside(str(process.workflow)), "version": process.version},
        "startTimestamp": about.started,
        "executionStatus": "OPEN" if about.closed is None else "CLOSED",
        "tagList": [domain.outside(tag) for tag in process.tags],
        "cancelRequested": about.cancel_requested,
    }
    if about.closed is not None:
        info |= {"closeTimestamp": about.closed, "closeStatus": CLOSE_STATUS[str(process.status)]}
    if process.parent and about.parent_run:
        info["parent"] = {"workflowId": domain.outside(process.parent), "runId": about.parent_run}
    return info


def _history(endpoint: Endpoint, request: Request) -> Request:
    _, id, run = _execution(endpoint, request)
    scribe = endpoint.histories.get(id, run)
    place = pages.place(request.get("nextPageToken"), tuple[int, int])
    done, last = place or (0, len(scribe.pages))
    return page_of(scribe.pages, done, last, request)


def page_of(events: list[Any], done: int, last: int, request: Request, first: int = 0) -> Request:
    """A page of the events from `first` to `last`, of which `done` were on pages before it."""
    count = min(pages.size(request), last - first - done)
    if request.get("reverseOrder"):
        page = events[last - done - count : last - done][::-1]
    else:
        page = events[first + done : first + done + count]
    done += count
    return {"events": page, **({"nextPageToken": pages.token(done, last)} if first + done < last else {})}


OPERATIONS: dict[str, Handler] = {
    "StartWorkflowExecution": _start,
    "SignalWorkflowExecution": _signal,
    "RequestCancelWorkflowExecution": _request_cancel,
    "TerminateWorkflowExecution": _terminate,
    "DescribeWorkflowExecution": _describe,
    "GetWorkflowExecutionHistory": _history,
}
