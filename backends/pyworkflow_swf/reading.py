"""SWF's histories as ours: each event once, in order, grown as events come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pyworkflow import events as ev
from pyworkflow import process as proc
from pyworkflow.activity import ActivityExecution
from pyworkflow.decision import RequestCancelProcess, StartChildProcess
from pyworkflow.signal import Signal

from .decisions import BY_KIND, Row, join, read_row
from .foreign import ForeignEvent
from .kinds import ACTIVITY_ENDS, CHILD_ENDS, DECIDED, REFUSED, End, event_attributes
from .values import EVENTS_SIDE, Texts

Attributes = Mapping[str, Any]
Own = Callable[[Any, Attributes, Attributes], bool]
_NO_ATTRIBUTES: Attributes = {}


class Reader:
    """The events of one run. `last` is the number of the last one that was read, `started` the attributes of the first.

    `hidden` are events that a decider is not shown. Our events carry SWF's numbers, which have gaps: what SWF says
    twice, or only to itself, is not shown. `own` is for those who find words of their own in a history: functions by
    event type that say whether the event was theirs.
    """

    def __init__(self, texts: Texts, own: Mapping[str, Own] | None = None) -> None:
        self.texts = texts
        self.own = own or {}
        self.last = 0
        self.events: list[ev.Event] = []
        self.hidden: list[ev.Event] = []
        self.started: Attributes = {}
        self.result: proc.ProcessResult | None = None
        self.refs: dict[int, Any] = {}
        self._answered = 0

    def extend(self, events: Iterable[Attributes]) -> None:
        """Read what comes after `last`; what was read before is passed over."""
        for event in events:
            if event["eventId"] > self.last:
                self.append(event)

    def append(self, event: Attributes) -> None:
        """Read one event."""
        self.last = id = event["eventId"]
        kind = event["eventType"]
        attributes = event.get(event_attributes(kind)) or _NO_ATTRIBUTES
        own = self.own.get(kind)
        if own is not None and own(self, event, attributes):
            return
        read = _READ.get(kind)
        if read is not None:
            cls, values = read
            made: ev.Event = cls(**values(self, id, attributes), datetime=moment(event["eventTimestamp"]), id=id)
            (self.hidden if cls is ev.DecisionCompletedEvent else self.events).append(made)
        elif kind not in _SILENT:
            time = moment(event["eventTimestamp"])
            self.events.append(ForeignEvent(kind=kind, attributes=dict(attributes), datetime=time, id=id))

    def all_events(self) -> list[ev.Event]:
        """The events that a decider is not shown included, in order."""
        return sorted(self.events + self.hidden, key=_number)

    def answered(self, completed: int | None) -> None:
        """An event came of an answer: so that was not an empty one."""
        if completed == self._answered and completed:
            self.hidden.pop()
            self._answered = 0

    def execution(self, scheduled: int) -> ActivityExecution:
        """The execution that an activity's events share."""
        return self.refs[scheduled].execution  # type: ignore[no-any-return]


def moment(time: datetime | float) -> datetime:
    """A time of SWF's: what botocore makes of it, or seconds since 1970."""
    return time.astimezone(UTC) if isinstance(time, datetime) else datetime.fromtimestamp(time, UTC)


def _number(event: ev.Event) -> int:
    return event.id or 0


# -- rows: what an event's values are ----------

Values = dict[str, Any]
Read = tuple[type[ev.Event], Callable[[Reader, int, Attributes], Values]]


def _decided(row: Row) -> Read:
    def read(reader: Reader, id: int, attributes: Attributes) -> Values:
        reader.answered(attributes.get("decisionTaskCompletedEventId"))
        decision = reader.refs[id] = read_row(row, attributes, reader.texts, EVENTS_SIDE)
        if row.cls.closes:
            reader.result = _CLOSED[row.kind](decision, attributes)
        return {"decision": decision}

    return ev.DecisionEvent, read


def _continued(reader: Reader, id: int, attributes: Attributes) -> Values:
    """The event has the type whole where the decision has its version."""
    version = (attributes.get("workflowType") or {}).get("version")
    return _decided(BY_KIND["ContinueAsNewWorkflowExecution"])[1](
        reader, id, {**attributes, "workflowTypeVersion": version}
    )


_CLOSED: dict[str, Callable[[Any, Attributes], proc.ProcessResult]] = {
    "CompleteWorkflowExecution": lambda d, a: proc.ProcessCompleted(d.result),
    "FailWorkflowExecution": lambda d, a: proc.ProcessFailed(d.reason, d.details),
    "CancelWorkflowExecution": lambda d, a: proc.ProcessCanceled(d.details),
    "ContinueAsNewWorkflowExecution": lambda d, a: proc.ProcessContinued(a["newExecutionRunId"]),
}


def _refused(row: Row) -> Read:
    def read(reader: Reader, id: int, attributes: Attributes) -> Values:
        reader.answered(attributes.get("decisionTaskCompletedEventId"))
        decision = reader.refs.get(attributes.get("initiatedEventId") or 0)
        if decision is None:
            decision = read_row(row, attributes, reader.texts, EVENTS_SIDE)
        return {"decision": decision, "cause": attributes.get("cause", "")}

    return ev.DecisionRefusedEvent, read


def _activity_end(end: End) -> Read:
    def read(reader: Reader, id: int, attributes: Attributes) -> Values:
        result = end.make(**end.fields.read(attributes, reader.texts, EVENTS_SIDE))
        return {"activity_execution": reader.execution(attributes["scheduledEventId"]), "result": result}

    return ev.ActivityEvent, read


def _child(reader: Reader, attributes: Attributes) -> Values:
    sent = reader.refs.get(attributes["initiatedEventId"])
    tags = sent.process.tags if isinstance(sent, StartChildProcess) else []
    workflow = attributes["workflowType"]["name"]
    return {"process_id": attributes["workflowExecution"]["workflowId"], "workflow": workflow, "tags": tags}


def _child_end(end: End) -> Read:
    def read(reader: Reader, id: int, attributes: Attributes) -> Values:
        result = end.make(**end.fields.read(attributes, reader.texts, EVENTS_SIDE))
        return {**_child(reader, attributes), "result": result}

    return ev.ChildProcessEvent, read


def _signal_delivered(reader: Reader, id: int, attributes: Attributes) -> Values:
    sent = reader.refs[attributes["initiatedEventId"]]
    return {"process_id": sent.process_id, "signal": sent.signal}


def _cancel_delivered(reader: Reader, id: int, attributes: Attributes) -> Values:
    sent = reader.refs.get(attributes["initiatedEventId"])
    to = attributes["workflowExecution"]
    if isinstance(sent, RequestCancelProcess):
        return {"process_id": sent.process_id}
    return {"process_id": join(to["workflowId"], to.get("runId"))}


def _started(reader: Reader, id: int, attributes: Attributes) -> Values:
    reader.started = attributes
    return {}


def _completed(reader: Reader, id: int, attributes: Attributes) -> Values:
    reader._answered = id
    return {}


def _timed_out(reader: Reader, id: int, attributes: Attributes) -> Values:
    reader.result = proc.ProcessTimedOut()
    return {}


def _terminated(reader: Reader, id: int, attributes: Attributes) -> Values:
    cause = attributes.get("cause") or "OPERATOR_INITIATED"
    values = {"reason": attributes.get("reason"), "details": reader.texts.load(attributes.get("details"))}
    reader.result = proc.ProcessTerminated(**values, cause=cause)
    return {**values, "cause": cause}


def _signaled(reader: Reader, id: int, attributes: Attributes) -> Values:
    return {"signal": Signal(attributes["signalName"], reader.texts.load(attributes.get("input")))}


def _taken(reader: Reader, id: int, attributes: Attributes) -> Values:
    return {"identity": attributes.get("identity") or ""}


def _nothing(reader: Reader, id: int, attributes: Attributes) -> Values:
    return {}


_READ: dict[str, Read] = {
    **{DECIDED[kind]: _decided(row) for kind, row in BY_KIND.items()},
    **{REFUSED[kind]: _refused(row) for kind, row in BY_KIND.items()},
    **{end.kind: _activity_end(end) for end in ACTIVITY_ENDS},
    **{end.kind: _child_end(end) for end in CHILD_ENDS},
    "WorkflowExecutionContinuedAsNew": (ev.DecisionEvent, _continued),
    "WorkflowExecutionStarted": (ev.ProcessStartedEvent, _started),
    "WorkflowExecutionSignaled": (ev.SignalEvent, _signaled),
    "WorkflowExecutionCancelRequested": (ev.CancelRequestedEvent, _nothing),
    "WorkflowExecutionTimedOut": (ev.ProcessTimedOutEvent, _timed_out),
    "WorkflowExecutionTerminated": (ev.ProcessTerminatedEvent, _terminated),
    "DecisionTaskStarted": (ev.DecisionStartedEvent, _taken),
    "DecisionTaskCompleted": (ev.DecisionCompletedEvent, _completed),
    "DecisionTaskTimedOut": (ev.DecisionTimedOutEvent, _nothing),
    "ActivityTaskStarted": (
        ev.ActivityStartedEvent,
        lambda reader, id, a: {"activity_execution": reader.execution(a["scheduledEventId"]), **_taken(reader, id, a)},
    ),
    "TimerFired": (ev.TimerEvent, lambda reader, id, a: {"timer": reader.refs[a["startedEventId"]]}),
    "ChildWorkflowExecutionStarted": (ev.ChildProcessStartedEvent, lambda reader, id, a: _child(reader, a)),
    "ExternalWorkflowExecutionSignaled": (ev.ProcessSignaledEvent, _signal_delivered),
    "ExternalWorkflowExecutionCancelRequested": (ev.ProcessCancelRequestedEvent, _cancel_delivered),
}
"""Our event of each of SWF's, and how its values are made."""

_SILENT = frozenset({"DecisionTaskScheduled"})
"""What tells a decider nothing."""

READABLE = frozenset({*_READ, *_SILENT})
"""The event types that have a row; of the others a ForeignEvent is made."""
