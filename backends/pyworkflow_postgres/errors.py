"""Psycopg's errors in the engine's words: what may work again later, and what needs somebody to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError)
_LASTING = (psycopg.ProgrammingError, psycopg.NotSupportedError)

_LOCKED = "a process is held by a transaction that is open for long, perhaps one that was joined by `connection=`"


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raises BackendUnavailable or UnsupportedBackend for the driver's errors; `where` says which server it is."""
    try:
        yield
    except _PASSING as error:
        raise BackendUnavailable(f"{where}: {_said(error)}") from error
    except _LASTING as error:
        raise UnsupportedBackend(f"{where}: {_said(error)}") from error


def _said(error: psycopg.Error) -> str:
    """What an error says, in one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{_LOCKED}: {said}" if isinstance(error, psycopg.errors.LockNotAvailable) else said
