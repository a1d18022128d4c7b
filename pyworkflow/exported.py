"""Histories as JSON documents: to be kept, and replayed against the code of another day. The format has a version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pyworkflow.activity as act

from . import decision as dec
from . import events as ev
from . import process as proc
from .activity import ActivityExecution
from .decision import Decision
from .events import Event
from .exceptions import UnreadableHistory
from .process import Process
from .signal import Signal

FORMAT, VERSION = "pyworkflow-history", 1
_PROCESS = ("workflow", "id", "run", "version", "parent", "tags", "input")
_CHILD = ("workflow", "id", "input", "tags", "version")


def export(process: Process, history: Sequence[Event]) -> dict[str, Any]:
    """A process with all its events, as JSON values."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "process": {name: getattr(process, name) for name in _PROCESS},
        "events": [_event_out(event) for event in history],
    }


def load(document: Any) -> Process:
    """The process of a document, or of its JSON text. Raises UnreadableHistory."""
    try:
        if isinstance(document, str | bytes):
            document = json.loads(document)
        if document["format"] != FORMAT or document["version"] != VERSION:
            raise UnreadableHistory(
                f"the history has the format {document['format']!r}, version {document['version']!r}; "
                f"this version of pyworkflow reads {FORMAT!r}, version {VERSION}"
            )
        history = [_event_in(event) for event in document["events"]]
        return Process(**{name: document["process"][name] for name in _PROCESS}, history=history)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, UnreadableHistory):
            raise
        raise UnreadableHistory(f"this is no exported history: {type(error).__name__}: {error}") from None


# -- out ----------


def _event_out(event: Event) -> dict[str, Any]:
    known = {"type": event.type, "id": event.id, "time": event.datetime.isoformat()}
    names = [name for name in event.__struct_fields__ if name not in ("datetime", "id")]
    return known | {name: _value_out(getattr(event, name)) for name in names}


def _value_out(value: Any) -> Any:
    """Decisions, results, signals and executions become objects with their attributes."""
    if isinstance(value, Process):
        return {name: getattr(value, name) for name in _CHILD}
    if isinstance(value, Decision | act.ActivityResult | proc.ProcessResult):
        return {"type": value.type, **{name: _value_out(it) for name, it in vars(value).items() if name[0] != "_"}}
    if isinstance(value, Signal | ActivityExecution):
        return dict(vars(value))
    return value


# -- in ----------


def _concrete(module: Any, base: type) -> dict[str, Any]:
    found = {}
    for cls in vars(module).values():
        if isinstance(cls, type) and issubclass(cls, base) and isinstance(getattr(cls, "type", None), str):
            found[str(cls.type)] = cls  # type: ignore[attr-defined]
    return found


_EVENTS = _concrete(ev, Event)
_DECISIONS = _concrete(dec, Decision)
_ENDS = _concrete(act, act.ActivityResult)
_CHILD_ENDS = _concrete(proc, proc.ProcessResult)


def _decision_in(value: Any) -> Decision:
    rest = {name: it for name, it in value.items() if name != "type"}
    cls = _DECISIONS[value["type"]]
    decision: Decision = cls.__new__(cls)
    vars(decision).update(dict(_attributes_in(rest)))
    if isinstance(decision, dec.ScheduleActivity):
        decision._execution = None
    return decision


def _attributes_in(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if name == "process":
            yield name, Process(**value)
        elif name == "signal":
            yield name, Signal(**value)
        else:
            yield name, value


def _end_in(ends: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda value: ends[value["type"]](**{name: it for name, it in value.items() if name != "type"})


_FIELDS: dict[str, Callable[[Any], Any]] = {
    "decision": _decision_in,
    "timer": _decision_in,
    "signal": lambda value: Signal(**value),
    "activity_execution": lambda value: ActivityExecution(**value),
}


def _event_in(value: dict[str, Any]) -> Event:
    cls = _EVENTS[value["type"]]
    fields = {name: it for name, it in value.items() if name not in ("type", "time")}
    for name in fields:
        if name in _FIELDS:
            fields[name] = _FIELDS[name](fields[name])
    if cls is ev.ActivityEvent:
        fields["result"] = _end_in(_ENDS)(fields["result"])
    elif cls is ev.ChildProcessEvent:
        fields["result"] = _end_in(_CHILD_ENDS)(fields["result"])
    event: Event = cls(**fields, datetime=datetime.fromisoformat(value["time"]))
    return event
