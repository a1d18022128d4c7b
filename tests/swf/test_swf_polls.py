"""Long polls: none is given up, none loses a task, and no more are open than there is room for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pyworkflow.backend import Wanted
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.decision import ScheduleActivity
from pyworkflow.exceptions import PayloadError
from pyworkflow.testing.concurrency import PATIENCE

from .support import Desk, desk, desk_with

__all__ = ["desk", "desk_with"]

ONE = Wanted(("default",), 1)
MOMENT = 0.05


class Slow:
    """A desk whose polls are answered when the test says so."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()
        for kind in ("decision", "activity"):
            self.desk.swf.do[f"poll_for_{kind}_task"] = self._slow(f"poll_for_{kind}_task")

    def _slow(self, poll: str) -> Any:
        def wait(**parameters: Any) -> Any:
            self.asked.release()
            assert self.go.wait(PATIENCE)
            return self.desk.swf.ask(poll, **parameters)

        return wait

    @property
    def open(self) -> int:
        """How many polls are open: each has a thread."""
        return sum(thread.name.startswith(("swf-decision", "swf-activity")) for thread in threading.enumerate())

    def exchange(self, timeout: float = MOMENT, **wanted: Wanted) -> Any:
        return self.desk.backend.exchange(timeout=timeout, **wanted)


@pytest.fixture
def slow(desk_with: Any) -> Iterator[Slow]:
    slow = Slow(desk_with(patience=PATIENCE))
    yield slow
    slow.go.set()


def test_a_poll_that_nobody_waits_for_any_more_loses_no_task(slow: Slow) -> None:
    assert not slow.exchange(decisions=ONE)
    assert not slow.exchange(decisions=ONE)
    assert slow.open == 1, "the first one is still open"
    slow.desk.start()
    slow.go.set()
    assert slow.exchange(PATIENCE, decisions=ONE).decisions[0].process.id == "p"


def test_a_task_that_comes_after_the_end_is_handed_back(slow: Slow) -> None:
    assert not slow.exchange(decisions=ONE)
    slow.desk.start()
    closing = threading.Thread(target=slow.desk.backend.close)
    closing.start()
    slow.go.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert slow.desk.types()[-1] == "decision_released"
    assert not slow.exchange(PATIENCE, decisions=ONE)


def test_an_activity_that_comes_after_the_end_is_handed_back(slow: Slow) -> None:
    slow.go.set()
    slow.desk.start()
    slow.desk.decide(ScheduleActivity("A", "a"))
    slow.go.clear()
    task = slow.desk.another()
    assert not slow.exchange(activities=ONE)
    closing = threading.Thread(target=slow.desk.backend.close)
    closing.start()
    slow.go.set()
    closing.join(PATIENCE)
    assert slow.desk.types()[-1] == "activity_released"
    assert task.poll_decision_task() is None
    assert task.poll_activity_task() is not None


def test_an_end_that_does_not_wait_says_so(slow: Slow, caplog: pytest.LogCaptureFixture) -> None:
    slow.desk.backend._patience = MOMENT
    assert not slow.exchange(decisions=ONE)
    slow.desk.backend.close()
    assert "a task that it brings times out" in caplog.text


@pytest.mark.parametrize(("room", "polls"), [(1, 1), (3, 3), (50, 4)])
def test_no_more_polls_are_open_than_there_is_room_for(slow: Slow, room: int, polls: int) -> None:
    assert not slow.exchange(activities=Wanted(("default",), room))
    assert not slow.exchange(activities=Wanted(("default",), room))
    for _ in range(polls):
        assert slow.asked.acquire(timeout=PATIENCE)
    assert slow.open == polls


def test_each_category_has_a_poll_of_its_own(slow: Slow) -> None:
    assert not slow.exchange(activities=Wanted(("a", "b", "c"), 1), decisions=ONE)
    for _ in range(4):
        assert slow.asked.acquire(timeout=PATIENCE)
    assert slow.open == 4


def test_without_a_timeout_no_poll_stays_open(slow: Slow) -> None:
    assert not slow.desk.backend.exchange(decisions=ONE, activities=ONE)
    assert slow.open == 0
    slow.go.set()
    slow.desk.start()
    assert slow.desk.backend.exchange(decisions=ONE, activities=ONE).decisions
    slow.desk.backend.close()
    assert len(slow.desk.called("poll_for_decision_task")) == 1


# -- what is asked of SWF ----------


def long_history(desk: Desk, steps: int) -> None:
    desk.start()
    for number in range(steps):
        desk.decide(ScheduleActivity("A", f"a{number}", input="x" * 20))
        desk.backend.complete_activity_task(desk.take())


def test_a_warm_worker_reads_only_what_is_new(desk: Desk) -> None:
    long_history(desk, 5)
    before = len(desk.called("get_workflow_execution_history"))
    desk.decide(ScheduleActivity("A", "a"))
    assert len(desk.called("get_workflow_execution_history")) == before == 0
    assert all(call["startAtPreviousStartedEvent"] for call in desk.called("poll_for_decision_task"))


def test_a_cold_worker_reads_all_of_a_long_history_and_then_only_what_is_new(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyworkflow_amazonswf.runs.PAGE", 100)
    long_history(desk, 40)
    other = desk.another()
    whole = [event.id for event in desk.backend.process_by_id("p").history]
    reads = len(desk.called("get_workflow_execution_history"))
    task = desk.open(other)
    assert [event.id for event in task.process.history][:-1] == whole
    pages = desk.called("get_workflow_execution_history")[reads:]
    assert [page["maximumPageSize"] for page in pages] == [100, 100, 100]
    other.complete_decision_task(task, ScheduleActivity("A", "more"))
    assert len(other.process_by_id("p").history) == len(whole) + 2
    assert len(desk.called("get_workflow_execution_history")[reads:]) == 4, "one page from the end is enough"


def test_a_history_that_cannot_be_read_blocks_its_process(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.start()

    def unreadable(*arguments: Any) -> Any:
        raise PayloadError("no key")

    with monkeypatch.context() as patch:
        patch.setattr("pyworkflow_amazonswf.runs.Runs.until", unreadable)
        assert desk.idle()
    assert desk.backend.describe_process("p").blocked == ("PayloadError: no key", None)


def test_an_activity_whose_input_cannot_be_read_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.start()
    desk.decide(ScheduleActivity("A", "a", input=1))

    def unreadable(*arguments: Any) -> Any:
        raise PayloadError("no key")

    with monkeypatch.context() as patch:
        patch.setattr("pyworkflow_amazonswf.payloads.SwfTexts.load", unreadable)
        assert desk.backend.poll_activity_task() is None
    ended: Any = desk.open().process.history[-2]
    assert (ended.result.type, ended.result.reason) == ("failed", "no key")


def test_forked_children_have_connections_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    service = AmazonSWFBackend("test", "test", "us-east-1").service
    here = service.client("polls")
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert service.client("polls") is not here


def test_a_forked_child_polls_for_itself(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.desk.backend._patience = 0  # in truth the parent's threads are not there
    assert not slow.exchange(decisions=ONE)
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert not slow.exchange(decisions=ONE)
    assert slow.open == 2
    slow.go.set()
    while slow.open:
        threading.Event().wait(MOMENT)


@pytest.mark.parametrize("call", [lambda backend: backend.interrupt_wait("name"), lambda backend: backend.close()])
def test_a_forked_child_waits_for_no_lock_of_its_parents(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, call: Callable[[AmazonSWFBackend], None]
) -> None:
    """Which a thread of its parent had, that the child has not."""
    held, done = threading.Event(), threading.Event()
    lock = desk.backend._polls._news

    def hold() -> None:
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: -1)
        child = threading.Thread(target=call, args=(desk.backend,), daemon=True)
        child.start()
        child.join(PATIENCE)
    waits = child.is_alive()
    done.set()
    thread.join()
    assert not waits
