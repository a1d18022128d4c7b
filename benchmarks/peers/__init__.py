"""Other libraries on the same workloads, in an environment of their own beside the project's."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.servers.peers import python

from ..report import Row

PACKAGES = ("celery", "dbos", "durabletask", "huey", "redis")
PATIENCE = 600.0


def measure_files(row: Row) -> None:
    """Those that can use SQLite files."""
    with tempfile.TemporaryDirectory() as folder:
        dbos = measured("dbos", f"sqlite:///{folder}/dbos.sqlite")
        row("DBOS W1 SQLite, in-process", dbos["w1"], "steps/s", "peer")
        row("DBOS W3 SQLite, in-process", dbos["w3"], "s", "peer")
        huey = measured("huey", f"{folder}/huey.db")
        row("Huey W1 SQLite fsync, one worker, no history", huey["w1"], "steps/s", "peer")


def measure_growth(row: Row) -> None:
    """How much longer a step takes, the more steps there were before."""
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    steps = measured("durabletask", f"localhost:{port}")
    row("durabletask, in memory, step 100", steps["early"], "ms", "peer")
    row("durabletask, in memory, step 800", steps["late"], "ms", "peer")


def measured(peer: str, url: str) -> dict[str, float]:
    """The figures of one peer on the store at `url`. Raises RuntimeError where it does not run."""
    command = [python("peers", *PACKAGES), Path(__file__).with_name(f"{peer}_peer.py"), url]
    with tempfile.TemporaryFile("w+") as errors:
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=PATIENCE)
        if run.returncode:
            errors.seek(0)
            raise RuntimeError(f"{peer} does not run on {url}:\n{errors.read()[-2_000:]}")
    figures: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return figures
