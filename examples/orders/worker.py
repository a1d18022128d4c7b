"""A worker: `python -m examples.orders.worker URL decisions|activities`. Ends on SIGTERM, or with its parent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from pyworkflow import ActivityWorker, DecisionWorker, Manager

from .app import workflows

ACTIVITIES_AT_ONCE = 8


def main(url: str, kind: str) -> None:
    logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(message)s", level=logging.WARNING)
    manager = Manager(url, workflows)
    worker = DecisionWorker(manager) if kind == "decisions" else ActivityWorker(manager, concurrency=ACTIVITIES_AT_ONCE)
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    worker.run()
    manager.close()


def _stop_at_end_of_input() -> None:
    """Whoever started us holds the other end of the pipe, so nobody is left behind even when it is killed."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
