"""Ctrl-C at any point of a call."""

from __future__ import annotations

import subprocess
import sys

INTERRUPTED = """
import signal, time
from pyworkflow_redis.pipe import packed
until, interrupted = time.monotonic() + 1, 0
while time.monotonic() < until:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0003)
        while True:
            packed(("EVALSHA", 10, b"key", 7, 3, 5))
    except KeyboardInterrupt:
        interrupted += 1
print(interrupted > 10)
"""


def test_an_interruption_while_a_command_is_written_is_no_crash() -> None:
    handled = "import signal; signal.signal(signal.SIGALRM, signal.default_int_handler)"
    run = subprocess.run([sys.executable, "-c", handled + INTERRUPTED], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "True\n"), run.stderr
