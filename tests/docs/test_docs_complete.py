"""The documentation leaves nothing out: what the code has, the page that is about it names."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from docs_pages import PAGES, ROOT

import pyworkflow
from pyworkflow import DefaultWorkflow, decision, events, rules
from pyworkflow.cli import errors, main, rows
from pyworkflow.engine import records
from pyworkflow.exceptions import WorkflowError


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def assert_named(names: Iterable[str], name: str) -> None:
    """The page has each of these as a word of its code."""
    text = page(name)
    missing = [each for each in names if not re.search(rf"(?<![\w-]){re.escape(each)}(?![\w-])", text)]
    assert not missing, f"{name} does not name {', '.join(missing)}"


def below(cls: type) -> Iterator[type]:
    """All classes derived from this one."""
    for each in cls.__subclasses__():
        yield each
        yield from below(each)


# -- the command line ----------


def commands(group: click.Group = main, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def test_every_command_and_option_is_named() -> None:
    found: list[str] = []
    for name, command in commands():
        found.append(name)
        found += [max(option.opts, key=len) for option in command.params if isinstance(option, click.Option)]
    assert_named(found, "docs/command-line.md")


def test_every_field_is_named() -> None:
    fields = (*rows.DESCRIPTION_FIELDS, *rows.EVENT_FIELDS, *rows.OUTCOME_FIELDS, *rows.QUEUE_FIELDS)
    assert_named(fields, "docs/command-line.md")


def test_every_exit_code_is_told() -> None:
    names = ("ERROR", "USAGE", "NOT_FOUND", "NOT_COMPLETED", "ID_CONFLICT", "WAIT_TIMED_OUT", "INTERRUPTED")
    for name in names:
        assert f"\n| {getattr(errors, name)} |" in page("docs/command-line.md"), name


# -- the model ----------


def test_every_decision_event_and_record_is_named() -> None:
    concrete = [each.__name__ for each in below(records.Record) if not each.__subclasses__()]
    own = [each for each in below(decision.Decision) if each.__module__ == decision.__name__]
    named = [each.__name__ for each in (*own, *below(events.Event)) if each.__module__.startswith("pyworkflow.")]
    assert_named([*concrete, *named], "docs/architecture.md")


def test_every_cause_is_named() -> None:
    sources = [*(ROOT / "pyworkflow/engine/machine").glob("*.py"), ROOT / "pyworkflow/engine/mail.py"]
    sources.append(ROOT / "pyworkflow/engine/translate.py")
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    causes = set(re.findall(r'"((?:ACTIVITY|TIMER|OPEN|WORKFLOW|OPERATION|UNKNOWN|UNHANDLED)_[A-Z_]+)"', text))
    assert len(causes) > 10
    assert_named(causes, "docs/architecture.md")


def test_every_way_to_answer_is_named() -> None:
    methods = [name for name in vars(DefaultWorkflow) if name == "initiate" or name.startswith("respond_to_")]
    decorators = [name for name, value in vars(rules).items() if name.islower() and _makes_rules(value)]
    assert len(methods) > 8 and len(decorators) > 8
    assert_named([*methods, *decorators, *(each.__name__ for each in _decisions())], "docs/workflows.md")


def _makes_rules(value: Any) -> bool:
    """Is it a decorator of `rules`?"""
    own = getattr(value, "__module__", "") == rules.__name__ and not value.__name__.startswith("_")
    return own and value.__annotations__.get("return") in ("Rule", "Any")


def _decisions() -> Iterator[type]:
    return (each for each in below(decision.Decision) if each.__module__ == decision.__name__)


def test_every_error_is_explained() -> None:
    modules = {each: each.__module__ for each in below(WorkflowError)}
    within = "pyworkflow.engine.machine"  # What is raised there for the engine alone.
    public = [
        each.__name__ for each, at in modules.items() if at.startswith("pyworkflow.") and not at.startswith(within)
    ]
    assert_named(public, "docs/operations.md")


def test_every_public_name_is_somewhere() -> None:
    text = "".join(each.read_text(encoding="utf-8") for each in PAGES)
    missing = [name for name in pyworkflow.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing, f"no page names {', '.join(missing)}"


# -- installing ----------


def sources() -> list[Path]:
    """Whatever may tell somebody what to install."""
    patterns = ("run", "setup.cfg", "*.md", "docs/*.md", *(f"{it}/**/*.py" for it in ("pyworkflow", "backends")))
    return [path for pattern in (*patterns, "examples/**/*", "benchmarks/**/*") for path in ROOT.glob(pattern)]


def test_nobody_is_sent_to_the_package_that_has_our_name_on_pypi() -> None:
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in sources()
        if path.suffix in (".py", ".md", ".cfg", "") and path.is_file()
    }
    assert len(texts) > 100
    assert not [path for path, text in texts.items() if re.search(r"""install\s+["']?pyworkflow""", text)]


def test_every_extra_for_users_is_named_and_there() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    there = set(setup["options.extras_require"]) - {"test", "dev"}
    named = {each for path in PAGES for each in re.findall(r"pip install '\.\[(\w+)\]'", path.read_text("utf-8"))}
    assert named == there


# -- the rooms ----------


PACKAGES = ("amazonswf", "blinker", "postgres", "redis", "sql", "sqlite", "swf", "swfserver")
BACKENDS = [f"backends/pyworkflow_{name}" for name in PACKAGES]
ROOMS = ["pyworkflow/code", "pyworkflow/engine", "pyworkflow/engine/machine", "pyworkflow/worker", *BACKENDS]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_named(room: str) -> None:
    files = [path.name for path in (ROOT / room).glob("*.py") if path.name != "__init__.py"]
    assert len(files) > 2
    assert_named(files, "docs/architecture.md")


def test_every_signal_and_keyword_is_named() -> None:
    from pyworkflow_blinker import signals

    rows = [each for each in vars(signals).values() if isinstance(each, signals.Row)]
    rows += [row for table in (signals.EVENTS, signals.RESULTS, signals.DECISIONS) for row in table.values()]
    names = {name for name in vars(signals.Signals) if name.startswith("on_")}
    assert {row.signal for row in rows} == names
    assert_named({*names, *(keyword for row in rows for keyword in row.paths)}, "docs/blinker.md")


def test_every_verb_of_the_seams_is_named() -> None:
    from pyworkflow.backend import Backend
    from pyworkflow.engine.store import Store

    assert_named(Backend.__abstractmethods__, "docs/architecture.md")
    assert_named({*Store.__abstractmethods__, "batch"}, "docs/architecture.md")
    assert_named({*Store.__abstractmethods__, "batch"}, "docs/backends.md")
