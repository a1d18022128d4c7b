"""A proxy in front of a server that loses replies, or all: whoever sent a command never hears whether it happened."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class LosingProxy:
    """Listens on a port of loopback, and goes on to a unix socket or to another port. It loses the next `lose` replies,
    or one in `every`, and their connections with them. `cut` stops all traffic both ways, until `heal`."""

    def __init__(self, connect_to: str | int) -> None:
        self.lose = 0
        self.every = 0
        self.replies = 0
        self.lost = 0
        self._whole = threading.Event()
        self._whole.set()
        self._upstream = connect_to
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From now on nothing arrives, and nobody is told. What is on the way is not lost: it comes late."""
        self._whole.clear()

    def heal(self) -> None:
        self._whole.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._whole.wait()
        try:
            server = self._dial()
        except OSError:
            client.close()
            return
        for each in (client, server):
            if each.family != socket.AF_UNIX:
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target, reply in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._pump, args=(source, target, reply), daemon=True).start()

    def _dial(self) -> socket.socket:
        if isinstance(self._upstream, int):
            return socket.create_connection(("127.0.0.1", self._upstream))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._upstream)
        except OSError:
            server.close()
            raise
        return server

    def _pump(self, source: socket.socket, target: socket.socket, reply: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(65536)) and not (reply and self._loses()):
                self._whole.wait()
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
        """No connection is let in any more, and none is held up."""
        self.heal()
        self._listening.close()
