"""What it costs to be there: importing, idling, memory, bytes on disk."""

from __future__ import annotations

import os
import subprocess
import sys

_IMPORT = """
import time
mib = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 / 2**20
before, begun = mib(), time.perf_counter()
from pyworkflow import {names}
print((time.perf_counter() - begun) * 1000, mib() - before)
"""
_IDLE = """
import sys, threading, time
from pyworkflow import Manager, Worker
from benchmarks.workloads import WORKFLOWS
worker = Worker(Manager(sys.argv[1], WORKFLOWS))
threading.Thread(target=worker.run, daemon=True).start()
time.sleep(1)
begun = time.process_time()
time.sleep(5)
print((time.process_time() - begun) / 5 * 100)
"""
_W1 = """
import sys
from benchmarks.workloads import w1
w1(sys.argv[1], 50)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def importing(names: str) -> tuple[float, float]:
    """Milliseconds and MiB that importing these names takes over bare Python: the median of five."""
    runs = sorted(tuple(map(float, _python(_IMPORT.format(names=names)).split())) for _ in range(5))
    return runs[2][0], runs[2][1]


def idle_percent(url: str) -> float:
    """Percent of a core that an idle worker takes."""
    return float(_python(_IDLE, url))


def worker_mib(url: str) -> float:
    """Peak resident MiB of a process that runs W1."""
    return float(_python(_W1, url)) / 1024


def bytes_per_step(path: str, steps: int) -> float:
    """Bytes on disk a step, once the write-ahead log is folded in."""
    import sqlite3

    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return os.path.getsize(path) / steps


def _python(code: str, *arguments: str) -> str:
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return run.stdout.strip()
