"""A proxy in front of a server that loses replies: the command has happened, and who sent it never hears of it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class LosingProxy:
    """Listens on a port of loopback, and goes on to a unix socket. It loses the next `lose` replies, or one in `every`,
    and their connections with them."""

    def __init__(self, connect_to: str) -> None:
        self.lose = 0
        self.every = 0
        self.replies = 0
        self.lost = 0
        self._upstream = connect_to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._upstream)
            except OSError:
                client.close()
                continue
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, target, reply in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(source, target, reply), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, reply: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and not (reply and self._loses()):
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _loses(self) -> bool:
        self.replies += 1
        if self.lose > 0:
            self.lose -= 1
        elif not self.every or self.replies % self.every:
            return False
        self.lost += 1
        return True

    def close(self) -> None:
        self._listening.close()
