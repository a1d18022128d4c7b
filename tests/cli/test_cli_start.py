"""`start`: what it starts, what it prints, and the apps that it knows workflows from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_driving import complete, decide, start

from pyworkflow.backend import Backend
from pyworkflow.decision import CompleteProcess


def test_start_prints_the_id_alone(cli, backend: Backend) -> None:
    id = cli("start", "Order", "-i", '{"item": "tea"}', "--tag", "shop", "--tag", "fast").stdout.strip()
    process = backend.process_by_id(id)
    assert (process.workflow, process.input, process.tags) == ("Order", {"item": "tea"}, ["shop", "fast"])


def test_start_as_json(cli) -> None:
    assert json.loads(cli("start", "Order", "--id", "o1", "-o", "json").stdout) == {"id": "o1"}
    assert json.loads(cli("start", "Order", "--id", "o2", "-o", "jsonl").stdout) == {"id": "o2"}


def test_input_from_a_file_and_from_standard_input(cli, backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('["ü"]', "utf-8")
    cli("start", "Order", "--id", "file", "-i", f"@{tmp_path}/in.json")
    cli("start", "Order", "--id", "stdin", "-i", "-", input="[1.5, null]")
    assert backend.process_by_id("file").input == ["ü"]
    assert backend.process_by_id("stdin").input == [1.5, None]


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("tea", "A string needs its quotes"),
        ("{'a': 1}", "not JSON"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("[" * 100 + "]" * 100, "nested more than"),
        ("@nowhere.json", "cannot read nowhere.json"),
        ('"\\ud800"', "cannot be stored"),
        (json.dumps("x" * 300_000), "the limit is"),
    ],
)
def test_input_that_cannot_be_stored_is_a_usage_error(cli, payload: str, says: str) -> None:
    stderr = cli("start", "Order", "-i", payload, code=2).stderr
    assert "Error: " in stderr
    assert says in stderr


def test_an_id_in_use(cli, backend: Backend) -> None:
    start(backend, "o1")
    stderr = cli("start", "Order", "--id", "o1", code=5).stderr
    assert stderr.startswith("Error: process 'o1' is already running")
    assert "--if-running" in stderr
    first = backend.describe_process("o1").process.run
    assert cli("start", "Order", "--id", "o1", "--if-running", "use-existing").stdout == "o1\n"
    assert backend.describe_process("o1").process.run == first
    cli("start", "Order", "--id", "o1", "--if-running", "terminate-existing")
    assert backend.describe_process("o1").process.run != first


def test_a_request_id_starts_once(cli, backend: Backend) -> None:
    for _ in range(2):
        cli("start", "Order", "--id", "o1", "--request-id", "r1")
    assert len(backend.history("o1")) == 1
    assert "already running" in cli("start", "Order", "--id", "o1", "--request-id", "r2", code=5).stderr


def test_timeout_and_priority(cli, backend: Backend) -> None:
    cli("start", "Order", "--id", "low", "--timeout", "2h")
    cli("start", "Order", "--id", "high", "--priority", "5")
    found = backend.describe_process("low")
    assert found.deadline == pytest.approx(found.started + 7_200)
    task = backend.poll_decision_task()
    assert task is not None
    assert task.process.id == "high"


@pytest.mark.parametrize(
    "words", [["--id", "a/b"], ["--id", ""], ["--tag", "a:b"], ["--tag=1"] * 6, ["--priority", "x"]]
)
def test_names_that_break_the_rules_are_usage_errors(cli, words: list[str]) -> None:
    assert "Error: " in cli("start", "Order", *words, code=2).stderr


def test_wait_prints_the_result(cli, backend: Backend) -> None:
    complete(backend, "o1", {"total": 3})
    # The process is closed already: the same request id starts it no second time.
    start(backend, "o2")
    decide(backend, CompleteProcess([1]))
    assert json.loads(cli("result", "o2").stdout) == [1]


def test_wait_while_somebody_decides(cli, backend: Backend, spawn) -> None:
    waiting = spawn("start", "Order", "--id", "o1", "--wait")
    task = backend.poll_decision_task(timeout=60)
    assert task is not None
    backend.complete_decision_task(task, CompleteProcess({"total": 3}))
    stdout, stderr = waiting.communicate(timeout=60)
    assert (waiting.returncode, json.loads(stdout), stderr) == (0, {"total": 3}, "Started o1\n")


def test_watch_shows_events_where_there_is_no_terminal(backend: Backend, spawn) -> None:
    watching = spawn("start", "Order", "--id", "o1", "--watch")
    task = backend.poll_decision_task(timeout=60)
    assert task is not None
    backend.complete_decision_task(task, CompleteProcess("done"))
    stdout, _ = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "process started" in stdout
    assert "complete process" in stdout
    assert stdout.endswith('"done"\n')


def test_watch_is_for_people(cli, backend: Backend) -> None:
    assert "--watch" in cli("start", "Order", "--watch", "-o", "json", code=2).stderr
    assert not list(backend.processes())
