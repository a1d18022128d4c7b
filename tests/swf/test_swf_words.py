"""What SWF cannot say by itself: failures, pauses, blocked processes, tasks that are handed back, answers in parts."""

from __future__ import annotations

import math

import pytest

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend import Failed, Finished, ProcessFilter
from pyworkflow.decision import (
    CancelTimer,
    CompleteProcess,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    Timer,
)
from pyworkflow.events import ActivityEvent, CancelRequestedEvent, DecisionEvent, SignalEvent
from pyworkflow.exceptions import InvalidName
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow_amazonswf import answers, words

from .support import Desk, desk, desk_with

__all__ = ["desk", "desk_with"]

# -- refused, unanswered, blocked ----------


def test_a_decider_that_is_refused_again_and_again_is_slowed_down_and_blocked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyworkflow.engine.machine.decisions.MAX_BACKOFF", 0.0)  # SWF does not wait by itself
    desk.start()
    waits: list[float] = []
    while len(waits) < 10:
        began = desk.clock.now
        while (task := desk.backend.poll_decision_task()) is None:
            desk.clock.advance(0.5)
        waits.append(desk.clock.now - began)
        desk.backend.complete_decision_task(task, CancelTimer("unknown"))
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert desk.idle()
    blocked = desk.backend.describe_process("p").blocked
    assert blocked == ("10 answers in a row were refused: TIMER_ID_UNKNOWN", None)
    assert desk.types()[-2:] == ["decision_refused", "process_blocked"]
    assert len(desk.kinds()) < 100, "SWF's history has a limit of 25,000 events"
    desk.backend.resume_process("p")
    desk.decide(CompleteProcess())
    assert desk.backend.process_by_id("p").status == "completed"


def test_an_answer_that_is_not_refused_counts_from_the_beginning(desk: Desk) -> None:
    desk.start()
    for _ in range(15):
        desk.decide(CancelTimer("unknown"))
        desk.decide(RecordMarker("m"))
        desk.backend.signal_process("p", "s")
    assert desk.backend.process_by_id("p").status == "running"


def test_a_blocked_process_is_not_decided_whatever_happens(desk: Desk) -> None:
    desk.start()
    desk.backend.fail_decision_task(desk.open(), "why", {"line": 1})
    desk.clock.advance(1)
    desk.backend.exchange([Finished(desk.open(), Failed("why", {"line": 2}, attempts=2))])
    for number in range(3):
        desk.backend.signal_process("p", "s", number)
        assert desk.idle()
    about = desk.backend.describe_process("p")
    assert (about.blocked, about.process.status) == (("why", {"line": 2}), "blocked")
    for which in ("blocked", "open"):
        assert [it.id for it in desk.backend.list_processes(ProcessFilter(status=which)).processes] == ["p"]
    assert desk.backend.count_processes(ProcessFilter(status="running")) == 0
    desk.backend.resume_process("p")
    seen = [event.type for event in desk.open().process.unseen_events()]
    assert seen.count("signal") == 3
    assert "process_started" in seen


def test_a_long_traceback_is_cut_and_not_lost(desk: Desk) -> None:
    desk.start()
    desk.backend.exchange([Finished(desk.open(), Failed("x" * 50_000, "first" + "x" * 50_000 + "last", attempts=1))])
    blocked = desk.backend.describe_process("p").blocked
    assert blocked is not None and blocked[1].endswith("last")


def test_another_machine_sees_what_this_one_failed_at(desk: Desk) -> None:
    desk.start()
    desk.backend.fail_decision_task(desk.open(), "why")
    other = desk.another()
    assert other.describe_process("p").decision_attempts == 1
    assert other.poll_decision_task() is None
    desk.clock.advance(1)
    assert [event.type for event in desk.open(other).process.history] == [
        "process_started",
        "decision_started",
        "decision_failed",
        "decision_started",
    ]


def test_names_of_our_own_are_refused(desk: Desk) -> None:
    desk.start()
    task = desk.open()
    for decision in (RecordMarker(words.BLOCKED), Timer(1, id=words.WAIT), SignalProcess("p", words.RESUME)):
        with pytest.raises(ValueError, match="kept for pyworkflow"):
            desk.backend.complete_decision_task(task, decision)
    with pytest.raises(ValueError, match="kept for pyworkflow"):
        desk.backend.signal_process("p", words.RESUME)
    with pytest.raises(InvalidName):
        desk.backend.signal_process("p", "")


# -- handed back ----------


@pytest.mark.parametrize("delay", [0, 0.25, 3])
def test_an_activity_that_is_handed_back_is_scheduled_again(desk: Desk, delay: float) -> None:
    desk.start()
    desk.decide(ScheduleActivity("A", "a", input=[1], priority=4, execution_timeout=9))
    first = desk.take()
    desk.backend.release_task(first, delay)
    assert desk.idle(), "no decider is asked for it"
    if delay:
        assert desk.backend.poll_activity_task() is None
        desk.clock.advance(math.ceil(delay))
        assert desk.idle()
    again = desk.take()
    assert (again.activity_execution, again.input) == (first.activity_execution, [1])
    assert again.token != first.token
    desk.backend.complete_activity_task(again, ActivityCompleted(5))
    task = desk.open()
    assert [event.type for event in task.process.history] == [
        *("process_started", "decision_started", "decision", "activity_started", "activity_released"),
        *("activity_started", "activity", "decision_started"),
    ]
    ended = task.process.history[-2]
    assert isinstance(ended, ActivityEvent) and ended.result == ActivityCompleted(5)
    assert task.process.unfinished_activities() == []
    assert desk.backend.describe_process("p").activities == []


def test_news_that_come_with_an_activity_that_is_handed_back_are_seen(desk: Desk) -> None:
    desk.start()
    desk.decide(ScheduleActivity("A", "a"))
    desk.backend.release_task(desk.take())
    desk.backend.signal_process("p", "s")
    task = desk.open()
    assert "signal" in [event.type for event in task.process.unseen_events()]
    assert desk.take().activity_execution.id == "a"


def test_a_decision_is_handed_back(desk: Desk) -> None:
    desk.start()
    desk.backend.release_task(desk.open(), 5)
    assert desk.idle()
    desk.clock.advance(5)
    assert [event.type for event in desk.open().process.history] == [
        *("process_started", "decision_started", "decision_released", "decision_started"),
    ]


# -- long answers ----------


def markers(process: Process) -> list[str]:
    made = [event.decision for event in process.history if isinstance(event, DecisionEvent)]
    return [decision.name for decision in made if isinstance(decision, RecordMarker)]


@pytest.mark.parametrize("number", [98, 99, 250])
def test_a_long_answer_is_sent_in_parts(desk: Desk, number: int) -> None:
    desk.start()
    answer = [*(RecordMarker(f"m{n}") for n in range(number)), CompleteProcess("done")]
    asked = 0
    while (task := desk.backend.poll_decision_task()) is not None:
        asked += 1
        assert [event.type for event in task.process.history] == ["process_started", "decision_started"]
        desk.backend.complete_decision_task(task, answer)
    process = desk.backend.process_by_id("p")
    assert asked == -(-(number + 1 - 98) // 98) + 1 if number > 98 else 2
    assert markers(process) == [f"m{n}" for n in range(number)]
    assert (process.status, [event.type for event in process.history].count("decision_started")) == ("completed", 1)
    assert all(len(call["decisions"]) <= 100 for call in desk.called("respond_decision_task_completed"))


def test_large_answers_are_sent_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", 70_000)
    desk.start()
    while (task := desk.backend.poll_decision_task()) is not None:
        desk.backend.complete_decision_task(task, [RecordMarker(f"m{n}", "x" * 30_000) for n in range(5)])
    assert markers(desk.backend.process_by_id("p")) == [f"m{n}" for n in range(5)]
    assert max(len(str(call["decisions"])) for call in desk.called("respond_decision_task_completed")) < 80_000


def test_an_answer_in_parts_goes_on_elsewhere_and_news_wait(desk: Desk) -> None:
    desk.start()
    answer = [*(RecordMarker(f"m{n}") for n in range(150)), CompleteProcess("too early")]
    desk.backend.complete_decision_task(desk.open(), answer)
    desk.backend.signal_process("p", "news")
    other = desk.another()
    task = desk.open(other)
    assert [event.type for event in task.process.history] == ["process_started", "decision_started"]
    other.complete_decision_task(task, answer)
    assert markers(other.process_by_id("p")) == [f"m{n}" for n in range(150)]
    task = desk.open(other)
    assert [event.type for event in task.process.unseen_events()].count("signal") == 1
    other.complete_decision_task(task, CompleteProcess("done"))
    assert other.wait_for_process("p", 0).result == "done"  # type: ignore[union-attr]


# -- requests ----------


def test_a_signal_that_comes_twice_is_seen_once_and_others_signals_are_read(desk: Desk) -> None:
    desk.start()
    desk.backend.signal_process("p", "s", {"n": 1}, request_id="r")
    text = desk.called("signal_workflow_execution")[0]["input"]
    desk.swf.signal_workflow_execution(domain="test", workflowId="p", signalName="s", input=text)
    desk.swf.signal_workflow_execution(domain="test", workflowId="p", signalName="s", input="not JSON")
    desk.swf.signal_workflow_execution(domain="test", workflowId="p", signalName="s", input='{"n":2}')
    history = desk.open().process.history
    assert [event.signal for event in history if isinstance(event, SignalEvent)] == [
        Signal("s", {"n": 1}),
        Signal("s", "not JSON"),
        Signal("s", {"n": 2}),
    ]


def test_a_call_whose_reply_was_lost_signals_once(desk: Desk) -> None:
    """boto3 sends it again: the same text."""
    desk.start()
    desk.backend.signal_process("p", "s")
    desk.swf.signal_workflow_execution(**desk.called("signal_workflow_execution")[0])
    assert desk.types().count("signal") == 1


def test_a_duplicate_wakes_nobody(desk: Desk) -> None:
    desk.start()
    desk.backend.signal_process("p", "s", request_id="r")
    desk.decide()
    desk.backend.signal_process("p", "s", request_id="r")
    assert desk.idle()
    assert desk.types()[-1] == "decision_started"


def test_a_value_that_looks_like_an_envelope_comes_back(desk: Desk) -> None:
    value = {"pyworkflow": {"stored": "x"}, "value": 5}
    desk.start(input=value)
    desk.backend.signal_process("p", "s", value)
    process = desk.open().process
    assert process.input == value
    assert [event.signal.data for event in process.history if isinstance(event, SignalEvent)] == [value]


def test_the_details_of_a_cancel_request_travel_beside_it(desk: Desk) -> None:
    desk.start()
    desk.backend.start_process(Process("W", "q"), category="far")
    desk.decide(RequestCancelProcess("q", {"why": "late"}))
    desk.backend.exchange()
    asked = [e for e in desk.backend.process_by_id("q").history if isinstance(e, CancelRequestedEvent)]
    assert asked == [CancelRequestedEvent(details={"why": "late"})]
    sent = [event for event in desk.open().process.history if isinstance(event, DecisionEvent)]
    assert [event.decision for event in sent] == [RequestCancelProcess("q", {"why": "late"})]


def test_a_decider_that_answers_differently_the_second_time_leaves_nothing_hanging(desk: Desk) -> None:
    desk.start()
    desk.backend.complete_decision_task(desk.open(), [RecordMarker(f"m{n}") for n in range(150)])
    desk.backend.complete_decision_task(desk.open(), CompleteProcess("shorter"))
    desk.backend.signal_process("p", "s")
    desk.decide(CompleteProcess("at last"))
    assert desk.backend.wait_for_process("p", 0).result == "at last"  # type: ignore[union-attr]
