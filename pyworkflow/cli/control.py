"""`pyworkflow signal`, `cancel`, `terminate` and `resume`: on given processes, or on all that match."""

from __future__ import annotations

from typing import Any

import click

from .bulk import Verb, act, bulk_options
from .group import command
from .options import connected, payload_option
from .session import Session

_ids = click.argument("ids", metavar="[ID]...", nargs=-1)


@command(
    "signal",
    'pyworkflow signal order-17 add_item -i \'{"item": "tea"}\'',
    "pyworkflow signal --workflow Order --tag shop reprice --dry-run",
)
@connected
@_ids
@click.argument("name")
@payload_option("The signal's data.")
@click.option("--request-id", help="The same request id signals a process once, however often it is repeated.")
@bulk_options("running", "blocked")
def signal(session: Session, name: str, input: Any, request_id: str | None, **chosen: Any) -> None:
    """Send a signal to processes.

    NAME is the signal's. The processes are given by ID (or id:run), by filters, or are all open ones with --all; where
    not by id, their number is shown first and -y answers the question.
    """

    def send(id: str) -> None:
        session.manager.signal_process(id, name, input, request_id=request_id)

    act(session.manager, Verb("Signal", "Signaling", "Signaled"), send, **chosen)


@command(
    "cancel",
    "pyworkflow cancel order-17",
    "pyworkflow cancel --workflow Order --since 2h -y",
)
@connected
@_ids
@payload_option("What to tell the deciders: JSON.", "--details")
@bulk_options("running", "blocked")
def cancel(session: Session, details: Any, **chosen: Any) -> None:
    """Ask for the cancellation of processes.

    Their deciders see the request and decide what follows. The processes are given by ID (or id:run), by filters, or
    are all open ones with --all; where not by id, their number is shown first and -y answers the question.
    """
    verb = Verb("Ask for the cancellation of", "Asking", "Asked for the cancellation of")
    act(session.manager, verb, lambda id: session.manager.cancel_process(id, details), **chosen)


@command(
    "terminate",
    "pyworkflow terminate order-17 --reason 'started by mistake'",
    "pyworkflow terminate --workflow Order --status blocked --dry-run",
)
@connected
@_ids
@click.option("--reason", help="Why; it is kept in the history.")
@click.option(
    "--child-policy",
    type=click.Choice(["ABANDON", "REQUEST_CANCEL", "TERMINATE"], case_sensitive=False),
    help="What becomes of open children; each child's own where not given.",
)
@bulk_options("running", "blocked")
def terminate(session: Session, reason: str | None, child_policy: str | None, **chosen: Any) -> None:
    """End processes without asking their deciders.

    The processes are given by ID (or id:run), by filters, or are all open ones with --all; where not by id, their
    number is shown first and -y answers the question.
    """

    def end(id: str) -> None:
        session.manager.terminate_process(id, reason, child_policy=child_policy)

    act(session.manager, Verb("Terminate", "Terminating", "Terminated"), end, **chosen)


@command("resume", "pyworkflow resume order-17", "pyworkflow resume --workflow Order -y")
@connected
@_ids
@bulk_options()
def resume(session: Session, **chosen: Any) -> None:
    """Let blocked processes be decided on again.

    A process is blocked when its decider raised too often; `describe` shows why. The processes are given by ID (or
    id:run), by filters, or are all blocked ones with --all; where not by id, their number is shown first and -y
    answers the question.
    """

    def go_on(id: str) -> None:
        from ..exceptions import UnknownProcessException

        # The backend takes it as done; who types the wrong id should hear of it.
        if session.manager.describe(id).process.status != "blocked":
            raise UnknownProcessException(f"process {id!r} is not blocked: there is nothing to resume")
        session.manager.resume_process(id)

    act(session.manager, Verb("Resume", "Resuming", "Resumed", "blocked"), go_on, **chosen)
