"""A small TCP proxy between a client and a server, which loses what it is told to lose."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import closing, suppress


class Proxy:
    """Forwards from a port of its own to one of the loopback. Set `losing` to bytes that, once a client has sent them,
    get no answer: they are forwarded, and then the connection breaks."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.losing: bytes | None = None
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._pump, args=(client,), daemon=True).start()

    def _pump(self, client: socket.socket) -> None:
        with suppress(OSError), closing(client), socket.create_connection(("127.0.0.1", self._target)) as server:
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    (server if ready is client else client).sendall(data)
                    if ready is client and self.losing is not None and self.losing in data:
                        self.losing = None
                        self.lost += 1
                        server.recv(65536)  # The server has done it; nobody hears of it.
                        return
