"""`pyworkflow start`: start a process, and wait for it or watch it where that is asked."""

from __future__ import annotations

from typing import Any

import click

from .group import command
from .options import connected, output_option, payload_option
from .outcome import finish
from .output import emit_one
from .session import Session
from .text import inert
from .times import Length


@command(
    "start",
    'pyworkflow start Order -i \'{"item": "tea"}\' --tag shop',
    "pyworkflow start Order --id order-17 -i @order.json --wait",
)
@connected
@click.argument("workflow")
@payload_option("The process's input.")
@click.option("--id", help="The process's id; a fresh one where not given.")
@click.option("--tag", "tags", multiple=True, help="A tag; up to five.")
@click.option("--request-id", help="The same request id starts it once, however often it is repeated.")
@click.option(
    "--if-running",
    type=click.Choice(["fail", "use-existing", "terminate-existing"]),
    default="fail",
    help="What to do when the id is that of an open process; exit code 5 for fail, the default.",
)
@click.option("--timeout", type=Length(), help="How long the process may be open; the workflow's where not given.")
@click.option("--priority", type=int, default=0, help="Of its decisions; higher first.")
@click.option("--wait", is_flag=True, help="Wait until it is closed and print its result, as `result` does.")
@click.option("--watch", is_flag=True, help="Show it live until it is closed, as `watch` does.")
@output_option("id", what="the field")
def start(session: Session, form: str, wait: bool, watch: bool, **options: Any) -> None:
    """Start a process.

    Prints its id; with --wait or --watch, how it ended. With -A, the workflow must be one of the app's; without,
    any name will do, and the library's default timeouts apply.
    """
    if watch and form != "table":
        raise click.UsageError("--watch is for people: use --wait with -o, or history -f -o jsonl.")
    id = _start(session, **options)
    if watch:
        from .watch import watch_process

        watch_process(session.manager, id)
    elif wait:
        if form == "table":
            click.echo(f"Started {inert(id)}", err=True)
        finish(id, session.manager.wait(id), form)
    else:
        emit_one({"id": id}, form, lambda: click.echo(inert(id)))


def _start(session: Session, workflow: str, if_running: str, input: Any, id: str | None, **how: Any) -> str:
    from ..process import Process

    session.check_start(workflow)
    process = Process(workflow, id, input, how.pop("tags"))
    return session.manager.start_process(process, if_running=if_running.replace("-", "_"), **how)  # type: ignore[arg-type]
