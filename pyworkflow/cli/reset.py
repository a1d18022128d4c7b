"""`pyworkflow reset` and `fork`: processes that go on anew from an earlier event."""

from __future__ import annotations

from typing import Any

import click

from .bulk import Verb, act, bulk_options
from .group import command
from .options import STATUSES, connected, output_option, payload_option
from .output import emit_one
from .session import Session
from .text import inert

_to = click.option("--to", type=click.IntRange(1), help="The last event that is kept, by its number in `history`.")
_reason = click.option("--reason", help="Why; it is kept in the history.")


@command(
    "reset",
    "pyworkflow reset order-17",
    "pyworkflow reset order-17 --to 12 --reason 'wrong prices'",
    "pyworkflow reset --workflow Order --status failed --since 2h --dry-run",
)
@connected
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_to
@_reason
@bulk_options(*STATUSES)
def reset(session: Session, to: int | None, reason: str | None, **chosen: Any) -> None:
    """Let processes go on anew from an earlier event.

    Without --to the last answer of the decider is taken back, and it is asked again: for processes that failed because
    of a bug that is mended. What was done before is kept; a run that is open ends as terminated. The processes are
    given by ID (or id:run), by filters, or are all open ones with --all; where not by id, their number is shown first
    and -y answers the question.
    """
    verb = Verb("Reset", "Resetting", "Reset")
    act(session.manager, verb, lambda id: session.manager.reset(id, to, reason=reason), **chosen)


@command(
    "fork",
    "pyworkflow fork order-17 order-17b --to 12",
    "pyworkflow fork order-17 what-if --step charge --result '{\"paid\": true}'",
)
@connected
@click.argument("source", metavar="ID")
@click.argument("id", metavar="NEW-ID")
@_to
@click.option("--step", metavar="ACTIVITY-ID", help="Go on from before this activity ended, instead of --to.")
@payload_option("The result of the step; it is done again where not given.", "--result")
@_reason
@click.option("--request-id", help="The same request id forks it once, however often it is repeated.")
@output_option("id", what="the field")
def fork(session: Session, source: str, form: str, result: Any, **how: Any) -> None:
    """Start a process with the history of another.

    NEW-ID begins with what happened to ID up to an event, and goes on from there; ID itself is left alone. Without --to
    and --step the last answer of its decider is taken back.
    """
    if how["step"] is not None and how["to"] is not None:
        raise click.UsageError("give either --to or --step.")
    if result is not None:
        how["with_result"] = result
    id = session.manager.fork(source, **how)
    emit_one({"id": id}, form, lambda: click.echo(inert(id)))
