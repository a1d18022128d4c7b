"""Signals on Amazon SWF: whoever takes a decision hears what came before it; tests/swf compares for the whole suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import (
    ActivityCompleted,
    ActivityExecution,
    CompleteProcess,
    RecordMarker,
    ScheduleActivity,
    StartChildProcess,
    Timer,
)
from pyworkflow.backend import Failed, Finished, Wanted
from pyworkflow.backend.blinker import BlinkerBackend
from pyworkflow.process import Process
from tests.swf.inside import fault
from tests.swf.support import Desk, desk, desk_with

from .test_blinker_signals import Ears, decide, register

__all__ = ["desk", "desk_with"]

EXECUTION = ActivityExecution("A", "a", 1)


@pytest.fixture
def backend(desk: Desk) -> BlinkerBackend:
    return BlinkerBackend(desk.backend)


@pytest.fixture
def ears(backend: BlinkerBackend) -> Ears:
    return Ears(backend)


def test_the_life_of_a_process(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p", [1]))
    assert ears.names == []
    decide(backend, ScheduleActivity("A", "a", input=1), Timer(9, id="t"))
    assert ears.of("on_process_started")["process"].input == [1]
    assert ears.names == ["on_process_started", "on_complete_decision_task"]
    ears.heard.clear()
    backend.complete_activity_task(backend.poll_activity_task(), ActivityCompleted("done"))
    assert ears.names == ["on_complete_activity_task"]
    decide(backend, CompleteProcess(2))
    assert ears.of("on_activity_scheduled")["activity_execution"] == EXECUTION
    assert ears.of("on_activity_started") == {"activity_execution": EXECUTION, "process_id": "p"}
    assert ears.of("on_activity_completed") == {
        "activity_execution": EXECUTION, "process_id": "p", "result": "done",
    }  # fmt: skip
    assert ears.of("on_timer_started")["timer"] == Timer(9, id="t")
    assert ears.of("on_process_completed")["result"] == 2
    assert ears.of("on_process_completed")["process"].status == "completed"
    assert ears.names[-2:] == ["on_process_completed", "on_complete_decision_task"]


def test_handing_in_costs_no_look_and_is_told_though_polls_fail(
    desk: Desk, backend: BlinkerBackend, ears: Ears
) -> None:
    backend.start_process(Process("W", "p"))
    decide(backend, ScheduleActivity("A", "a", input=1))
    task = backend.poll_activity_task()
    assert task is not None

    def throttled(**about: Any) -> Any:
        raise fault("ThrottlingException", Exception("Rate exceeded"), "PollForActivityTask")

    desk.swf.do["poll_for_activity_task"] = throttled
    before = len(desk.swf.calls)
    got = backend.exchange([Finished(task, ActivityCompleted(1))], activities=Wanted(("default",), 1), timeout=30)
    assert not got
    assert ears.names[-1] == "on_complete_activity_task"
    assert [name for name, _ in desk.swf.calls[before:]] == [
        "respond_activity_task_completed",
        "poll_for_activity_task",
    ]


def test_what_other_clients_say_is_heard_by_who_takes_the_decision(desk: Desk, desk_with: Callable[..., Any]) -> None:
    others = [BlinkerBackend(desk.another()) for _ in range(2)]
    for other in others:
        register(other)
    ears = [Ears(other) for other in others]
    desk.start()
    decide(others[0], RecordMarker("m"))
    desk.backend.signal_process("p", "hello", [1])
    decide(others[1], StartChildProcess(Process("W", "c"), category="children"))
    assert ears[0].names == ["on_process_started", "on_complete_decision_task"]
    assert ears[1].of("on_process_signaled") == {"process_id": "p", "signal": "hello", "data": [1]}
    assert ears[1].names == ["on_marker_recorded", "on_process_signaled", "on_complete_decision_task"]
    task = others[0].poll_decision_task("children")
    assert task is not None
    assert ears[0].heard[-1][0] == "on_process_started"
    assert ears[0].heard[-1][1]["parent_process_id"] == "p"


def test_a_termination_is_told_by_who_terminates(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    backend.terminate_process("p", "why", [1])
    heard = ears.of("on_process_terminated")
    assert (heard["process_id"], heard["reason"], heard["details"]) == ("p", "why", [1])
    assert ears.names == ["on_process_started", "on_process_terminated"]


def test_a_refused_close_is_no_end(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task()
    backend.signal_process("p", "news")
    backend.complete_decision_task(task, CompleteProcess())
    assert "on_process_completed" not in ears.names
    decide(backend, CompleteProcess())
    assert ears.names.count("on_decision_refused") == ears.names.count("on_process_completed") == 1


def test_a_process_that_is_blocked_and_resumed(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    backend.exchange([Finished(task, Failed("bug", attempts=1))])
    backend.resume_process("p")
    decide(backend)
    assert ears.of("on_process_blocked")["reason"] == "bug"
    names = [name for name in ears.names if name != "on_complete_decision_task"]
    assert names == ["on_process_started", "on_decision_failed", "on_process_blocked", "on_process_resumed"]


def test_an_end_that_cannot_be_read_is_logged(
    desk: Desk, backend: BlinkerBackend, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**parameters: Any) -> Any:
        raise fault("ThrottlingException", ValueError("away"), "Get")

    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task()
    desk.swf.do["get_workflow_execution_history"] = broken
    backend.complete_decision_task(task, CompleteProcess())
    assert "on_process_completed" not in ears.names
    assert "how process 'p' ended cannot be told" in caplog.text
