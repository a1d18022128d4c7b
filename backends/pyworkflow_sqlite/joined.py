"""A caller's own connection to the file, in whose transaction the store takes part."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from pyworkflow.exceptions import UnsupportedBackend

from .patient import translated


class Plain:
    """What the store uses of a connection, whatever `row_factory` its owner likes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _cursor(self) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor

    def execute(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> sqlite3.Cursor:
        return self._cursor().execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        return self._cursor().executemany(sql, rows)


class Joined:
    """Stands in for the store's own connection. The caller begins the transaction, and ends it.

    `with joined.writing() as db` is a savepoint in it, so that all that is done inside counts, or nothing.
    """

    def __init__(self, connection: object, path: str) -> None:
        if not isinstance(connection, sqlite3.Connection):
            raise UnsupportedBackend(f"a SQLite file is joined by a sqlite3.Connection, not by {connection!r}")
        self.db = Plain(connection)
        self.path = path
        self._depth = 0
        try:
            self._check(connection)
            self._begin(connection)
        except sqlite3.DatabaseError as error:
            raise translated(error, path) from error

    def _begin(self, connection: sqlite3.Connection) -> None:
        """As sqlite3 does it by itself before other statements."""
        if connection.in_transaction:
            return
        if connection.isolation_level is None:
            raise ValueError("there is no open transaction on the connection: BEGIN IMMEDIATE first")
        self.db.execute("BEGIN IMMEDIATE")

    def _check(self, connection: sqlite3.Connection) -> None:
        file = next((file for _, name, file in self.db.execute("PRAGMA database_list") if name == "main"), "")
        if not file or not os.path.samefile(file, self.path):
            raise UnsupportedBackend(f"the connection is to {file or 'no file'}, the backend's file is {self.path}")
        if connection.text_factory is not str:
            raise UnsupportedBackend("the connection has a text_factory of its own: use one without")

    def reading(self) -> Joined:
        return self

    def writing(self, lasting: bool = True) -> Joined:
        return self

    def __enter__(self) -> Plain:
        if not self._depth:
            self.db.execute("SAVEPOINT pyworkflow")
        self._depth += 1
        return self.db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._depth -= 1
        if not self._depth:
            if error is not None:
                self.db.execute("ROLLBACK TO pyworkflow")
            self.db.execute("RELEASE pyworkflow")
        if isinstance(error, sqlite3.DatabaseError):
            raise translated(error, self.path) from error
