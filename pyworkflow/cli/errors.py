"""What ends a command early: the one place where exceptions become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from .text import inert

ERROR, USAGE, NOT_FOUND, NOT_COMPLETED, ID_CONFLICT = 1, 2, 3, 4, 5
WAIT_TIMED_OUT, INTERRUPTED, BROKEN_PIPE = 124, 130, 141


class IdInUse(click.ClickException):
    """What is to be made is there already."""

    exit_code = ID_CONFLICT


def exit_code_of(run: Callable[[], Any]) -> int:
    """Run a command to its end, say on stderr what went wrong, and return the exit code."""
    _open_closed_streams()
    _forgive_encoding()
    try:
        ended = run()
        return ended if isinstance(ended, int) else 0
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.message = inert(error.message, lines=True)  # type: ignore[misc]
        error.show()
        return error.exit_code
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        click.echo(f"Error: {inert(_message(error), lines=True)}", err=True)
        return code


def _code(error: Exception) -> int | None:
    """The exit code of an error that is told to the user in a sentence; None for a bug, which keeps its traceback."""
    from .. import exceptions as exc

    for types, code in (
        (exc.ProcessAlreadyRunning, ID_CONFLICT),
        (exc.UnknownResourceException, NOT_FOUND),
        (exc.TimedOutException, WAIT_TIMED_OUT),
        (ValueError, USAGE),
        ((exc.WorkflowError, OSError), ERROR),
    ):
        if isinstance(error, types):
            return code
    return None


def _message(error: Exception) -> str:
    """What the library says, or what to do about it here where that is something else."""
    from ..exceptions import ProcessAlreadyRunning

    if isinstance(error, ProcessAlreadyRunning):
        return f"process {error.process_id!r} is already running (run {error.run}): use another --id, or --if-running"
    return str(error) or type(error).__name__


@contextmanager
def silence_broken_pipe() -> Iterator[None]:
    """Let `| head` end a command quietly, with the code that a shell gives to those that SIGPIPE ends."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would be written, and complained about, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(BROKEN_PIPE) from None


def _open_closed_streams() -> None:
    """Where a stream is closed (`>&-`) nothing is read or written: no file that is opened later may take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - it stays open


def _forgive_encoding() -> None:
    """Let a terminal that cannot show a character show its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def confirm(question: str, yes: bool) -> bool:
    """Ask before something that cannot be undone, unless the user said yes already."""
    if yes:
        return True
    try:
        if click.confirm(question, err=True):
            return True
    except click.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            click.echo(err=True)
            raise click.UsageError("there is nobody to answer: say -y to go on without asking") from None
        raise
    click.echo("Nothing was done.", err=True)
    return False
