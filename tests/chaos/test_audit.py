"""The audit finds what it is there to find: clean books, and books that somebody has tampered with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyworkflow import Manager, Process, Signal, Worker
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.events import SignalEvent

from .app import EFFECTS, PAID, Errand, workflows
from .audit import CHECKS, Books, audit
from .crew import executed
from .customers import name


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Books:
    """Two errands, the first of them paid for."""
    monkeypatch.setenv(EFFECTS, str(tmp_path))
    manager = Manager(MemoryBackend(), workflows)
    for number in range(2):
        manager.start_process(Process(Errand, name(number), {"number": number, "waits": number < 1}))
    manager.signal_process(name(0), PAID, 0)
    Worker(manager).run(burst=True)
    acknowledged = {("start", 0): 1.0, ("pay", 0): 2.0, ("start", 1): 3.0}
    return Books(manager, 2, 1, acknowledged, executed(tmp_path), [], lambda when: 2.5 < when < 4.0)


def problems(books: Books) -> list[str]:
    return [about for about, found in audit(books).items() if found]


def test_clean_books(books: Books) -> None:
    assert problems(books) == []


def test_what_a_server_may_forget_is_forgiven(books: Books) -> None:
    books.again.append(("start", 1))
    books.executed.append(books.executed[0]._replace(at=3.0))
    assert problems(books) == []


def more_processes(books: Books) -> None:
    books.count = 1


def fewer_processes(books: Books) -> None:
    books.read = lambda: books.histories.pop(name(1), None)  # type: ignore[method-assign]


def forgotten(books: Books) -> None:
    books.again.append(("pay", 0))


def another_result(books: Books) -> None:
    books.manager.start_process(Process(Errand, name(1), {"number": 7, "waits": False}))
    books.manager.terminate_process(name(1))


def paid_twice(books: Books) -> None:
    books.histories[name(0)].append(SignalEvent(Signal(PAID)))


def never_noted(books: Books) -> None:
    del books.histories[name(1)][2]


def completed_twice(books: Books) -> None:
    books.histories[name(1)] *= 2


def executed_twice(books: Books) -> None:
    books.executed.append(books.executed[0])


def never_executed(books: Books) -> None:
    del books.executed[0]


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (more_processes, "no process lost, none too many"),
        (fewer_processes, "no process lost, none too many"),
        (forgotten, "nothing acknowledged forgotten"),
        (another_result, "all completed, with their result"),
        (paid_twice, "signals recorded once"),
        (never_noted, "markers recorded once"),
        (completed_twice, "each step completed once"),
        (executed_twice, "no hand-out executed twice"),
        (never_executed, "no hand-out executed twice"),
    ],
)
def test_books_that_do_not_add_up(books: Books, tamper: Callable[[Books], None], found: str) -> None:
    books.read()
    books.read = lambda: None  # type: ignore[method-assign]
    tamper(books)
    assert found in problems(books)
    assert found in CHECKS


def test_a_broken_history_is_found(books: Books) -> None:
    store = books.manager.backend.store  # type: ignore[attr-defined]
    store._runs[name(0), store._current[name(0)]].events.pop()
    assert list(CHECKS["invariants"](books))
