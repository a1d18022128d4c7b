"""`pyworkflow replay` and `check`: does today's code follow the histories that were written before?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .bulk import progress
from .columns import REPLAYS
from .errors import ERROR
from .group import command
from .options import connected, output_option
from .output import emit
from .rows import REPLAY_FIELDS, Row
from .session import Session
from .times import Moment

if TYPE_CHECKING:
    from ..manager import Manager
    from ..process import Process


_inputs = click.option("--inputs", is_flag=True, help="Compare what calls are handed, and results, too.")


@command(
    "replay", "pyworkflow -A shop:workflows replay order-17.json", "pyworkflow replay -A shop:workflows tests/*.json"
)
@connected
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@_inputs
@output_option(*REPLAY_FIELDS)
def replay(session: Session, files: tuple[Path, ...], inputs: bool, form: str) -> None:
    """Run today's code against exported histories.

    FILES are what `history --export` printed. No backend is needed. Exits with 1 when the code of a workflow does not
    follow its history any more; what differs is shown. Workflows that are no code follow any.
    """
    manager = session.manager_of_app()
    _report([_row(manager, path.name, lambda path=path: _load(path), inputs) for path in files], form)  # type: ignore[misc]


@command("check", "pyworkflow check -A shop:workflows -b sqlite:///shop.db --since 7d")
@connected
@click.option("--since", type=Moment(), help="Closed ones too, that were started then or later.")
@_inputs
@output_option(*REPLAY_FIELDS)
def check(session: Session, since: datetime | None, inputs: bool, form: str) -> None:
    """Run today's code against the histories of open processes.

    For a test before a deployment: nothing is changed. Exits with 1 when the code of a process does not follow its
    history any more.
    """
    manager = session.manager_with_app()
    found = list(_processes(manager, since))
    _report([_row(manager, "", lambda it=it: it, inputs) for it in progress(found, "Replaying")], form)  # type: ignore[misc]


def _processes(manager: Manager, since: datetime | None) -> Iterator[Process]:
    yield from list(manager.processes())
    if since is not None:
        yield from manager.processes(status="closed", started_from=since)


def _load(path: Path) -> Process:
    from ..exported import load

    return load(path.read_bytes())


def _row(manager: Manager, file: str, find: Callable[[], Process], inputs: bool) -> Row:
    """What became of one history."""
    from ..exceptions import NotDeterministic, UnknownTypeException, UnreadableHistory

    row: Row = {"file": file or None, "id": None, "run": None, "workflow": None, "outcome": "follows", "error": None}
    try:
        process = find()
        row |= {"id": process.id, "run": process.run, "workflow": process.workflow}
        is_code = manager.check(process if file else f"{process.id}:{process.run}", inputs)
        row["outcome"] = "follows" if is_code else "no code"
    except NotDeterministic as error:
        row |= {"outcome": "differs", "error": str(error)}
    except OSError as error:
        row |= {"outcome": "unknown", "error": f"cannot read {file}: {error.strerror}"}
    except (UnknownTypeException, UnreadableHistory) as error:
        row |= {"outcome": "unknown", "error": str(error)}
    except Exception as error:
        row |= {"outcome": "raises", "error": f"{type(error).__name__}: {error}"}
    return row


def _report(rows: Iterable[Row], form: str) -> None:
    rows = list(rows)
    emit(rows, REPLAYS, form, "No histories.")
    bad = [row for row in rows if row["error"] is not None]
    if not bad:
        return
    for row in bad:
        click.echo(f"\n{row['error']}", err=True)
    click.echo(f"Error: {len(bad):,} of {len(rows):,} histories are not followed", err=True)
    raise click.exceptions.Exit(ERROR)
