"""`pyworkflow list` and `pyworkflow count`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .columns import PROCESSES
from .group import command
from .options import STATUSES, connected, filter_options, given, output_option
from .output import Column, console, emit, emit_one, table, to_json, width
from .rows import PROCESS_FIELDS, Row, process_row
from .session import Session, nothing_matches, unknown_workflow

if TYPE_CHECKING:
    from rich.text import Text

    from ..manager import Manager

PAGE = 500
REFRESH = 1.0


@command(
    "list",
    "pyworkflow list --workflow Order --status failed --since 7d",
    "pyworkflow list --status all --limit 0 -o jsonl | jq -r .id",
)
@connected
@filter_options
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True, help="How many at most; 0 for all.")
@click.option("--cursor", help="Go on where an earlier list ended; it said with which cursor.")
@click.option("--watch", is_flag=True, help="Show it again when it changes, until interrupted.")
@output_option(*PROCESS_FIELDS)
def list_(session: Session, limit: int, cursor: str | None, watch: bool, form: str, **filters: Any) -> None:
    """List processes, the newest start first.

    Open ones, unless --status or a closing time says otherwise. Where there are more than --limit, the cursor of the
    rest is told on stderr.
    """
    which = given(filters)
    nothing = nothing_matches(session.manager, which.get("workflow"))
    if watch:
        _watch(session.manager, which, limit, form, nothing)
    else:
        emit(_rows(session.manager, which, limit, cursor), PROCESSES, form, nothing)


def _rows(manager: Manager, which: dict[str, Any], limit: int, cursor: str | None = None) -> Iterator[Row]:
    """Up to `limit` processes; says on stderr how to go on where there are more."""
    left = limit
    while True:
        page = manager.page(**which, limit=min(left, PAGE) if limit else PAGE, cursor=cursor)
        yield from map(process_row, page.processes)
        left -= len(page.processes)
        cursor = page.cursor
        if cursor is None:
            return
        if limit and left <= 0:
            click.echo(f"There are more: --cursor {cursor}", err=True)
            return


def _watch(manager: Manager, which: dict[str, Any], limit: int, form: str, nothing: str) -> None:
    if form == "json":
        raise click.UsageError("--watch has no end, so no JSON array: use -o jsonl.")
    if form == "jsonl":
        _watch_as_lines(manager, which, limit)
    elif width() is None:
        _watch_as_tables(manager, which, limit, nothing)
    else:
        _watch_live(manager, which, limit, nothing)


def _top(manager: Manager, which: dict[str, Any], limit: int) -> list[Row]:
    return [process_row(process) for process in manager.page(**which, limit=limit or PAGE).processes]


def _watch_as_lines(manager: Manager, which: dict[str, Any], limit: int) -> None:
    """Each process when it appears and when it changes."""
    known: dict[tuple[str, str], Row] = {}
    while True:
        now = {(row["id"], row["run"]): row for row in _top(manager, which, limit)}
        for row in reversed([row for key, row in now.items() if known.get(key) != row]):
            click.echo(to_json(row))
        known = now
        time.sleep(REFRESH)


def _watch_as_tables(manager: Manager, which: dict[str, Any], limit: int, nothing: str) -> None:
    shown: list[Row] | None = None
    while True:
        rows = _top(manager, which, limit)
        if rows != shown:
            if shown is not None:
                click.echo()
            emit(rows, PROCESSES, "table", nothing)
        shown = rows
        time.sleep(REFRESH)


def _watch_live(manager: Manager, which: dict[str, Any], limit: int, nothing: str) -> None:
    from rich.live import Live

    terminal = console()
    with Live(console=terminal, auto_refresh=False, screen=True) as live:
        while True:
            rows = _top(manager, which, min(limit or PAGE, terminal.height - 3))
            live.update(_screen(rows, terminal.width, nothing), refresh=True)
            time.sleep(REFRESH)


def _screen(rows: list[Row], width: int, nothing: str) -> Text:
    from rich.text import Text

    head = Text(f"{time.strftime('%H:%M:%S')} · Ctrl-C ends\n\n", "dim")
    return head.append_text(table(rows, PROCESSES, width)) if rows else head.append(nothing)


@command(
    "count",
    "pyworkflow count --by status",
    "pyworkflow count --workflow Order --status failed --closed-since 1d",
)
@connected
@filter_options
@click.option("--by", type=click.Choice(["status", "workflow"]), help="One count for each; of all processes.")
@output_option("count", what="the fields status or workflow (with --by), and")
def count(session: Session, by: str | None, form: str, **filters: Any) -> None:
    """Count processes.

    Open ones, unless --status, a closing time or --by says otherwise.
    """
    which = given(filters)
    nothing = nothing_matches(session.manager, which.get("workflow"))
    if by is None:
        number = session.manager.count(**which)
        if not number and unknown_workflow(session.manager, which.get("workflow")):
            click.echo(nothing, err=True)
        emit_one({"count": number}, form, lambda: click.echo(number))
        return
    which.setdefault("status", "all")
    counts = _by_status(session.manager, which) if by == "status" else _by_workflow(session.manager, which)
    rows = [{by: name, "count": number} for name, number in counts.items()]
    emit(rows, (Column(by, by.upper()), Column("count", "COUNT", right=True)), form, nothing)


_MEANT = {"all": STATUSES, "open": STATUSES[:2], "closed": STATUSES[2:]}


def _by_status(manager: Manager, which: dict[str, Any]) -> dict[str, int]:
    wanted = _MEANT.get(which["status"], (which["status"],))
    counts = {status: manager.count(**which | {"status": status}) for status in wanted}
    return {status: number for status, number in counts.items() if number}


def _by_workflow(manager: Manager, which: dict[str, Any]) -> dict[str, int]:
    """No backend counts by workflow: the summaries of all that match are read."""
    return dict(sorted(Counter(row["workflow"] for row in _rows(manager, which, 0)).items()))
