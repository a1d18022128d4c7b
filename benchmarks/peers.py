"""DBOS and Huey on the same workloads, in an environment of their own beside the project's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ENVIRONMENT = Path(__file__).parent.parent / ".venv-peers"
PACKAGES = ("dbos", "huey")

_DBOS = """
import json, os, sys, tempfile, time
from dbos import DBOS, DBOSConfig
folder = tempfile.mkdtemp()
DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{folder}/dbos.sqlite", "log_level": "ERROR"})

@DBOS.step()
def step(number):
    return number

@DBOS.workflow()
def sequential(steps):
    for number in range(steps):
        step(number)
    return steps

DBOS.launch()
sequential(1)
begun = time.perf_counter()
handles = [DBOS.start_workflow(sequential, 5) for _ in range(500)]
assert all(handle.get_result() == 5 for handle in handles)
w1 = 2500 / (time.perf_counter() - begun)
begun = time.perf_counter()
sequential(2000)
w3 = time.perf_counter() - begun
print(json.dumps({"DBOS W1 SQLite, in-process (steps/s)": w1, "DBOS W3 SQLite, in-process (s)": w3}))
sys.stdout.flush()
os._exit(0)
"""

_HUEY = """
import json, os, tempfile, threading, time
from huey import SqliteHuey
huey = SqliteHuey(filename=os.path.join(tempfile.mkdtemp(), "huey.db"), fsync=True, results=True)
done = threading.Semaphore(0)

@huey.task()
def chain(number):
    if number < 4:
        chain(number + 1)
    else:
        done.release()

consumer = huey.create_consumer(workers=1, worker_type="thread", initial_delay=0.001, max_delay=0.01)
consumer.start()
begun = time.perf_counter()
for _ in range(500):
    chain(0)
for _ in range(500):
    assert done.acquire(timeout=120)
print(json.dumps({"Huey W1 SQLite fsync, one worker, no history (steps/s)": 2500 / (time.perf_counter() - begun)}))
consumer.stop(graceful=False)
os._exit(0)
"""


def measure_peers() -> list[dict[str, Any]]:
    """Rows as our own, for what the peers can run; says so where one could not be installed or run."""
    python = _environment()
    rows = []
    for name, code in (("DBOS", _DBOS), ("Huey", _HUEY)):
        run = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=600)
        if run.returncode:
            print(f"{name} did not run:\n{run.stderr[-2_000:]}", file=sys.stderr)
            continue
        for figure, value in json.loads(run.stdout.splitlines()[-1]).items():
            rows.append({"name": figure, "value": round(value, 3), "unit": "", "goal": "peer", "met": None})
    return rows


def _environment() -> Path:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python
