"""`pyworkflow schedule …`: what is started by the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from .columns import SCHEDULES
from .errors import IdInUse
from .group import Group, command
from .inspect import print_pairs
from .options import connected, output_option, payload_option
from .output import emit, emit_one
from .rows import SCHEDULE_FIELDS, Row
from .session import Session
from .text import compact, inert
from .times import Length, local_iso

if TYPE_CHECKING:
    from ..schedules import Schedules


@click.group("schedule", cls=Group)
def schedule() -> None:
    """Start processes by the clock.

    A worker has to decide on schedules: `pyworkflow.schedules.Scheduler` must be among the workflows of its app.
    """


@contextmanager
def _of(session: Session, id: str) -> Iterator[Schedules]:
    """The schedules. What is said of the process of this one is said of the schedule."""
    from ..exceptions import ProcessAlreadyRunning, UnknownProcessException

    try:
        yield session.manager.schedules
    except UnknownProcessException:
        raise UnknownProcessException(f"there is no schedule {id!r}: `pyworkflow schedule list` has all") from None
    except ProcessAlreadyRunning:
        there = f"there is a schedule {id!r} already"
        raise IdInUse(f"{there}: take another id, or `pyworkflow schedule delete {id}` first") from None


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
    session.check_start(workflow)
    try:
        with _of(session, id) as schedules:
            schedules.create(id, workflow, input, tags=list(tags), **fields)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    click.echo(inert(id))


@command("list", "pyworkflow schedule list")
@connected
@output_option(*SCHEDULE_FIELDS)
def list_(session: Session, form: str) -> None:
    """List the schedules, the newest first."""
    emit((_row(told) for told in session.manager.schedules.list()), SCHEDULES, form, "No schedules.")


@command("describe", "pyworkflow schedule describe report")
@connected
@click.argument("id")
@output_option(*SCHEDULE_FIELDS)
def describe(session: Session, id: str, form: str) -> None:
    """Show a schedule, and how far it has come."""
    with _of(session, id) as schedules:
        row = _row(schedules.describe(id))
    times = {name: local_iso(row[name]) for name in ("next", "last")}
    shown = [(name, value if isinstance(value, str) else compact(value)) for name, value in (row | times).items()]
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
    with _of(session, id) as schedules:
        schedules.pause(id, note)
    click.echo(f"Paused {inert(id)}.")


def _plain(name: str, done: str, what: str) -> click.Command:
    """A command that does one thing to one schedule."""

    def run(session: Session, id: str) -> None:
        with _of(session, id) as schedules:
            getattr(schedules, name)(id)
        click.echo(f"{done} {inert(id)}.")

    run.__doc__ = what
    decorated: Callable[..., None] = connected(click.argument("id")(run))
    return command(name, f"pyworkflow schedule {name} report")(decorated)


resume = _plain("resume", "Resumed", "Go on. What was due in the meantime is not made up for.")
trigger = _plain("trigger", "Triggered", "Start it now, whatever else is running.")
delete = _plain("delete", "Deleted", "Start nothing more; what is running goes on.")

for _each in (create, list_, describe, pause, resume, trigger, delete):
    schedule.add_command(_each)
