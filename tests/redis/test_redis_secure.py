"""Over TLS: a server is talked to when its certificate is trusted, and not otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyworkflow import BackendUnavailable, CompleteProcess, Manager, Process, Worker, Workflow
from pyworkflow.backend.redis import RedisBackend
from tests.servers.redis import RunningServer
from tests.servers.secure import SecureDoor, certificate


class Hello(Workflow):
    def decide(self, process: Process) -> CompleteProcess:
        return CompleteProcess(process.input)


@pytest.fixture
def door(server: RunningServer, tmp_path: Path) -> Iterator[SecureDoor]:
    door = SecureDoor(str(server.socket), *certificate(tmp_path))
    yield door
    door.close()


def test_work_is_done_over_tls(door: SecureDoor, tmp_path: Path) -> None:
    manager = Manager(f"rediss://127.0.0.1:{door.port}?ssl_ca_certs={tmp_path / 'certificate.pem'}", [Hello])
    large = "x" * 200_000
    id = manager.start_process(Process(Hello, input=large))
    Worker(manager).run(burst=True)
    assert manager.result(id) == large
    manager.close()


def test_a_certificate_that_nobody_trusts_is_refused(door: SecureDoor) -> None:
    with pytest.raises(BackendUnavailable, match="certificate verify failed"):
        RedisBackend(f"rediss://127.0.0.1:{door.port}", patience=0.1)
