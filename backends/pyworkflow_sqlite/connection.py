"""One connection to the file, shared by the threads of an operating-system process, one transaction at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress

from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

from .access import Database, Inside, Reading, Writing
from .patient import Patient
from .schema import MIGRATIONS, VERSION

SYNCHRONOUS = {"full": "FULL", "normal": "NORMAL"}


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
        self._inside = Inside(self)
        self._outer: Callable[[], Writing | None] = lambda: None
        self._open()
        _CONNECTIONS.add(self)

    def _open(self) -> None:
        try:
            self.db = Patient(self.path, self.busy_timeout)
            self._version()  # Before anything is changed in a file that may be another's.
            self.db.execute("PRAGMA journal_mode = WAL")
            self._synchronous = ""
            self._synchronize(True)
            self._migrate()
        except sqlite3.OperationalError as error:
            raise BackendUnavailable(f"cannot open {self.path}: {_why(self.path, error)}") from error
        except sqlite3.DatabaseError as error:
            raise UnsupportedBackend(f"{self.path} cannot be used as a workflow file: {error}") from error
        self._forked = False

    def _synchronize(self, lasting: bool) -> None:
        """What is committed from here on is synced, or need not be."""
        wanted = SYNCHRONOUS[self.durability if lasting else "normal"]
        if self._synchronous != wanted:
            self._synchronous = ""  # Until it is done nobody knows: an interrupt may come.
            self.db.execute(f"PRAGMA synchronous = {wanted}")
            self._synchronous = wanted

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

    def reading(self) -> Inside | Reading:
        return self._inside if self._is_inside() else Reading(self)

    def writing(self, lasting: bool = True) -> Inside | Writing:
        return self._inside if self._is_inside() else Writing(self, lasting)

    def _is_inside(self) -> bool:
        """Has this thread a transaction open that somebody will end?"""
        owned: bool = self._lock._is_owned()  # type: ignore[attr-defined]  # as threading.Condition asks
        outer = self._outer() if owned else None
        return outer is not None and outer.began

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
        """Begin a transaction. One that is open was left by an interrupt."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self._synchronize(writing.lasting)
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


def _why(path: str, error: Exception) -> str:
    """Why a file cannot be opened; SQLite says the same of these two."""
    if os.path.isdir(path):
        return "it is a directory, name a file in it"
    parent = os.path.dirname(path)
    return f"there is no directory {parent}" if parent and not os.path.isdir(parent) else str(error)


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
