"""How a store wakes those who wait, groups work, and ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial

import pytest

from ..engine.store import Row, Store
from ..exceptions import BackendUnavailable
from .concurrency import PATIENCE, in_threads
from .store_bench import StoreBench, make_commit, make_summary, make_task

FOREVER = 10 * PATIENCE


class Waiting(StoreBench):
    """Tickets, waits and rings; batches; the clock; closing. Nothing here passes because it was slow or fast."""

    def wait_in_thread(self, store: Store, ticket: object, *topics: str) -> Callable[[], bool]:
        """Wait for news in a thread; the function returned says whether the wait ended."""
        ended = threading.Event()

        def wait() -> None:
            with contextlib.suppress(BackendUnavailable):
                store.wait(ticket, topics, FOREVER)
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        return lambda: ended.wait(PATIENCE)

    def test_a_wait_ends_without_news(self) -> None:
        self.store.wait(self.store.ticket(), ["q"], 0.01)
        self.store.wait(self.store.ticket(), [], 0.0)

    def test_a_ring_wakes_who_waits(self) -> None:
        ended = self.wait_in_thread(self.store, self.store.ticket(), "other", "q")
        self.store.ring(["q"])
        assert ended()

    def test_a_ring_between_ticket_and_wait_is_not_lost(self) -> None:
        ticket = self.store.ticket()
        self.store.ring(["q"])
        assert self.wait_in_thread(self.store, ticket, "q")()

    def test_many_rings_do_not_make_one_forgotten(self) -> None:
        ticket = self.store.ticket()
        self.store.ring(["q"])
        for number in range(20_000):
            self.store.ring([f"other {number}"])
        assert self.wait_in_thread(self.store, ticket, "q")()

    @pytest.mark.parametrize("when", ["before the wait", "during the wait"])
    @pytest.mark.parametrize("door", ["the same", "another"])
    def test_a_new_task_wakes_who_waits_for_its_queue(self, when: str, door: str) -> None:
        store = self.store if door == "the same" else self.other
        commit = make_commit(add=[make_task(queue="q", due=0.0)])
        ticket = self.store.ticket()
        if when == "before the wait":
            store.commit([commit])
        ended = self.wait_in_thread(self.store, ticket, "q")
        if when == "during the wait":
            store.commit([commit])
        assert ended()

    @pytest.mark.parametrize("door", ["the same", "another"])
    def test_a_closed_process_wakes_who_waits_for_it(self, door: str) -> None:
        self.put()
        ended = self.wait_in_thread(self.store, self.store.ticket(), "process/p")
        store = self.store if door == "the same" else self.other
        store.commit([make_commit(base="1", stamp="2", summary=make_summary(status="completed", closed=1.0))])
        assert ended()

    def test_a_postponed_task_wakes_who_waits_for_its_queue(self) -> None:
        self.put_tasks(make_task())
        (task,) = self.claim("q")
        ended = self.wait_in_thread(self.store, self.store.ticket(), "q")
        self.store.postpone(task, 1.0)
        assert ended()

    def test_no_wake_up_is_lost_between_look_and_wait(self) -> None:
        rounds, taken = 100, threading.Semaphore(0)

        def consume() -> None:
            for _ in range(rounds):
                while True:
                    ticket = self.store.ticket()
                    if self.store.claim(["q"], 100.0, 1e9, 1):
                        break
                    self.store.wait(ticket, ["q"], FOREVER)
                taken.release()

        def produce() -> None:
            for number in range(rounds):
                store = self.store if number % 2 else self.other
                assert store.commit([make_commit(f"p{number}", add=[make_task(f"p{number}")])]) == [True]
                assert taken.acquire(timeout=PATIENCE), f"the wake-up of task {number} was lost"

        in_threads(consume, produce)

    def test_closing_ends_a_wait(self) -> None:
        ended = self.wait_in_thread(self.store, self.store.ticket(), "q")
        self.store.close()
        assert ended()

    # -- batches ----------

    def test_what_is_done_in_a_batch_is_seen_in_it_and_after_it(self) -> None:
        with self.store.batch():
            self.put(events=[b"e"], add=[make_task()])
            assert self.store.read("p") == Row("1", b"head")
            assert len(self.claim("q")) == 1
            assert self.put(base="1", stamp="2")
            assert not self.put(base="1", stamp="3")
        assert self.other.read("p") == Row("2", b"head")
        assert self.other.history("p", "r1") == [b"e"]

    def test_an_error_in_a_batch_is_not_swallowed(self) -> None:
        with pytest.raises(LookupError), self.store.batch():
            self.put()
            raise LookupError
        self.put("q")
        assert self.store.read("q") is not None

    def test_an_error_in_a_batch_undoes_all_of_it_or_none(self) -> None:
        self.put_tasks(make_task())
        with pytest.raises(LookupError), self.store.batch():
            self.put("q", events=[b"e"], add=[make_task("q")])
            assert len(self.claim("q")) == 2
            self.put(base="1", stamp="2", events=[b"e"], remove=["d"])
            raise LookupError
        stamp, events = ("1", []) if self.transactional else ("2", [b"e"])
        assert self.store.read("p") == Row(stamp, b"head")
        assert self.store.history("p", "r1") == events
        assert bool(self.store.tasks("p")) == self.transactional
        assert (self.store.read("q") is None) == self.transactional
        assert (not self.store.tasks("q")) == self.transactional

    def test_batches_of_several_threads_go_one_after_another(self) -> None:
        def add(who: int) -> None:
            for number in range(10):
                with self.store.batch():
                    assert self.put(f"{who}-{number}", events=[b"e"])
                    assert self.put(f"{who}-{number}", "1", "2", events=[b"f"], first=2)

        in_threads(*(partial(add, who) for who in range(4)))
        assert len(self.found()) == 40
        assert all(self.store.history(id, "r1") == [b"e", b"f"] for id in self.found())

    # -- the store itself ----------

    def test_the_clock_does_not_go_back(self) -> None:
        assert 1e9 < self.store.now() <= self.store.now()

    def test_a_store_says_what_it_is(self) -> None:
        assert self.store.info()["backend"]

    def test_closing_twice_is_no_trouble(self) -> None:
        self.put()
        self.store.close()
        self.store.close()
