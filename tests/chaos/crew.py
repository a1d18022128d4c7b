"""The worker processes of a run: started, watched, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from .app import EFFECTS

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


class Crew:
    """`count` workers on a backend. Their effects and what they say is written into `folder`."""

    def __init__(self, url: str, count: int, folder: Path) -> None:
        self.log = folder / "workers.log"
        self.effects = folder / "effects"
        self.effects.mkdir()
        self.workers = [self._hire(url) for _ in range(count)]
        for worker in self.workers:
            assert worker.stdout is not None
            if worker.stdout.readline() != b"ready\n":
                self.check()

    def _hire(self, url: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker", url],
                cwd=ROOT,
                env={**os.environ, EFFECTS: str(self.effects)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the main program.
            )

    def check(self) -> None:
        """None of them may end by itself, whatever happens to the server."""
        ended = [worker.returncode for worker in self.workers if worker.poll() is not None]
        assert not ended, f"workers ended with {ended}:\n{self.log.read_text()[-2000:]}"

    def stop(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            for end in (worker.stdin, worker.stdout):
                assert end is not None
                end.close()


class Execution(NamedTuple):
    """One execution of a step; `at` is by the machine's steady clock."""

    process: str
    step: str
    token: str
    at: float


def executed(effects: Path) -> list[Execution]:
    """Every execution that there was."""
    lines = [line.split() for file in effects.iterdir() for line in file.read_text().splitlines()]
    return [Execution(process, step, token, float(at)) for process, step, token, at in lines]
