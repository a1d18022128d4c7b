"""Serving: on loopback unless keys are set, until it is stopped; calls that have begun are finished."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from pyworkflow.backend import Backend

from .app import LONG_POLL, App
from .connection import Connection
from .endpoint import Endpoint
from .signing import Signatures

GRACE = 10.0
BACKLOG = 4_096

Started = Callable[[str], None]


class Server:
    """SWF's protocol over a backend.

    `keys` are secret keys by access key id, without which only loopback is served (ValueError). `bare` is the domain
    whose names are the backend's own; `long_poll` is how many seconds a poll waits; `port` 0 is any that is free.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        host: str = "127.0.0.1",
        port: int = 4567,
        keys: Mapping[str, str] | None = None,
        bare: str | None = "default",
        region: str = "us-east-1",
        long_poll: float = LONG_POLL,
    ) -> None:
        if not keys and not is_loopback(host):
            raise ValueError(f"{host} can be reached by others: name the keys that they must have, or serve 127.0.0.1")
        self._address = (host, port)
        self._endpoint = Endpoint(backend, bare, region)
        self._app = App(self._endpoint, Signatures(keys or {}), long_poll)
        self._open: set[Connection] = set()

    async def serve(self, started: Started, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; `started` is told the URL. Raises OSError where the address is not to be had."""
        host, port = self._address
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self._app, self._open), host, port, backlog=BACKLOG
        )
        self._app.start()
        port = server.sockets[0].getsockname()[1]
        started(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        try:
            await stop.wait()
        finally:
            server.close()
            await self._finish()

    async def _finish(self) -> None:
        await self._app.stop()
        if tasks := [connection.task for connection in self._open if connection.task is not None]:
            await asyncio.wait(tasks, timeout=GRACE)
        for connection in list(self._open):
            connection.transport.close()
        self._endpoint.close()


def serve(backend: Backend, started: Started = print, **options: Any) -> None:
    """Serve a backend until SIGINT or SIGTERM; `options` are the Server's."""

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows: there SIGINT cancels.
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await server.serve(started, stop)

    server = Server(backend, **options)
    asyncio.run(run())


@contextmanager
def serving(backend: Backend, **options: Any) -> Iterator[str]:
    """A server in a thread of this program, for tests; its URL. `port` is any that is free unless it is given."""
    server = Server(backend, **{"port": 0, **options})
    ready = threading.Event()
    about: dict[str, Any] = {}

    async def run() -> None:
        about["loop"], about["stop"] = asyncio.get_running_loop(), asyncio.Event()

        def started(url: str) -> None:
            about["url"] = url
            ready.set()

        await server.serve(started, about["stop"])

    def main() -> None:
        try:
            asyncio.run(run())
        except OSError as error:
            about["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="swf-server", daemon=True)
    thread.start()
    ready.wait()
    if "url" not in about:
        raise about["error"]
    try:
        yield about["url"]
    finally:
        about["loop"].call_soon_threadsafe(about["stop"].set)
        thread.join()


def is_loopback(host: str) -> bool:
    """Is it an address that only this machine reaches?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
