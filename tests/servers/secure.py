"""TLS in front of a server that has none: a certificate of our own, and a door for those who trust it."""

from __future__ import annotations

import select
import socket
import ssl
import subprocess
import threading
from contextlib import closing, suppress
from pathlib import Path


def certificate(folder: Path) -> tuple[Path, Path]:
    """A new certificate for 127.0.0.1 and its key."""
    paths = folder / "certificate.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-days", "2", "-out", paths[0], "-keyout", paths[1]]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, *names]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return paths


class SecureDoor:
    """Listens on a port of loopback with TLS, and goes on to a unix socket without."""

    def __init__(self, connect_to: str, certificate: Path, key: Path) -> None:
        self._upstream = connect_to
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with (
            suppress(OSError),
            closing(self._context.wrap_socket(plain, server_side=True)) as client,
            closing(socket.socket(socket.AF_UNIX)) as server,
        ):
            server.connect(self._upstream)
            while True:
                ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                for source in ready:
                    if not (data := source.recv(65536)):
                        return
                    (server if source is client else client).sendall(data)
