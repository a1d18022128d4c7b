"""`pyworkflow describe`, `history`, `watch` and `result`: one process, looked at."""

from __future__ import annotations

from collections.abc import Sequence

import click

from .columns import ACTIVITIES, EVENTS, TIMERS
from .group import command
from .options import connected, output_option
from .outcome import finish
from .output import Column, console, emit, emit_one, table, to_json, width
from .rows import DESCRIPTION_FIELDS, EVENT_FIELDS, OUTCOME_FIELDS, Row, description_row, event_row
from .session import Session
from .text import details, inert, pretty
from .times import Length, local


@command("describe", "pyworkflow describe order-17", "pyworkflow describe order-17 -o json | jq '.activities[].token'")
@connected
@click.argument("id")
@output_option(*DESCRIPTION_FIELDS)
def describe(session: Session, id: str, form: str) -> None:
    """Show a process and all that is pending.

    That is activities, with the tokens of those that a worker holds, timers and children. ID is that of the process,
    or id:run for one of its runs.
    """
    row = description_row(session.manager.describe(id))
    emit_one(row, form, lambda: _show(row))


def _show(row: Row) -> None:
    print_pairs([(name, value) for name, value in _pairs(row) if value])
    for name in ("input", "result"):
        value = row["input"] if name == "input" else (row["outcome"] or {}).get("result")
        if value is not None:
            click.echo(f"\n{name}\n{pretty(value)}")
    for title, why in (("why it is blocked", row["blocked"]), ("details", row["outcome"])):
        if why and why.get("details") is not None:
            click.echo(f"\n{title}\n{details(why['details'])}")
    _show_rows(row["activities"], ACTIVITIES)
    _show_rows(row["timers"], TIMERS)


def _pairs(row: Row) -> list[tuple[str, str]]:
    """What fits on a line each."""
    outcome = row["outcome"]
    attempts = row["decision_attempts"]
    return [
        *((name, str(row[name] or "")) for name in ("id", "run", "workflow", "version")),
        ("status", f"{row['status']}: {reason}" if (reason := (outcome or {}).get("reason")) else row["status"]),
        ("blocked", row["blocked"]["reason"] if row["blocked"] else ""),
        *((name, local(row[name])) for name in ("started", "closed", "deadline")),
        ("parent", row["parent"] or ""),
        ("tags", ", ".join(row["tags"])),
        ("events", str(row["events"])),
        ("decision", "" if row["closed"] else row["decision"] + (f", failed {attempts} times" if attempts else "")),
        ("cancel", "requested" if row["cancel_requested"] else ""),
        ("children", ", ".join(row["children"])),
    ]


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Names and values, a line each."""
    longest = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        click.echo(f"{name:<{longest}}  {inert(value)}")


def _show_rows(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    if rows:
        click.echo()
        console().print(table(rows, columns, width()), soft_wrap=True)


@command(
    "history",
    "pyworkflow history order-17 -f",
    "pyworkflow history order-17 --export > order-17.json",
    "pyworkflow history order-17 -o jsonl | jq -c '[.type, .what]'",
)
@connected
@click.argument("id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the process is closed, over all its runs.")
@click.option("--export", "exported", is_flag=True, help="Print all of it as one JSON document, for `replay`.")
@output_option(*EVENT_FIELDS)
def history(session: Session, id: str, follow: bool, exported: bool, form: str) -> None:
    """Show what happened to a process.

    These are all events of its current run, or of the run in id:run. In JSON, `what` is said of `subject`: the
    decision that was taken, how an activity ended; `data` is the rest.
    """
    from .watch import news, print_news

    manager = session.manager
    if exported:
        click.echo(to_json(manager.export(id), indent=1))
    elif follow and form == "table":
        print_news(manager, id)
    elif follow:
        emit((row for rows in news(manager, id) for row in rows), EVENTS, form, "No events.")
    else:
        process = manager.describe(id).process
        this_run = f"{process.id}:{process.run}"
        rows = [event_row(str(process.id), str(process.run), event) for event in manager.history(this_run)]
        emit(rows, EVENTS, form, "No events.")


@command("watch", "pyworkflow watch order-17")
@connected
@click.argument("id")
def watch(session: Session, id: str) -> None:
    """Show a process live until it is closed.

    Its state, what is pending, and its last events. Where stdout is no terminal, events are printed as they come.
    Ends as `result` does.
    """
    from .watch import watch_process

    watch_process(session.manager, id)


@command("result", "pyworkflow result order-17 --timeout 5m", "pyworkflow result order-17 -o json | jq .status")
@connected
@click.argument("id")
@click.option("--timeout", type=Length(), help="How long to wait; without end where not given, 0 not at all.")
@output_option(*OUTCOME_FIELDS)
def result(session: Session, id: str, timeout: float | None, form: str) -> None:
    """Wait for a process and print its result.

    Waits until it is closed, over all its runs; the result is JSON. Exit code 4 when it did not complete (how it ended
    is told on stderr, or on stdout with -o), 124 when it is still open after --timeout.
    """
    finish(id, session.manager.wait(id, timeout), form)
