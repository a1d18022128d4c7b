"""`pyworkflow activity complete`, `fail` and `heartbeat`: answers for an activity that was handed off, by its token."""

from __future__ import annotations

from typing import Any

import click

from .group import Group, command
from .options import connected, output_option, payload_option
from .output import emit_one
from .session import Session


@click.group("activity", cls=Group)
def activity() -> None:
    """Answer for an activity by its token.

    That is what whoever works on a handed-off activity does (auto_complete = False). `describe` shows the tokens.
    """


@command("complete", "pyworkflow activity complete order-17:5f0c:7:8 -i '{\"parcel\": 12}'")
@connected
@click.argument("token")
@payload_option("The activity's result.")
def complete(session: Session, token: str, input: Any) -> None:
    """Complete an activity with a result."""
    session.manager.complete_task(token, input)
    click.echo("Completed.")


@command("fail", "pyworkflow activity fail order-17:5f0c:7:8 --reason 'no such address'")
@connected
@click.argument("token")
@click.option("--reason", required=True, help="Why it failed.")
@payload_option("More about it: JSON.", "--details")
def fail(session: Session, token: str, reason: str, details: Any) -> None:
    """Let an activity fail."""
    from ..activity import ActivityFailed

    session.manager.complete_task(token, ActivityFailed(reason, details))
    click.echo("Failed.")


@command("heartbeat", "pyworkflow activity heartbeat order-17:5f0c:7:8 -i '\"half done\"'")
@connected
@click.argument("token")
@payload_option("How far it is; a timeout shows it.")
@output_option("cancel_requested", what="the field")
def heartbeat(session: Session, token: str, input: Any, form: str) -> None:
    """Say that an activity is being worked on.

    Tells whether its cancellation was requested.
    """
    asked = session.manager.heartbeat(token, input)
    words = "Its cancellation was requested." if asked else "Go on."
    emit_one({"cancel_requested": asked}, form, lambda: click.echo(words))


for _each in (complete, fail, heartbeat):
    activity.add_command(_each)
