"""`list` and `count`: filters, pages, forms, and watching."""

from __future__ import annotations

import json
import signal

import pytest
from cli_driving import block, complete, decide, fail, start

from pyworkflow.backend import Backend
from pyworkflow.decision import CompleteProcess, StartChildProcess
from pyworkflow.process import Process

FIELDS = ["id", "run", "workflow", "version", "status", "started", "closed", "parent", "tags"]


@pytest.fixture
def five(backend: Backend) -> Backend:
    """Three closed processes, a running one and a blocked one."""
    complete(backend, "done-1")
    complete(backend, "done-2")
    fail(backend, "failed-1")
    block(backend, "blocked-1")
    backend.start_process(Process("Invoice", "open-1", tags=["shop", "fast"]))
    return backend


def ids(cli, *words: str) -> list[str]:
    return [row["id"] for row in cli.json("list", *words)]


def test_a_table(cli, five: Backend) -> None:
    head, *rows = cli("list").stdout.splitlines()
    assert head.split() == ["ID", "WORKFLOW", "STATUS", "STARTED", "TAGS"]
    assert [row.split()[0] for row in rows] == ["open-1", "blocked-1"]
    assert rows[0].endswith("shop, fast")
    assert rows[1] == rows[1].rstrip()


def test_json_has_the_documented_fields(cli, five: Backend) -> None:
    row = cli.json("list", "--status", "completed")[0]
    assert list(row) == FIELDS
    assert row["status"] == "completed"
    assert row["started"] < row["closed"]
    assert row["closed"].endswith("Z")
    assert row["tags"] == []
    assert all(field in cli("list", "-h").stdout for field in FIELDS)


def test_nothing_is_said_on_stderr(cli) -> None:
    result = cli("list")
    assert (result.stdout, result.stderr) == ("", "No processes match.\n")
    assert cli.json("list") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["open-1", "blocked-1"]),
        (["--status", "closed"], ["failed-1", "done-2", "done-1"]),
        (["--status", "all", "--workflow", "Invoice"], ["open-1"]),
        (["--status", "blocked"], ["blocked-1"]),
        (["--tag", "fast"], ["open-1"]),
        (["--id-prefix", "done", "--status", "all"], ["done-2", "done-1"]),
        (["--since", "1h"], ["open-1", "blocked-1"]),
        (["--until", "1h"], []),
        (["--since", "2020-01-01", "--until", "2021-01-01T00:00Z"], []),
        (["--closed-since", "1h"], ["failed-1", "done-2", "done-1"]),
        (["--closed-since", "1h", "--status", "failed"], ["failed-1"]),
        (["--closed-until", "1h"], []),
    ],
)
def test_filters(cli, five: Backend, words: list[str], found: list[str]) -> None:
    assert ids(cli, *words) == found
    if "--status" in words or not words:
        assert cli("count", *words).stdout == f"{len(found)}\n"


def test_children_of_a_parent(cli, backend: Backend) -> None:
    start(backend, "parent")
    decide(backend, StartChildProcess(Process("Child", "child")))
    decide(backend, CompleteProcess())
    assert ids(cli, "--parent", "parent", "--status", "all") == ["child"]


@pytest.mark.parametrize(
    "words", [["--status", "sleeping"], ["--since", "soon"], ["--limit", "-1"], ["--cursor", "nonsense"], ["surplus"]]
)
def test_usage_errors(cli, words: list[str]) -> None:
    assert "Error: " in cli("list", *words, code=2).stderr


def test_pages(cli, five: Backend) -> None:
    seen, words = [], ["--status", "all", "--limit", "2"]
    while True:
        result = cli("list", *words, "-o", "jsonl")
        seen += [json.loads(line)["id"] for line in result.stdout.splitlines()]
        if not result.stderr:
            break
        words = [*words[:4], *result.stderr.strip().removeprefix("There are more: ").split()]
    assert seen == ["open-1", "blocked-1", "failed-1", "done-2", "done-1"]


def test_limit_0_lists_all_over_pages(cli, five: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyworkflow.cli.listing.PAGE", 2)
    result = cli("list", "--status", "all", "--limit", "0")
    assert len(result.stdout.splitlines()) == 6
    assert result.stderr == ""
    assert len(ids(cli, "--status", "all", "--limit", "3")) == 3


def test_count(cli, five: Backend) -> None:
    assert cli("count").stdout == "2\n"
    assert cli.json("count", "--status", "closed") == {"count": 3}


def test_count_by_status(cli, five: Backend) -> None:
    counts = {"running": 1, "blocked": 1, "completed": 2, "failed": 1}
    assert cli.json("count", "--by", "status") == [{"status": s, "count": n} for s, n in counts.items()]
    assert cli.json("count", "--by", "status", "--closed-since", "1h") == [
        {"status": "completed", "count": 2},
        {"status": "failed", "count": 1},
    ]
    assert cli("count", "--by", "status").stdout.split()[:4] == ["STATUS", "COUNT", "running", "1"]


def test_count_by_workflow(cli, five: Backend) -> None:
    assert cli.json("count", "--by", "workflow") == [
        {"workflow": "Invoice", "count": 1},
        {"workflow": "Order", "count": 4},
    ]
    assert cli.json("count", "--by", "workflow", "--status", "blocked") == [{"workflow": "Order", "count": 1}]
    assert cli("count", "--by", "workflow", "--tag", "none").stderr == "No processes match.\n"


def test_watching_as_lines(backend: Backend, spawn) -> None:
    start(backend, "o1")
    watching = spawn("list", "--status", "all", "--watch", "-o", "jsonl")
    assert json.loads(watching.stdout.readline())["status"] == "running"
    decide(backend, CompleteProcess())
    assert json.loads(watching.stdout.readline())["status"] == "completed"
    start(backend, "o2")
    assert json.loads(watching.stdout.readline())["id"] == "o2"
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 130


def test_watching_as_tables_in_a_pipe(backend: Backend, spawn) -> None:
    start(backend, "o1")
    watching = spawn("list", "--watch")
    assert watching.stdout.readline().startswith("ID")
    assert watching.stdout.readline().startswith("o1")
    start(backend, "o2")
    assert watching.stdout.readline() == "\n"
    assert watching.stdout.readline().startswith("ID")
    assert watching.stdout.readline().startswith("o2")


def test_watching_gives_no_array(cli) -> None:
    assert "-o jsonl" in cli("list", "--watch", "-o", "json", code=2).stderr
