"""How a process ended: what is printed of it, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .errors import NOT_COMPLETED
from .output import emit_one
from .rows import Row, outcome_row
from .text import details, inert, pretty

if TYPE_CHECKING:
    from ..process import ProcessResult

_WORDS = {
    "timedout": "timed out",
    "canceled": "was canceled",
    "terminated": "was terminated",
    "continued": "went on as another run",
}


def finish(id: str, result: ProcessResult, form: str) -> None:
    """Print how a process ended, and exit with 4 unless it completed.

    For people: the result on stdout, anything else on stderr.
    """
    row = outcome_row(id, result)
    emit_one(row, form, lambda: _tell(row))
    if row["status"] != "completed":
        raise click.exceptions.Exit(NOT_COMPLETED)


def _tell(row: Row) -> None:
    if row["status"] == "completed":
        click.echo(pretty(row["result"]))
        return
    click.echo(f"Error: process {inert(row['id'])} {_words_for(row)}", err=True)
    if row["details"] is not None:
        click.echo(details(row["details"]), err=True)


def _words_for(row: Row) -> str:
    """How a process ended, in a few words, with the reason."""
    words = _WORDS.get(row["status"], str(row["status"]))
    return f"{words}: {inert(str(row['reason']))}" if row["reason"] else words
