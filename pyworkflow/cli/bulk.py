"""Doing something to several processes: those given by id, or all that match some filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .columns import DONE, PROCESSES
from .errors import NOT_FOUND, confirm
from .options import F, all_of, given, open_filter_options, output_option, yes_option
from .output import console, emit
from .rows import Row, process_row
from .session import nothing_matches
from .text import inert

if TYPE_CHECKING:
    from ..manager import Manager

T = TypeVar("T")


@dataclass(frozen=True)
class Verb:
    """What is done, as question, progress and report say it; `status` is that of the processes that can take it."""

    ask: str
    doing: str
    done: str
    status: str = "open"


def bulk_options(*statuses: str) -> Callable[[F], F]:
    """The filters and the safety catches; they arrive as the keyword arguments of `act`."""
    return all_of(
        open_filter_options(*statuses),
        click.option("--all", "everything", is_flag=True, help="All of them, where there is no filter."),
        click.option("--dry-run", is_flag=True, help="Only list them."),
        yes_option,
        output_option("id", "run", "done", "error"),
    )


def act(
    manager: Manager,
    verb: Verb,
    do: Callable[[str], object],
    *,
    ids: Sequence[str],
    everything: bool,
    dry_run: bool,
    yes: bool,
    form: str,
    **filters: Any,
) -> None:
    """Do it to the processes that are meant, and report."""
    which = given(filters)
    _check(ids, which, everything)
    rows = [_given_row(manager, id, dry_run) for id in ids] if ids else _matching(manager, verb, which)
    nothing = nothing_matches(manager, which.get("workflow"))
    if dry_run:
        emit(rows, PROCESSES, form, nothing)
        return
    if not ids and (not rows or not confirm(f"{verb.ask} {_processes(len(rows))}?", yes)):
        emit([], DONE, form, "" if rows else nothing)
        return
    _report(verb, _do_all(verb, do, rows, bool(ids)), form, bool(ids))


def _check(ids: Sequence[str], which: dict[str, Any], everything: bool) -> None:
    if ids and (which or everything):
        raise click.UsageError("give either ids or filters, not both.")
    if everything and which:
        raise click.UsageError("--all is for when there is no filter: it would not widen this one.")
    if not ids and not which and not everything:
        raise click.UsageError("which processes? Give their ids, filters such as --workflow, or --all.")


def _given_row(manager: Manager, id: str, look: bool) -> Row:
    if look:
        found = manager.describe(id)
        return process_row(found.process)
    return {"id": id, "run": None}


def _matching(manager: Manager, verb: Verb, which: dict[str, Any]) -> list[Row]:
    return [process_row(process) for process in manager.processes(**{"status": verb.status} | which)]


def _do_all(verb: Verb, do: Callable[[str], object], rows: Sequence[Row], by_id: bool) -> list[Row]:
    """Do it to each. One that is gone, or not there, does not keep the others from their turn."""
    from ..exceptions import CannotReset, InvalidName, UnknownResourceException, WorkflowError

    reports: list[Row] = []
    for row in progress(rows, verb.doing):
        error = None
        try:
            # A match is meant as it was shown: not a later run that somebody started under its id.
            do(row["id"] if by_id else f"{row['id']}:{row['run']}")
        except (CannotReset, UnknownResourceException, InvalidName) as gone:
            if len(rows) == 1 and by_id:
                raise
            error = str(gone)
        except WorkflowError:
            click.echo(f"{verb.done} {_processes(_count(reports))} of {len(rows)}, then:", err=True)
            raise
        reports.append({"id": row["id"], "run": row["run"], "done": error is None, "error": error})
    return reports


def _report(verb: Verb, reports: Sequence[Row], form: str, by_id: bool) -> None:
    missed = [row for row in reports if not row["done"]]
    if form == "table":
        click.echo(f"{verb.done} {_processes(_count(reports))}.")
    else:
        emit(reports, DONE, form, "")
    for row in missed:
        click.echo(f"{'Error: ' if by_id else 'Not any more: '}{inert(row['error'])}", err=True)
    if missed and by_id:
        raise click.exceptions.Exit(NOT_FOUND)


def _count(reports: Iterable[Row]) -> int:
    return sum(row["done"] for row in reports)


def _processes(number: int) -> str:
    return f"{number:,} process{'' if number == 1 else 'es'}"


def progress(items: Sequence[T], doing: str, total: int | None = None) -> Iterable[T]:
    """The items, with a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty() or len(items) < 2:
        return items
    from rich.progress import track

    return track(items, doing, console=console(stderr=True), transient=True)
