"""The command line against a SQLite file in a temporary directory; processes are driven by the backend's own verbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pyworkflow.backend import Backend, open_backend
from pyworkflow.cli import main

ROOT = Path(__file__).resolve().parents[2]
# click before 8.2 mixes stderr into stdout unless it is told not to.
SEPARATE: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/cli.db"


@pytest.fixture
def backend(url: str) -> Iterator[Backend]:
    backend = open_backend(url)
    backend.register_activity("Charge")
    yield backend
    backend.close()


class Cli:
    """Runs the command line; `code` is the exit code that is expected."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, *words: str, code: int = 0, input: str | None = None) -> Result:
        environment = {"PYWORKFLOW_BACKEND": self.url, "PYWORKFLOW_APP": None, "COLUMNS": "80"}
        result = CliRunner(env=environment, **SEPARATE).invoke(main, words, input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        """What the command prints as JSON; `-o jsonl` must say the same."""
        at = words.index("--") if "--" in words else len(words)

        def printed(form: str) -> str:
            return self(*words[:at], "-o", form, *words[at:], code=code).stdout

        whole, lines = json.loads(printed("json")), [json.loads(line) for line in printed("jsonl").splitlines()]
        assert lines == (whole if isinstance(whole, list) else [whole])
        return whole


@pytest.fixture
def cli(url: str, backend: Backend) -> Cli:
    return Cli(url)


@pytest.fixture
def spawn(url: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command line as an operating-system process, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def spawn(*words: str, cwd: Path | None = None, **more: Any) -> subprocess.Popen[str]:
        environment = os.environ | {"PYWORKFLOW_BACKEND": url, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backends'}"}
        for name in ("PYWORKFLOW_APP", "PYTHONUNBUFFERED"):  # unbuffered, Python loses the rest of a write cut short
            environment.pop(name, None)
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        command = [sys.executable, "-m", "pyworkflow.cli", *words]
        started.append(subprocess.Popen(command, cwd=cwd, env=environment, text=True, **streams))
        return started[-1]

    yield spawn
    for process in started:
        process.kill()
        process.communicate()
