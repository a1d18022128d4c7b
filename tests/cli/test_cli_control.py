"""`signal`, `cancel`, `terminate` and `resume`: by id, in bulk, and with their safety catches."""

from __future__ import annotations

import pytest
from cli_driving import block, complete, decide, start

from pyworkflow.backend import Backend
from pyworkflow.decision import CompleteProcess
from pyworkflow.events import CancelRequestedEvent, SignalEvent
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.manager import Manager
from pyworkflow.process import Process

COMMANDS = {"signal": ("hurry",), "cancel": (), "terminate": ()}


@pytest.fixture
def three(backend: Backend) -> Backend:
    for id in ("o1", "o2", "o3"):
        backend.start_process(Process("Order", id, tags=["shop"]))
    return backend


def reached(backend: Backend, command: str, id: str) -> bool:
    """Did the command reach the process?"""
    if command == "terminate":
        return backend.describe_process(id).process.status == "terminated"
    kind = SignalEvent if command == "signal" else CancelRequestedEvent
    return any(isinstance(event, kind) for event in backend.history(id))


def all_reached(backend: Backend, command: str) -> list[str]:
    return [id for id in ("o1", "o2", "o3") if reached(backend, command, id)]


# -- by id ----------


def test_signal(cli, three: Backend) -> None:
    assert cli("signal", "o1", "add_item", "-i", '{"item": "cup"}').stdout == "Signaled 1 process.\n"
    (event,) = [event for event in three.history("o1") if isinstance(event, SignalEvent)]
    assert (event.signal.name, event.signal.data) == ("add_item", {"item": "cup"})
    for _ in range(2):
        cli("signal", "o2", "once", "--request-id", "r1")
    assert sum(isinstance(event, SignalEvent) for event in three.history("o2")) == 1


def test_cancel_and_terminate(cli, three: Backend) -> None:
    cli("cancel", "o1", "--details", '"enough"')
    assert CancelRequestedEvent(details="enough") in three.history("o1")
    assert three.describe_process("o1").process.status == "running"
    cli("terminate", "o2", "--reason", "by mistake", "--child-policy", "abandon")
    assert "terminated: by mistake" in cli("describe", "o2").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_several_ids(cli, three: Backend, command: str) -> None:
    assert "2 processes." in cli(command, "o1", "o3", *COMMANDS[command]).stdout
    assert all_reached(three, command) == ["o1", "o3"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_may_be_named(cli, three: Backend, command: str) -> None:
    run = three.describe_process("o1").process.run
    cli(command, "o1:0000", *COMMANDS[command], code=3)
    cli(command, f"o1:{run}", *COMMANDS[command])
    assert all_reached(three, command) == ["o1"]


@pytest.mark.parametrize("command", COMMANDS)
def test_one_that_is_not_there(cli, three: Backend, command: str) -> None:
    result = cli(command, "nobody", *COMMANDS[command], code=3)
    assert (result.stdout, result.stderr) == ("", "Error: there is no process 'nobody'\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_one_of_several_that_is_not_there(cli, three: Backend, command: str) -> None:
    result = cli(command, "o1", "nobody", "bad/name", "o2", *COMMANDS[command], code=3)
    assert "2 processes." in result.stdout
    assert result.stderr.count("Error: ") == 2
    assert all_reached(three, command) == ["o1", "o2"]


def test_reports_as_json(cli, three: Backend) -> None:
    rows = cli.json("signal", "o1", "nobody", "hurry", code=3)
    assert [(row["id"], row["done"]) for row in rows] == [("o1", True), ("nobody", False)]
    assert rows[1]["error"] == "there is no process 'nobody'"


# -- in bulk ----------


@pytest.mark.parametrize("command", COMMANDS)
def test_a_filter_asks_first(cli, three: Backend, command: str) -> None:
    result = cli(command, *COMMANDS[command], "--workflow", "Order", input="n\n")
    assert "3 processes? [y/N]" in result.stderr
    assert "Nothing was done." in result.stderr
    assert all_reached(three, command) == []
    cli(command, *COMMANDS[command], "--workflow", "Order", input="y\n")
    assert all_reached(three, command) == ["o1", "o2", "o3"]


@pytest.mark.parametrize("command", COMMANDS)
def test_yes_and_all(cli, three: Backend, command: str) -> None:
    result = cli(command, *COMMANDS[command], "--all", "-y")
    assert "3 processes." in result.stdout
    assert result.stderr == ""
    assert all_reached(three, command) == ["o1", "o2", "o3"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_dry_run_only_lists(cli, three: Backend, command: str) -> None:
    output = cli(command, *COMMANDS[command], "--id-prefix", "o", "--dry-run").stdout
    assert [line.split()[0] for line in output.splitlines()] == ["ID", "o3", "o2", "o1"]
    rows = cli.json(command, "o2", *COMMANDS[command], "--dry-run")
    assert [(row["id"], row["status"]) for row in rows] == [("o2", "running")]
    cli(command, "nobody", *COMMANDS[command], "--dry-run", code=3)
    assert all_reached(three, command) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "which processes?"),
        (["o1", "--workflow", "Order"], "either ids or filters"),
        (["o1", "--all"], "either ids or filters"),
        (["--all", "--tag", "shop"], "--all is for when there is no filter"),
        (["--status", "completed"], "'completed' is not one of"),
    ],
)
def test_usage_errors(cli, three: Backend, words: list[str], says: str) -> None:
    assert says in cli("cancel", *words, code=2).stderr
    assert all_reached(three, "cancel") == []


def test_nobody_to_ask(cli, three: Backend) -> None:
    assert "say -y" in cli("terminate", "--all", input="", code=2).stderr
    assert all_reached(three, "terminate") == []


def test_a_filter_that_matches_nothing(cli, three: Backend) -> None:
    result = cli("cancel", "--workflow", "Invoice")
    assert (result.stdout, result.stderr) == ("", "No processes match.\n")
    assert cli.json("cancel", "--workflow", "Invoice") == []


def test_only_open_processes_are_meant(cli, three: Backend) -> None:
    for _ in range(3):
        decide(three, CompleteProcess())
    start(three, "o4")
    assert [row["id"] for row in cli.json("terminate", "--all", "--dry-run")] == ["o4"]


def test_one_that_closes_in_between_is_reported(cli, three: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Manager.cancel_process

    def closes_o2_first(self: Manager, id: str, details: object = None) -> None:
        if id.startswith("o2:"):
            three.terminate_process(id)
        real(self, id, details)

    monkeypatch.setattr(Manager, "cancel_process", closes_o2_first)
    result = cli("cancel", "--all", "-y")
    assert result.stdout == "Asked for the cancellation of 2 processes.\n"
    assert result.stderr.startswith("Not any more: ")
    assert "o2" in result.stderr
    assert all_reached(three, "cancel") == ["o1", "o3"]


def test_a_later_run_is_not_meant(cli, three: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Manager.terminate_process

    def restarts_o2_first(self: Manager, id: str, *more: object, **named: object) -> None:
        if id.startswith("o2:"):
            three.terminate_process(id)
            start(three, "o2")
        real(self, id, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Manager, "terminate_process", restarts_o2_first)
    cli("terminate", "--all", "-y")
    assert three.describe_process("o2").process.status == "running"


def test_a_backend_that_goes_away_in_between(cli, three: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Manager.terminate_process

    def fails_at_o1(self: Manager, id: str, *more: object, **named: object) -> None:
        if id.startswith("o1:"):
            raise BackendUnavailable("the disk is full")
        real(self, id, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Manager, "terminate_process", fails_at_o1)
    stderr = cli("terminate", "--all", "-y", code=1).stderr
    assert stderr == "Terminated 2 processes of 3, then:\nError: the disk is full\n"


# -- resume ----------


def test_resume(cli, backend: Backend) -> None:
    block(backend, "b1")
    assert cli("resume", "b1").stdout == "Resumed 1 process.\n"
    assert backend.describe_process("b1").process.status == "running"
    decide(backend, CompleteProcess())


def test_resume_all_that_are_blocked(cli, backend: Backend) -> None:
    block(backend, "b1")
    block(backend, "b2")
    start(backend, "o1")
    assert cli("resume", "--all", "-y").stdout == "Resumed 2 processes.\n"
    assert cli("count", "--status", "blocked").stdout == "0\n"


def test_resume_what_is_not_blocked(cli, backend: Backend) -> None:
    start(backend, "o1")
    assert "is not blocked" in cli("resume", "o1", code=3).stderr
    complete_id = "done"
    backend.terminate_process("o1")
    complete(backend, complete_id)
    assert "is not blocked" in cli("resume", complete_id, code=3).stderr
