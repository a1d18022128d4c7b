"""What a workflow's answers mean, and how the answers to several events become one list of decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyworkflow.activity import Activity
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    FailProcess,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from pyworkflow.process import Process
from pyworkflow.workflow import Workflow
from pyworkflow.workflow.answers import answer_to_refusal, combined
from pyworkflow.workflow.base import decisions_of


class WorkActivity(Activity):
    pass


MARK, MARK_2 = RecordMarker("1"), RecordMarker("2")
WORK, TIMER, CHILD = ScheduleActivity("Work", "w"), Timer(5, id="t"), StartChildProcess(Process("Foo", "c"))
DONE, DONE_2, AGAIN = CompleteProcess(1), CompleteProcess(2), ContinueAsNew()
FAIL, CANCEL = FailProcess("r"), CancelProcess("c")


def test_a_workflow_without_a_body_says_so():
    class Foo(Workflow):
        pass

    with pytest.raises(NotImplementedError, match="Foo must override decide"):
        Foo().decide(Process())


@pytest.mark.parametrize(
    ("answer", "decisions"),
    [
        (None, []),
        ([], []),
        (DONE, [DONE]),
        ([MARK, DONE], [MARK, DONE]),
        ((MARK, DONE), [MARK, DONE]),
        ([None, MARK, None], [MARK]),
        ((decision for decision in (MARK, DONE)), [MARK, DONE]),
        (map(RecordMarker, ("1", "2")), [MARK, MARK_2]),
        ([DONE, MARK], [DONE, MARK]),
    ],
)
def test_an_answer_is_a_list_of_decisions_in_its_order(answer, decisions):
    assert decisions_of(answer, Process("Foo")) == decisions


@pytest.mark.parametrize("answer", [WorkActivity, [WorkActivity], (WorkActivity,), iter([WorkActivity])])
def test_an_activity_class_is_short_for_scheduling_it_with_the_processs_input(answer):
    (decision,) = decisions_of(answer, Process("Foo", input=[2, 3]))
    assert decision == ScheduleActivity(WorkActivity, decision.id, input=[2, 3])


def test_each_activity_class_is_scheduled_under_an_id_of_its_own():
    first, second = decisions_of([WorkActivity, WorkActivity], Process("Foo"))
    assert first.id != second.id


@pytest.mark.parametrize("wrong", ["Work", 3, False, {}, {DONE}, Workflow, CompleteProcess, ...], ids=repr)
@pytest.mark.parametrize("wrap", [lambda wrong: wrong, lambda wrong: [MARK, wrong]], ids=["alone", "in a list"])
def test_any_other_answer_is_refused_by_name(wrap, wrong):
    with pytest.raises(TypeError) as caught:
        decisions_of(wrap(wrong), Process("Foo"))
    message = str(caught.value)
    assert message.startswith(f"workflow Foo answered with {wrong!r} (a {type(wrong).__name__})")
    assert "return a Decision, an Activity class" in message


def test_a_list_in_a_list_is_refused():
    with pytest.raises(TypeError, match="a list"):
        decisions_of([[MARK]], Process("Foo"))


@pytest.mark.parametrize(
    ("answers", "decisions"),
    [
        ([], []),
        ([[MARK], [], [MARK_2, WORK]], [MARK, MARK_2, WORK]),
        ([[DONE], [MARK]], [MARK, DONE]),
        ([[DONE, MARK]], [MARK, DONE]),
        ([[WORK, DONE]], [WORK, DONE]),
        ([[DONE, WORK]], [WORK, DONE]),
        ([[WORK], [DONE]], [WORK, DONE]),
        ([[DONE], [WORK]], [WORK]),
        ([[DONE], [TIMER]], [TIMER]),
        ([[DONE], [CHILD]], [CHILD]),
        ([[AGAIN], [WORK]], [WORK]),
        ([[DONE], [WORK], [DONE_2]], [WORK, DONE_2]),
        ([[DONE], [DONE]], [DONE]),
        ([[DONE], [DONE_2]], [DONE_2]),
        ([[DONE], [AGAIN]], [AGAIN]),
        ([[DONE], [FAIL]], [FAIL]),
        ([[FAIL], [DONE]], [FAIL]),
        ([[FAIL], [WORK]], [WORK, FAIL]),
        ([[CANCEL], [WORK]], [WORK, CANCEL]),
        ([[CANCEL], [FAIL]], [CANCEL]),
        ([[FAIL], [CANCEL]], [FAIL]),
        ([[DONE, FAIL]], [FAIL]),
        ([[FAIL, DONE]], [FAIL]),
    ],
)
def test_one_end_comes_last(answers, decisions):
    assert combined(answers) == decisions


RECANCEL = [CancelTimer("t"), TIMER]


@pytest.mark.parametrize(
    ("decisions", "kept"),
    [
        ([CancelActivity("1"), CancelActivity("2"), CancelActivity("1")], [CancelActivity("1"), CancelActivity("2")]),
        ([CancelTimer("1"), CancelTimer("1")], [CancelTimer("1")]),
        ([CancelTimer("1"), CancelActivity("1")], [CancelTimer("1"), CancelActivity("1")]),
        ([RequestCancelProcess("p"), RequestCancelProcess("p")], [RequestCancelProcess("p")]),
        ([WORK, WORK], [WORK]),
        ([WORK, ScheduleActivity("Work", "w", input=1)], [WORK, ScheduleActivity("Work", "w", input=1)]),
        ([CHILD, CHILD], [CHILD]),
        ([StartChildProcess(Process("Foo"))] * 2, [StartChildProcess(Process("Foo"))] * 2),
        ([SignalProcess("p", "go")] * 2, [SignalProcess("p", "go")] * 2),
        ([MARK, MARK], [MARK, MARK]),
        (RECANCEL + RECANCEL, RECANCEL + RECANCEL),
        ([TIMER, TIMER], [TIMER]),
    ],
)
def test_what_is_asked_for_twice_is_done_once_where_it_is_one_thing(decisions, kept):
    assert combined([[decision] for decision in decisions]) == kept
    assert combined([decisions]) == kept


def test_equal_timers_with_ids_of_their_own_are_two():
    assert len(combined([[Timer(5)], [Timer(5)]])) == 2


answer_lists = st.lists(st.lists(st.sampled_from([MARK, MARK_2, WORK, TIMER, DONE, DONE_2, AGAIN, FAIL, CANCEL])))


@given(answer_lists)
def test_however_answers_come_one_end_at_most_comes_last_and_nothing_else_is_lost(answers):
    asked = [decision for answer in answers for decision in answer]
    made = combined(answers)
    assert not any(decision.closes for decision in made[:-1])
    others = [decision for decision in made if not decision.closes]
    assert set(map(repr, others)) == {repr(decision) for decision in asked if not decision.closes}
    stands = next((decision for decision in asked if decision in (FAIL, CANCEL)), None)
    if stands is not None:
        assert made[-1] == stands


@pytest.mark.parametrize(
    ("decision", "cause", "answer"),
    [
        (DONE, "UNHANDLED_DECISION", DONE),
        (FAIL, "UNHANDLED_DECISION", FAIL),
        (CANCEL, "UNHANDLED_DECISION", CANCEL),
        (AGAIN, "UNHANDLED_DECISION", AGAIN),
        (CancelActivity("1"), "ACTIVITY_ID_UNKNOWN", None),
        (CancelTimer("1"), "TIMER_ID_UNKNOWN", None),
        (RequestCancelProcess("p"), "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION", None),
        (CancelTimer("1"), "OPERATION_NOT_PERMITTED", "cancel_timer of 1 was refused: OPERATION_NOT_PERMITTED"),
        (
            SignalProcess("p", "go"),
            "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
            "signal_process of p was refused: UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
        ),
        (
            ScheduleActivity("Work", input="secret" * 999),
            "ACTIVITY_ID_ALREADY_IN_USE",
            "schedule_activity of Work was refused: ACTIVITY_ID_ALREADY_IN_USE",
        ),
        (
            ScheduleActivity("Work"),
            "ACTIVITY_TYPE_DOES_NOT_EXIST",
            "schedule_activity of Work was refused: ACTIVITY_TYPE_DOES_NOT_EXIST, the manager was not given it: "
            "put it into the workflow's `activities`",
        ),
        (
            StartChildProcess(Process("Foo")),
            "WORKFLOW_ALREADY_RUNNING",
            "start_child_process of Foo was refused: WORKFLOW_ALREADY_RUNNING",
        ),
        (
            ContinueAsNew(),
            "WORKFLOW_TYPE_DOES_NOT_EXIST",
            "continue_as_new was refused: WORKFLOW_TYPE_DOES_NOT_EXIST",
        ),
        (RecordMarker("m"), "OPERATION_NOT_PERMITTED", "record_marker of m was refused: OPERATION_NOT_PERMITTED"),
        (Timer(5, id="t"), "OPEN_TIMERS_LIMIT_EXCEEDED", "timer of t was refused: OPEN_TIMERS_LIMIT_EXCEEDED"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_refusal_is_answered(decision, cause, answer):
    expected = FailProcess(f"decision {answer}") if isinstance(answer, str) else answer
    assert answer_to_refusal(decision, cause) == expected
