"""One HTTP connection: a request, its reply in one write, and the end.

A kept-alive socket that forked workers share mixes up their replies, so every reply closes its connection, and what a
client sends after its request is passed over. A client that closes it first is gone: what was being done for it is
canceled. A reply has the date, by which SDKs set right the clock that they sign with.
"""

from __future__ import annotations

import asyncio
import socket
from email.utils import formatdate
from typing import Any

import httptools
import msgspec

from . import faults
from .app import App, Reply

MOST_BYTES = 1_000_000
MOST_HEADERS = 100
HEAD_BYTES = 64_000
PATIENCE = 30.0
"""Seconds that a client has to send its request, and to take the reply."""

ALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}
"""Seconds before a client that is silent is asked whether it is there, seconds between two questions, their number."""

_HEAD = (
    "HTTP/1.1 {status} {reason}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\n"
    "Date: {date}\r\nConnection: close\r\n\r\n"
)
_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    413: "Content Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Connection(asyncio.Protocol):
    """Collects a request as httptools finds its parts, and has the app answer it."""

    transport: asyncio.Transport

    def __init__(self, app: App, open: set[Connection]) -> None:
        self._app = app
        self._open = open
        self._parser = httptools.HttpRequestParser(self)
        self._path = ""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._size = 0
        self._whole = False
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(self)
        self._limit = asyncio.get_running_loop().call_later(PATIENCE, transport.abort)
        _ask_whether_alive(transport.get_extra_info("socket"))

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        self._limit.cancel()
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._whole:
            return
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(faults.NO_UPGRADE)
        except httptools.HttpParserError as error:
            self._refuse(faults.unreadable(f"the request is not HTTP: {error}"))
        if self._size > MOST_BYTES + HEAD_BYTES or len(self._headers) > MOST_HEADERS:
            self._refuse(faults.TOO_LARGE)

    # -- what the parser finds: of a second request, too ----------

    def on_url(self, url: bytes) -> None:
        """A part of it."""
        if not self._whole:
            self._path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._whole:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._headers[key] = f"{self._headers[key]},{text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        if not self._whole and self._headers.get("expect", "").lower() == "100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if not self._whole:
            self._body += body

    def on_message_complete(self) -> None:
        if self._whole:
            return
        if len(self._body) > MOST_BYTES or len(self._headers) > MOST_HEADERS:
            self._refuse(faults.TOO_LARGE)
        elif self._parser.should_upgrade():
            self._refuse(faults.NO_UPGRADE)
        elif self._parser.get_method() != b"POST":
            self._refuse(faults.NOT_POSTED)
        else:
            self._whole = True
            self._limit.cancel()
            self.task = asyncio.get_running_loop().create_task(self._serve())

    # -- the reply ----------

    async def _serve(self) -> None:
        self._write(await self._app.answer(self._path, self._headers, bytes(self._body)))
        self._limit = asyncio.get_running_loop().call_later(PATIENCE, self.transport.abort)
        self.transport.close()

    def _refuse(self, fault: faults.Fault) -> None:
        """Reply before the request is whole. The rest is read all the same: who cannot send it hears nothing."""
        if not self._whole:
            self._whole = True
            self._write(Reply(fault.status, msgspec.json.encode(fault.body)))
            self.transport.write_eof()

    def _write(self, reply: Reply) -> None:
        reason = _REASONS.get(reply.status, "Error")
        head: Any = _HEAD.format(
            status=reply.status, reason=reason, length=len(reply.body), date=formatdate(usegmt=True)
        )
        silent = self._parser.get_method() == b"HEAD"
        self.transport.write(head.encode() + (b"" if silent else reply.body))


def _ask_whether_alive(connected: socket.socket) -> None:
    """Have the system ask a client that waits: one whose machine is gone says no goodbye, and must get no task."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in ALIVE.items():
        if hasattr(socket, name):  # Not everywhere.
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
