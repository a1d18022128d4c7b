"""`pyworkflow queue`, `prune` and `backend`: for those who run it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from .bulk import progress
from .columns import CORRUPT, QUEUES
from .copy import copy
from .errors import ERROR, confirm
from .group import Group, command
from .inspect import print_pairs
from .options import connected, output_option, yes_option
from .output import emit, emit_one
from .rows import QUEUE_FIELDS, Row
from .session import Session
from .times import Moment, iso

if TYPE_CHECKING:
    from ..backend import Backend
    from ..process import Process


@click.group("queue", cls=Group)
def queue() -> None:
    """Look at the queues of tasks."""


@command("list", "pyworkflow queue list", "pyworkflow queue list -o jsonl")
@connected
@output_option(*QUEUE_FIELDS)
def queue_list(session: Session, form: str) -> None:
    """List the queues that hold tasks.

    Kinds are decision, activity, alarm and letter. `ready` counts what a worker could take now, `later` what is
    due later or held by a worker.
    """
    rows = [{name: getattr(queue, name) for name in QUEUE_FIELDS} for queue in session.manager.queues()]
    emit(rows, QUEUES, form, "All queues are empty.")


@command("prune", "pyworkflow prune --closed-before 90d --dry-run", "pyworkflow prune --closed-before 2026-01-01 -y")
@connected
@click.option("--closed-before", type=Moment(), required=True, help="A time, or an age such as 90d.")
@click.option("--dry-run", is_flag=True, help="Only count them.")
@yes_option
@output_option("closed_before", "matching", "deleted")
def prune(session: Session, closed_before: datetime, dry_run: bool, yes: bool, form: str) -> None:
    """Delete closed processes with their histories.

    Earlier runs of a process count as processes. This cannot be undone; without -y you are asked.
    """
    manager = session.manager
    matching = manager.count(status="closed", closed_to=closed_before)
    asked = f"Delete {matching:,} closed before {closed_before.astimezone():%Y-%m-%d %H:%M}, with their histories?"
    deleted = 0
    if matching and not dry_run and confirm(asked, yes):
        deleted = manager.purge(closed_before)
    words = f"{matching:,} would be deleted." if dry_run else f"Deleted {deleted:,}."
    row = {"closed_before": iso(closed_before), "matching": matching, "deleted": deleted}
    emit_one(row, form, lambda: click.echo(words))


@click.group("backend", cls=Group)
def backend() -> None:
    """Look after the backend itself."""


@command("info", "pyworkflow -b sqlite:///orders.db backend info")
@connected
@output_option("backend", what="the backend's own fields, among them")
def info(session: Session, form: str) -> None:
    """Show what the backend is and how it is set up."""
    row = session.backend.info()
    emit_one(row, form, lambda: print_pairs([(name, str(value)) for name, value in row.items()]))


@command("migrate", "pyworkflow -b sqlite:///orders.db backend migrate")
@connected
@output_option("backend", "schema", what="the backend's own fields, among them")
def migrate(session: Session, form: str) -> None:
    """Bring what is stored up to this version's schema.

    Opening a backend does that, whoever opens it; this command does nothing else. A schema of a newer version is
    refused with exit code 1.
    """
    row = session.backend.info()
    schema = row.get("schema")
    words = "This backend has no schema to migrate." if schema is None else f"The schema is up to date: {schema}."
    emit_one(row, form, lambda: click.echo(words))


@command("check", "pyworkflow -b sqlite:///orders.db backend check")
@connected
@output_option("id", "run", "error")
def check(session: Session, form: str) -> None:
    """Read every history and verify its checksums.

    Lists what is corrupt and exits with 1 when there is any.
    """
    manager = session.manager
    processes = list(manager.processes(status="all"))
    corrupt = list(_corrupt(manager.backend, progress(processes, "Reading")))
    emit(corrupt, CORRUPT, form, f"All {len(processes):,} histories are whole.")
    if corrupt:
        click.echo(f"Error: {len(corrupt):,} of {len(processes):,} histories are corrupt", err=True)
        raise click.exceptions.Exit(ERROR)


def _corrupt(backend: Backend, processes: Iterable[Process]) -> Iterator[Row]:
    for process in processes:
        error = _error_in(backend, f"{process.id}:{process.run}")
        if error is not None:
            yield {"id": process.id, "run": process.run, "error": error}


def _error_in(backend: Backend, ref: str) -> str | None:
    """What is wrong with a history. Damage can break more than checksums: any error counts but a backend's absence."""
    from ..exceptions import BackendUnavailable, CorruptRecord, UnknownProcessException

    try:
        events = len(backend.history(ref))
        whole = backend.describe_process(ref)
    except UnknownProcessException:
        return None  # purged since it was listed
    except BackendUnavailable:
        raise
    except Exception as error:
        return str(error) if isinstance(error, CorruptRecord) else f"{type(error).__name__}: {error}"
    # An open process may have gone on between the two questions.
    return f"{whole.events - events} events are missing" if whole.closed and events < whole.events else None


for _each in (info, check, copy, migrate):
    backend.add_command(_each)
queue.add_command(queue_list)
