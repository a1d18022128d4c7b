"""What a store finds, counts and forgets."""

from __future__ import annotations

from typing import Any

import pytest

from ..engine.store import Archive, Query, Summary
from .store_bench import StoreBench, make_summary, make_task

SUMMARIES = [
    make_summary("a", "r1", started=10.0, workflow="V", tags=["x", "y"]),
    make_summary("b", "r2", started=20.0, status="completed", closed=25.0, parent="a"),
    make_summary("c", "r3", started=20.0, status="failed", closed=40.0, tags=["x"]),
    make_summary("ab", "r4", started=30.0, status="blocked", parent="a", tags=["xy"]),
    make_summary("A", "r5", started=5.0, workflow="v"),
]
FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["ab", "b", "c", "a", "A"]),
    ({"statuses": frozenset({"running"})}, ["a", "A"]),
    ({"statuses": frozenset({"running", "failed"})}, ["c", "a", "A"]),
    ({"statuses": frozenset()}, []),
    ({"workflow": "W"}, ["ab", "b", "c"]),
    ({"workflow": "V"}, ["a"]),
    ({"workflow": "unknown"}, []),
    ({"tag": "x"}, ["c", "a"]),
    ({"tag": "y"}, ["a"]),
    ({"tag": "z"}, []),
    ({"parent": "a"}, ["ab", "b"]),
    ({"id": "a"}, ["a"]),
    ({"id": "A"}, ["A"]),
    ({"id_prefix": "a"}, ["ab", "a"]),
    ({"id_prefix": "ab"}, ["ab"]),
    ({"id_prefix": "abc"}, []),
    ({"id_prefix": ""}, ["ab", "b", "c", "a", "A"]),
    ({"id_prefix": "%"}, []),
    ({"id_prefix": "_"}, []),
    ({"id_prefix": "?"}, []),
    ({"started_from": 20.0}, ["ab", "b", "c"]),
    ({"started_to": 20.0}, ["a", "A"]),
    ({"started_from": 10.0, "started_to": 30.0}, ["b", "c", "a"]),
    ({"started_from": 0.0}, ["ab", "b", "c", "a", "A"]),
    ({"closed_from": 25.0}, ["b", "c"]),
    ({"closed_from": 25.5}, ["c"]),
    ({"closed_to": 40.0}, ["b"]),
    ({"closed_from": 25.0, "closed_to": 25.0}, []),
    ({"workflow": "W", "tag": "x", "statuses": frozenset({"failed"}), "started_from": 20.0}, ["c"]),
    ({"workflow": "V", "tag": "x", "parent": "a"}, []),
]


def _shown(value: Any) -> str:
    """A query as the name of its test, the same in every run."""
    return ", ".join(
        f"{name} {'|'.join(sorted(wanted)) if isinstance(wanted, frozenset) else wanted}"
        for name, wanted in (value.items() if isinstance(value, dict) else ())
    )


class Questions(StoreBench):
    """Find, count and purge."""

    def fill(self) -> None:
        for summary in SUMMARIES:
            assert self.put(summary.id, run=summary.run, summary=summary, events=[b"e"])

    def start(self, id: str, run: str, started: float, closed: float | None = None) -> None:
        status = "running" if closed is None else "completed"
        self.put(id, run=run, summary=make_summary(id, run, status, started, closed=closed, tags=[id]), events=[b"e"])

    def test_a_summary_is_found_as_it_was_given(self) -> None:
        full = Summary("p", "r", "W", "failed", 1.25, 2.5, "parent", ["t2", "t1"], "7")
        self.put("p", run="r", summary=full)
        assert self.store.find(Query()) == [full]

    def test_a_summary_changes_with_a_commit_that_brings_one(self) -> None:
        self.put(summary=make_summary(tags=["t"]))
        self.put(base="1", stamp="2")
        assert self.found(statuses=frozenset({"running"}), tag="t") == ["p"]
        self.put(base="2", stamp="3", summary=make_summary(status="completed", closed=12.5, tags=["t"]))
        assert self.store.find(Query()) == [make_summary(status="completed", closed=12.5, tags=["t"])]
        assert self.found(statuses=frozenset({"running"})) == []
        assert self.found(closed_from=12.5, tag="t") == ["p"]

    @pytest.mark.parametrize(("query", "ids"), FILTERS, ids=_shown)
    def test_every_filter_finds_and_counts(self, query: dict[str, Any], ids: list[str]) -> None:
        self.fill()
        assert self.found(**query) == ids
        assert self.store.count(Query(**query)) == len(ids)
        assert self.store.count(Query(**query, limit=1, cursor=(20.0, "b", "r2"))) == len(ids)

    def test_found_are_the_newest_first_then_by_id_then_by_run(self) -> None:
        for id, run, started in (("b", "2", 1.0), ("a", "1", 1.0), ("c", "3", 2.0), ("B", "4", 1.0), ("é", "5", 1.0)):
            self.start(id, run, started)
        assert self.found() == ["c", "B", "a", "b", "é"]

    def test_the_runs_of_one_process_are_ordered_too(self) -> None:
        self.put(run="r2", summary=make_summary(run="r2"))
        for number, run in enumerate(("r9", "r1"), start=2):
            old = self.store.find(Query(statuses=frozenset({"running"})))[0].run
            self.put(
                base=str(number - 1),
                stamp=str(number),
                run=run,
                summary=make_summary(run=run),
                archive=Archive(b"", make_summary(run=old, status="continued", closed=10.0)),
            )
        assert [(s.run, s.status) for s in self.store.find(Query())] == [
            ("r1", "running"), ("r2", "continued"), ("r9", "continued"),
        ]  # fmt: skip
        assert self.store.count(Query(id="p")) == 3

    @pytest.mark.parametrize("size", [1, 2, 3, 100])
    @pytest.mark.parametrize("query", [{}, {"workflow": "W"}, {"tag": "even"}])
    def test_pages_bring_everything_once_and_in_order(self, size: int, query: dict[str, Any]) -> None:
        for number in range(9):
            tags = ["even"] if number % 2 == 0 else []
            self.put(f"p{number}", summary=make_summary(f"p{number}", started=float(number // 4), tags=tags))
        everything = self.store.find(Query(**query))
        assert everything
        pages: list[Summary] = []
        cursor = None
        while page := self.store.find(Query(**query, cursor=cursor, limit=size)):
            assert len(page) <= size
            pages += page
            cursor = (page[-1].started, page[-1].id, page[-1].run)
        assert pages == everything

    def test_a_page_does_not_depend_on_its_cursor_still_being_there(self) -> None:
        for number in range(4):
            self.start(f"p{number}", "r", 10.0, 20.0 + number)
        cursor = (10.0, "p1", "r")
        assert self.found(cursor=cursor) == ["p2", "p3"]
        assert self.store.purge(22.0, 10) == 2
        assert self.found(cursor=cursor) == ["p2", "p3"]

    def test_what_starts_during_paging_does_not_disturb_it(self) -> None:
        for number in range(4):
            self.start(f"p{number}", "r", float(number))
        first = self.store.find(Query(limit=2))
        self.start("new", "r", 99.0)
        cursor = (first[-1].started, first[-1].id, first[-1].run)
        assert [s.id for s in first] + self.found(cursor=cursor) == ["p3", "p2", "p1", "p0"]

    def test_no_limit_finds_all(self) -> None:
        self.fill()
        assert len(self.store.find(Query(limit=None))) == len(SUMMARIES)
        assert self.store.find(Query(limit=0)) == []

    # -- purging ----------

    def test_purging_deletes_what_closed_before(self) -> None:
        self.start("open", "r", 1.0)
        self.start("early", "r", 1.0, 5.0)
        self.start("exact", "r", 1.0, 6.0)
        self.start("late", "r", 1.0, 7.0)
        assert self.store.purge(6.0, 100) == 1
        assert sorted(self.found()) == ["exact", "late", "open"]
        assert self.store.read("early") is None
        assert self.store.read("early", "r") is None
        assert self.store.history("early", "r") == []
        assert self.found(tag="early") == []
        assert self.store.history("late", "r") == [b"e"]
        assert self.store.purge(6.0, 100) == 0

    def test_purging_stops_at_its_limit(self) -> None:
        for number in range(5):
            self.start(f"p{number}", "r", 1.0, 2.0)
        assert [self.store.purge(9.0, 2) for _ in range(4)] == [2, 2, 1, 0]
        assert self.found() == []

    def test_an_old_run_is_purged_without_the_current_one(self) -> None:
        self.put(run="r1", summary=make_summary(run="r1", tags=["t"]), events=[b"old"])
        self.put(
            base="1",
            stamp="2",
            run="r2",
            events=[b"new"],
            add=[make_task()],
            summary=make_summary(run="r2", tags=["t"]),
            archive=Archive(b"", make_summary(run="r1", status="continued", closed=20.0, tags=["t"])),
        )
        assert self.store.purge(21.0, 10) == 1
        assert self.store.read("p", "r1") is None
        assert self.store.history("p", "r1") == []
        assert self.store.history("p", "r2") == [b"new"]
        assert [s.run for s in self.store.find(Query(tag="t"))] == ["r2"]
        assert self.keys() == ["d"]
        assert self.put(base="2", stamp="3", run="r2")

    def test_a_purged_id_can_begin_again(self) -> None:
        self.start("p", "r1", 1.0, 2.0)
        self.store.purge(9.0, 10)
        assert not self.put(base="1", stamp="2", run="r1")
        self.start("p", "r2", 3.0)
        assert self.store.read("p") is not None
        assert self.store.history("p", "r2") == [b"e"]

    def test_what_a_closed_process_still_sends_outlives_it(self) -> None:
        self.put(
            summary=make_summary(status="completed", closed=2.0), add=[make_task("p", "l:1", "letter", body=b"news")]
        )
        assert self.store.purge(9.0, 10) == 1
        assert self.store.claim(["letter"], 9.0, 14.0, 5) == [
            (make_task("p", "l:1", "letter", 14.0, body=b"news"), None)
        ]
