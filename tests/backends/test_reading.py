"""Reading histories beside those who write and delete them: what is new is read, and what is gone is said to be."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from pyworkflow import Process, UnknownProcessException
from pyworkflow.backend.memory import MemoryStore
from pyworkflow.engine.engine import Engine


class Asked(MemoryStore):
    """Notes what is read of histories, and may do something else `first`."""

    def __init__(self) -> None:
        super().__init__()
        self.skips: list[int] = []
        self.first: Callable[[], object] = lambda: None

    def history(self, process: str, run: str, skip: int = 0, limit: int | None = None) -> list[bytes]:
        self.skips.append(skip)
        self.first()
        return super().history(process, run, skip, limit)


@pytest.fixture
def store() -> Asked:
    return Asked()


@pytest.fixture
def engine(store: Asked) -> Engine:
    engine = Engine(store)
    engine.start_process(Process("w", "p", input=1))
    return engine


def test_who_follows_a_process_reads_what_is_new(store: Asked, engine: Engine) -> None:
    elsewhere = Engine(store)
    for number in range(1, 5):
        elsewhere.signal_process("p", "s", number)
        events = engine.history("p", skip=number)
        assert [event.signal.data for event in events] == [number]  # type: ignore[attr-defined]
    assert store.skips == [0, 2, 3, 4]


def test_only_the_last_few_are_kept_of_those_that_were_looked_at(store: Asked, engine: Engine) -> None:
    for number in range(20):
        engine.start_process(Process("w", f"p{number}"))
        engine.history(f"p{number}")
    engine.signal_process("p0", "s")
    engine.signal_process("p19", "s")
    store.skips.clear()
    engine.history("p19")
    engine.history("p0")
    assert store.skips == [1, 0]


def test_without_a_cache_nothing_is_kept(store: Asked) -> None:
    engine = Engine(store, cache_size=0)
    engine.start_process(Process("w", "p"))
    engine.history("p")
    engine.history("p")
    assert store.skips == [0, 0]


@pytest.mark.parametrize("ask", [
    lambda engine: engine.history("p"),
    lambda engine: engine.process_by_id("p"),
    lambda engine: engine.wait_for_process("p", 0),
])  # fmt: skip
def test_one_that_is_deleted_meanwhile_is_unknown(
    store: Asked, engine: Engine, ask: Callable[[Engine], object]
) -> None:
    engine.terminate_process("p")
    store.first = lambda: store.purge(time.time() + 60, 10)
    with pytest.raises(UnknownProcessException, match="there is no run"):
        ask(engine)
