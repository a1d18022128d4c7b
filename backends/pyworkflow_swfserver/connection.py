"""One HTTP connection: a request, its reply in one write, and the end.

A kept-alive socket that forked workers share mixes up their replies, so every reply closes its connection. And a client
that closes it first is gone: what was being done for it is canceled.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httptools
import msgspec

from . import faults
from .app import App, Reply

MOST_BYTES = 1_000_000
MOST_HEADERS = 100
PATIENCE = 30.0
"""Seconds that a client has to send its request."""

_HEAD = (
    "HTTP/1.1 {status} {reason}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {length}\r\n"
    "Connection: close\r\n\r\n"
)
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 413: "Content Too Large", 500: "Internal Server Error"}


class Connection(asyncio.Protocol):
    """Collects a request as httptools finds its parts, and has the app answer it."""

    transport: asyncio.Transport

    def __init__(self, app: App, open: set[Connection]) -> None:
        self._app = app
        self._open = open
        self._parser = httptools.HttpRequestParser(self)
        self._path = "/"
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open.add(self)
        self._late = asyncio.get_running_loop().call_later(PATIENCE, transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        self._late.cancel()
        if self.task is not None:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        if self.task is not None:  # It has asked already, and is answered once.
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._refuse(faults.unreadable(f"the request is not HTTP: {error}"))
        if len(self._body) > MOST_BYTES or len(self._headers) > MOST_HEADERS:
            self._refuse(faults.TOO_LARGE)

    # -- what the parser finds ----------

    def on_url(self, url: bytes) -> None:
        self._path = url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._late.cancel()
        self.task = asyncio.get_running_loop().create_task(self._serve())

    # -- the reply ----------

    async def _serve(self) -> None:
        self._write(await self._app.answer(self._path, self._headers, bytes(self._body)))

    def _refuse(self, fault: faults.Fault) -> None:
        self._write(Reply(fault.status, msgspec.json.encode(fault.body)))

    def _write(self, reply: Reply) -> None:
        reason = _REASONS.get(reply.status, "Error")
        head: Any = _HEAD.format(status=reply.status, reason=reason, length=len(reply.body))
        self.transport.write(head.encode() + reply.body)
        self.transport.close()
