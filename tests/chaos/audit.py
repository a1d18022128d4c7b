"""The audit after a run: what is in the histories, what was acknowledged, and what happened outside, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pyworkflow import Manager, ProcessCompleted
from pyworkflow.events import ActivityEvent, DecisionEvent, Event, SignalEvent
from pyworkflow.testing.invariants import InvariantViolated, check

from .app import NOTE, STEPS
from .crew import Execution
from .customers import name


@dataclass
class Books:
    """All that an audit looks at. `again` is what customers had to repeat though it had been acknowledged; `may_forget`
    says whether the server may have forgotten what was acknowledged at a time."""

    manager: Manager
    count: int
    paying: int
    acknowledged: dict[tuple[str, int], float]
    executed: list[Execution]
    again: list[tuple[str, int]]
    may_forget: Callable[[float], bool]
    histories: dict[str, list[Event]] = field(default_factory=dict)

    def read(self) -> None:
        self.histories = {
            str(each.id): list(self.manager.history(each)) for each in self.manager.processes(status="all")
        }


def audit(books: Books) -> dict[str, list[str]]:
    """What was checked, and what is wrong with it."""
    books.read()
    return {about: list(find(books)) for about, find in CHECKS.items()}


def _invariants(books: Books) -> Iterator[str]:
    try:
        check(books.manager.backend.store)  # type: ignore[attr-defined]
    except InvariantViolated as error:
        yield str(error)


def _no_process_lost(books: Books) -> Iterator[str]:
    for number in range(books.count):
        if name(number) not in books.histories:
            yield f"{name(number)} is not there"
    if len(books.histories) > books.count:
        yield f"there are {len(books.histories)} processes instead of {books.count}"


def _nothing_acknowledged_forgotten(books: Books) -> Iterator[str]:
    """What may have been forgotten was acknowledged just before the server died, on a server that may forget."""
    for what, number in books.again:
        if not books.may_forget(books.acknowledged[what, number]):
            yield f"{what} of {name(number)} was acknowledged and forgotten"


def _all_completed(books: Books) -> Iterator[str]:
    for number in range(books.count):
        result = books.manager.describe(name(number)).result
        if result != ProcessCompleted(number):
            yield f"{name(number)} ended with {result!r}"


def _paid_once(books: Books) -> Iterator[str]:
    for number, paid in _counted(books, lambda event: isinstance(event, SignalEvent)):
        if paid != (number < books.paying):
            yield f"{name(number)} was paid {paid} times"


def _noted_once(books: Books) -> Iterator[str]:
    for number, noted in _counted(books, _is_note):
        if noted != 1:
            yield f"{name(number)} has {noted} notes"


def _is_note(event: Event) -> bool:
    return isinstance(event, DecisionEvent) and getattr(event.decision, "name", None) == NOTE


def _each_step_completed_once(books: Books) -> Iterator[str]:
    for process, history in books.histories.items():
        ids = [event.activity_execution.id for event in _completed(history)]
        if ids != list(STEPS):
            yield f"{process} completed {ids}"


def _no_hand_out_executed_twice(books: Books) -> Iterator[str]:
    """A token is executed once, unless its hand-out was forgotten. What is completed was executed under its token."""
    executions = Counter(done.token for done in books.executed)
    kept = Counter(done.token for done in books.executed if not books.may_forget(done.at))
    yield from (f"{token} was executed {times} times" for token, times in kept.items() if times > 1)
    for process, history in books.histories.items():
        for event in _completed(history):
            if not executions[event.result.result]:
                yield f"{process} completed {event.activity_execution.id}, which nobody executed"


def _completed(history: list[Event]) -> list[Any]:
    return [event for event in history if isinstance(event, ActivityEvent) and event.result.type == "completed"]


def _counted(books: Books, counts: Callable[[Event], bool]) -> Iterator[tuple[int, int]]:
    for number in range(books.count):
        yield number, sum(map(counts, books.histories.get(name(number), [])))


CHECKS: dict[str, Callable[[Books], Iterator[str]]] = {
    "invariants": _invariants,
    "no process lost, none too many": _no_process_lost,
    "nothing acknowledged forgotten": _nothing_acknowledged_forgotten,
    "all completed, with their result": _all_completed,
    "signals recorded once": _paid_once,
    "markers recorded once": _noted_once,
    "each step completed once": _each_step_completed_once,
    "no hand-out executed twice": _no_hand_out_executed_twice,
}
