"""`pyworkflow schedule …`: what is started by the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .columns import SCHEDULES
from .group import Group, command
from .inspect import print_pairs
from .options import connected, output_option, payload_option
from .output import emit, emit_one
from .rows import SCHEDULE_FIELDS, Row
from .session import Session
from .text import compact
from .times import Length

if TYPE_CHECKING:
    from ..schedules import Schedules


@click.group("schedule", cls=Group)
def schedule() -> None:
    """Start processes by the clock.

    A worker has to decide on schedules: `pyworkflow.schedules.Scheduler` must be among the workflows of its app.
    """


def _schedules(session: Session) -> Schedules:
    return session.manager.schedules


@command(
    "create",
    "pyworkflow schedule create report Report --cron '30 8 * * MON-FRI' --time-zone Europe/Berlin",
    "pyworkflow schedule create tidy Tidy --every 15m --overlap queue",
)
@connected
@click.argument("id")
@click.argument("workflow")
@click.option("--cron", help="Five fields: minute, hour, day, month, weekday.")
@click.option("--every", type=Length(), help="So often, since it was created.")
@click.option("--time-zone", default="UTC", show_default=True, help="That --cron is meant in.")
@click.option(
    "--overlap",
    type=click.Choice(["skip", "queue", "allow", "cancel"]),
    default="skip",
    show_default=True,
    help="While the last one is running: skip, queue one, allow both, cancel the last.",
)
@click.option(
    "--catch-up", type=Length(), default=3600.0, help="How late it may start after an outage; 1h if not given."
)
@click.option("--tag", "tags", multiple=True, help="Of what it starts; several times for several tags.")
@payload_option("The input of what it starts.")
def create(session: Session, id: str, workflow: str, input: Any, tags: tuple[str, ...], **fields: Any) -> None:
    """Create a schedule: WORKFLOW is started whenever it is time."""
    try:
        _schedules(session).create(id, workflow, input, tags=list(tags), **fields)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    click.echo(id)


@command("list", "pyworkflow schedule list")
@connected
@output_option(*SCHEDULE_FIELDS)
def list_(session: Session, form: str) -> None:
    """List the schedules, the newest first."""
    emit((_row(told) for told in _schedules(session).list()), SCHEDULES, form, "No schedules.")


@command("describe", "pyworkflow schedule describe report")
@connected
@click.argument("id")
@output_option(*SCHEDULE_FIELDS)
def describe(session: Session, id: str, form: str) -> None:
    """Show a schedule, and how far it has come."""
    row = _row(_schedules(session).describe(id))
    shown = [(name, value if isinstance(value, str) else compact(value)) for name, value in row.items()]
    emit_one(
        row, form, lambda: print_pairs([(name, value) for name, value in shown if value not in ("", "null", "[]")])
    )


def _row(told: dict[str, Any]) -> Row:
    return {name: told.get(name) for name in SCHEDULE_FIELDS}


@command("pause", "pyworkflow schedule pause report --note holidays")
@connected
@click.argument("id")
@click.option("--note", help="Why; `describe` shows it.")
def pause(session: Session, id: str, note: str | None) -> None:
    """Start nothing more until it is resumed."""
    _schedules(session).pause(id, note)


def _plain(name: str, what: str) -> click.Command:
    """A command that does one thing to one schedule."""

    def run(session: Session, id: str) -> None:
        getattr(_schedules(session), name)(id)

    run.__doc__ = what
    decorated: Callable[..., None] = connected(click.argument("id")(run))
    return command(name, f"pyworkflow schedule {name} report")(decorated)


resume = _plain("resume", "Go on. What was due in the meantime is not made up for.")
trigger = _plain("trigger", "Start it now, whatever else is running.")
delete = _plain("delete", "Start nothing more; what is running goes on.")

for _each in (create, list_, describe, pause, resume, trigger, delete):
    schedule.add_command(_each)
