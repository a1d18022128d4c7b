"""The threads of a worker: a job that blocks holds up no other, and many short ones need no second thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from pyworkflow.worker.threads import Threads

PATIENCE = 30.0


@pytest.fixture
def threads() -> Iterator[Threads]:
    threads = Threads(4, "test")
    yield threads
    threads.close()


def blocking(release: threading.Event) -> tuple[threading.Event, Callable[[], None]]:
    """A job that begins, says so, and waits."""
    begun = threading.Event()

    def job() -> None:
        begun.set()
        release.wait(PATIENCE)

    return begun, job


def test_a_job_that_blocks_holds_up_no_other(threads: Threads) -> None:
    release, done = threading.Event(), threading.Event()
    begun, job = blocking(release)
    threads.submit([job, done.set])
    assert begun.wait(PATIENCE)
    assert done.wait(PATIENCE)
    release.set()


def test_the_last_of_many_quick_ones_waits_for_no_blocked_one(threads: Threads) -> None:
    for _ in range(20):
        release, done = threading.Event(), threading.Event()
        _, job = blocking(release)
        threads.submit([lambda: None] * 30 + [job, lambda: None, done.set])
        assert done.wait(PATIENCE)
        release.set()


def test_as_many_block_as_there_are_threads(threads: Threads) -> None:
    release = threading.Event()
    jobs = [blocking(release) for _ in range(5)]
    threads.submit([job for _, job in jobs])
    for begun, _ in jobs[:4]:
        assert begun.wait(PATIENCE)
    assert not jobs[4][0].is_set()
    release.set()
    assert jobs[4][0].wait(PATIENCE)


def test_what_has_not_begun_can_be_withdrawn() -> None:
    threads = Threads(1, "test")
    release = threading.Event()
    begun, job = blocking(release)
    threads.submit([job])
    assert begun.wait(PATIENCE)
    other = threading.Event()
    threads.submit([other.set])
    assert threads.withdraw(other.set)
    assert not threads.withdraw(other.set)
    release.set()
    threads.settle(PATIENCE)
    assert not other.is_set()
    threads.close()


def test_settling_ends_when_all_is_done(threads: Threads) -> None:
    done: list[int] = []
    for number in range(200):
        threads.submit([lambda number=number: done.append(number)] * 3)  # type: ignore[misc]
        threads.settle(PATIENCE)
        while len(done) < 3 * (number + 1):  # a thread that only watched may have been the first to find nothing
            threads.settle(0.01)
    assert sorted(done) == sorted([*range(200)] * 3)
