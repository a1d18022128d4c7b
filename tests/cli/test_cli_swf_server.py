"""`swf-server`: serves until it is stopped, to those who may come in."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyworkflow.backend import Backend

Spawn = Callable[..., "subprocess.Popen[str]"]


def address(server: subprocess.Popen[str]) -> str:
    """Where it says that it serves."""
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("serving Amazon SWF's protocol at http://127.0.0.1:"), line
    return line.split()[-1]


def ask(url: str, operation: str, **about: Any) -> Any:
    headers = {"X-Amz-Target": f"SimpleWorkflowService.{operation}"}
    request = urllib.request.Request(url, json.dumps(about).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read() or b"null")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(spawn: Spawn, backend: Backend, number: signal.Signals) -> None:
    server = spawn("swf-server", "--port", "0", "--domain", "mine")
    url = address(server)
    assert [each["name"] for each in ask(url, "ListDomains", registrationStatus="REGISTERED")["domainInfos"]] == [
        "mine"
    ]
    server.send_signal(number)
    out, errors = server.communicate(timeout=60)
    assert (server.returncode, out, errors) == (0, "", "")
    assert backend.process_by_id("~mine").status == "running"


def test_polls_may_be_short(spawn: Spawn) -> None:
    url = address(spawn("swf-server", "--port", "0", "--long-poll", "0.2"))
    assert ask(url, "PollForActivityTask", domain="default", taskList={"name": "l"}) == {"startedEventId": 0}


def test_others_are_served_with_keys_alone(cli: Any, tmp_path: Path) -> None:
    refused = cli("swf-server", "--host", "0.0.0.0", code=2)
    assert "--host 0.0.0.0 can be reached by others: give --keys" in refused.stderr
    for text, message in (("", "has no keys"), ("nonsense\n", "line 1 of")):
        (tmp_path / "keys").write_text(text)
        assert message in cli("swf-server", "--keys", str(tmp_path / "keys"), code=2).stderr
    cli("swf-server", "--keys", str(tmp_path / "none"), code=1)


def test_requests_must_be_signed_with_one_of_the_keys(spawn: Spawn, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# workers\nKEY:secret\n")
    url = address(spawn("swf-server", "--port", "0", "--keys", str(tmp_path / "keys")))
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(url, "ListDomains", registrationStatus="REGISTERED")
    from tests.swfserver.support import client_of

    swf = client_of(url, aws_access_key_id="KEY", aws_secret_access_key="secret")
    assert swf.list_domains(registrationStatus="REGISTERED")["domainInfos"]


def test_an_address_in_use_is_an_error(spawn: Spawn) -> None:
    port = address(spawn("swf-server", "--port", "0")).rpartition(":")[2]
    second = spawn("swf-server", "--port", port)
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "address already in use" in errors
