"""A caller's own connection to the database, in whose transaction the store takes part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from pyworkflow.exceptions import UnsupportedBackend

from .database import Database, Rows, Transaction
from .errors import translated
from .statements import Statements

_SERVER = "SELECT current_database()::text, pg_postmaster_start_time()::text, to_regclass(%s::text) IS NOT NULL"


class Joined:
    """Stands in for the store's own connections. The caller begins the transaction, and ends it.

    Each transaction of the store is a savepoint in it, so that all that is done inside counts, or nothing. Other
    operating-system processes are told when the caller commits.
    """

    def __init__(self, connection: object, database: Database) -> None:
        if not isinstance(connection, psycopg.Connection):
            raise UnsupportedBackend(f"a Postgres database is joined by a psycopg.Connection, not by {connection!r}")
        self.statements: Statements = database.statements
        self.where = database.where
        self._connection: psycopg.Connection[Any] = connection
        self._database = database
        self._check()

    def _check(self) -> None:
        if self._connection.pgconn.pipeline_status != PipelineStatus.OFF:
            raise UnsupportedBackend("a connection in pipeline mode cannot be joined: its answers come too late")
        if (encoding := self._connection.info.encoding) != "utf-8":
            raise UnsupportedBackend(f"a connection is joined whose client_encoding is UTF8, not {encoding}")
        if self._connection.autocommit and self._connection.info.transaction_status == TransactionStatus.IDLE:
            raise ValueError("there is no open transaction on the connection: use `with connection.transaction()`")
        version = f'"{self.statements.schema}".version'
        ours = self._database.rows(_SERVER, (version,))
        if self.rows(_SERVER, (version,)) != ours:  # Begins the transaction, where psycopg does that by itself.
            raise UnsupportedBackend(f"the connection is not to the database that the backend is in ({self.where})")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """What a statement returns that only looks."""
        return _Callers(self._connection, self._database).rows(statement, parameters)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with translated(self.where), self._connection.transaction():
            yield _Callers(self._connection, self._database)

    def alone(self, lasting: bool = True) -> Transaction:
        """For a statement by itself; whether it lasts is up to the caller."""
        return _Callers(self._connection, self._database)


class _Callers(Transaction):
    """What is done on a connection that is set up as its owner likes."""

    def __init__(self, connection: psycopg.Connection[Any], database: Database) -> None:
        super().__init__(database)
        self._callers = connection

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        cursor = self._execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def _execute(self, statement: str, parameters: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        query = self._database.statements[statement]
        prepare = None if self._database.pooler or not parameters else True
        with translated(self._database.where):
            cursor = psycopg.Cursor(self._callers, row_factory=tuple_row)
            return cursor.execute(query, parameters or None, prepare=prepare, binary=True)
