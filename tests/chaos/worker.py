"""A worker as an operating-system process of its own, `python -m tests.chaos.worker URL`, until its parent ends.

It says when it is ready: a worker is not meant to be started while the server is away."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from pyworkflow import Manager, Worker, open_backend

from .app import workflows

CONCURRENCY = 4


def main(url: str) -> None:
    logging.basicConfig(format="%(asctime)s %(process)d %(levelname)s %(message)s", level=logging.WARNING)
    manager = Manager(open_backend(url), workflows)
    print("ready", flush=True)
    threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    Worker(manager, concurrency=CONCURRENCY).run()
    manager.close()


def _stop_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1])
