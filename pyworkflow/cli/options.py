"""The options that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .session import Session
from .times import Moment

F = TypeVar("F", bound=Callable[..., Any])

STATUSES = ("running", "blocked", "completed", "failed", "canceled", "timedout", "terminated", "continued")
"""Those of backend.STATUSES, repeated because completing a word must not take the time to import the library."""


def all_of(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several decorators as one, the first outermost."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


# -- which backend ----------


def connection_options(environment: bool = False) -> Callable[[F], F]:
    """-A and -b. The group has them with their environment variables; a command's own win."""
    return all_of(
        click.option(
            *("-A", "--app"),
            metavar="MODULE:ATTR",
            envvar="PYWORKFLOW_APP" if environment else None,
            show_envvar=environment,
            expose_value=False,
            callback=_choose("app"),
            help="A Manager, or a list of Workflow classes.",
        ),
        click.option(
            *("-b", "--backend"),
            metavar="URL",
            envvar="PYWORKFLOW_BACKEND" if environment else None,
            show_envvar=environment,
            expose_value=False,
            callback=_choose("url"),
            help="The backend, such as sqlite:///orders.db.",
        ),
    )


def _choose(field: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def choose(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        session = context.ensure_object(Session)
        if value is not None:
            setattr(session, field, value)

    return choose


def connected(function: F) -> F:
    """A command that works on a backend: it takes -A and -b, and gets the Session as its first argument."""
    return all_of(connection_options(), click.make_pass_decorator(Session, ensure=True))(function)  # type: ignore[arg-type]


# -- output ----------


def output_option(*fields: str, what: str = "the fields") -> Callable[[F], F]:
    """-o: a table, or JSON whose fields the help names."""
    return click.option(
        *("-o", "--output", "form"),
        type=click.Choice(["table", "json", "jsonl"]),
        default="table",
        help=f"A table for people; json (one value) or jsonl (one a line) with {what} {', '.join(fields)}.",
    )


# -- payloads ----------


class Payload(click.ParamType):  # type: ignore[type-arg]
    """A JSON value: written out, in @file, or on standard input for -."""

    name = "json|@file|-"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return json.loads(_read(value), parse_constant=_refuse)
        except OSError as error:
            self.fail(f"cannot read {value[1:]}: {error.strerror}.", param, ctx)
        except RecursionError:
            self.fail("the JSON is nested too deeply.", param, ctx)
        except ValueError as error:
            hint = "" if value[:1] in ("@", "-") else " A string needs its quotes: '\"text\"'."
            self.fail(f"not JSON: {error}.{hint}", param, ctx)


def _read(source: str) -> str | bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    return Path(source[1:]).read_bytes() if source.startswith("@") else source


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def payload_option(help: str, *names: str) -> Callable[[F], F]:
    """-i, or `names`."""
    return click.option(*(names or ("-i", "--input")), type=Payload(), help=help)


# -- filters ----------

_FILTERS = (
    click.option("--workflow", help="Of this workflow."),
    click.option("--tag", help="With this tag."),
    click.option("--parent", metavar="ID", help="Children of this process."),
    click.option("--id-prefix", help="Whose ids begin so."),
    click.option("--since", "started_from", type=Moment(), help="Started then or later."),
    click.option("--until", "started_to", type=Moment(), help="Started before then."),
)
_CLOSED_FILTERS = (
    click.option("--closed-since", "closed_from", type=Moment(), help="Closed then or later."),
    click.option("--closed-until", "closed_to", type=Moment(), help="Closed before then."),
)


def filter_options(function: F) -> F:
    """The filters of list and count; they arrive as keyword arguments of Manager.page, None where not given."""
    status = click.option(
        "--status",
        type=click.Choice(["open", "closed", "all", *STATUSES]),
        metavar="STATUS",
        help=f"open (where not said), closed, all, or one of {', '.join(STATUSES)}.",
    )
    return all_of(status, *_FILTERS, *_CLOSED_FILTERS)(function)


def open_filter_options(*statuses: str) -> Callable[[F], F]:
    """The filters of commands that act on open processes."""
    status = click.option("--status", type=click.Choice(statuses), help="In this state.")
    return all_of(*([status] if statuses else []), *_FILTERS)


def given(filters: dict[str, Any]) -> dict[str, Any]:
    """The filters that were given. One by its closing time means closed processes."""
    which = {name: value for name, value in filters.items() if value is not None}
    if "closed_from" in which or "closed_to" in which:
        which.setdefault("status", "closed")
    return which


def stdout_is_terminal() -> bool:
    return sys.stdout.isatty()


yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
