"""The tables that commands print: which fields, under which titles."""

from __future__ import annotations

from .output import Column
from .rows import Row
from .text import compact
from .times import local, local_precise

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
    Column("id", "#", right=True),
    Column("time", "TIME", local_precise),
    Column("type", "EVENT", _words, style=_event_style),
    Column("what", "WHAT", _words, style=_event_style),
    Column("subject", "OF"),
    Column("data", "DATA", compact, elastic=True),
)
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
QUEUES = (
    Column("kind", "KIND"),
    Column("category", "CATEGORY"),
    Column("ready", "READY", right=True),
    Column("later", "LATER", right=True),
)
DONE = (Column("id", "ID"), Column("done", "DONE"), Column("error", "ERROR", elastic=True))
CORRUPT = (Column("id", "ID"), Column("run", "RUN"), Column("error", "ERROR", elastic=True))
