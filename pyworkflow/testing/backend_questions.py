"""Questions: what there is, what is pending, what happened; and forgetting what is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ..backend import STATUSES, ProcessFilter, QueueCount
from ..decision import (
    CancelProcess,
    CompleteProcess,
    ContinueAsNew,
    FailProcess,
    ScheduleActivity,
    StartChildProcess,
    Timer,
)
from ..exceptions import UnknownProcessException
from ..process import Process
from .backend_bench import BackendBench


class Questions(BackendBench):
    """Lists, counts, descriptions, histories, queues, purging."""

    def one_of_each(self) -> None:
        """A process of each status, named for it, one started each 10 seconds and closed 5 seconds later."""
        ends = {
            "completed": CompleteProcess(),
            "failed": FailProcess(),
            "canceled": CancelProcess(),
            "continued": ContinueAsNew(),
        }
        for status in STATUSES:
            workflow = "V" if status in ("failed", "blocked") else "W"
            self.start(
                status, workflow, tags=[status, "all"], timeout=5 if status == "timedout" else 1e9, category=status
            )
            self.clock.advance(5)
            match status:
                case "blocked":
                    for _ in range(5):
                        self.backend.fail_decision_task(self.open_decision(status), "why")
                        self.clock.advance(60)
                case "terminated":
                    self.backend.terminate_process(status)
                case "timedout":
                    self.settle()
                case "running":
                    pass
                case _:
                    self.decide(ends[status], category=status)
            self.clock.advance(5)

    def list(self, **which: Any) -> list[str]:
        found = self.backend.list_processes(ProcessFilter(**which)).processes
        assert self.backend.count_processes(ProcessFilter(**which)) == len(found)
        return [str(process.id) for process in found]

    # -- lists ----------

    def test_lists_hold_open_processes_unless_told_otherwise(self) -> None:
        self.one_of_each()
        assert self.list() == ["continued", "blocked", "running"]
        assert [process.id for process in self.backend.processes()] == ["continued", "blocked", "running"]
        assert len(self.list(status="all")) == len(STATUSES) + 1
        assert self.list(status="closed") == ["continued", "terminated", "timedout", "canceled", "failed", "completed"]

    def test_lists_can_be_of_one_status(self) -> None:
        self.one_of_each()
        for status in STATUSES:
            expected = ["continued", "running"] if status == "running" else [status]
            assert self.list(status=status) == expected
            assert all(
                process.status == status
                for process in self.backend.list_processes(ProcessFilter(status=status)).processes
            )

    def test_lists_can_be_filtered(self) -> None:
        self.one_of_each()
        assert self.list(workflow="V", status="all") == ["failed", "blocked"]
        assert self.list(workflow="unknown", status="all") == []
        assert self.list(tag="failed", status="all") == ["failed"]
        assert self.list(tag="all") == ["continued", "blocked", "running"]
        assert self.list(id="failed", status="closed") == ["failed"]
        assert self.list(id="failed") == []
        assert self.list(id_prefix="c", status="closed") == ["continued", "canceled", "completed"]
        assert self.list(id_prefix="co", tag="all", workflow="W", status="completed") == ["completed"]
        assert [process.id for process in self.backend.processes("V", "blocked")] == ["blocked"]

    def test_lists_can_be_of_a_time(self) -> None:
        self.one_of_each()
        started = {id: self.backend.describe_process(id).started for id in ("completed", "failed")}
        closed = self.backend.describe_process("completed").closed
        assert closed == started["completed"] + 5
        span = {"started_from": started["completed"], "started_to": started["failed"]}
        assert self.list(**span, status="all") == ["completed"]
        assert self.list(
            **{key: dt.datetime.fromtimestamp(time, dt.UTC) for key, time in span.items()}, status="all"
        ) == ["completed"]
        assert self.list(closed_from=closed, closed_to=closed + 1, status="all") == ["completed"]
        assert self.list(closed_from=0, status="all") == self.list(status="closed")

    def test_children_are_found_by_their_parent(self) -> None:
        self.start("p")
        self.decide(*(StartChildProcess(Process("W", id)) for id in ("c1", "c2")))
        self.settle()
        assert sorted(self.list(parent="p")) == ["c1", "c2"]
        assert self.list(parent="c1") == []

    def test_what_is_listed_can_be_read(self) -> None:
        self.start(input={"n": 1}, tags=["t"])
        (process,) = self.backend.list_processes(ProcessFilter()).processes
        assert (process.workflow, process.id, process.tags, process.status, process.version) == (
            "W",
            "p",
            ["t"],
            "running",
            "1.0",
        )
        assert process == self.backend.process_by_id("p")
        assert process.input == {"n": 1}

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_pages_bring_everything_once_and_in_order(self, size: int) -> None:
        for number in range(7):
            self.start(f"p{number}")
            if number % 2:
                self.clock.advance(1)
        everything, cursor, pages = self.list(), None, []
        while True:
            page = self.backend.list_processes(ProcessFilter(), size, cursor)
            pages.append([process.id for process in page.processes])
            if (cursor := page.cursor) is None:
                break
        assert [id for ids in pages for id in ids] == everything
        assert len(everything) == 7
        assert all(len(ids) == size for ids in pages[:-1])
        assert 0 < len(pages[-1]) <= size

    def test_an_empty_page_has_no_cursor(self) -> None:
        page = self.backend.list_processes(ProcessFilter())
        assert (page.processes, page.cursor) == ([], None)

    def test_all_open_processes_can_be_gone_through(self) -> None:
        for number in range(12):
            self.start(f"p{number}")
        assert sorted(str(process.id) for process in self.backend.processes()) == sorted(f"p{n}" for n in range(12))

    # -- one process ----------

    def test_a_description_says_what_is_pending(self) -> None:
        now = self.clock.now
        self.start(timeout=100)
        self.decide(
            ScheduleActivity("A", "a", "far", scheduled_timeout=9),
            ScheduleActivity("A", "b", execution_timeout=50, heartbeat_timeout=20),
            Timer(30, id="t"),
            StartChildProcess(Process("W", "c", None), category="far"),
        )
        task = self.take()
        self.backend.heartbeat_activity_task(task, {"n": 1})
        about = self.backend.describe_process("p")
        assert (about.started, about.closed, about.deadline, about.result, about.blocked) == (
            now,
            None,
            now + 100,
            None,
            None,
        )
        assert (about.timers, about.children, about.cancel_requested) == ({"t": now + 30}, ["c"], False)
        waiting, held = about.activities
        assert (waiting.id, waiting.activity, waiting.category, waiting.state) == ("a", "A", "far", "scheduled")
        assert (waiting.token, waiting.deadline, waiting.heartbeat) == (None, now + 9, None)
        assert (held.id, held.state, held.token, held.deadline) == ("b", "started", task.token, now + 20)
        assert held.heartbeat == {"n": 1}
        assert about.events == len(self.backend.history("p"))
        assert about.process == self.backend.process_by_id("p")

    def test_a_description_says_how_the_decision_stands(self) -> None:
        self.start()
        states = [self.backend.describe_process("p").decision]
        task = self.open_decision()
        states.append(self.backend.describe_process("p").decision)
        self.backend.complete_decision_task(task)
        states.append(self.backend.describe_process("p").decision)
        assert states == ["scheduled", "started", "idle"]

    def test_an_old_run_can_be_described(self) -> None:
        self.start()
        run = self.backend.process_by_id("p").run
        self.decide(ContinueAsNew())
        about = self.backend.describe_process(f"p:{run}")
        assert (about.process.status, about.activities, about.deadline) == ("continued", [], None)

    def test_what_a_run_was_started_with_is_described(self) -> None:
        self.start(category="c", priority=3, timeout=50, decision_timeout=5)
        about = self.backend.describe_process("p")
        assert (about.category, about.priority, about.timeout, about.decision_timeout) == ("c", 3, 50, 5)
        assert (about.parent_run, about.continued_from) == (None, None)
        self.decide(StartChildProcess(Process("W", "child")), ContinueAsNew(), category="c")
        self.settle()
        assert self.backend.describe_process("child").parent_run == about.process.run
        again = self.backend.describe_process("p")
        assert (again.continued_from, again.category, again.timeout) == (about.process.run, "c", 50)

    def test_a_history_is_read_in_any_part(self) -> None:
        self.start()
        for _ in range(3):
            self.decide()
            self.backend.signal_process("p", "s")
        history = self.backend.history("p")
        assert [event.id for event in history] == list(range(1, 11))
        assert "decision_completed" in [event.type for event in history]
        for skip in range(12):
            assert self.backend.history("p", skip) == history[skip:]
            for limit in (0, 1, 4, 100):
                assert self.backend.history("p", skip, limit) == history[skip : skip + limit]

    # -- the backend ----------

    def test_queues_are_counted(self) -> None:
        assert self.backend.queues() == []
        self.start("p", category="far")
        self.start("q", category="far")
        self.decide(ScheduleActivity("A", "a"), category="far")
        kinds = {(queue.kind, queue.category): queue for queue in self.backend.queues()}
        assert kinds["decision", "far"] == QueueCount("decision", "far", 1, 0)
        assert kinds["activity", "default"] == QueueCount("activity", "default", 1, 0)
        self.backend.release_task(self.take(), 5)
        kinds = {(queue.kind, queue.category): queue for queue in self.backend.queues()}
        assert kinds["activity", "default"] == QueueCount("activity", "default", 0, 1)

    def test_purging_forgets_what_closed_before(self) -> None:
        self.one_of_each()
        everything = set(self.list(status="all"))
        limit = self.backend.describe_process("failed").closed
        assert limit is not None
        assert self.backend.purge(limit) == 1
        assert set(self.list(status="all")) == everything - {"completed"}
        with pytest.raises(UnknownProcessException):
            self.backend.process_by_id("completed")
        assert self.backend.purge(dt.datetime.fromtimestamp(self.clock.now + 1, dt.UTC)) == 5
        assert set(self.list(status="all")) == {"running", "blocked", "continued"}
        assert self.backend.purge(1e12) == 0

    def test_an_old_run_is_forgotten_and_the_process_goes_on(self) -> None:
        self.start()
        run = self.backend.process_by_id("p").run
        self.decide(ContinueAsNew(1))
        assert self.backend.purge(self.clock.now + 1) == 1
        with pytest.raises(UnknownProcessException):
            self.backend.process_by_id(f"p:{run}")
        self.decide(CompleteProcess())
        assert self.status() == "completed"

    def test_a_backend_says_what_it_is(self) -> None:
        assert self.backend.info()["backend"]
