"""The worker processes: started, started again when they die, and, where chaos is wanted, killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

KINDS = ("decisions", "activities")
PATIENCE = 5.0  # seconds for a worker to finish what it is doing
CRASHES = 5
ROOT = Path(__file__).parents[2]


class WorkersCrash(Exception):
    """Workers end by themselves, again and again."""


class Staff:
    """`count` worker processes of each kind on a backend. With a `chaos` seed, one is killed every few hundred ms."""

    def __init__(self, url: str, ledger: Path, log: Path, count: int, chaos: int | None = None) -> None:
        self.url = url
        self.log = log
        self.kills = 0
        self._environment = {**os.environ, "ORDERS_LEDGER": str(ledger.resolve())}
        self._posts = [kind for kind in KINDS for _ in range(count)]
        self._workers: list[subprocess.Popen[bytes]] = []
        self._crashes = 0
        self._random = random.Random(chaos)
        self._next_kill = float("inf") if chaos is None else time.monotonic() + 1.0

    def __len__(self) -> int:
        return len(self._posts)

    def start(self) -> None:
        self.log.write_bytes(b"")
        self._workers = [self._hire(kind) for kind in self._posts]

    def _hire(self, kind: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "examples.orders.worker", self.url, kind]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for the main program, which tells the workers in its own time.
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def turn(self) -> list[str]:
        """Start again whoever died, and let chaos have its way; what happened, in a line each."""
        for post, worker in enumerate(self._workers):
            if worker.poll() is not None:
                self._replace(post, worker)
        return [self._kill()] if time.monotonic() >= self._next_kill else []

    def _replace(self, post: int, dead: subprocess.Popen[bytes]) -> None:
        if dead.returncode != -9:
            self._crashes += 1
        if self._crashes >= CRASHES:
            raise WorkersCrash(f"workers end with exit code {dead.returncode}; {self.log} says why")
        _close(dead)
        self._workers[post] = self._hire(self._posts[post])

    def _kill(self) -> str:
        post = self._random.randrange(len(self._workers))
        self._next_kill = time.monotonic() + self._random.uniform(0.25, 0.6)
        self._workers[post].kill()
        self._workers[post].wait()
        self.kills += 1
        return f"kill -9 {self._workers[post].pid}: no. {self.kills}, a worker for {self._posts[post]}"

    def stop(self) -> None:
        """Let them finish what they are doing; kill who takes too long."""
        for worker in self._workers:
            worker.terminate()
        until = time.monotonic() + PATIENCE
        for worker in self._workers:
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            _close(worker)
        self._workers = []
        if self.log.exists() and not self.log.stat().st_size:
            self.log.unlink()


def _close(worker: subprocess.Popen[bytes]) -> None:
    if worker.stdin is not None:
        worker.stdin.close()
