"""`pyworkflow backend copy`: moves to another backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .bulk import progress
from .columns import NOT_COPIED
from .errors import ERROR
from .group import command
from .options import output_option
from .output import emit, emit_one
from .rows import COPY_FIELDS, Row

if TYPE_CHECKING:
    from ..engine.copying import Copier
    from ..engine.store import Store

MANY = 10


@command("copy", "pyworkflow backend copy sqlite:///orders.db sqlite:///copy.db")
@click.argument("source", metavar="SOURCE-URL")
@click.argument("target", metavar="TARGET-URL")
@click.option("--held", is_flag=True, help="Copy what workers hold too, such as what somebody else completes.")
@output_option(*COPY_FIELDS)
def copy(source: str, target: str, held: bool, form: str) -> None:
    """Copy all processes, open and closed, with their histories to another backend.

    Stop all workers first, and start them again on the target. The source is left as it is. Every checksum is
    verified. Interrupted or run again, it goes on where it was; what the target has of its own is never overwritten.
    Exits with 1 when a process could not be copied.
    """
    from ..engine.copying import Copier

    copier = Copier(_store(source, create=False), _store(target, create=True))
    if not held:
        _refuse_what_is_held(copier)
    row, failed = _copy_all(copier)
    emit_one(row | {"source": source, "target": target}, form, lambda: click.echo(_told(row)))
    if failed:
        if form == "table":
            emit(failed, NOT_COPIED, form, "")
        click.echo(f"Error: {len(failed):,} processes could not be copied", err=True)
        raise click.exceptions.Exit(ERROR)


def _store(url: str, create: bool) -> Store:
    from ..backend import open_backend
    from ..engine.engine import Engine
    from ..exceptions import UnsupportedBackend

    backend = open_backend(url, create=create)
    click.get_current_context().find_root().call_on_close(backend.close)
    if not isinstance(backend, Engine):
        raise UnsupportedBackend(f"{url}: only what pyworkflow itself keeps can be copied")
    return backend.store


def _refuse_what_is_held(copier: Copier) -> None:
    held = list(copier.held())
    if held:
        some = "; ".join(held[:MANY]) + (f"; and {len(held) - MANY:,} more" if len(held) > MANY else "")
        raise click.ClickException(
            f"workers hold {some}. Stop them and wait for what they have begun. What is left then was handed off or "
            "lost, and --held copies it too."
        )


def _copy_all(copier: Copier) -> tuple[Row, list[Row]]:
    from ..engine.copying import Diverged
    from ..exceptions import CorruptRecord

    counts = {"processes": 0, "copied": 0, "events": 0}
    failed: list[Row] = []
    processes = [*copier.processes()]
    for summary in progress(processes, "Copying"):
        counts["processes"] += 1
        try:
            if copier.changed(summary.id):
                counts["events"] += copier.copy(summary.id)
                counts["copied"] += 1
        except (CorruptRecord, Diverged) as error:
            failed.append({"id": summary.id, "error": str(error)})
    known = {row["id"] for row in failed}
    failed += [
        {"id": summary.id, "error": "it began or changed meanwhile: stop all workers and programs, and copy again"}
        for summary in copier.processes()
        if summary.id not in known and copier.changed(summary.id)
    ]
    return counts | {"failed": failed}, failed


def _told(row: Row) -> str:
    there = row["processes"] - row["copied"] - len(row["failed"])
    before = f", {there:,} were there before" if there else ""
    return f"Copied {row['copied']:,} processes, {row['events']:,} events{before}."
