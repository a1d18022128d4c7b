"""`queue`, `prune` and `backend`."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_driving import complete, fail, hold_activity, start

from pyworkflow.backend import Backend


def test_queues(cli, backend: Backend) -> None:
    assert cli("queue", "list").stderr == "All queues are empty.\n"
    assert cli.json("queue", "list") == []
    start(backend, "o1")
    rows = cli.json("queue", "list")
    assert {"kind": "decision", "category": "default", "ready": 1, "later": 0} in rows
    head, *lines = cli("queue", "list").stdout.splitlines()
    assert head.split() == ["KIND", "CATEGORY", "READY", "LATER"]
    assert ["decision", "default", "1", "0"] in [line.split() for line in lines]


# -- prune ----------


@pytest.fixture
def closed(backend: Backend) -> Backend:
    complete(backend, "o1")
    fail(backend, "o2")
    start(backend, "o3")
    return backend


def count(cli) -> str:
    return cli("count", "--status", "all").stdout.strip()


def test_prune_asks_first(cli, closed: Backend) -> None:
    result = cli("prune", "--closed-before", "0s", input="n\n")
    assert "Delete 2 closed before" in result.stderr
    assert result.stdout == "Deleted 0.\n"
    assert count(cli) == "3"
    assert cli("prune", "--closed-before", "0s", input="y\n").stdout == "Deleted 2.\n"
    assert count(cli) == "1"


def test_prune_without_asking(cli, closed: Backend) -> None:
    moment = datetime.now(UTC).isoformat()
    assert cli("prune", "--closed-before", moment, "-y").stdout == "Deleted 2.\n"
    assert cli("prune", "--closed-before", moment, "-y").stdout == "Deleted 0.\n"


def test_a_dry_run_only_counts(cli, closed: Backend) -> None:
    assert cli("prune", "--closed-before", "0s", "--dry-run").stdout == "2 would be deleted.\n"
    assert cli("prune", "--closed-before", "1h", "--dry-run").stdout == "0 would be deleted.\n"
    moment = "2100-01-01T00:00Z"
    row = cli.json("prune", "--closed-before", moment, "--dry-run")
    assert row == {"closed_before": "2100-01-01T00:00:00.000000Z", "matching": 2, "deleted": 0}
    assert count(cli) == "3"


@pytest.mark.parametrize("words", [[], ["--closed-before", "long ago"]])
def test_prune_says_when(cli, words: list[str]) -> None:
    assert "--closed-before" in cli("prune", *words, code=2).stderr


def test_nobody_to_ask(cli, closed: Backend) -> None:
    cli("prune", "--closed-before", "0s", input="", code=2)
    assert count(cli) == "3"


# -- backend ----------


def test_info(cli, tmp_path: Path) -> None:
    row = cli.json("backend", "info")
    assert (row["backend"], row["path"], row["processes"]) == ("sqlite", f"{tmp_path}/cli.db", 0)
    output = cli("backend", "info").stdout
    for name in row:
        assert name in output


def test_migrate(cli) -> None:
    schema = cli.json("backend", "migrate")["schema"]
    assert cli("backend", "migrate").stdout == f"The schema is up to date: {schema}.\n"
    assert "no schema" in cli("backend", "migrate", "-b", "memory://").stdout


def test_a_newer_file_is_refused(cli, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "cli.db") as db:
        db.execute("UPDATE pyworkflow_schema SET version = 1000")
    assert "newer pyworkflow" in cli("backend", "migrate", code=1).stderr


def test_check_finds_nothing(cli, closed: Backend) -> None:
    hold_activity(closed, "o4")
    result = cli("backend", "check")
    assert (result.stdout, result.stderr) == ("", "All 4 histories are whole.\n")
    assert cli.json("backend", "check") == []


DAMAGE = {
    "a changed byte": "UPDATE pyworkflow_event SET body = replace(body, 'no stock', 'no stick') WHERE seq = 3",
    "an unknown format": "UPDATE pyworkflow_event SET body = '9' || substr(body, 2) WHERE seq = 2",
    "an event that is gone": "DELETE FROM pyworkflow_event WHERE seq = 2",
    "a last event that is gone": "DELETE FROM pyworkflow_event WHERE seq = 3",
    "a cut event": "UPDATE pyworkflow_event SET body = substr(body, 1, 12) WHERE seq = 3",
    "an empty event": "UPDATE pyworkflow_event SET body = x'' WHERE seq = 1",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_check_names_what_is_corrupt(cli, backend: Backend, tmp_path: Path, damage: str) -> None:
    complete(backend, "o1", "fine")
    fail(backend, "o2", "no stock")
    run = backend.describe_process("o2").process.run
    with sqlite3.connect(tmp_path / "cli.db") as db:
        text = DAMAGE[damage].replace("replace(body,", "CAST(replace(CAST(body AS TEXT),")
        text = text.replace("'no stick')", "'no stick') AS BLOB)").replace("substr(body", "substr(CAST(body AS TEXT)")
        text += f" AND run = (SELECT key FROM pyworkflow_run WHERE run = '{run}')"
        assert db.execute(text).rowcount == 1
    rows = cli.json("backend", "check", code=1)
    assert [(row["id"], row["run"]) for row in rows] == [("o2", run)]
    result = cli("backend", "check", code=1)
    assert "o2" in result.stdout
    assert "o1" not in result.stdout
    assert result.stderr == "Error: 1 of 2 histories are corrupt\n"
