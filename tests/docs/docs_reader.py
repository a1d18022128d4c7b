"""Somebody who trusts a page: follows it from top to bottom in an empty folder, and notices what is not as it says."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from docs_pages import Block

PRINTED = re.compile(r"# → ?(.*)$", re.MULTILINE)
PATIENCE = 60


class Reader:
    """Runs a page's Python blocks in one namespace, and its console blocks in one folder and environment.

    `servers` says where those really are that the page names.
    """

    def __init__(self, folder: Path, servers: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.servers = servers or {}
        self.page = types.ModuleType("page")
        self.exports: list[str] = []

    def follow(self, block: Block) -> None:
        for named, there in self.servers.items():
            block = replace(block, code=block.code.replace(named, there))
        if block.language == "python":
            self.python(block)
        elif block.language == "console":
            self.console(block)

    # -- Python ----------

    def python(self, block: Block) -> None:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            self._import(block) if block.file else self._execute(block)
        expected = "".join(f"{line}\n" for line in PRINTED.findall(block.code))
        assert matches(printed.getvalue(), expected), f"{block} printed\n{printed.getvalue()}instead of\n{expected}"

    def _execute(self, block: Block) -> None:
        sys.modules["page"] = self.page
        # Empty lines before it make tracebacks name the page and the line in it.
        code = compile("\n" * (block.line - 1) + block.code, str(block), "exec")
        exec(code, vars(self.page))

    def _import(self, block: Block) -> None:
        assert block.file is not None
        (self.folder / block.file).write_text(block.code, encoding="utf-8")
        if block.file.startswith("test_"):
            return  # That is for pytest, in a console block.
        importlib.invalidate_caches()
        module = importlib.import_module(block.file.removesuffix(".py"))
        vars(self.page).update({name: value for name, value in vars(module).items() if not name.startswith("__")})

    # -- the shell ----------

    def console(self, block: Block) -> None:
        code = 0
        commands = list(typed(block.code))
        for index, (command, expected) in enumerate(commands):
            ran = self._run(command, code)
            code = ran.returncode
            assert matches(ran.stdout, expected), f"{block}: {command}\nprinted\n{ran.stdout}instead of\n{expected}"
            told = index + 1 < len(commands) and commands[index + 1][0] == "echo $?"
            assert code == 0 or told, f"{block}: {command}\nended with {code}, which `echo $?` does not tell"
            if command.startswith("export "):
                self.exports.append(command)

    def _run(self, command: str, last_code: int) -> subprocess.CompletedProcess[str]:
        script = "\n".join([*self.exports, f"(exit {last_code})", command])
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )


def environment() -> dict[str, str]:
    """That of somebody who has activated the environment these tests run in."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("PYWORKFLOW_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return quiet | {"PATH": path, "TZ": "UTC", "COLUMNS": "110", "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1"}


def typed(code: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with what it is said to print."""
    assert code.startswith("$ "), "a console block begins with a command"
    for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, expected = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        yield command.strip(), expected


def matches(printed: str, expected: str) -> bool:
    """Is it what was expected? `…` stands for anything in its line, alone for any lines; widths do not count."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else r"[^\n]*?".join(map(re.escape, line.split("…"))) + r" ?\n"
        for line in _squeezed(expected)
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _squeezed(printed))) is not None


def _squeezed(text: str) -> list[str]:
    """The lines, one space for several; none where there is nothing."""
    return [re.sub(r" +", " ", line).strip() for line in text.strip().splitlines()]
