"""What clients ask for, with names of their domain and the defaults of their types: starts, and answers of deciders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pyworkflow import decision as dec
from pyworkflow.backend import Backend, Refused
from pyworkflow_swf import FOREVER, Start, read_decision
from pyworkflow_swf.decisions import BY_KIND, attributes_name

from .faults import Fault, invalid, not_permitted
from .names import Domain
from .register import Type
from .registry import Registry
from .scribe import ANSWER

Attributes = dict[str, Any]


class Default(NamedTuple):
    """A member that may be left out where the type has a default: what that is called, and the cause without one."""

    member: str
    name: str
    cause: str


ACTIVITY = (
    Default("taskList", "defaultTaskList", "TASK_LIST"),
    Default("scheduleToStartTimeout", "defaultTaskScheduleToStartTimeout", "SCHEDULE_TO_START_TIMEOUT"),
    Default("startToCloseTimeout", "defaultTaskStartToCloseTimeout", "START_TO_CLOSE_TIMEOUT"),
    Default("scheduleToCloseTimeout", "defaultTaskScheduleToCloseTimeout", "SCHEDULE_TO_CLOSE_TIMEOUT"),
    Default("heartbeatTimeout", "defaultTaskHeartbeatTimeout", "HEARTBEAT_TIMEOUT"),
)
WORKFLOW = (
    Default("taskList", "defaultTaskList", "TASK_LIST"),
    Default("executionStartToCloseTimeout", "defaultExecutionStartToCloseTimeout", "EXECUTION_START_TO_CLOSE_TIMEOUT"),
    Default("taskStartToCloseTimeout", "defaultTaskStartToCloseTimeout", "TASK_START_TO_CLOSE_TIMEOUT"),
    Default("childPolicy", "defaultChildPolicy", "CHILD_POLICY"),
)


class Undefined(Exception):
    """A member is missing, and the type has no default for it: `cause` is SWF's."""

    def __init__(self, default: Default) -> None:
        super().__init__(default.member)
        self.member = default.member
        self.cause = f"DEFAULT_{default.cause}_UNDEFINED"


def completed(request: Mapping[str, Any], type: Type, defaults: tuple[Default, ...]) -> Attributes:
    """A request with what it leaves out taken from the type. Raises Undefined."""
    found = {"taskPriority": type.defaults.get("defaultTaskPriority", "0"), **request}
    for default in defaults:
        if found.get(default.member) is None:
            if default.name not in type.defaults:
                raise Undefined(default)
            found[default.member] = type.defaults[default.name]
    return found


def policy_to_keep(request: Mapping[str, Any], type: Type) -> str | None:
    """The childPolicy of an execution, where it is not what its type says anyway."""
    wanted = request.get("childPolicy")
    return None if wanted in (None, type.defaults.get("defaultChildPolicy")) else str(wanted)


class Answers:
    """Makes our decisions of SWF's."""

    def __init__(self, backend: Backend, registry: Registry) -> None:
        self._backend = backend
        self._registry = registry
        self._known: set[tuple[str, str]] = set()

    def read(self, request: Mapping[str, Any], domain: Domain, start: Start) -> list[dec.Decision]:
        """The answer to a decision task of a run that was started so. Raises Fault."""
        decisions: list[dec.Decision] = []
        more: dict[str, Attributes] = {}
        given = request.get("decisions") or []
        for place, each in enumerate(given):
            made, beside = self._decision(each, place, domain, start)
            if made.closes and place < len(given) - 1:
                raise invalid("Close must be last decision in list")
            decisions.append(made)
            if beside:
                more[str(place)] = beside
        note = {"context": request.get("executionContext"), "more": more}
        return [dec.RecordMarker(ANSWER, note), *decisions] if any(note.values()) else decisions

    def _decision(
        self, given: Mapping[str, Any], place: int, domain: Domain, start: Start
    ) -> tuple[dec.Decision, Attributes]:
        kind = given["decisionType"]
        if kind not in BY_KIND:
            raise not_permitted(f"{kind} is not supported: this server runs no Lambda functions")
        name = attributes_name(kind)
        if given.get(name) is None and kind in NEEDED:
            at = f"decisions.{place + 1}.member.{name}"
            raise invalid(f"Value null at '{at}' failed to satisfy constraint: Member must not be null")
        attributes = dict(given.get(name) or {})
        beside = {key: attributes[key] for key in ("control",) if key in attributes and kind != "StartTimer"}
        try:
            return self._complete(kind, attributes, domain, start, beside), beside
        except Fault as fault:
            raise invalid(f"decisions.{place + 1}: {fault.message}") from None

    def _complete(
        self, kind: str, attributes: Attributes, domain: Domain, start: Start, beside: Attributes
    ) -> dec.Decision:
        if kind == "RecordMarker" and attributes["markerName"].startswith("~swf"):
            raise invalid(f"Value '{attributes['markerName']}': names that begin with ~swf are the server's own")
        cause = ""
        if kind in TYPED:
            attributes, type, cause = self._typed(kind, attributes, domain, start)
            if kind != "ScheduleActivityTask":
                beside["childPolicy"] = attributes.get("childPolicy", start.child_policy)
        decision = read_decision(
            {"decisionType": kind, attributes_name(kind): inside(attributes, domain)}, domain.texts
        )
        if isinstance(decision, dec.StartChildProcess) and type is not None:
            decision.process.input = domain.texts.start(attributes.get("input"), policy_to_keep(attributes, type))
            decision.child_policy = start.child_policy
        elif isinstance(decision, dec.ContinueAsNew) and type is not None:
            decision.input = domain.texts.start(attributes.get("input"), policy_to_keep(attributes, type))
        elif isinstance(decision, dec.ScheduleActivity):
            self._make_known(decision)
        return Refused(decision, cause) if cause else decision

    def _typed(
        self, kind: str, attributes: Attributes, domain: Domain, start: Start
    ) -> tuple[Attributes, Type | None, str]:
        """The attributes with their type's defaults, the type, and why it must be refused."""
        of, defaults = TYPED[kind]
        named = {
            "name": domain.outside(start.workflow),
            "version": attributes.get("workflowTypeVersion", start.version),
        }
        named = attributes.get(f"{of.lower()}Type", named)
        try:
            type = self._registry.type(domain.name, of, named)
        except Fault:
            return attributes, None, f"{of.upper()}_TYPE_DOES_NOT_EXIST"
        if type.deprecated is not None:
            return attributes, type, f"{of.upper()}_TYPE_DEPRECATED"
        try:
            found = completed(attributes, type, defaults)
        except Undefined as missing:
            return attributes, type, missing.cause
        if kind == "ContinueAsNewWorkflowExecution":
            found = {**found, "tagList": attributes.get("tagList", []), "workflowTypeVersion": named["version"]}
        return found, type, ""

    def _make_known(self, decision: dec.ScheduleActivity) -> None:
        """The backend refuses types that it was not told of."""
        key = (decision.activity, str(decision.version))
        if key not in self._known:
            self._backend.register_activity(decision.activity, version=str(decision.version))
            self._known.add(key)


TYPED = {
    "ScheduleActivityTask": ("Activity", ACTIVITY),
    "StartChildWorkflowExecution": ("Workflow", WORKFLOW),
    "ContinueAsNewWorkflowExecution": ("Workflow", WORKFLOW),
}
NEEDED = BY_KIND.keys() - {
    *("CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution"),
    "ContinueAsNewWorkflowExecution",
}
"""Decisions that say nothing without attributes."""


def inside(attributes: Attributes, domain: Domain) -> Attributes:
    """The same under the names that the domain has in the backend. Raises Fault for a name that is too long."""
    found = dict(attributes)
    for key in found.keys() & {"taskList", "activityType", "workflowType"}:
        found[key] = {**found[key], "name": domain.inside(found[key]["name"])}
    if "workflowId" in found:
        found["workflowId"] = domain.inside(found["workflowId"])
    if found.get("tagList"):
        found["tagList"] = [domain.inside(tag) for tag in found["tagList"]]
    return found


def seconds(value: str) -> float:
    """A timeout of a start: NONE is no limit. Raises Fault."""
    if value == "NONE":
        return FOREVER
    if not value.isdecimal():
        raise invalid(f"Value '{value}' is no number of seconds: use digits, or NONE")
    return float(value)
