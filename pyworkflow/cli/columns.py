"""The tables that commands print: which fields, under which titles."""

from __future__ import annotations

from .output import Column
from .rows import Row
from .text import compact, end_of_traceback
from .times import local, local_clock, local_iso, local_precise, span

_STYLES = {
    "running": "cyan",
    "blocked": "bold red",
    "completed": "green",
    "failed": "red",
    "timedout": "red",
    "terminated": "magenta",
    "canceled": "yellow",
    "continued": "dim",
}


def status_style(row: Row) -> str:
    return _STYLES.get(str(row.get("status")), "")


def _event_style(row: Row) -> str:
    if row["type"] in ("process_blocked", "decision_failed", "decision_refused", "process_timed_out"):
        return "red"
    return _STYLES.get(str(row["what"]), "")


def _words(value: object) -> str:
    return "" if value is None else str(value).replace("_", " ")


def _essential(data: Row | None) -> str:
    """An event's data without the settings that nearly all events share, and of tracebacks the end; JSON has all."""
    if data is None:
        return ""
    shown = {
        name: end_of_traceback(value)
        for name, value in data.items()
        if not name.endswith("timeout") and _SHARED.get(name) != value
    }
    return compact(shown or None)


_SHARED: Row = {"category": "default", "version": "1.0", "priority": 0}


def _joined(values: list[str]) -> str:
    return ", ".join(values)


PROCESSES = (
    Column("id", "ID"),
    Column("workflow", "WORKFLOW"),
    Column("status", "STATUS", style=status_style),
    Column("started", "STARTED", local),
    Column("closed", "CLOSED", local),
    Column("parent", "PARENT"),
    Column("tags", "TAGS", _joined, elastic=True),
)
EVENTS = (
    Column("id", "#", right=True, least=3),
    Column("time", "TIME", local_precise),
    Column("type", "EVENT", _words, least=16, style=_event_style),
    Column("what", "WHAT", _words, least=17, style=_event_style),
    Column("subject", "OF", least=12),
    Column("data", "DATA", _essential, elastic=True),
)
LAST_EVENTS = (EVENTS[0], Column("time", "TIME", local_clock), *EVENTS[2:])
ACTIVITIES = (
    Column("activity", "ACTIVITY"),
    Column("id", "ID"),
    Column("state", "STATE"),
    Column("category", "CATEGORY"),
    Column("deadline", "DEADLINE", local),
    Column("cancel_requested", "CANCEL", lambda asked: "requested" if asked else ""),
    Column("heartbeat", "HEARTBEAT", compact, elastic=True),
    Column("token", "TOKEN"),
)
TIMERS = (Column("id", "TIMER"), Column("due", "DUE", local_precise))
CHILDREN = (Column("id", "CHILD"),)
QUEUES = (
    Column("kind", "KIND"),
    Column("category", "CATEGORY"),
    Column("ready", "READY", right=True),
    Column("later", "LATER", right=True),
)
DONE = (Column("id", "ID"), Column("done", "DONE"), Column("error", "ERROR", elastic=True))
NOT_COPIED = (Column("id", "ID"), Column("error", "ERROR", elastic=True))
CORRUPT = (Column("id", "ID"), Column("run", "RUN"), Column("error", "ERROR", elastic=True))
REPLAYS = (
    Column("file", "FILE"),
    Column("id", "ID"),
    Column("run", "RUN"),
    Column("workflow", "WORKFLOW"),
    Column("outcome", "OUTCOME", style=lambda row: "" if row["error"] is None else "red"),
)
SCHEDULES = (
    Column("id", "SCHEDULE"),
    Column("workflow", "WORKFLOW"),
    Column("cron", "CRON"),
    Column("every", "EVERY", lambda seconds: "" if seconds is None else span(seconds)),
    Column("time_zone", "ZONE"),
    Column("paused", "PAUSED", lambda paused: "paused" if paused else ""),
    Column("next", "NEXT", local_iso),
    Column("started", "STARTED", right=True),
)
