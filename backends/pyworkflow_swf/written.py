"""What each of our events is in SWF's words: one row a type, for the Writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow import decision as dec
from pyworkflow import defaults
from pyworkflow import events as ev

from .decisions import BY_TYPE
from .foreign import ForeignDecision, ForeignEvent
from .kinds import ACTIVITY_ENDS, CHILD_ENDS, DECIDED, REFUSED, REFUSED_FIELDS, SENT
from .values import EVENTS_SIDE, NUMBER, PAYLOAD, REASON, TAGS, TIMEOUT, Field, Fields
from .writing import Transcript

Attributes = dict[str, Any]

# -- the process ----------

_STARTED = Fields(
    Field("workflow", "workflowType.name"),
    Field("version", "workflowType.version"),
    Field("input", "input", PAYLOAD),
    Field("tags", "tagList", TAGS),
    Field("category", "taskList.name"),
    Field("timeout", "executionStartToCloseTimeout", TIMEOUT),
    Field("decision_timeout", "taskStartToCloseTimeout", TIMEOUT),
    Field("priority", "taskPriority", NUMBER),
    Field("child_policy", "childPolicy"),
    Field("continued_run", "continuedExecutionRunId"),
    Field("parent_initiated", "parentInitiatedEventId"),
    Field("parent", "parentWorkflowExecution.workflowId"),
    Field("parent_run", "parentWorkflowExecution.runId"),
)
_TERMINATED = Fields(Field("reason", "reason", REASON), Field("details", "details", PAYLOAD), Field("cause", "cause"))


def _process_started(writer: Transcript, event: ev.ProcessStartedEvent) -> None:
    writer.add("WorkflowExecutionStarted", _STARTED.write(writer.start._asdict(), writer.texts, EVENTS_SIDE))


def _signaled(writer: Transcript, event: ev.SignalEvent) -> None:
    text = writer.texts.dump(event.signal.data)
    writer.add(
        "WorkflowExecutionSignaled", {"signalName": event.signal.name, "input": text, "externalInitiatedEventId": 0}
    )


def _cancel_requested(writer: Transcript, event: ev.CancelRequestedEvent) -> None:
    writer.add("WorkflowExecutionCancelRequested", {"externalInitiatedEventId": 0})


def _timed_out(writer: Transcript, event: ev.ProcessTimedOutEvent) -> None:
    about = {"timeoutType": "START_TO_CLOSE", "childPolicy": writer.start.child_policy}
    writer.add("WorkflowExecutionTimedOut", about)


def _terminated(writer: Transcript, event: ev.ProcessTerminatedEvent) -> None:
    values = {"reason": event.reason, "details": event.details, "cause": event.cause}
    attributes = _TERMINATED.write(values, writer.texts, EVENTS_SIDE)
    writer.add("WorkflowExecutionTerminated", {**attributes, "childPolicy": writer.start.child_policy})


def _foreign(writer: Transcript, event: ForeignEvent) -> None:
    writer.add(event.kind, event.attributes)


def _nothing(writer: Transcript, event: ev.Event) -> None:
    """SWF has no word for it."""


def _noted(writer: Transcript, event: Any) -> None:
    """SWF has no word for it either, but those who look at the history should know."""
    details = writer.texts.dump({"reason": event.reason, "details": event.details})
    about = {"markerName": f"pyworkflow.{event.type}", "details": details}
    writer.add("MarkerRecorded", {**about, "decisionTaskCompletedEventId": writer.completed})


def _reset(writer: Transcript, event: ev.ProcessResetEvent) -> None:
    told = {name: getattr(event, name) for name in ("process_id", "run", "event", "reason")}
    about = {"markerName": f"pyworkflow.{event.type}", "details": writer.texts.dump(told)}
    writer.add("MarkerRecorded", {**about, "decisionTaskCompletedEventId": writer.completed})


# -- decisions ----------


def _decided(writer: Transcript, event: ev.DecisionEvent) -> None:
    decision = event.decision
    if isinstance(decision, ForeignDecision):
        return
    row = BY_TYPE[decision.type]
    attributes = row.fields.write(row.take(decision), writer.texts, EVENTS_SIDE)
    attributes["decisionTaskCompletedEventId"] = writer.completed
    if (more := _MORE.get(row.kind)) is not None:
        more(writer, decision, attributes)
    id = writer.add(DECIDED[row.kind], attributes)
    if row.kind in SENT:
        writer.sent.append((decision, id))
        writer.answers[id] = writer.completed
    if (named := _NAMES.get(row.kind)) is not None:
        writer.places[named[0], named[1](decision)] = id


def _continued(writer: Transcript, decision: dec.ContinueAsNew, attributes: Attributes) -> None:
    """What the decision leaves out stays as it was."""
    start = writer.start
    version = attributes.pop("workflowTypeVersion", start.version)
    before = _STARTED.write(start._asdict(), writer.texts, EVENTS_SIDE)
    kept = ("executionStartToCloseTimeout", "taskStartToCloseTimeout", "taskPriority", "tagList", "taskList")
    wanted = {"executionStartToCloseTimeout": decision.timeout, "taskStartToCloseTimeout": decision.decision_timeout}
    for name in kept:
        if name not in attributes or wanted.get(name, 0) is None:
            attributes[name] = before.get(name)
    attributes |= {
        "workflowType": {"name": start.workflow, "version": version},
        "childPolicy": start.child_policy,
        "newExecutionRunId": writer.next_run(),
    }


def _timer_canceled(writer: Transcript, decision: dec.CancelTimer, attributes: Attributes) -> None:
    attributes["startedEventId"] = writer.place("timer", decision.id)


_MORE: dict[str, Callable[[Transcript, Any, Attributes], None]] = {
    "ContinueAsNewWorkflowExecution": _continued,
    "CancelTimer": _timer_canceled,
}
_NAMES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "ScheduleActivityTask": ("activity", lambda decision: decision.id),
    "RequestCancelActivityTask": ("cancel", lambda decision: decision.id),
    "StartTimer": ("timer", lambda decision: decision.id),
}
"""Under which name later events refer to that of a decision."""


def _refused(writer: Transcript, event: ev.DecisionRefusedEvent) -> None:
    decision = event.decision
    if isinstance(decision, ForeignDecision):
        return
    row = BY_TYPE[decision.type]
    attributes = REFUSED_FIELDS[row.kind].write(row.take(decision), writer.texts, EVENTS_SIDE)
    attributes |= {"cause": event.cause, "decisionTaskCompletedEventId": writer.completed}
    if row.kind in SENT:
        attributes["initiatedEventId"] = initiated = writer.initiated(decision)
        attributes["decisionTaskCompletedEventId"] = writer.answers.get(initiated, writer.completed)
        writer.sent = [(sent, id) for sent, id in writer.sent if id != initiated]
    writer.add(REFUSED[row.kind], attributes)


# -- what comes of decisions ----------


def _activity_started(writer: Transcript, event: ev.ActivityStartedEvent) -> None:
    id = event.activity_execution.id
    writer.places["begun", id] = writer.add("ActivityTaskStarted", {"scheduledEventId": writer.place("activity", id)})


def _activity_ended(writer: Transcript, event: ev.ActivityEvent) -> None:
    id, result = event.activity_execution.id, event.result
    end = next(end for end in ACTIVITY_ENDS if isinstance(result, end.cls))
    attributes = end.fields.write(vars(result), writer.texts, EVENTS_SIDE)
    attributes |= {"scheduledEventId": writer.place("activity", id), "startedEventId": writer.place("begun", id)}
    if end.kind == "ActivityTaskTimedOut":
        attributes.setdefault("timeoutType", "START_TO_CLOSE")
    if end.kind == "ActivityTaskCanceled":
        attributes["latestCancelRequestedEventId"] = writer.place("cancel", id) or None
    writer.add(end.kind, attributes)
    for what in ("begun", "cancel"):
        writer.places.pop((what, id), None)


def _timer_fired(writer: Transcript, event: ev.TimerEvent) -> None:
    id = event.timer.id
    writer.add("TimerFired", {"timerId": id, "startedEventId": writer.place("timer", id)})


def _child(writer: Transcript, event: ev.ChildProcessStartedEvent | ev.ChildProcessEvent) -> Attributes:
    id = event.process_id
    sent = next((d for d, _ in writer.sent if isinstance(d, dec.StartChildProcess) and d.process.id == id), None)
    version = sent.process.version if sent is not None else None
    return {
        "workflowExecution": {"workflowId": id, "runId": writer.run_of(id)},
        "workflowType": {"name": event.workflow, "version": version or defaults.WORKFLOW_VERSION},
        "initiatedEventId": writer.place("child", id),
    }


def _child_started(writer: Transcript, event: ev.ChildProcessStartedEvent) -> None:
    sent = (pair for pair in writer.sent if isinstance(pair[0], dec.StartChildProcess))
    mine = (number for decision, number in sent if decision.process.id == event.process_id)  # type: ignore[attr-defined]
    writer.places["child", event.process_id] = next(mine, 0)
    writer.places["born", event.process_id] = writer.add("ChildWorkflowExecutionStarted", _child(writer, event))


def _child_ended(writer: Transcript, event: ev.ChildProcessEvent) -> None:
    end = next(end for end in CHILD_ENDS if isinstance(event.result, end.cls))
    attributes = {**_child(writer, event), **end.fields.write(vars(event.result), writer.texts, EVENTS_SIDE)}
    attributes["startedEventId"] = writer.place("born", event.process_id)
    if end.kind == "ChildWorkflowExecutionTimedOut":
        attributes["timeoutType"] = "START_TO_CLOSE"
    writer.add(end.kind, attributes)
    writer.sent = [(d, id) for d, id in writer.sent if id != attributes["initiatedEventId"]]


def _delivered(kind: str, cls: type[dec.Decision]) -> Callable[[Transcript, Any], None]:
    def write(writer: Transcript, event: Any) -> None:
        signal = getattr(event, "signal", None)
        found = next((pair for pair in writer.sent if _matches(pair[0], cls, event.process_id, signal)), None)
        if found is not None:
            writer.sent.remove(found)
        about = {"workflowExecution": writer.execution(event.process_id)}
        writer.add(kind, {**about, "initiatedEventId": found[1] if found else 0})

    return write


def _matches(decision: Any, cls: type[dec.Decision], process_id: str, signal: Any) -> bool:
    same = isinstance(decision, cls) and decision.process_id == process_id  # type: ignore[attr-defined]
    return same and (signal is None or decision.signal == signal)


# -- the table ----------

WRITE: dict[type[ev.Event], Callable[[Transcript, Any], None]] = {
    ev.ProcessStartedEvent: _process_started,
    ev.SignalEvent: _signaled,
    ev.CancelRequestedEvent: _cancel_requested,
    ev.ProcessTimedOutEvent: _timed_out,
    ev.ProcessTerminatedEvent: _terminated,
    ev.ProcessBlockedEvent: _noted,
    ev.ProcessResumedEvent: _nothing,
    ev.ProcessResetEvent: _reset,
    ev.DecisionStartedEvent: lambda writer, event: writer.take(),
    ev.DecisionCompletedEvent: _nothing,
    ev.DecisionTimedOutEvent: lambda writer, event: writer.time_out(),
    ev.DecisionFailedEvent: lambda writer, event: writer.time_out(),
    ev.DecisionReleasedEvent: lambda writer, event: writer.time_out(),
    ev.DecisionEvent: _decided,
    ev.DecisionRefusedEvent: _refused,
    ev.ActivityStartedEvent: _activity_started,
    ev.ActivityReleasedEvent: _nothing,
    ev.ActivityEvent: _activity_ended,
    ev.TimerEvent: _timer_fired,
    ev.ChildProcessStartedEvent: _child_started,
    ev.ChildProcessEvent: _child_ended,
    ev.ProcessSignaledEvent: _delivered("ExternalWorkflowExecutionSignaled", dec.SignalProcess),
    ev.ProcessCancelRequestedEvent: _delivered("ExternalWorkflowExecutionCancelRequested", dec.RequestCancelProcess),
    ForeignEvent: _foreign,
}


class Writer(Transcript):
    """Our histories as SWF's."""

    rows = WRITE
