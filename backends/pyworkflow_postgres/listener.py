"""The connection that listens: what other operating-system processes commit rings the bell of this one."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg

from pyworkflow.engine.bell import Bell
from pyworkflow.exceptions import WorkflowError

from .database import Database
from .errors import translated

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0

logger = logging.getLogger("pyworkflow.engine")


class Listener:
    """A thread that listens, and connects again when it has to; `listening` says whether it hears anything now."""

    def __init__(self, database: Database, bell: Bell) -> None:
        self.listening = False
        self._database = database
        self._bell = bell
        self._starting = threading.Lock()
        self._pid: int | None = None
        self._tried = threading.Event()
        self._stopped = threading.Event()
        self._alarm: socket.socket | None = None

    def start(self) -> None:
        """See to it that this operating-system process listens, or has tried to. Costs nothing the next time."""
        if self._pid != os.getpid():
            with self._starting:
                if self._pid != os.getpid():
                    self._run_anew()
        if not self._tried.is_set():
            self._tried.wait(self._database.timeout)

    def _run_anew(self) -> None:
        self.listening = False
        self._tried, self._stopped = threading.Event(), threading.Event()
        self._alarm, sleeper = socket.socketpair()
        threading.Thread(target=self._run, args=(sleeper,), name="pyworkflow-listen", daemon=True).start()
        self._pid = os.getpid()

    def _run(self, sleeper: socket.socket) -> None:
        with sleeper:
            self._keep_listening(sleeper)

    def _keep_listening(self, sleeper: socket.socket) -> None:
        pause = FIRST_PAUSE
        while not self._stopped.is_set():
            try:
                with self._connection() as connection:
                    pause = FIRST_PAUSE
                    self._listen(connection, sleeper)
            except WorkflowError as error:
                if pause == FIRST_PAUSE:  # Once for each time that it is away.
                    logger.warning("cannot listen, new tasks are looked for instead: %s", error)
            self._tried.set()
            self._stopped.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection that listens. When it begins and when it ends all are woken, to look for what was missed."""
        with closing(self._database.connect()) as connection, translated(self._database.where):
            connection.execute(self._database.statements["LISTEN {schema}"])
            self.listening = True
            self._tried.set()
            self._bell.ring_all()
            try:
                yield connection
            finally:
                self.listening = False
                self._bell.ring_all()

    def _listen(self, connection: psycopg.Connection[Any], sleeper: socket.socket) -> None:
        """Ring for what is heard until `stop`. Raises psycopg.OperationalError when the connection is lost."""
        with selectors.DefaultSelector() as selector:
            selector.register(connection.pgconn.socket, selectors.EVENT_READ)
            selector.register(sleeper, selectors.EVENT_READ)
            while not self._stopped.is_set():
                selector.select()
                connection.pgconn.consume_input()
                topics = set()
                while (news := connection.pgconn.notifies()) is not None:
                    topics.add(news.extra.decode())
                if topics:
                    self._bell.ring(topics)

    def stop(self) -> None:
        if self._pid == os.getpid() and self._alarm is not None:
            self._stopped.set()
            with suppress(OSError):
                self._alarm.send(b"!")
            self._alarm.close()
