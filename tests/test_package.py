"""What is shipped is what is there, and the house keeps its rules: short files, short functions, one-way imports."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import pyworkflow

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("pyworkflow/**/*.py"), *ROOT.glob("backends/**/*.py")])
MAX_FILE, MAX_FUNCTION = 300, 40


def test_every_package_is_in_setup_cfg() -> None:
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    listed = options["options"]["packages"].split()
    there = {str(path.parent.relative_to(ROOT)).replace("/", ".") for path in SOURCES if path.name == "__init__.py"}
    assert sorted(listed) == sorted(name.removeprefix("backends.") for name in there)


def test_the_backends_are_entry_points() -> None:
    found = {entry.name: entry.load() for entry in entry_points(group="pyworkflow.backends")}
    assert {"memory", "postgres", "postgresql", "sqlite"} <= set(found)
    assert {"swf", "redis", "rediss", "unix", "redis+cluster", "redis+sentinel"} <= set(found)
    assert all(issubclass(backend, pyworkflow.Backend) for backend in found.values())


def test_every_public_name_is_there_and_known_to_type_checkers() -> None:
    tree = ast.parse((ROOT / "pyworkflow/__init__.py").read_text())
    typed = {alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed - {None} == {*pyworkflow.__all__, "Event", "signal"}
    assert all(getattr(pyworkflow, name) is not None for name in pyworkflow.__all__)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_rules_of_the_house(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= MAX_FILE
    assert ast.get_docstring(tree), "a module opens with a sentence that says what it is"
    long = [node.name for node in functions(tree) if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION]
    assert not long


@pytest.mark.parametrize("path", [path for path in SOURCES if "engine" in path.parts], ids=lambda path: path.name)
def test_the_engine_knows_nothing_above_it(path: Path) -> None:
    backends = [path.name for path in (ROOT / "backends").iterdir()]
    above = ("manager", "worker", "cli", "testing", "memory", *backends)
    assert not [name for name in imported(ast.parse(path.read_text())) if name.split(".")[-1] in above]


@pytest.mark.parametrize("path", sorted(ROOT.glob("pyworkflow/engine/machine/*.py")), ids=lambda path: path.name)
def test_the_machine_has_no_clock_and_no_chance(path: Path) -> None:
    impure = {"time", "datetime", "random", "uuid", "os", "threading", "secrets"}
    assert not impure & {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
