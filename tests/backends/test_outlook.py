"""How often the engine looks and claims, and what it misses when it does not look."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyworkflow import ActivityCompleted, Process, ScheduleActivity
from pyworkflow.backend import Finished, Wanted
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine
from pyworkflow.engine.outlook import BELIEVED, Outlook
from pyworkflow.engine.store import Task
from pyworkflow.testing import VirtualClock

ANY = Wanted(("default",), 10)


class CountingStore(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.asked: Counter[str] = Counter()
        self.naps: list[float] = []

    def next_due(self, queues: Any) -> dict[str, float]:
        self.asked["look"] += 1
        return super().next_due(queues)

    def claim(self, queues: Any, *args: Any) -> Any:
        self.asked["claim"] += 1
        return super().claim(queues, *args)

    def wait(self, ticket: object, topics: Any, timeout: float) -> None:
        self.naps.append(timeout)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> CountingStore:
    return CountingStore(clock)


@pytest.fixture
def engine(store: CountingStore) -> Iterator[Engine]:
    engine = make_engine(store)
    yield engine
    engine.close()


def make_engine(store: CountingStore) -> Engine:
    engine = Engine(store)
    engine.register_workflow("W")
    engine.register_activity("A")
    return engine


def start_activity(engine: Engine, id: str) -> Finished:
    """A process with an activity in a worker's hands, and what comes of it."""
    engine.start_process(Process("W", id))
    (decision,) = engine.exchange(decisions=ANY).decisions
    (activity,) = engine.exchange([Finished(decision, [ScheduleActivity("A", "a")])], activities=ANY).activities
    return Finished(activity, ActivityCompleted(1))


def test_a_poll_looks_once_and_claims_nothing_where_nothing_is_due(engine: Engine, store: CountingStore) -> None:
    assert not engine.exchange(decisions=ANY, activities=ANY)
    assert store.asked == {"look": 1}


def test_a_worker_that_hands_in_does_not_look_again_at_once(
    engine: Engine, store: CountingStore, clock: VirtualClock
) -> None:
    results = [start_activity(engine, id) for id in "pqr"]
    engine.exchange(decisions=ANY, activities=ANY)
    store.asked.clear()
    assert len(engine.exchange(results[:1], decisions=ANY, activities=ANY).decisions) == 1
    assert store.asked["look"] == 0
    clock.advance(2 * BELIEVED)
    assert len(engine.exchange(results[1:2], decisions=ANY, activities=ANY).decisions) == 1
    assert store.asked["look"] == 1
    clock.now -= 100
    assert len(engine.exchange(results[2:], decisions=ANY, activities=ANY).decisions) == 1
    assert store.asked["look"] == 2


def test_what_others_add_is_found_a_moment_later_by_one_who_hands_in(
    engine: Engine, store: CountingStore, clock: VirtualClock
) -> None:
    results = [start_activity(engine, id) for id in "pq"]
    engine.exchange(decisions=ANY)
    make_engine(store).start_process(Process("W", "new"))
    assert [it.process.id for it in engine.exchange(results[:1], decisions=ANY).decisions] == ["p"]
    clock.advance(2 * BELIEVED)
    assert {it.process.id for it in engine.exchange(results[1:], decisions=ANY).decisions} == {"new", "q"}


def test_one_who_only_asks_is_told_at_once_what_others_added(engine: Engine, store: CountingStore) -> None:
    assert not engine.exchange(decisions=ANY)
    make_engine(store).start_process(Process("W", "new"))
    assert len(engine.exchange(decisions=ANY).decisions) == 1


def test_what_others_hold_is_asked_for_again_soon(engine: Engine, store: CountingStore) -> None:
    """A store may keep from a claim what was due in the look: somebody else is about to take it."""
    engine.start_process(Process("W", "p"))
    store.claim = lambda *args: []  # type: ignore[method-assign]
    assert not engine.exchange(decisions=ANY, timeout=0.01)
    assert max(store.naps) <= 0.005


def test_an_outlook_knows_the_earliest_task_of_a_queue(store: CountingStore, clock: VirtualClock) -> None:
    outlook = Outlook(store)
    assert outlook.due(["q"]) == ["q"], "one that was never looked at may hold something"
    outlook.look(["q", "r"])
    assert outlook.due(["q", "r"]) == []
    assert outlook.seconds(["q"]) == float("inf")
    outlook.expect([Task("p", "a", "q", clock.now + 5.0), Task("p", "b", "q", clock.now + 9.0)])
    assert outlook.seconds(["q", "r"]) == 5.0
    clock.advance(5.0)
    assert outlook.due(["q", "r"]) == ["q"]
    outlook.emptied(["q"], outlook.mark())
    assert outlook.due(["q", "r"]) == []


def test_what_is_known_of_a_later_time_stays(store: CountingStore, clock: VirtualClock) -> None:
    """A thread that was held up must not replace what others have seen or added meanwhile."""
    outlook = Outlook(store)
    before = outlook.mark()
    outlook.expect([Task("p", "a", "q", clock.now)])
    outlook.emptied(["q"], before)
    assert outlook.due(["q"]) == ["q"]
    look = store.next_due

    def slow(queues: Any) -> dict[str, float]:
        found = look(queues)
        outlook.expect([Task("p", "a", "q", clock.now)])
        return found

    store.next_due = slow  # type: ignore[method-assign]
    outlook.emptied(["q"], outlook.mark())
    outlook.look(["q"])
    assert outlook.due(["q"]) == ["q"]
