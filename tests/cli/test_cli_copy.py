"""`pyworkflow backend copy`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_driving import complete, hold_activity

from pyworkflow.backend import Backend, open_backend
from pyworkflow.engine.copying import Copier
from pyworkflow.process import Process


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/copy.db"


def test_everything_is_copied_once(cli, url: str, backend: Backend, target: str) -> None:
    for number in range(3):
        complete(backend, f"o{number}", "fine")
    backend.start_process(Process("Order", "open"))
    assert cli("backend", "copy", url, target).stdout == "Copied 4 processes, 10 events.\n"
    assert cli("backend", "copy", url, target).stdout == "Copied 0 processes, 0 events, 4 were there before.\n"
    copy = open_backend(target)
    assert [copy.process_by_id(id).status for id in ("o0", "o1", "o2", "open")] == [*["completed"] * 3, "running"]
    assert copy.poll_decision_task().process.id == "open"
    copy.close()


def test_it_says_what_it_did_as_json(cli, url: str, backend: Backend, target: str) -> None:
    complete(backend, "o1", "fine")
    cli("backend", "copy", url, target)
    row = {"source": url, "target": target, "processes": 1, "copied": 0, "events": 0, "failed": []}
    assert cli.json("backend", "copy", url, target) == row


def test_it_waits_for_what_workers_hold(cli, url: str, backend: Backend, target: str) -> None:
    hold_activity(backend, "o1")
    assert (
        "workers hold activity 'charge-1' of process 'o1'. Stop them"
        in cli("backend", "copy", url, target, code=1).stderr
    )
    assert "Copied 1 processes" in cli("backend", "copy", "--held", url, target).stdout


def test_what_the_target_has_of_its_own_is_named(cli, url: str, backend: Backend, target: str) -> None:
    backend.start_process(Process("Order", "o1"))
    other = open_backend(target)
    other.start_process(Process("Other", "o1"))
    other.close()
    result = cli("backend", "copy", url, target, code=1)
    assert "o1" in result.stdout
    assert result.stderr == "Error: 1 processes could not be copied\n"
    assert cli.json("backend", "copy", url, target, code=1)["failed"][0]["id"] == "o1"


def test_what_began_meanwhile_is_named(cli, url: str, backend: Backend, target: str, monkeypatch) -> None:
    copy = Copier.copy

    def slowly(copier: Copier, process: str) -> int:
        backend.start_process(Process("Order", "late"))
        return copy(copier, process)

    backend.start_process(Process("Order", "o1"))
    monkeypatch.setattr(Copier, "copy", slowly)
    result = cli("backend", "copy", url, target, code=1)
    assert "late" in result.stdout and "o1" not in result.stdout
    assert result.stderr == "Error: 1 processes could not be copied\n"


def test_a_source_that_is_not_there_is_not_made(cli, tmp_path: Path, target: str) -> None:
    cli("backend", "copy", f"sqlite:///{tmp_path}/nothing.db", target, code=1)
    assert not (tmp_path / "nothing.db").exists()


def test_only_stores_can_be_copied(cli, url: str) -> None:
    assert "no backend for nonsense://" in cli("backend", "copy", url, "nonsense://x", code=1).stderr
