"""One connection to the file, shared by the threads of an operating-system process, one transaction at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

from .schema import MIGRATIONS, VERSION

SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.004
SYNCHRONOUS = {"full": "FULL", "normal": "NORMAL"}


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

    def writing(self) -> AbstractContextManager[Database]: ...


class Patient:
    """A connection whose statements wait while others have the file, up to `patience` seconds.

    SQLite's own busy handler sleeps ever longer, up to 100 ms, while others come and go: of five writers the unlucky
    one waited 430 ms at the 99th percentile, 30 ms with the short sleeps here.
    """

    def __init__(self, path: str, patience: float) -> None:
        self.patience = patience
        self._db = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self.executemany = self._db.executemany
        self.close = self._db.close

    @property
    def in_transaction(self) -> bool:
        return self._db.in_transaction

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, values)
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or self._db.in_transaction:
                raise
            return self._again(sql, values)

    def _again(self, sql: str, values: Any) -> sqlite3.Cursor:
        until, pause = time.monotonic() + self.patience, SHORTEST_PAUSE
        while True:
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
            try:
                return self._db.execute(sql, values)
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > until:
                    raise


class Reading:
    """`with connection.reading() as db`: for one statement, or inside the transaction that this thread has open.

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
    """`with connection.writing() as db`: a transaction, begun IMMEDIATE; one inside another is part of it."""

    __slots__ = ("__weakref__", "began")

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.began = False

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


class Connection:
    """Opens the file, again after a fork; `busy_timeout` is in seconds. Tables are made if `create`."""

    def __init__(self, path: str, durability: str, busy_timeout: float, create: bool) -> None:
        if durability not in SYNCHRONOUS:
            raise UnsupportedBackend(f"durability is 'full' or 'normal', not {durability!r}")
        if sqlite3.sqlite_version_info < (3, 35):
            raise UnsupportedBackend(f"SQLite 3.35 or newer is needed, this Python has {sqlite3.sqlite_version}")
        self.path = path
        self.durability = durability
        self.busy_timeout = busy_timeout
        self._create = create
        self._lock = threading.RLock()
        self._outer: Callable[[], Writing | None] = lambda: None
        self._open()
        _CONNECTIONS.add(self)

    def _open(self) -> None:
        try:
            self.db = Patient(self.path, self.busy_timeout)
            self._version()  # Before anything is changed in a file that may be another's.
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute(f"PRAGMA synchronous = {SYNCHRONOUS[self.durability]}")
            self._migrate()
        except sqlite3.OperationalError as error:
            raise BackendUnavailable(f"cannot open {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise UnsupportedBackend(f"{self.path} cannot be used as a workflow file: {error}") from error
        self._forked = False

    def _migrate(self) -> None:
        if self._version() == VERSION:
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for steps in MIGRATIONS[self._version() :]:
                for step in steps:
                    self.db.execute(step)
            self.db.execute("UPDATE pyworkflow_schema SET version = ?", (VERSION,))
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def _version(self) -> int:
        """The schema's version, 0 where there is none. Raises UnsupportedBackend."""
        if not self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'pyworkflow_schema'").fetchone():
            if not self._create:
                raise UnsupportedBackend(f"{self.path} is a SQLite file in which there are no workflows")
            return 0
        version: int = self.db.execute("SELECT version FROM pyworkflow_schema").fetchone()[0]
        if version > VERSION:
            raise UnsupportedBackend(
                f"{self.path} was written by a newer pyworkflow (schema {version}, this one knows {VERSION}): upgrade"
            )
        return version

    def reading(self) -> Reading:
        return Reading(self)

    def writing(self) -> Writing:
        return Writing(self)

    # -- one thread at a time ----------

    def enter(self) -> Database:
        """Have the connection for this thread alone until `leave`."""
        self._lock.acquire()
        if self._forked:
            self._open()
        return self.db

    def leave(self) -> None:
        with suppress(RuntimeError):  # An interrupt came before the lock was had.
            self._lock.release()

    def begin(self, writing: Writing) -> None:
        """Begin a transaction, unless there is one that somebody will end."""
        outer = self._outer()
        if outer is not None and outer.began:
            return
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        writing.began = True
        self._outer = weakref.ref(writing)
        self.db.execute("BEGIN IMMEDIATE")

    def end(self, ok: bool) -> None:
        """Commit or roll back."""
        try:
            if ok:
                self.db.execute("COMMIT")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            self.db.close()

    # -- forks ----------

    def before_fork(self) -> None:
        """SQLite's locks belong to a process: a connection must not be carried into another one, nor closed there."""
        self._lock.acquire()
        with suppress(sqlite3.ProgrammingError):  # It was closed for good.
            if not self.db.in_transaction:
                self.db.close()
                self._forked = True

    def after_fork(self, in_child: bool) -> None:
        if in_child:
            self._lock = threading.RLock()
        else:
            self._lock.release()


_CONNECTIONS: weakref.WeakSet[Connection] = weakref.WeakSet()


def _before_fork() -> None:
    for connection in list(_CONNECTIONS):
        connection.before_fork()


def _after_fork(in_child: bool) -> None:
    for connection in list(_CONNECTIONS):
        connection.after_fork(in_child)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=lambda: _after_fork(in_child=False),
        after_in_child=lambda: _after_fork(in_child=True),
    )


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def translated(error: sqlite3.DatabaseError, path: str) -> Exception:
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError) or "full" in str(error):
        return BackendUnavailable(f"{path}: {error}")
    if isinstance(error, sqlite3.IntegrityError):
        return error
    return UnsupportedBackend(f"{path}: {error}; run `pyworkflow backend check` on a copy")
