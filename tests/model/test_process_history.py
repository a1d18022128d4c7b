"""Process: what it knows about itself, and what it reads from its history."""

import copy

import pytest

from pyworkflow.activity import ActivityCanceled, ActivityCompleted, ActivityExecution, ActivityFailed
from pyworkflow.decision import CancelTimer, CompleteProcess, ScheduleActivity, Timer
from pyworkflow.events import (
    ActivityEvent,
    ActivityStartedEvent,
    CancelRequestedEvent,
    DecisionEvent,
    DecisionFailedEvent,
    DecisionRefusedEvent,
    DecisionReleasedEvent,
    DecisionStartedEvent,
    DecisionTimedOutEvent,
    ProcessBlockedEvent,
    ProcessResumedEvent,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from pyworkflow.exceptions import InvalidName
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.workflow import Workflow

STARTED = ProcessStartedEvent()
DECIDING = DecisionStartedEvent()
TIMED_OUT = DecisionTimedOutEvent()
FAILED = DecisionFailedEvent("boom")
RELEASED = DecisionReleasedEvent()
BLOCKED, RESUMED = ProcessBlockedEvent(), ProcessResumedEvent()
A, B, C = (SignalEvent(Signal(name)) for name in "ABC")


class FooWorkflow(Workflow):
    pass


def process(*events):
    return Process("Foo", history=events)


def scheduled(id, activity="A", input=None):
    return DecisionEvent(ScheduleActivity(activity, id, input=input))


def ended(id, activity="A", result=None):
    return ActivityEvent(ActivityExecution(activity, id), result or ActivityCompleted())


def test_defaults():
    made = Process()
    assert (made.workflow, made.id, made.input, made.tags, made.parent) == (None, None, None, [], None)
    assert (made.run, made.status, made.version) == (None, None, None)
    assert made.history == [STARTED]


@pytest.mark.parametrize(("workflow", "name"), [(FooWorkflow, "Foo"), ("Foo", "Foo"), (None, None)])
def test_the_workflow_is_kept_by_name(workflow, name):
    assert Process(workflow).workflow == name
    assert Process().copy_with_id("1", workflow=workflow).workflow == name


def test_an_empty_history_stays_empty():
    assert Process(history=[]).history == []


def test_lists_are_copied():
    tags, history = ["t"], [STARTED]
    made = Process("Foo", tags=tags, history=history)
    tags.append("u")
    history.append(A)
    assert (made.tags, made.history) == (["t"], [STARTED])
    assert Process("Foo", tags=("t",)).tags == ["t"]


def test_a_copy_has_another_id_and_the_same_rest():
    made = Process("Foo", "1", [2], ["t"], [STARTED, A], "p", run="r", status="running", version="2")
    again = made.copy_with_id("2")
    assert vars(again) == vars(made) | {"id": "2"}
    assert made.id == "1"


def test_a_copy_takes_changes_and_shares_no_list():
    made = Process("Foo", "1", tags=["t"])
    again = made.copy_with_id("2", input=3, tags=("u",), parent="1")
    assert (again.input, again.tags, again.parent) == (3, ["u"], "1")
    plain = made.copy_with_id("3")
    plain.tags.append("u")
    plain.history.append(A)
    assert (made.tags, made.history) == (["t"], [STARTED])


def test_a_copy_refuses_a_change_that_a_process_does_not_have():
    with pytest.raises(TypeError, match="inptu"):
        Process("Foo").copy_with_id("2", inptu=3)


def test_a_lazy_process_is_loaded_when_its_input_or_history_is_asked_for():
    loads = []

    def load():
        loads.append(1)
        return Process("Foo", "1", [2], history=[STARTED, A])

    made = Process.lazy(load, workflow="Foo", id="1", status="running")
    assert (made.workflow, made.id, made.tags, made.status, made.parent, loads) == ("Foo", "1", [], "running", None, [])
    assert (made.input, made.history, loads) == ([2], [STARTED, A], [1])
    assert Process.lazy(load, workflow="Foo", id="1").unseen_events() == [STARTED, A]
    assert Process.lazy(load, workflow="Foo", id="1") == Process("Foo", "1", [2], history=[STARTED, A])


def test_a_lazy_process_can_be_copied():
    made = Process.lazy(
        lambda: Process("Foo", "1", [2], history=[STARTED, A]), workflow="Foo", id="1", status="running"
    )
    again = made.copy_with_id("2")
    assert vars(again) == vars(Process("Foo", "2", [2], history=[STARTED, A], status="running"))


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (Process("Foo"), "outcome"),
        (Process.lazy(lambda: pytest.fail("loaded for nothing")), "outcome"),
        (Process.__new__(Process), "history"),  # as copy and pickle make one
    ],
)
def test_what_a_process_does_not_have_is_an_attribute_error(made, name):
    with pytest.raises(AttributeError, match=f"'Process' object has no attribute '{name}'"):
        getattr(made, name)


def test_a_copy_of_a_subclass_is_one_too():
    class Special(Process):
        pass

    assert type(Special("Foo").copy_with_id("1")) is Special


def test_events_and_decisions_are_found_by_value():
    made = process(STARTED, A, DecisionEvent(ScheduleActivity("A", "1")))
    assert made.has_event(SignalEvent(Signal("A")))
    assert not made.has_event(SignalEvent(Signal("B")))
    assert made.has_decision(ScheduleActivity("A", "1"))
    assert not made.has_decision(ScheduleActivity("A", "2"))


def test_a_refused_decision_was_not_taken():
    made = process(DecisionRefusedEvent(CompleteProcess(), "UNHANDLED_DECISION"))
    assert not made.has_decision(CompleteProcess())


@pytest.mark.parametrize(("events", "requested"), [((A,), False), ((CancelRequestedEvent(), A), True)])
def test_a_cancel_request_is_seen(events, requested):
    assert process(STARTED, *events).cancel_requested is requested


@pytest.mark.parametrize(
    ("history", "unseen"),
    [
        ([], []),
        ([STARTED], [STARTED]),
        ([STARTED, DECIDING], [STARTED]),
        ([STARTED, A, DECIDING], [STARTED, A]),
        ([STARTED, DECIDING, scheduled("1"), DECIDING], [scheduled("1")]),
        ([STARTED, DECIDING, scheduled("1"), ended("1"), DECIDING], [scheduled("1"), ended("1")]),
        ([STARTED, DECIDING, A, DECIDING, B, C, DECIDING], [B, C]),
        ([STARTED, DECIDING, A, DECIDING], [A]),
        ([STARTED, DECIDING, A], [A]),
        ([STARTED, DECIDING, DECIDING], []),
        ([A, DECIDING, TIMED_OUT, DECIDING], [A]),
        ([A, DECIDING, FAILED, DECIDING], [A]),
        ([A, DECIDING, RELEASED, DECIDING], [A]),
        ([A, DECIDING, TIMED_OUT, DECIDING, FAILED, DECIDING, RELEASED, DECIDING], [A]),
        ([A, DECIDING, B, DECIDING, TIMED_OUT, DECIDING], [B]),
        ([A, DECIDING, B, TIMED_OUT, C, DECIDING], [A, B, C]),
        ([A, DECIDING, B, TIMED_OUT, DECIDING, C, DECIDING], [C]),
        ([A, DECIDING, FAILED, BLOCKED, RESUMED, DECIDING], [A, BLOCKED, RESUMED]),
        ([A, DECIDING, FAILED], [A]),
    ],
)
def test_unseen_is_what_no_answered_decision_saw(history, unseen):
    made = process(*history)
    assert made.unseen_events() == unseen
    assert made.history == history


@pytest.mark.parametrize(
    ("events", "ids"),
    [
        ([], []),
        ([scheduled("1"), scheduled("2")], ["2", "1"]),
        ([scheduled("1"), scheduled("2"), ended("1")], ["2"]),
        ([scheduled("1"), scheduled("2"), ended("2")], ["1"]),
        ([scheduled("1"), ActivityStartedEvent(ActivityExecution("A", "1"))], ["1"]),
        ([scheduled("1"), ended("1", result=ActivityFailed("r"))], []),
        ([scheduled("1"), ended("1", result=ActivityCanceled())], []),
        ([scheduled("1"), ended("1"), scheduled("1")], ["1"]),
        ([scheduled("1"), ended("1"), scheduled("1"), ended("1")], []),
        ([scheduled("1"), ended("1"), scheduled("2"), scheduled("1"), ended("2")], ["1"]),
        ([DecisionRefusedEvent(ScheduleActivity("A", "1"), "OPEN_ACTIVITIES_LIMIT_EXCEEDED")], []),
        ([DecisionEvent(Timer(5, id="1")), DecisionEvent(CompleteProcess())], []),
    ],
)
def test_unfinished_activities(events, ids):
    assert [execution.id for execution in process(STARTED, *events).unfinished_activities()] == ids


def test_unfinished_activities_are_told_as_they_were_scheduled():
    made = process(scheduled("1", "A", [1]), ended("1"), scheduled("1", "B", [2]))
    assert made.unfinished_activities() == [ActivityExecution("B", "1", [2])]


def test_unfinished_activities_of_a_history_that_grows_shrinks_or_is_another():
    events = [scheduled("1"), scheduled("2"), ended("1"), scheduled("1"), ended("2"), scheduled("3"), ended("1")]
    made = process(STARTED)
    for history in [*(events[:n] for n in range(8)), events[:3], events[::-1], events[2:], []]:
        made.history = [STARTED, *history]
        assert made.unfinished_activities() == process(*made.history).unfinished_activities()


def test_unfinished_activities_while_another_thread_looks_at_them():
    mine, other = process(STARTED, scheduled("1")), process(STARTED, scheduled("1"), ended("1"), scheduled("2"))
    other.ongoing = mine.ongoing
    assert [execution.id for execution in mine.unfinished_activities()] == ["1"]
    taken = mine.ongoing.pop()
    assert [execution.id for execution in other.unfinished_activities()] == ["2"]
    mine.ongoing[:] = [taken]
    assert [execution.id for execution in other.unfinished_activities()] == ["2"]


ONE, TWO = Timer(5, "one", id="1"), Timer(5, "two", id="2")


def started(timer):
    return DecisionEvent(copy.deepcopy(timer))


def fired(timer):
    return TimerEvent(copy.deepcopy(timer))  # what comes out of a store is equal, and not the same object


@pytest.mark.parametrize(
    ("history", "untriggered", "disregarding_unseen"),
    [
        ([started(ONE), started(TWO), DECIDING], [ONE, TWO], [ONE, TWO]),
        ([started(ONE), started(TWO), DECIDING, fired(ONE), DECIDING, A, DECIDING], [TWO], [TWO]),
        ([started(ONE), started(TWO), DECIDING, fired(ONE), DECIDING], [TWO], [ONE, TWO]),
        ([started(ONE), fired(ONE), DECIDING, TIMED_OUT, DECIDING], [], [ONE]),
        ([started(ONE), started(TWO), DECIDING, DecisionEvent(CancelTimer("1")), DECIDING], [TWO], [TWO]),
        ([started(ONE), DecisionEvent(CancelTimer(ONE)), DECIDING, A, DECIDING], [], []),
        ([started(ONE), DecisionRefusedEvent(CancelTimer("1"), "X"), DECIDING], [ONE], [ONE]),
        ([started(ONE), fired(ONE), started(ONE), DECIDING], [ONE], [ONE, ONE]),
        ([started(ONE), DecisionEvent(CancelTimer("1")), started(ONE), DECIDING], [ONE], [ONE]),
        ([started(ONE), fired(ONE), started(ONE), fired(ONE), DECIDING, A, DECIDING], [], []),
        ([DecisionRefusedEvent(ONE, "OPEN_TIMERS_LIMIT_EXCEEDED"), DECIDING], [], []),
        ([DecisionEvent(CompleteProcess()), scheduled("1"), DECIDING], [], []),
    ],
)
def test_untriggered_timers(history, untriggered, disregarding_unseen):
    made = process(STARTED, DECIDING, *history)
    assert [timer.id for timer in made.untriggered_timers()] == [timer.id for timer in untriggered]
    assert [timer.id for timer in made.untriggered_timers(True)] == [timer.id for timer in disregarding_unseen]


def test_timers_of_equal_value_are_told_apart():
    same = [Timer(5), Timer(5)]
    made = process(*map(started, same), fired(same[0]))
    assert [timer.id for timer in made.untriggered_timers()] == [same[1].id]


def test_tags_that_are_one_string_are_refused():
    with pytest.raises(InvalidName, match=r"not the string 'gift': write \['gift'\]"):
        Process("Order", tags="gift")
