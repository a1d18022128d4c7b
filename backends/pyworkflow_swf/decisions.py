"""SWF's decisions beside ours: one row a type, read and written. A new decision is a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pyworkflow import decision as dec
from pyworkflow.process import Process
from pyworkflow.signal import Signal

from .foreign import ForeignDecision
from .values import (
    DECISIONS_SIDE,
    DELAY,
    NUMBER,
    OPTIONAL_NUMBER,
    OPTIONAL_TAGS,
    PAYLOAD,
    REASON,
    TAGS,
    TIMEOUT,
    Field,
    Fields,
    Side,
    Texts,
)

Values = dict[str, Any]


class Row(NamedTuple):
    """A type of decision: SWF's name, our class, its fields; `take` gives a decision's values, `make` one of values."""

    kind: str
    cls: type[dec.Decision]
    fields: Fields
    take: Callable[[Any], Mapping[str, Any]] = vars
    make: Callable[[Values], dec.Decision] | None = None

    def build(self, values: Values) -> dec.Decision:
        return self.cls(**values) if self.make is None else self.make(values)


# -- decisions that are not simply their fields ----------


def join(workflow_id: str, run_id: str | None) -> str:
    """Our name of an execution: `id`, or `id:run`."""
    return f"{workflow_id}:{run_id}" if run_id else workflow_id


def split(process_id: str) -> tuple[str, str | None]:
    """SWF's two names of an execution; the run is None for the current one."""
    id, _, run = process_id.partition(":")
    return id, run or None


def _take_signal(decision: dec.SignalProcess) -> Values:
    id, run = split(decision.process_id)
    return {"id": id, "run": run, "name": decision.signal.name, "data": decision.signal.data}


def _make_signal(values: Values) -> dec.SignalProcess:
    return dec.SignalProcess(join(values["id"], values["run"]), Signal(values["name"], values["data"]))


def _take_cancel(decision: dec.RequestCancelProcess) -> Values:
    id, run = split(decision.process_id)
    return {"id": id, "run": run}


def _take_child(decision: dec.StartChildProcess) -> Values:
    process = decision.process
    about = {name: getattr(process, name) for name in ("workflow", "version", "id", "input", "tags")}
    return vars(decision) | about


def _make_child(values: Values) -> dec.StartChildProcess:
    about = {name: values.pop(name, None) for name in ("workflow", "version", "id", "input", "tags")}
    policy = values.pop("child_policy", None)
    child = Process(**about)
    return dec.StartChildProcess(child, **values) if policy is None else dec.StartChildProcess(child, policy, **values)


# -- the table ----------

_STARTING = (
    Field("timeout", "executionStartToCloseTimeout", TIMEOUT),
    Field("decision_timeout", "taskStartToCloseTimeout", TIMEOUT),
    Field("category", "taskList.name"),
)
_TARGET = (Field("id", "workflowId"), Field("run", "runId"))

ROWS = (
    Row(
        "ScheduleActivityTask",
        dec.ScheduleActivity,
        Fields(
            Field("activity", "activityType.name"),
            Field("version", "activityType.version"),
            Field("id", "activityId"),
            Field("input", "input", PAYLOAD),
            Field("category", "taskList.name"),
            Field("priority", "taskPriority", NUMBER),
            Field("scheduled_timeout", "scheduleToStartTimeout", TIMEOUT),
            Field("execution_timeout", "startToCloseTimeout", TIMEOUT),
            Field("heartbeat_timeout", "heartbeatTimeout", TIMEOUT),
            Field("close_timeout", "scheduleToCloseTimeout", TIMEOUT),
        ),
    ),
    Row(
        "RequestCancelActivityTask",
        dec.CancelActivity,
        Fields(Field("id", "activityId")),
        make=lambda values: dec.CancelActivity(values["id"] or ""),
    ),
    Row("CompleteWorkflowExecution", dec.CompleteProcess, Fields(Field("result", "result", PAYLOAD))),
    Row(
        "FailWorkflowExecution",
        dec.FailProcess,
        Fields(Field("reason", "reason", REASON), Field("details", "details", PAYLOAD)),
    ),
    Row("CancelWorkflowExecution", dec.CancelProcess, Fields(Field("details", "details", PAYLOAD))),
    Row(
        "ContinueAsNewWorkflowExecution",
        dec.ContinueAsNew,
        Fields(
            Field("input", "input", PAYLOAD),
            Field("version", "workflowTypeVersion"),
            Field("tags", "tagList", OPTIONAL_TAGS),
            Field("priority", "taskPriority", OPTIONAL_NUMBER),
            *_STARTING,
        ),
    ),
    Row(
        "RecordMarker",
        dec.RecordMarker,
        Fields(Field("name", "markerName"), Field("details", "details", PAYLOAD)),
    ),
    Row(
        "StartTimer",
        dec.Timer,
        Fields(Field("id", "timerId"), Field("delay", "startToFireTimeout", DELAY), Field("data", "control", PAYLOAD)),
    ),
    Row(
        "CancelTimer",
        dec.CancelTimer,
        Fields(Field("id", "timerId")),
        make=lambda values: dec.CancelTimer(values["id"] or ""),
    ),
    Row(
        "SignalExternalWorkflowExecution",
        dec.SignalProcess,
        Fields(*_TARGET, Field("name", "signalName"), Field("data", "input", PAYLOAD)),
        _take_signal,
        _make_signal,
    ),
    Row(
        "RequestCancelExternalWorkflowExecution",
        dec.RequestCancelProcess,
        Fields(*_TARGET),
        _take_cancel,
        lambda values: dec.RequestCancelProcess(join(values["id"], values["run"])),
    ),
    Row(
        "StartChildWorkflowExecution",
        dec.StartChildProcess,
        Fields(
            Field("workflow", "workflowType.name"),
            Field("version", "workflowType.version"),
            Field("id", "workflowId"),
            Field("input", "input", PAYLOAD),
            Field("tags", "tagList", TAGS),
            Field("child_policy", "childPolicy"),
            Field("priority", "taskPriority", NUMBER),
            *_STARTING,
        ),
        _take_child,
        _make_child,
    ),
)
"""Twelve of SWF's thirteen; ScheduleLambdaFunction is a ForeignDecision."""

BY_KIND = {row.kind: row for row in ROWS}
BY_TYPE = {row.cls.type: row for row in ROWS}


def attributes_name(kind: str) -> str:
    """Where a decision of this type has its attributes."""
    return f"{kind[0].lower()}{kind[1:]}DecisionAttributes"


def write_decision(decision: dec.Decision, texts: Texts) -> dict[str, Any]:
    """A decision as SWF takes it. What is None is left out: then SWF takes the type's."""
    if isinstance(decision, ForeignDecision):
        return {"decisionType": decision.kind, attributes_name(decision.kind): dict(decision.attributes)}
    row = BY_TYPE[decision.type]
    attributes = row.fields.write(row.take(decision), texts, DECISIONS_SIDE)
    return {"decisionType": row.kind, attributes_name(row.kind): attributes}


def read_decision(decision: Mapping[str, Any], texts: Texts) -> dec.Decision:
    """A decision of SWF's as ours. Of its fields `control`, `lambdaRole` and a continued run's childPolicy stay out."""
    kind = decision["decisionType"]
    attributes = decision.get(attributes_name(kind)) or {}
    row = BY_KIND.get(kind)
    if row is None:
        return ForeignDecision(kind, dict(attributes))
    return read_row(row, attributes, texts, DECISIONS_SIDE)


def read_row(row: Row, attributes: Mapping[str, Any], texts: Texts, side: Side) -> dec.Decision:
    """The decision that attributes of its row describe."""
    return row.build(row.fields.read(attributes, texts, side))
