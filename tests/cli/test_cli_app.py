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


def test_a_workflow_that_the_app_does_not_have(cli, app: str) -> None:
    assert "has no workflow 'Ordr', but Order" in cli("-A", f"{app}:workflows", "start", "Ordr", code=2).stderr


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
        ("{app}:number", "is int: it must be a Manager or a list of Workflow classes"),
        ("{app}:nothing", "is list: it must be"),
        ("nowhere_at_all:x", "there is no module 'nowhere_at_all'"),
        ("{app}.sub:x", "there is no module"),
    ],
)
def test_an_app_that_is_none_is_a_usage_error(cli, app: str, name: str, says: str) -> None:
    assert says in cli("-A", name.format(app=app), "list", code=2).stderr


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
    stderr = cli("-A", f"{app}_broken:x", "list", code=1).stderr
    assert stderr.startswith(f"Error: -A {app}_broken cannot be imported:\n")
    assert says in stderr
    assert "line 2" in stderr
    assert "session.py" not in stderr


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
    assert "cannot open" in cli("backend", "migrate", "-b", f"sqlite:///{tmp_path}/no/such/dir.db", code=1).stderr


def test_a_file_that_is_none_of_ours(cli, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello " * 1_000)
    assert "cannot be used as a workflow file" in cli("list", "-b", f"sqlite:///{tmp_path}/text.db", code=1).stderr
