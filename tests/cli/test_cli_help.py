"""Help, suggestions and completion, and what they must not import."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.shell_completion import ShellComplete

from pyworkflow.backend import STATUSES
from pyworkflow.cli import COMMANDS, logs, main, options
from pyworkflow.worker import log


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name."""
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())
        else:
            yield name, command


LEAVES = dict(commands())


def test_help_lists_every_command(cli) -> None:
    output = cli("-h").stdout
    assert output == cli("--help").stdout
    for name, (_, about) in COMMANDS.items():
        assert f"  {name} " in output
        assert about in output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_commands_say(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert (command.help or "").splitlines()[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_shows_an_example_that_it_understands(cli, name: str) -> None:
    output = cli(*name.split(), "-h").stdout
    assert "Example" in output
    for example in LEAVES[name].examples:  # type: ignore[attr-defined]
        assert f"  {example}\n" in output
        assert name.split()[-1] in example


@pytest.mark.parametrize("name", [name for name in LEAVES if name not in ("backend copy", "completion", "demo")])
def test_every_command_takes_the_app_and_the_backend(name: str) -> None:
    names = {option for parameter in LEAVES[name].params for option in parameter.opts}
    assert {"-A", "--app", "-b", "--backend"} <= names


def test_json_fields_are_documented(cli) -> None:
    for name in ("list", "describe", "history", "result", "count"):
        assert "fields" in cli(name, "-h").stdout


def test_help_imports_no_library() -> None:
    code = (
        "import sys\nfrom pyworkflow.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('rich', 'msgspec', 'sqlite3', 'asyncio') if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage" in ran.stdout
    assert ran.stderr.strip() == "[]"


def test_statuses_are_the_libraries() -> None:
    assert options.STATUSES == STATUSES


def test_the_fields_of_logs_are_the_workers() -> None:
    assert logs.FIELDS == log.FIELDS


def test_a_version_is_shown(cli) -> None:
    assert cli("--version").stdout.startswith("pyworkflow")


@pytest.mark.parametrize(("typed", "meant"), [("lits", "'list'"), ("descibe", "'describe'"), ("signals", "'signal'")])
def test_an_unknown_command_is_a_usage_error_with_a_suggestion(cli, typed: str, meant: str) -> None:
    assert f"Did you mean {meant}" in cli(typed, code=2).stderr


def test_suggestions_in_a_group(cli) -> None:
    assert "Did you mean 'heartbeat'" in cli("activity", "hartbeat", code=2).stderr
    assert "Did you mean" not in cli("activity", "zzz", code=2).stderr


def completions(*words: str) -> list[str]:
    *before, last = words
    return [item.value for item in ShellComplete(main, {}, "pyworkflow", "_").get_completions(before, last)]


def test_completion_of_commands_and_statuses() -> None:
    assert completions("re") == ["result", "replay", "resume", "reset"]
    assert completions("list", "--status", "t") == ["timedout", "terminated"]
    assert completions("count", "--by", "") == ["status", "workflow"]
    assert completions("activity", "f") == ["fail"]
    assert "--backend" in completions("--")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli, shell: str) -> None:
    assert "_PYWORKFLOW_COMPLETE" in cli("completion", shell).stdout


def test_an_unknown_shell_is_a_usage_error(cli) -> None:
    assert "'tcsh' is not one of" in cli("completion", "tcsh", code=2).stderr
