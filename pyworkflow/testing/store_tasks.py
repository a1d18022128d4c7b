"""How a store hands out tasks: in order, each to one taker, and again when a taker let its lease run out."""

from __future__ import annotations

from functools import partial

import pytest

from ..engine.store import QueueInfo, Row, Task
from .concurrency import in_threads
from .store_bench import StoreBench, make_task


class Tasks(StoreBench):
    """Claims, leases, and what may be done with a task that was claimed."""

    def test_only_what_is_due_is_claimed(self) -> None:
        self.put_tasks(make_task("a", due=10.0), make_task("b", due=10.5), make_task("c", due=11.0))
        assert self.claim("q", now=9.99) == []
        assert [task.process for task in self.claim("q", now=10.5)] == ["a", "b"]

    def test_a_claim_brings_the_head_along(self) -> None:
        self.put("a", head=b"A", add=[make_task("a", body=b"x")])
        self.put("a", "1", "2", head=b"B")
        assert self.store.claim(["q"], 5.0, 9.0, 1) == [(make_task("a", due=9.0, body=b"x"), Row("2", b"B"))]

    def test_a_queue_is_read_by_priority_then_time_then_insertion(self) -> None:
        order = [
            ("late", 5.0, 0),
            ("low", 1.0, -1),
            ("z first", 2.0, 0),
            ("a second", 2.0, 0),
            ("high", 9.0, 7),
            ("max", 9.0, 2**31 - 1),
        ]
        self.put_tasks(*(make_task(id, due=due, priority=priority) for id, due, priority in order))
        got = [task.process for task in self.claim("q", now=10.0)]
        assert got == ["max", "high", "z first", "a second", "late", "low"]

    def test_several_queues_are_read_as_one(self) -> None:
        self.put_tasks(
            make_task("a", queue="q1", due=3.0),
            make_task("b", queue="q2", due=2.0),
            make_task("c", queue="q3", due=1.0),
            make_task("d", queue="q1", due=9.0, priority=1),
            make_task("e", queue="q2", due=3.0),
        )
        assert [task.process for task in self.claim("q2", "q1", now=10.0)] == ["d", "b", "a", "e"]
        assert [task.process for task in self.claim("q1", "q2", "q3", now=10.0)] == ["c"]

    def test_a_limit_takes_the_first_and_leaves_the_rest(self) -> None:
        self.put_tasks(*(make_task(str(n), queue=f"q{n % 2}", due=float(n)) for n in range(7)))
        for expected in (["0", "1", "2"], ["3", "4", "5"], ["6"], []):
            assert [task.process for task in self.claim("q0", "q1", limit=3)] == expected

    def test_a_limit_counts_over_priorities(self) -> None:
        self.put_tasks(*(make_task(str(n), due=float(n), priority=n // 2) for n in range(6)))
        assert [task.process for task in self.claim("q", limit=3)] == ["4", "5", "2"]
        assert [task.process for task in self.claim("q", limit=3)] == ["3", "0", "1"]

    def test_nothing_comes_of_no_queues_or_no_limit(self) -> None:
        self.put_tasks(make_task())
        assert self.claim() == []
        assert self.claim("other") == []
        assert self.claim("q", limit=0) == []
        assert len(self.claim("q")) == 1

    def test_tasks_of_one_process_go_one_by_one(self) -> None:
        self.put(add=[make_task("p", key, due=due) for key, due in (("a", 2.0), ("b", 1.0), ("c", 3.0))])
        assert [task.key for task in self.claim("q", limit=2)] == ["b", "a"]
        assert [task.key for task in self.claim("q", limit=2)] == ["c"]

    def test_tasks_of_one_commit_go_in_the_order_in_which_they_were_added(self) -> None:
        self.put(add=[make_task("p", key) for key in "bca"])
        assert [task.key for task in self.claim("q")] == ["b", "c", "a"]

    # -- leases ----------

    def test_a_claimed_task_is_held_until_its_lease_ends(self) -> None:
        self.put_tasks(make_task(due=1.0, priority=3, body=b"x"))
        held = make_task(due=15.0, priority=3, body=b"x")
        assert self.claim("q", now=10.0, until=15.0) == [held]
        assert self.store.tasks("p") == [held]
        assert self.claim("q", now=14.9) == []
        assert self.claim("q", now=15.0, until=20.0) == [make_task(due=20.0, priority=3, body=b"x")]

    def test_what_one_door_holds_the_other_does_not_get(self) -> None:
        self.put_tasks(make_task("a"), make_task("b"))
        assert len(self.claim("q", limit=1)) == 1
        assert [task.process for task, _ in self.other.claim(["q"], 100.0, 105.0, 9)] == ["b"]
        assert self.claim("q") == []

    def test_a_commit_that_does_not_mention_a_held_task_leaves_it_held(self) -> None:
        self.put_tasks(make_task())
        self.claim("q", now=10.0, until=15.0)
        self.put(base="1", stamp="2")
        assert self.claim("q", now=11.0) == []
        assert len(self.claim("q", now=15.0)) == 1

    def test_postponing_moves_a_claimed_task(self) -> None:
        self.put_tasks(make_task(priority=2, body=b"x"))
        (task,) = self.claim("q", now=10.0, until=15.0)
        self.store.postpone(task, 12.0)
        assert self.store.tasks("p") == [make_task(due=12.0, priority=2, body=b"x")]
        assert self.claim("q", now=11.9) == []
        assert len(self.claim("q", now=12.0)) == 1

    def test_a_task_can_be_postponed_into_the_past(self) -> None:
        self.put_tasks(make_task())
        (task,) = self.claim("q", now=10.0, until=15.0)
        self.store.postpone(task, 3.0)
        assert self.store.next_due(["q"]) == {"q": 3.0}
        assert len(self.claim("q", now=10.0)) == 1

    def test_discarding_removes_a_claimed_task(self) -> None:
        self.put(add=[make_task("p", "a"), make_task("p", "b")])
        (task,) = self.claim("q", limit=1)
        self.store.discard(task)
        assert self.keys() == ["b"]
        self.store.discard(task)
        self.store.postpone(task, 1.0)
        assert self.keys() == ["b"]

    @pytest.mark.parametrize("verb", ["postpone", "discard"])
    @pytest.mark.parametrize(
        "change", ["claimed again", "postponed", "replaced", "another body", "another queue", "removed"]
    )
    def test_a_task_that_is_not_as_it_was_claimed_is_left_alone(self, verb: str, change: str) -> None:
        self.put_tasks(make_task(body=b"x"))
        (claimed,) = self.claim("q", now=10.0, until=15.0)
        match change:
            case "claimed again":
                self.claim("q", now=15.0, until=20.0)
            case "postponed":
                self.store.postpone(claimed, 30.0)
            case "replaced":
                self.put(base="1", stamp="2", add=[make_task(due=16.0, body=b"x")])
            case "another body":
                self.put(base="1", stamp="2", add=[make_task(due=15.0, body=b"y")])
            case "another queue":
                self.put(base="1", stamp="2", add=[make_task(queue="q2", due=15.0, body=b"x")])
            case "removed":
                self.put(base="1", stamp="2", remove=["d"])
        before = self.store.tasks("p")
        if verb == "postpone":
            self.store.postpone(claimed, 99.0)
        else:
            self.store.discard(claimed)
        assert self.store.tasks("p") == before
        assert [(task.key, task.body) for task in self.claim("q", "q2", now=99.0)] == [(t.key, t.body) for t in before]

    def test_takers_at_once_never_take_the_same(self) -> None:
        self.put(add=[make_task("p", str(number), f"q{number % 3}") for number in range(200)])
        taken: list[Task] = []

        def take(who: int) -> None:
            store = self.store if who % 2 else self.other
            while got := store.claim(["q0", "q1", "q2"], 100.0, 105.0, 1 + who):
                taken.extend(task for task, _ in got)

        in_threads(*(partial(take, who) for who in range(4)))
        assert sorted(int(task.key) for task in taken) == list(range(200))

    # -- what is due ----------

    def test_nothing_is_due_where_nothing_is(self) -> None:
        assert self.store.next_due([]) == {}
        assert self.store.next_due(["q"]) == {}
        self.put_tasks(make_task(queue="other"))
        assert self.store.next_due(["q"]) == {}

    def test_the_earliest_of_each_queue_is_due_next_whatever_its_priority(self) -> None:
        self.put_tasks(
            make_task("a", queue="q1", due=8.0, priority=5),
            make_task("b", queue="q1", due=6.0, priority=-5),
            make_task("c", queue="q2", due=7.0),
            make_task("d", queue="q3", due=1.0, priority=9),
        )
        assert self.store.next_due(["q1"]) == {"q1": 6.0}
        assert self.store.next_due(["q2", "q1", "q"]) == {"q1": 6.0, "q2": 7.0}
        assert self.store.next_due(["q1", "q2", "q3"]) == {"q1": 6.0, "q2": 7.0, "q3": 1.0}

    def test_looking_does_not_depend_on_what_was_claimed_before(self) -> None:
        self.put_tasks(make_task("a", due=5.0, priority=1), make_task("b", due=3.0), make_task("c", due=4.0))
        assert [task.process for task in self.claim("q", now=9.0, until=20.0, limit=1)] == ["a"]
        assert self.store.next_due(["q"]) == {"q": 3.0}
        assert [task.process for task in self.claim("q", now=9.0, until=20.0, limit=1)] == ["b"]
        assert self.store.next_due(["q"]) == {"q": 4.0}

    def test_a_held_task_is_due_when_its_lease_ends(self) -> None:
        self.put_tasks(make_task("a", due=1.0), make_task("b", due=50.0))
        (task,) = self.claim("q", now=10.0, until=15.0)
        assert self.store.next_due(["q"]) == {"q": 15.0}
        self.store.postpone(task, 60.0)
        assert self.store.next_due(["q"]) == {"q": 50.0}
        self.put("b", "1", "2", remove=["d"])
        assert self.store.next_due(["q"]) == {"q": 60.0}
        self.put("a", "1", "2", remove=["d"])
        assert self.store.next_due(["q"]) == {}

    def test_a_task_that_is_replaced_later_is_not_due_earlier(self) -> None:
        self.put_tasks(make_task(due=5.0))
        self.put(base="1", stamp="2", add=[make_task(due=9.0)])
        assert self.store.next_due(["q"]) == {"q": 9.0}
        assert self.claim("q", now=8.0) == []
        self.put(base="2", stamp="3", add=[make_task(due=2.0)])
        assert self.store.next_due(["q"]) == {"q": 2.0}

    def test_queues_are_counted(self) -> None:
        assert self.store.queues(10.0) == []
        self.put_tasks(
            make_task("a", queue="z", due=10.0), make_task("b", queue="a", due=10.5), make_task("c", queue="z", due=1.0)
        )
        assert self.store.queues(10.0) == [QueueInfo("a", 0, 1), QueueInfo("z", 2, 0)]
        self.claim("z", now=10.0, until=15.0, limit=1)
        assert self.store.queues(10.0) == [QueueInfo("a", 0, 1), QueueInfo("z", 1, 1)]
        assert self.store.queues(15.0) == [QueueInfo("a", 1, 0), QueueInfo("z", 2, 0)]
        self.put("b", "1", "2", remove=["d"])
        assert self.store.queues(10.0) == [QueueInfo("z", 1, 1)]
