"""The command line as an operating-system process: interrupts, broken pipes, odd terminals."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from cli_driving import decide, hold_activity, start

from pyworkflow.backend import Backend
from pyworkflow.decision import CompleteProcess

WAITING = [["start", "Order", "--wait"], ["history", "o1", "-f"], ["watch", "o1"], ["list", "--watch"]]


@pytest.mark.parametrize("words", WAITING)
def test_an_interrupt_gives_130(backend: Backend, spawn, words: list[str]) -> None:
    start(backend, "o1")
    waiting = spawn(*words)
    assert (waiting.stderr if words[0] == "start" else waiting.stdout).readline()
    waiting.send_signal(signal.SIGINT)
    _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.parametrize("form", ["table", "json", "jsonl"])
def test_a_broken_pipe_is_silent(backend: Backend, spawn, form: str) -> None:
    for number in range(300):
        start(backend, f"{'o' * 240}-{number}")
    reader, writer = os.pipe()
    listing = spawn("list", "--limit", "0", "-o", form, stdout=writer)
    os.close(writer)
    os.read(reader, 100)
    os.close(reader)
    _, stderr = listing.communicate(timeout=60)
    assert stderr == ""
    assert listing.returncode == 141


@pytest.mark.parametrize(
    ("closed", "words", "code"),
    [
        (">&-", "list", 0),
        (">&-", "list -o json", 0),
        (">&- 2>&-", "describe nobody", 3),
        ("<&-", "terminate --all", 2),
        ("<&-", "start Order -i -", 2),
    ],
)
def test_streams_that_are_closed(backend: Backend, url: str, closed: str, words: str, code: int) -> None:
    start(backend, "o1")
    line = f"exec {sys.executable} -m pyworkflow.cli -b {url} {words} {closed}"
    ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    assert "Traceback" not in ran.stderr
    assert ("say -y" in ran.stderr) == ("--all" in words)


def test_an_encoding_that_lacks_a_character(backend: Backend, url: str) -> None:
    start(backend, "茶")
    environment = os.environ | {"PYWORKFLOW_BACKEND": url, "PYTHONIOENCODING": "ascii"}
    for form, shown in (("table", "\\u8336"), ("json", '"\\u8336"')):
        command = [sys.executable, "-m", "pyworkflow.cli", "list", "-o", form]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert shown in ran.stdout


class Terminal:
    """The command line on a terminal of its own."""

    def __init__(self, url: str, *words: str, width: int = 80) -> None:
        environment = os.environ | {"PYWORKFLOW_BACKEND": url, "COLUMNS": str(width), "LINES": "40", "TERM": "xterm"}
        environment.pop("NO_COLOR", None)
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            command = [sys.executable, "-m", "pyworkflow.cli", *words]
            os.execve(sys.executable, command, environment)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until this is seen, or all there is."""
        while text not in self.seen and self._read():
            pass
        assert text in self.seen

    def end(self) -> int:
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        try:
            data = os.read(self.descriptor, 65_536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def interrupt(self) -> int:
        """Press Ctrl-C until it ends: Python loses one that comes while input() prepares the terminal."""
        while True:
            with suppress(OSError):
                os.write(self.descriptor, b"\x03")
            while select.select([self.descriptor], [], [], 1.0)[0]:
                if not self._read():
                    return self.end()


def test_a_table_on_a_terminal_is_coloured_and_its_ids_are_whole(backend: Backend, url: str) -> None:
    start(backend, "i" * 90, tags=["[red]a", "b" * 100])
    terminal = Terminal(url, "list", width=80)
    assert terminal.end() == 0
    assert "\x1b[1mID" in terminal.seen
    assert "\x1b[36mrunning" in terminal.seen
    assert "i" * 90 in terminal.seen
    assert "[red]a" in terminal.seen
    assert "b" * 100 not in terminal.seen


def test_a_question_on_a_terminal_can_be_interrupted(backend: Backend, url: str) -> None:
    start(backend, "o1")
    terminal = Terminal(url, "cancel", "--all")
    terminal.until("[y/N]")
    assert terminal.interrupt() == 130
    assert not backend.describe_process("o1").cancel_requested


def test_a_live_view(backend: Backend, url: str) -> None:
    task = hold_activity(backend, "o[bold]1")
    terminal = Terminal(url, "watch", "o[bold]1", width=100)
    terminal.until("activity started")
    assert "o[bold]1" in terminal.seen
    assert "Charge" in terminal.seen
    backend.complete_activity_task(task)
    terminal.until("completed")
    backend.terminate_process("o[bold]1", "enough")
    assert terminal.end() == 4
    assert "was terminated: enough" in terminal.seen
    assert terminal.seen.rstrip().endswith("enough")
    assert "\x1b[?25h" in terminal.seen  # the cursor is back


def test_a_live_list(backend: Backend, url: str) -> None:
    start(backend, "o1")
    terminal = Terminal(url, "list", "--watch")
    terminal.until("o1")
    decide(backend, CompleteProcess())
    terminal.until("No processes match.")
    assert terminal.interrupt() == 130


def test_progress_of_a_bulk_operation(backend: Backend, url: str) -> None:
    for number in range(5):
        start(backend, f"o{number}")
    terminal = Terminal(url, "terminate", "--all", "-y")
    assert terminal.end() == 0
    assert "Terminating" in terminal.seen
    assert "Terminated 5 processes." in terminal.seen


# -- demo ----------


def test_demo_without_its_source(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("pyworkflow.cli.extras.ROOT", tmp_path)
    stderr = cli("demo", code=1).stderr
    assert stderr.startswith(f"Error: the example is not in {tmp_path}")
    assert "python3 run demo" in stderr


def test_demo_hands_on_its_arguments_and_its_exit_code(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    example = tmp_path / "examples" / "orders"
    example.mkdir(parents=True)
    told = tmp_path / "told.json"
    (example / "__main__.py").write_text(
        f"import json, sys\nopen({str(told)!r}, 'w').write(json.dumps(sys.argv[1:]))\nsys.exit(7)"
    )
    monkeypatch.setattr("pyworkflow.cli.extras.ROOT", tmp_path)
    cli("demo", "--chaos", "5", "-x", code=7)
    assert json.loads(told.read_text()) == ["--chaos", "5", "-x"]
