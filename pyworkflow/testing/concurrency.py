"""For the suites: several threads at once, and how long to wait for what must happen."""

from __future__ import annotations

import threading
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds of real time after which something that should have happened has not."""


def in_threads(*jobs: Callable[[], object]) -> None:
    """Run each job in a thread of its own, all at once; raise what one of them raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE)
            job()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread is stuck"
    if errors:
        raise errors[0]
