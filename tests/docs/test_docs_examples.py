"""Every example of the README and of docs/ does what the page says."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from docs_pages import LANGUAGES, NAMES, PAGES, ROOT, Block, blocks
from docs_reader import Reader, matches, typed

from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.cli import main
from pyworkflow_swfserver import serving
from tests.servers.moto import at_the_time_of, moto_server
from tests.servers.postgres import DURABLE, Server, binaries
from tests.servers.redis import running

REDIS = "redis://localhost:6379/0"
ENDPOINT = "http://127.0.0.1:4567"
SWF = "region=eu-central-1"


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with running() as server:
        yield server.url


@pytest.fixture
def swf_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where moto imitates Amazon SWF, and keys such as it takes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with moto_server() as url, at_the_time_of(time.time):
        yield url


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader in an empty folder, of whose modules nothing is left."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Reader(tmp_path)
    for name in set(sys.modules) - before:
        path = getattr(sys.modules[name], "__file__", None)
        if name == "page" or (path and Path(path).parent == tmp_path):
            del sys.modules[name]


@pytest.fixture
def endpoint_url(tmp_path: Path) -> Iterator[str]:
    """The endpoint over the file `shop.db` of the page."""
    backend = SQLiteBackend(str(tmp_path / "shop.db"))
    with serving(backend) as url:
        yield url
    backend.close()


@pytest.fixture
def shop_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server as it comes, libpq's default, with an empty database `shop`."""
    server = Server(binaries(), DURABLE)
    server.start()
    for name, value in {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "tester"}.items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    yield
    server.remove()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_page_can_be_followed(page: Path, reader: Reader, request: pytest.FixtureRequest) -> None:
    if page.name == "postgres.md":
        request.getfixturevalue("shop_database")
    if any(REDIS in block.code for block in blocks(page) if block.language in ("python", "console")):
        reader.servers[REDIS] = request.getfixturevalue("redis_url")
    if any(ENDPOINT in block.code for block in blocks(page) if block.language in ("python", "console")):
        reader.servers[ENDPOINT] = request.getfixturevalue("endpoint_url")
    if page.name == "amazonswf.md":
        reader.servers[SWF] = f"{SWF}&endpoint_url={request.getfixturevalue('swf_url')}"
    for block in blocks(page):
        reader.follow(block)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: {block.language!r} is none of {', '.join(LANGUAGES)}"


# -- commands that are only checked ----------


def all_lines(*languages: str) -> list[Any]:
    """The lines to type in all pages."""
    found = []
    for page in PAGES:
        for block in blocks(page):
            if block.language in languages:
                found += [pytest.param(line, id=f"{block} {line}") for line in _lines(block)]
    return found


def _lines(block: Block) -> list[str]:
    if block.language == "console":
        return [command for command, _ in typed(block.code)]
    lines = block.code.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("line", all_lines("sh", "console"))
def test_a_line_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["bash", "-n", "-c", line], check=True)
    monkeypatch.chdir(tmp_path)
    for words in _commands(line):
        if words[0] == "pyworkflow":
            parse(words[1:])
        elif words[:2] == ["python3", "run"]:
            assert words[2] in run_commands(), f"`run` has no command {words[2]}"


def _commands(line: str) -> Iterator[list[str]]:
    """The commands of a line, those in `$(…)` included, without what the shell does with their output."""
    inner = re.compile(r"\$\(([^()]*)\)")
    for part in [*inner.findall(line), inner.sub("…", line)]:
        words: list[str] = []
        for word in [*shlex.split(part, comments=True), ";"]:
            if word in (";", "|", "&&", "||", "&", ">", ">>"):
                if words:
                    yield words
                words = []
            elif words or "=" not in word:
                words.append(word)


def parse(arguments: list[str]) -> None:
    """Parse a command line of pyworkflow as far as it goes without doing anything."""
    for argument in arguments:
        if argument.startswith("@"):
            Path(argument[1:]).write_text("{}")
    context, rest = main.make_context("pyworkflow", [*arguments], resilient_parsing=False), arguments
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def run_commands() -> list[str]:
    """The commands of the `run` script."""
    loader = SourceFileLoader("run_script", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return list(module.COMMANDS)


def test_configuration_can_be_read() -> None:
    found = [block.code for page in PAGES for block in blocks(page) if block.language == "ini"]
    for code in found:
        configparser.ConfigParser(interpolation=None).read_string(code)
    assert found


# -- the reader is not too lenient ----------


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("a\n", "a\n", True),
        ("a\nb\n", "a\n", False),
        ("", "a\n", False),
        ("a\n", "", False),
        ("", "", True),
        ("a 17 b\n", "a … b\n", True),
        ("a 17\n b\n", "a … b\n", False),
        ("a\nx\ny\nb\n", "a\n…\nb\n", True),
        ("a\nx\ny\nc\n", "a\n…\nb\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_what_is_printed_is_compared(printed: str, expected: str, same: bool) -> None:
    assert matches(printed, expected) is same
