"""A process while it runs: its events as they come, or a live view of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from .columns import ACTIVITIES, CHILDREN, EVENTS, LAST_EVENTS, TIMERS, status_style
from .outcome import finish
from .output import Stream, console, table, width
from .rows import Row, description_row, event_row
from .text import inert
from .times import span

if TYPE_CHECKING:
    from rich.text import Text

    from ..backend import Description
    from ..manager import Manager
    from ..process import ProcessResult

REFRESH = 0.25
SHOWN_EVENTS = 8
SHOWN_PENDING = 10


def news(manager: Manager, ref: str) -> Iterator[list[Row]]:
    """The events of a process as they come, until it is closed; over all its runs, unless `ref` names one."""
    from ..process import ProcessContinued

    process = manager.describe(ref).process
    run, seen = str(process.run), 0
    while True:
        this_run = f"{process.id}:{run}"
        # Asked before the events are read: a process that was closed then has no more than those.
        ended = manager.backend.wait_for_process(this_run, REFRESH if seen else 0.0)
        events = manager.history(this_run, seen)
        seen += len(events)
        yield [event_row(str(process.id), run, event) for event in events]
        if isinstance(ended, ProcessContinued) and ":" not in ref:
            run, seen = ended.run, 0
        elif ended is not None:
            return


def watch_process(manager: Manager, ref: str) -> None:
    """Show a process until it is closed; live on a terminal, else event by event. Exits with 4 unless it completed."""
    if width() is None:
        print_news(manager, ref)
    else:
        _watch_live(manager, ref)
    result = manager.wait(ref)
    if result.type == "completed":
        click.echo(f"process {inert(ref)} completed:", err=True)
    finish(ref, result, "table")


def print_news(manager: Manager, ref: str) -> None:
    """Print events as they come."""
    stream = Stream(EVENTS)
    for rows in news(manager, ref):
        stream.print(rows)


def _watch_live(manager: Manager, ref: str) -> None:
    from rich.live import Live

    terminal = console()
    with Live(console=terminal, auto_refresh=False, vertical_overflow="crop") as live:
        ended: ProcessResult | None = None
        while ended is None:
            live.update(_view(manager, manager.describe(ref), terminal.width), refresh=True)
            ended = manager.backend.wait_for_process(ref, REFRESH)
        live.update(_view(manager, manager.describe(ref), terminal.width), refresh=True)


def _view(manager: Manager, found: Description, width: int) -> Text:
    """Head, what is pending, and the last events."""
    from rich.text import Text

    row = description_row(found)
    row["children"] = [{"id": child} for child in row["children"]]
    parts = [_head(row, found)]
    for name, columns in (("activities", ACTIVITIES), ("timers", TIMERS), ("children", CHILDREN)):
        if pending := row[name]:
            parts.append(table(pending[:SHOWN_PENDING], columns, width))
            if len(pending) > SHOWN_PENDING:
                parts[-1].append(f"\n… and {len(pending) - SHOWN_PENDING:,} more {name}", "dim")
    last = manager.history(f"{row['id']}:{row['run']}", max(0, found.events - SHOWN_EVENTS))
    parts.append(table([event_row(row["id"], row["run"], event) for event in last], LAST_EVENTS, width))
    return Text("\n\n").join(parts)


def _head(row: Row, found: Description) -> Text:
    from rich.text import Text

    lasted = (found.closed or time.time()) - found.started
    head = Text.assemble(
        (inert(str(row["id"])), "bold"), "  ", inert(str(row["workflow"])), "  ", (row["status"], status_style(row))
    )
    head.append(f"  {span(lasted)}  {found.events} events", "dim")
    if found.cancel_requested and found.closed is None:
        head.append("  cancel requested", "yellow")
    if found.blocked is not None:
        head.append(f"\nblocked: {inert(found.blocked[0])}", "red")
    return head
