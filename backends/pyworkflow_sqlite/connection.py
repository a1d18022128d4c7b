"""One connection to the file, shared by the threads of an operating-system process, one transaction at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

from .schema import MIGRATIONS, VERSION

SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.004
BUSY_MS = 2
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

    @property
    def reading(self) -> AbstractContextManager[Database]: ...

    @property
    def writing(self) -> AbstractContextManager[Database]: ...


class Reading:
    """`with connection.reading as db`: for one statement, or inside the transaction that this thread has open.

    SQLite's errors leave it as the backend's.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self._connection.enter()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._connection.leave()
        if isinstance(error, sqlite3.DatabaseError):
            raise translated(error, self._connection.path) from error


class Writing(Reading):
    """`with connection.writing as db`: a transaction, begun IMMEDIATE."""

    def __enter__(self) -> sqlite3.Connection:
        db = super().__enter__()
        try:
            self._connection.begin()
        except BaseException as error:
            super().__exit__(type(error), error, None)
            raise
        return db

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            self._connection.end(ok=error is None)
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
        self._depth = 0
        self._reopening = threading.Lock()
        self._inherited: list[sqlite3.Connection] = []
        self.reading = Reading(self)
        self.writing = Writing(self)
        self._open()

    def _open(self) -> None:
        try:
            self.db = sqlite3.connect(
                self.path,
                timeout=self.busy_timeout,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
            self._version()  # Before anything is changed in a file that may be another's.
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute(f"PRAGMA synchronous = {SYNCHRONOUS[self.durability]}")
            self._migrate()
            self.db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        except sqlite3.OperationalError as error:
            raise BackendUnavailable(f"cannot open {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise UnsupportedBackend(f"{self.path} cannot be used as a workflow file: {error}") from error
        self._pid = os.getpid()

    def _reopen(self) -> None:
        """After a fork: the parent's connection must not be closed here, and a thread of it may hold the lock."""
        with self._reopening:
            if self._pid != os.getpid():
                self._inherited.append(self.db)
                self._lock, self._depth = threading.RLock(), 0
                self._open()

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

    def enter(self) -> sqlite3.Connection:
        """Have the connection for this thread alone until `leave`."""
        if self._pid != os.getpid():
            self._reopen()
        self._lock.acquire()
        return self.db

    def leave(self) -> None:
        self._lock.release()

    def begin(self) -> None:
        """Begin a transaction; one inside another is part of it."""
        if not self._depth:
            self._begin(self.db)
        self._depth += 1

    def end(self, ok: bool) -> None:
        """Commit, or roll back, when the outermost transaction ends."""
        self._depth -= 1
        if self._depth:
            return
        try:
            if ok:
                self.db.execute("COMMIT")
        finally:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")

    def _begin(self, db: sqlite3.Connection) -> None:
        """Begin a transaction as soon as the other writers let us.

        SQLite's own busy handler sleeps ever longer, up to 100 ms, while others come and go: of five writers the
        unlucky one waited 430 ms at the 99th percentile, 30 ms with the short sleeps here.
        """
        until = time.monotonic() + self.busy_timeout
        pause = SHORTEST_PAUSE
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def close(self) -> None:
        if self._pid != os.getpid():
            return
        with self._lock:
            self.db.close()


def translated(error: sqlite3.DatabaseError, path: str) -> Exception:
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError) or "full" in str(error):
        return BackendUnavailable(f"{path}: {error}")
    if isinstance(error, sqlite3.IntegrityError):
        return error
    return UnsupportedBackend(f"{path}: {error}; run `pyworkflow backend check` on a copy")
