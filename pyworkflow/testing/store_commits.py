"""What a commit does to a store: all of it or nothing, and nothing when somebody was faster."""

from __future__ import annotations

from functools import partial

import pytest

from ..engine.store import Archive, Query, Row
from .concurrency import in_threads
from .store_bench import A_LINE, ALL_BYTES, ODD_NAMES, StoreBench, make_commit, make_summary, make_task


class Commits(StoreBench):
    """Heads, histories and tasks change together."""

    def test_a_process_that_was_never_committed_is_not_there(self) -> None:
        assert self.store.read("p") is None
        assert self.store.read("p", "r1") is None
        assert self.store.history("p", "r1") == []
        assert self.store.tasks("p") == []

    def test_a_first_commit_makes_the_process(self) -> None:
        assert self.put(head=b"h", events=[b"e1", b"e2"], add=[make_task(body=b"t")])
        assert self.store.read("p") == Row("1", b"h")
        assert self.store.read("p", "r1") == Row("1", b"h")
        assert self.store.history("p", "r1") == [b"e1", b"e2"]
        assert self.store.tasks("p") == [make_task(body=b"t")]

    def test_what_one_door_commits_the_other_sees(self) -> None:
        assert self.other.commit([make_commit(events=[b"e1"], add=[make_task()])]) == [True]
        assert self.store.read("p") == Row("1", b"head")
        assert self.store.history("p", "r1") == [b"e1"]
        assert self.store.tasks("p") == [make_task()]

    def test_a_next_commit_replaces_the_head_and_appends(self) -> None:
        self.put(events=[b"e1"])
        assert self.put(base="1", stamp="2", head=b"h2", events=[b"e2", b"e3"], first=2)
        assert self.store.read("p") == Row("2", b"h2")
        assert self.store.history("p", "r1") == [b"e1", b"e2", b"e3"]

    @pytest.mark.parametrize("base", ["", "0", "2", "1 ", "01"])
    def test_a_commit_on_another_base_changes_nothing(self, base: str) -> None:
        self.put(head=b"h", events=[b"e1"], add=[make_task("p", "a"), make_task("p", "b")])
        assert not self.put(
            base=base,
            stamp="9",
            head=b"other",
            summary=make_summary(status="completed", closed=5.0),
            events=[b"x"],
            first=2,
            add=[make_task("p", "c"), make_task("p", "a", due=99.0)],
            remove=["b"],
        )
        assert self.store.read("p") == Row("1", b"h")
        assert self.store.history("p", "r1") == [b"e1"]
        assert self.store.tasks("p") == [make_task("p", "a"), make_task("p", "b")]
        assert self.found(statuses=frozenset({"running"})) == ["p"]

    def test_a_commit_on_a_process_that_is_not_there_changes_nothing(self) -> None:
        assert not self.put(base="1", stamp="2", events=[b"x"], add=[make_task()], summary=make_summary())
        assert self.store.read("p") is None
        assert self.store.tasks("p") == []
        assert self.found() == []

    def test_each_commit_of_several_stands_for_itself(self) -> None:
        self.put("a")
        done = self.store.commit(
            [
                make_commit("a", "stale", "2", head=b"no", events=[b"no"], first=1),
                make_commit("b", events=[b"yes"], add=[make_task("b")]),
                make_commit("c", "1", "2", head=b"no"),
                make_commit("d", head=b"yes"),
            ]
        )
        assert done == [False, True, False, True]
        assert [self.store.read(id) for id in "abcd"] == [Row("1", b"head"), Row("1", b"head"), None, Row("1", b"yes")]
        assert self.store.history("a", "r1") == []
        assert self.store.history("b", "r1") == [b"yes"]
        assert self.keys("b") == ["d"]

    def test_no_commits_are_no_trouble(self) -> None:
        assert self.store.commit([]) == []

    def test_a_head_alone_can_change(self) -> None:
        self.put(events=[b"e1"], add=[make_task()])
        assert self.put(base="1", stamp="2", head=b"beat")
        assert self.store.read("p") == Row("2", b"beat")
        assert self.store.history("p", "r1") == [b"e1"]
        assert self.keys() == ["d"]

    def test_the_same_commit_again_is_refused(self) -> None:
        self.put()
        again = make_commit(base="1", stamp="2", events=[b"e"], first=1)
        assert self.store.commit([again]) == [True]
        assert self.store.commit([again]) == [False]
        assert self.store.history("p", "r1") == [b"e"]

    # -- tasks ----------

    def test_tasks_are_removed_by_key_and_others_stay(self) -> None:
        self.put(add=[make_task("p", key) for key in "abc"])
        self.put("q", add=[make_task("q", "b")])
        assert self.put(base="1", stamp="2", remove=["b", "unknown"])
        assert self.keys("p") == ["a", "c"]
        assert self.keys("q") == ["b"]

    def test_a_task_replaces_the_one_of_its_key(self) -> None:
        self.put(add=[make_task("p", "a", "old", 1.0, priority=1, body=b"old")])
        new = make_task("p", "a", "new", 2.0, priority=-3, body=b"new")
        assert self.put(base="1", stamp="2", add=[new])
        assert self.store.tasks("p") == [new]
        assert self.claim("old") == []
        assert [task.body for task in self.claim("new")] == [b"new"]

    def test_a_held_task_can_be_replaced_and_removed(self) -> None:
        self.put(add=[make_task("p", "a"), make_task("p", "b")])
        assert len(self.claim("q", now=10.0, until=1000.0)) == 2
        assert self.put(base="1", stamp="2", add=[make_task("p", "a", due=11.0)], remove=["b"])
        assert [(task.key, task.due) for task in self.store.tasks("p")] == [("a", 11.0)]
        assert [task.key for task in self.claim("q", now=11.0)] == ["a"]

    def test_a_key_that_is_removed_and_added_is_there(self) -> None:
        self.put(add=[make_task("p", "a", body=b"1")])
        assert self.put(base="1", stamp="2", add=[make_task("p", "a", body=b"2")], remove=["a"])
        assert [task.body for task in self.store.tasks("p")] == [b"2"]

    # -- runs ----------

    def test_a_run_is_put_behind_the_next_one(self) -> None:
        self.put(head=b"old", events=[b"e1"])
        closed = Archive(b"closed", make_summary(run="r1", status="continued", closed=20.0))
        assert self.put(
            base="1",
            stamp="2",
            run="r2",
            head=b"new",
            entries=make_commit(run="r1", events=[b"e2"], first=2).entries,
            events=[b"n1"],
            summary=make_summary(run="r2", started=20.0),
            archive=closed,
        )
        assert self.store.read("p") == self.store.read("p", "r2") == Row("2", b"new")
        old = self.store.read("p", "r1")
        assert old is not None and old.head == b"closed"
        assert self.store.history("p", "r1") == [b"e1", b"e2"]
        assert self.store.history("p", "r2") == [b"n1"]
        found = {(s.run, s.status, s.started, s.closed) for s in self.store.find(Query())}
        assert found == {("r1", "continued", 10.0, 20.0), ("r2", "running", 20.0, None)}

    def test_a_run_put_behind_on_another_base_stays(self) -> None:
        self.put(head=b"old", events=[b"e1"], add=[make_task()])
        closed = Archive(b"closed", make_summary(run="r1", status="continued", closed=20.0))
        summary = make_summary(run="r2", started=20.0)
        assert not self.put(
            base="0", stamp="2", run="r2", events=[b"n1"], remove=["d"], summary=summary, archive=closed
        )
        assert self.store.read("p") == self.store.read("p", "r1") == Row("1", b"old")
        assert self.store.read("p", "r2") is None
        assert self.store.history("p", "r2") == []
        assert [(s.run, s.status) for s in self.store.find(Query())] == [("r1", "running")]
        assert self.keys() == ["d"]

    def test_an_old_run_is_no_base(self) -> None:
        self.put(stamp="1")
        closed = Archive(b"closed", make_summary(run="r1", status="continued", closed=20.0))
        self.put(base="1", stamp="2", run="r2", summary=make_summary(run="r2"), archive=closed)
        assert not self.put(base="1", stamp="3", run="r1")
        assert not self.put(base="", stamp="3", run="r3")

    def test_histories_are_read_from_anywhere_in_any_length(self) -> None:
        events = [b"%d" % number for number in range(1, 8)]
        self.put(events=events)
        for skip in range(9):
            assert self.store.history("p", "r1", skip) == events[skip:]
            for limit in (0, 1, 3, 100):
                assert self.store.history("p", "r1", skip, limit) == events[skip : skip + limit]

    def test_several_histories_are_read_at_once(self) -> None:
        self.put("p", events=[b"1", b"2", b"3"])
        self.put("q", events=[b"4"])
        self.put("q", "1", "2", events=[b"5", b"6"], first=2)
        wanted = [("q", "r1", 1, 2), ("nobody", "r1", 0, 5), ("p", "r1", 0, 2), ("q", "r2", 0, 1), ("p", "r1", 2, 9)]
        assert self.store.histories(wanted) == [[b"5", b"6"], [], [b"1", b"2"], [], [b"3"]]

    # -- what is stored ----------

    def test_every_byte_survives(self) -> None:
        task = make_task(body=ALL_BYTES)
        self.put(head=ALL_BYTES, events=[A_LINE, b"", b"\0", A_LINE[::-1]], add=[task])
        row = self.other.read("p")
        assert row is not None and row.head == ALL_BYTES
        assert self.other.history("p", "r1") == [A_LINE, b"", b"\0", A_LINE[::-1]]
        assert self.other.tasks("p") == [task]
        assert self.claim("q")[0].body == ALL_BYTES

    def test_large_records_survive(self) -> None:
        large = ALL_BYTES * 4096
        self.put(head=large, events=[A_LINE * 4096, b"", A_LINE * 4096], add=[make_task(body=large)])
        row = self.store.read("p")
        assert row is not None and row.head == large
        assert self.store.history("p", "r1") == [A_LINE * 4096, b"", A_LINE * 4096]
        assert self.store.tasks("p")[0].body == large

    def test_odd_names_are_told_apart(self) -> None:
        for number, name in enumerate(ODD_NAMES):
            self.put(
                name,
                head=b"%d" % number,
                run=name,
                events=[b"e%d" % number],
                add=[make_task(name, name, f"activity/{name}", body=b"t%d" % number)],
                summary=make_summary(name, name, workflow=name, tags=[name], parent=name, version=name),
            )
        for number, name in enumerate(ODD_NAMES):
            assert self.store.read(name) == self.store.read(name, name) == Row("1", b"%d" % number)
            assert self.store.history(name, name) == [b"e%d" % number]
            assert self.claim(f"activity/{name}") == [
                make_task(name, name, f"activity/{name}", 105.0, body=b"t%d" % number)
            ]
            for key in ("id", "workflow", "tag", "parent"):
                assert self.found(**{key: name}) == [name]
        assert {info.queue for info in self.store.queues(0.0)} == {f"activity/{name}" for name in ODD_NAMES}

    # -- several at once ----------

    def test_of_commits_on_one_base_exactly_one_wins(self) -> None:
        for number in range(20):
            base = str(number) if number else ""
            wins: list[int] = []

            def commit(who: int, base: str = base, number: int = number, wins: list[int] = wins) -> None:
                store = self.store if who % 2 else self.other
                mine = make_commit("p", base, str(number + 1), events=[b"%d" % who], first=number + 1)
                if store.commit([mine])[0]:
                    wins.append(who)

            in_threads(*(partial(commit, who) for who in range(4)))
            assert len(wins) == 1
            assert self.store.history("p", "r1", number) == [b"%d" % wins[0]]
