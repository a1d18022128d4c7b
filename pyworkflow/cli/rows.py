"""Processes, events and what is pending as plain rows: JSON values and aware datetimes under documented names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .times import moment

if TYPE_CHECKING:
    from ..backend import Description, PendingActivity
    from ..events import Event
    from ..process import Process, ProcessResult

Row = dict[str, Any]

PROCESS_FIELDS = ("id", "run", "workflow", "version", "status", "started", "closed", "parent", "tags")
EVENT_FIELDS = ("process", "run", "id", "time", "type", "what", "subject", "data")
QUEUE_FIELDS = ("kind", "category", "ready", "later")
COPY_FIELDS = ("source", "target", "processes", "copied", "events", "failed")
REPLAY_FIELDS = ("file", "id", "run", "workflow", "outcome", "error")
SCHEDULE_FIELDS = (
    *("id", "workflow", "cron", "every", "time_zone", "overlap", "catch_up", "input", "tags", "paused", "note"),
    *("next", "last", "running", "started", "failed", "skipped", "missed"),
)
OUTCOME_FIELDS = ("id", "status", "result", "reason", "details")
_BESIDE = ("datetime", "id", "identity")
"""What is told of an event in other fields, or not at all."""

DESCRIPTION_FIELDS = (
    *PROCESS_FIELDS,
    *("input", "events", "deadline", "cancel_requested", "decision", "decision_attempts"),
    *("blocked", "outcome", "activities", "timers", "children"),
)


def process_row(process: Process) -> Row:
    """A process as a list shows it; its input and history are not read."""
    row = {name: getattr(process, name, None) for name in PROCESS_FIELDS}
    return row | {"started": moment(row["started"]), "closed": moment(row["closed"]), "tags": list(process.tags)}


def description_row(found: Description) -> Row:
    """All that is known of a process but its history."""
    process = found.process
    return {
        **process_row(process),
        "started": moment(found.started),
        "closed": moment(found.closed),
        "input": process.input,
        "events": found.events,
        "deadline": moment(found.deadline),
        "cancel_requested": found.cancel_requested,
        "decision": found.decision,
        "decision_attempts": found.decision_attempts,
        "blocked": None if found.blocked is None else {"reason": found.blocked[0], "details": found.blocked[1]},
        "outcome": None if found.result is None else _result(found.result),
        "activities": [activity_row(activity) for activity in found.activities],
        "timers": [{"id": id, "due": moment(due)} for id, due in found.timers.items()],
        "children": list(found.children),
    }


def activity_row(activity: PendingActivity) -> Row:
    names = ("id", "activity", "category", "state", "token", "cancel_requested", "heartbeat")
    return {name: getattr(activity, name) for name in names} | {"deadline": moment(activity.deadline)}


def outcome_row(id: str, result: ProcessResult) -> Row:
    """How a process ended; result, reason and details are null where they do not apply."""
    fields = ("result", "reason", "details")
    return {"id": id, "status": result.type, **{name: getattr(result, name, None) for name in fields}}


def event_row(process: str, run: str, event: Event) -> Row:
    """An event: `what` (a decision's or a result's type, a cause) it says of its `subject`, and the rest as data."""
    what, subject, data = _told(event)
    return {
        "process": process,
        "run": run,
        "id": event.id,
        "time": event.datetime,
        "type": event.type,
        "what": what,
        "subject": subject,
        "data": data or None,
    }


def _told(event: Event) -> tuple[str | None, str | None, Row]:
    """What, about what, and the rest, by the names of the attributes that events have."""
    data = {name: getattr(event, name) for name in event.__struct_fields__ if name not in _BESIDE}
    what = data.pop("cause", None)
    subject = None
    if (decision := data.pop("decision", None)) is not None:
        subject, data = _decision(decision)
        data |= {"cause": what} if what else {}
        what = decision.type
    elif (execution := data.pop("activity_execution", None)) is not None:
        subject, data = execution.activity, data | {"id": execution.id, "input": execution.input}
    elif (signal := data.pop("signal", None)) is not None:
        subject, data = signal.name, data | {"data": signal.data}
    elif (timer := data.pop("timer", None)) is not None:
        subject, data = timer.id, data | {"delay": timer.delay, "data": timer.data}
    if "result" in data and hasattr(data["result"], "type"):
        result = _result(data.pop("result"))
        what, data = result.pop("type"), result | data
    if "process_id" in data:
        child = data.pop("process_id")
        subject, data = (child, data) if subject is None else (subject, data | {"process": child})
    return what, subject, _tidy(data)


_PAYLOADS = ("result", "reason", "details", "input", "data")
_SUBJECTS = ("activity", "name", "process_id", "id")


def _decision(decision: Any) -> tuple[str | None, Row]:
    """What a decision is about, and its other attributes."""
    data = _public(decision)
    if (child := data.pop("process", None)) is not None:
        return child.id, data | {"workflow": child.workflow, "input": child.input, "tags": child.tags}
    signal = data.pop("signal", None)
    subject = next((data.pop(name) for name in _SUBJECTS if name in data), None)
    return subject, data | ({} if signal is None else {"signal": signal.name, "data": signal.data})


def _result(result: Any) -> Row:
    return {"type": result.type, **_public(result)}


def _public(thing: Any) -> Row:
    """The attributes that anybody may see."""
    return {name: value for name, value in vars(thing).items() if name[0] != "_"}


def _tidy(data: Row) -> Row:
    """What users wrote first, what says nothing not at all."""
    ordered = sorted(data.items(), key=lambda item: item[0] not in _PAYLOADS)
    return {name: value for name, value in ordered if value is not None and value != {} and value != []}
