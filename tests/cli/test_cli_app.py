"""-A and -b: where they may stand, what they may name, and what is said when they name nothing of use."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_driving import start

from pyworkflow.backend import Backend, open_backend

APP = """
from pyworkflow.manager import Manager
from pyworkflow.workflow import DefaultWorkflow

class Order(DefaultWorkflow):
    timeout = 100
    category = "orders"

workflows = [Order]
manager = Manager("memory://", workflows)
number = 7
manage = lambda: manager
nothing = []
class Space:
    inner = workflows
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the current directory; each test has its own name for it."""
    name = f"app_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return name


@pytest.mark.parametrize("attribute", ["workflows", "manager", "Space.inner"])
def test_an_app_brings_its_types_to_the_backend(cli, backend: Backend, app: str, attribute: str) -> None:
    cli("-A", f"{app}:{attribute}", "start", "Order", "--id", "o1")
    found = backend.describe_process("o1")
    assert found.deadline == pytest.approx(found.started + 100)
    assert backend.poll_decision_task("orders") is not None


def test_without_an_app_the_defaults_apply(cli, backend: Backend) -> None:
    cli("start", "Order", "--id", "o1")
    assert backend.poll_decision_task("default") is not None


@pytest.mark.parametrize("words", [["start", "Ordr"], ["schedule", "create", "x", "Ordr", "--every", "1h"]])
def test_a_workflow_that_the_app_does_not_have(cli, backend: Backend, app: str, words: list[str]) -> None:
    stderr = cli("-A", f"{app}:workflows", *words, code=2).stderr
    assert f"{app}:workflows has no workflow 'Ordr', but Order. Did you mean 'Order'?" in stderr
    assert not list(backend.processes())


@pytest.mark.parametrize("words", [["list"], ["count"], ["cancel", "-y"], ["terminate", "--dry-run"]])
def test_a_filter_by_a_workflow_that_the_app_does_not_have(cli, backend: Backend, app: str, words: list[str]) -> None:
    told = "The app has no workflow 'Ordr', but Order. Did you mean 'Order'?"
    words = ["-A", f"{app}:workflows", *words, "--workflow", "Ordr"]
    assert told in cli(*words).stderr
    assert told not in cli(*words[2:]).stderr
    start(backend, "o1", "Ordr")  # One of former days.
    assert told not in cli(*words).stderr


def test_what_would_be_gone_with_the_command_is_not_started(cli, app: str) -> None:
    cli.url = "memory://"
    for words in (["start", "Order"], ["schedule", "create", "x", "Order", "--every", "1h"]):
        result = cli(*words, code=2)
        assert result.stdout == ""
        assert "gone with this command. Say -b sqlite:///orders.db." in result.stderr


def test_options_after_the_command_win(cli, backend: Backend, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    second = open_backend(other)
    start(second, "other")
    second.close()
    start(backend, "mine")
    assert "mine" in cli("list").stdout
    assert "other" in cli("-b", other, "list").stdout
    assert "other" in cli("list", "-b", other).stdout
    assert "mine" in cli("-b", other, "list", "-b", cli.url).stdout


def test_options_after_a_command_of_a_group(cli, tmp_path: Path) -> None:
    cli("backend", "migrate", "-b", f"sqlite:///{tmp_path}/third.db")
    assert f"{tmp_path}/third.db" in cli("backend", "info", "-b", f"sqlite:///{tmp_path}/third.db").stdout


def test_a_manager_keeps_its_own_backend_where_none_is_given(cli, app: str) -> None:
    cli.url = ""
    assert "memory" in cli("-A", f"{app}:manager", "backend", "info").stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("{app}", "write module:attribute"),
        (":x", "write module:attribute"),
        ("{app}:missing", "has no attribute 'missing'"),
        ("{app}:workflow", "has no attribute 'workflow'. Did you mean 'workflows'?"),
        ("{app}:Space.iner", "has no attribute 'Space.iner'. Did you mean 'inner'?"),
        ("{app}:Order", "is a Workflow class: write a list, `workflows = [Order]`"),
        ("{app}:number", "is int: it must be a Manager or a list of Workflow classes"),
        ("{app}:nothing", "is list: it must be"),
        ("{app}:manage", "is function: it must be a Manager or a list of Workflow classes. Did you mean 'manager'?"),
        ("nowhere_at_all:x", "there is no module 'nowhere_at_all'"),
        ("{app}.sub:x", "there is no module"),
    ],
)
def test_an_app_that_is_none_is_a_usage_error(cli, app: str, name: str, says: str) -> None:
    for words in (["start", "Order"], ["worker"], ["check"], ["replay", "x.json"]):
        assert says in cli("-A", name.format(app=app), *words, code=2).stderr


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import missing_library", "No module named 'missing_library'"),
        ("1 / 0", "ZeroDivisionError"),
        ("x = (", "SyntaxError"),
    ],
)
def test_an_app_that_breaks_is_shown_with_its_line(cli, app: str, tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / f"{app}_broken.py").write_text(f"\n{source}\n")
    stderr = cli("-A", f"{app}_broken:x", "start", "Order", code=1).stderr
    assert stderr.startswith(f"Error: -A {app}_broken cannot be imported:\n")
    assert says in stderr
    assert "line 2" in stderr
    assert "session.py" not in stderr
    cli("-A", f"{app}_broken:x", "schedule", "create", "x", "Order", "--every", "1h", code=1)


def test_who_needs_no_app_warns_of_one_that_breaks_and_goes_on(cli, backend: Backend, app: str, tmp_path: Path) -> None:
    start(backend, "o1")
    (tmp_path / f"{app}_broken.py").write_text("1 / 0")
    broken = f"{app}_broken:x"
    for words in (["list"], ["describe", "o1"], ["history", "o1"], ["schedule", "list"], ["backend", "check"]):
        result = cli("-A", broken, *words)
        warning = (
            f"Warning: -A {app}_broken cannot be imported: ZeroDivisionError: division by zero; going on without it."
        )
        assert result.stderr.splitlines()[0] == warning
    assert "o1" in cli("-A", broken, "list").stdout
    assert "Asked for" in cli("-A", "nowhere_at_all:x", "cancel", "o1").stdout
    cli.url = ""
    assert "ZeroDivisionError" in cli("-A", broken, "list", code=1).stderr


def test_no_backend_at_all(cli, app: str) -> None:
    cli.url = ""
    assert "which backend?" in cli("list", code=2).stderr
    assert "say the backend with -b" in cli("-A", f"{app}:workflows", "list", code=2).stderr


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("orders.db", "is not a backend's URL"),
        ("nosuch://x", "no backend for nosuch://"),
        ("sqlite:///", "names no file"),
    ],
)
def test_a_backend_that_is_none(cli, named: str, says: str) -> None:
    stderr = cli("list", "-b", named, code=1).stderr
    assert stderr.startswith("Error: ")
    assert says in stderr


def test_a_file_that_cannot_be_opened(cli, tmp_path: Path) -> None:
    assert "there is no file" in cli("list", "-b", f"sqlite:///{tmp_path}/typo.db", code=1).stderr
    assert not list(tmp_path.glob("typo*"))
    below = cli("backend", "migrate", "-b", f"sqlite:///{tmp_path}/no/such/dir.db", code=1).stderr
    assert f"cannot open {tmp_path}/no/such/dir.db: there is no directory {tmp_path}/no/such\n" in below
    itself = cli("list", "-b", f"sqlite:///{tmp_path}", code=1).stderr
    assert f"cannot open {tmp_path}: it is a directory, name a file in it\n" in itself


def test_a_file_that_is_none_of_ours(cli, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello " * 1_000)
    assert "cannot be used as a workflow file" in cli("list", "-b", f"sqlite:///{tmp_path}/text.db", code=1).stderr
