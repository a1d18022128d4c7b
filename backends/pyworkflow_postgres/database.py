"""The connections to one database: a pool for an operating-system process, a transaction for a thread of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg_pool import ConnectionPool, PoolTimeout

from pyworkflow.exceptions import BackendUnavailable

from .errors import translated
from .statements import Statements
from .wire import Wire

IDLE_IN_TRANSACTION = "30s"
LOCK = "10s"
TRY_AGAIN = 0.2
_SESSION = """
SET idle_in_transaction_session_timeout = '{idle}'; SET lock_timeout = '{lock}';
SET plan_cache_mode = force_generic_plan; SET jit = off;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_UNSYNCED = "SET LOCAL synchronous_commit = off"
_DEFAULTS = {
    "application_name": "pyworkflow",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "target_session_attrs": "primary",  # Of several hosts, the one that is; and a standby is not read from.
}

Asked = tuple[str, Sequence[Any]]
"""A statement, in which `{schema}` stands for the schema, and its values."""
Ring = Callable[[Iterable[str]], None]
Rows = list[tuple[Any, ...]]
Pool = ConnectionPool[Wire]


class _LostConnection(BackendUnavailable):
    """The connection that was tried is gone; another may be had. `undone`: the server said that it had done nothing."""

    def __init__(self, text: str, undone: bool) -> None:
        super().__init__(text)
        self.undone = undone


class Database:
    """Makes connections, again after a fork. `timeout` (seconds) bounds the wait for one. Through a `pooler`, which
    hands out the server's connections by transaction, nothing is left behind on them."""

    def __init__(self, url: str, schema: str, size: int, timeout: float, pooler: bool, ring: Ring) -> None:
        with translated("the URL"):
            given = conninfo_to_dict(url)
        self.statements = Statements(schema)
        self.timeout = timeout
        self.pooler = pooler
        self.ring = ring
        self.where = f"Postgres at {given.get('host', 'its default host')}"
        self._size = size
        self._options: dict[str, Any] = {
            **_DEFAULTS,
            "connect_timeout": max(round(timeout), 2),
            **given,
            "client_encoding": "utf8",
            "autocommit": True,
            "prepare_threshold": None if pooler else 5,
        }
        self._pool: Pool | None = None
        self._closed = False
        self._opening = threading.Lock()
        self._inherited: list[Pool] = []
        self._pid = os.getpid()
        self._here = threading.local()

    def connect(self) -> Wire:
        """A connection outside of the pool. Raises BackendUnavailable."""
        with translated(self.where):
            return Wire.connect(**self._options)

    @property
    def _connections(self) -> Pool:
        """The pool of this operating-system process."""
        pool = self._pool
        if pool is None or self._pid != os.getpid():
            pool = self._open()
        return pool

    def _open(self) -> Pool:
        """After a fork the parent's connections must not be closed here, and a thread of it may hold the lock."""
        if self._pid != os.getpid():
            self._pid, self._opening, self._here = os.getpid(), threading.Lock(), threading.local()
            if self._pool is not None:
                self._inherited.append(self._pool)
            self._pool = None
        with self._opening:
            if self._closed:
                raise BackendUnavailable(f"{self.where}: this backend was closed")
            if self._pool is None:
                self._pool = ConnectionPool(
                    connection_class=Wire,
                    kwargs=self._options,
                    min_size=0,
                    max_size=self._size,
                    timeout=self.timeout,
                    reconnect_timeout=TRY_AGAIN,
                    configure=None if self.pooler else _configure,
                    open=True,
                )
            return self._pool

    # -- statements ----------

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """What a statement returns that only looks, in this thread's transaction if it is in one."""
        current = self._current
        if current is not None:
            return current.rows(statement, parameters)
        connection, answers = self.first((statement, parameters))
        try:
            return connection.read(answers[0])
        finally:
            self.give_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """This thread's transaction; one inside another is part of it."""
        current = self._current
        if current is not None:
            yield current
            return
        transaction = Transaction(self)
        try:
            with self._joined(transaction):
                yield transaction
            transaction.commit()
        except BaseException:
            transaction.roll_back()
            raise
        finally:
            transaction.end()
        self.ring(transaction.topics)

    def alone(self, lasting: bool = True) -> Transaction | Alone:
        """For a statement that is all of a transaction, where this thread is not in one. Of what need not be `lasting`
        a crash of the server may leave nothing."""
        return self._current or Alone(self, lasting)

    @contextmanager
    def _joined(self, transaction: Transaction) -> Iterator[None]:
        """Whatever this thread does is part of the transaction."""
        self._here.transaction = transaction
        try:
            yield
        finally:
            self._here.transaction = None

    @property
    def _current(self) -> Transaction | None:
        return getattr(self._here, "transaction", None)

    def first(self, *asked: Asked, again: bool = True) -> tuple[Wire, list[PGresult]]:
        """A connection on which these statements have worked, and the answers. Where the connection turns out to be
        lost another is tried, if they may be asked `again` or the server did nothing of it."""
        try:
            return self._ask_on_another(*asked)
        except _LostConnection as lost:
            if not (again or lost.undone):
                raise
            self._connections.check()
            return self._ask_on_another(*asked)

    def _ask_on_another(self, *asked: Asked) -> tuple[Wire, list[PGresult]]:
        connection = self._connection()
        try:
            return connection, self.ask(connection, *asked)
        except BaseException as error:
            lost = connection.closed
            roll_back(connection)
            self.give_back(connection)
            if lost and isinstance(error, BackendUnavailable):
                raise _LostConnection(str(error), connection.undone) from error
            raise

    def ask(self, connection: Wire, *asked: Asked) -> list[PGresult]:
        """The answers to some statements, sent together. Raises BackendUnavailable, UnsupportedBackend."""
        made = [(self.statements[statement], values) for statement, values in asked]
        with translated(self.where):
            return [connection.ask(*made[0])] if len(made) == 1 else connection.ask_at_once(*made)

    def check(self, ended: PGresult) -> None:
        """Was this the end of a transaction that counts? Raises BackendUnavailable."""
        if ended.command_status != b"COMMIT":
            raise BackendUnavailable(f"{self.where}: the transaction had failed, nothing of it was done")

    def give_back(self, connection: Wire) -> None:
        self._connections.putconn(connection)

    def _connection(self) -> Wire:
        """One from the pool that is not known to be lost. Raises BackendUnavailable that says why there is none."""
        until = time.monotonic() + self.timeout
        while (left := until - time.monotonic()) > 0:
            # The pool itself would try ever less often, and be late when the server is back.
            with translated(self.where), suppress(PoolTimeout):
                connection = self._connections.getconn(min(left, TRY_AGAIN))
                if connection.is_live():
                    return connection
                self.give_back(connection)
        self.connect().close()
        raise BackendUnavailable(
            f"{self.where}: no connection was free for {self.timeout:g} s: pool_size is {self._size}"
        )

    def close(self) -> None:
        self._closed = True
        if self._pool is not None and self._pid == os.getpid():
            self._pool.close()


class Transaction:
    """What is done on one connection, and the topics to ring for when it is committed. It begins with its first
    statement, in the same trip to the server."""

    def __init__(self, database: Database) -> None:
        self.topics: set[str] = set()
        self._database = database
        self._connection: Wire | None = None

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """What a statement returns, [] for one that returns nothing. Raises BackendUnavailable, UnsupportedBackend."""
        if self._connection is None:
            self._connection, (_, answer) = self._database.first((_BEGIN, ()), (statement, parameters))
        else:
            (answer,) = self._database.ask(self._connection, (statement, parameters))
        return self._connection.read(answer)

    def ring(self, topics: Iterable[str]) -> None:
        """Wake those who wait for these topics, once it is committed."""
        self.topics.update(topics)

    def commit(self) -> None:
        """Raises BackendUnavailable."""
        if self._connection is None:
            return
        (ended,) = self._database.ask(self._connection, ("COMMIT", ()))
        self._database.check(ended)

    def roll_back(self) -> None:
        if self._connection is not None:
            roll_back(self._connection)

    def end(self) -> None:
        if self._connection is not None:
            self._database.give_back(self._connection)


class Alone:
    """One statement that is a transaction by itself: all of it is one trip to the server."""

    def __init__(self, database: Database, lasting: bool) -> None:
        self._database = database
        self._lasting = lasting

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """What it returns. Raises BackendUnavailable, UnsupportedBackend."""
        begun = [(_BEGIN, ())] if self._lasting else [(_BEGIN, ()), (_UNSYNCED, ())]
        asked = *begun, (statement, parameters), ("COMMIT", ())
        connection, answers = self._database.first(*asked, again=not self._lasting)
        try:
            self._database.check(answers[-1])
            return connection.read(answers[-2])
        finally:
            self._database.give_back(connection)

    def ring(self, topics: Iterable[str]) -> None:
        """Wake those who wait for these topics."""
        self._database.ring(topics)


def roll_back(connection: Wire) -> None:
    if connection.info.transaction_status != TransactionStatus.IDLE:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")


def _configure(connection: psycopg.Connection[Any]) -> None:
    """A client that was stopped or cut off in a transaction must not hold up the others for long, and a caller's own
    must not in silence. And no statement is worth planning anew, or compiling: each is short and goes by an index, also
    where its plan was made when the tables were still small. Such a plan is kept until the server has counted them."""
    connection.execute(_SESSION.format(idle=IDLE_IN_TRANSACTION, lock=LOCK).encode())
