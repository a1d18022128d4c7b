"""Names, payloads and messages that try to be markup, terminal commands or somebody else's command line."""

from __future__ import annotations

import json
import re

import pytest
from cli_driving import decide, start

from pyworkflow.backend import Backend
from pyworkflow.decision import FailProcess
from pyworkflow.process import Process

NAMES = [
    "[bold red]x[]",
    "[link=evil]x",
    "..",
    "{tag}",
    "%s%n",
    "'; drop table run; --",
    "<script>alert(1)",
    "\u202egnp.exe",
    "a\u2028b",
    "\u00a0\u00a0pad",
    "日本語のとても長い名前",
    "👩\u200d🔬",
    "-rf",
    "x" * 256,
]
PAYLOADS = [
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m\x85",
    "\r\nError: forged",
    {"[red]key\x1b": "\u202evalue", "\u2066": ["\x00"]},
    "[/]",
    "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\",
]
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def shows(cli, id: str, code: int = 0) -> str:
    """What people are shown of a process; it must be inert."""
    texts = []
    for words in (["list"], ["list", "--status", "all"], ["describe", "--", id], ["history", "--", id]):
        result = cli(*words, code=code)
        texts += [result.stdout, result.stderr]
    shown = "".join(texts)
    assert not FORBIDDEN.search(shown)
    return shown


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_as_they_are(cli, backend: Backend, name: str) -> None:
    backend.start_process(Process(name, name, tags=[name]))
    shown = shows(cli, name)
    if name.isprintable():
        assert shown.count(name) >= 5  # id, workflow and tag, whole
    (row,) = cli.json("list")
    assert (row["id"], row["workflow"], row["tags"]) == (name, name, [name])
    assert cli.json("describe", "--", name)["id"] == name


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert(cli, backend: Backend, payload: object) -> None:
    start(backend, "o1", input=payload)
    backend.signal_process("o1", "note", {"said": payload})
    decide(backend, FailProcess(str(payload), payload))
    shows(cli, "o1")
    assert cli.json("describe", "o1")["input"] == payload
    result = cli("result", "o1", code=4)
    assert not FORBIDDEN.search(result.stdout + result.stderr)
    assert cli.json("result", "o1", code=4)["details"] == payload
    raw = cli("history", "o1", "-o", "json").stdout
    assert raw.isascii()
    assert not FORBIDDEN.search(raw)


@pytest.mark.parametrize("id", ["\x1b[31mx", "a\nb", "\x00", "\ud800", "x" * 1_000, "a/b", ""])
def test_errors_are_inert(cli, id: str) -> None:
    for words in (["describe", id], ["cancel", id], ["start", "Order", "--id", id], ["list", "--status", id]):
        result = cli(*words, code=2)
        assert "Error: " in result.stderr
        assert not FORBIDDEN.search(result.stderr)


def test_unknown_words_are_inert(cli) -> None:
    for words in (["\x1b[31mlist"], ["list", "\x1b[31m"], ["--\x1b[31m"], ["list", "-o", "\x1b"]):
        assert not FORBIDDEN.search(cli(*words, code=2).stderr)


def test_a_huge_payload(cli, backend: Backend) -> None:
    text = "x" * 200_000
    start(backend, "o1", input=text)
    backend.signal_process("o1", "s", text)
    assert max(map(len, cli("history", "o1").stdout.splitlines())) < 400
    assert json.loads(cli("describe", "o1", "-o", "jsonl").stdout)["input"] == text
