"""How the store gets at the database: `with connection.reading() as db`, `with connection.writing() as db`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from .patient import translated

if TYPE_CHECKING:
    from .connection import Connection


class Database(Protocol):
    """What the store uses of a sqlite3.Connection."""

    def execute(self, sql: str, values: Any = ..., /) -> sqlite3.Cursor: ...

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor: ...


class Access(Protocol):
    """A way to the database: one statement or transaction at a time."""

    @property
    def db(self) -> Database: ...

    @property
    def path(self) -> str: ...

    def reading(self) -> AbstractContextManager[Database]: ...

    def writing(self, lasting: bool = True) -> AbstractContextManager[Database]: ...


class Inside:
    """What is read and written inside a transaction is part of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> Database:
        return self._connection.db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            raise translated(error, self._connection.path) from error


class Reading:
    """`with connection.reading() as db`: for one statement.

    SQLite's errors leave it as the backend's. One that an interrupt (Ctrl-C) has left half entered or half left puts
    things right when it is forgotten.
    """

    __slots__ = ("_connection", "_entered")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._entered = False

    def __enter__(self) -> Database:
        self._entered = True
        return self._connection.enter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._connection.leave()
        self._entered = False
        if isinstance(error, sqlite3.DatabaseError):
            raise translated(error, self._connection.path) from error

    def __del__(self) -> None:
        if getattr(self, "_entered", False):
            self.__exit__(None, InterruptedError(), None)


class Writing(Reading):
    """`with connection.writing() as db`: a transaction, begun IMMEDIATE. Of one that need not be `lasting` a power cut
    may leave nothing."""

    __slots__ = ("__weakref__", "began", "lasting")

    def __init__(self, connection: Connection, lasting: bool) -> None:
        super().__init__(connection)
        self.began = False
        self.lasting = lasting

    def __enter__(self) -> Database:
        db = super().__enter__()
        try:
            self._connection.begin(self)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if self.began:
                self._connection.end(ok=error is None)
                self.began = False
        except sqlite3.DatabaseError as failed:
            error = failed
            raise
        finally:
            super().__exit__(kind, error, trace)
