"""Events: types, fields, equality without their time, repr; and the module path of the first API."""

import datetime

import msgspec
import pytest

import pyworkflow.event
from pyworkflow import events
from pyworkflow.activity import ActivityCompleted, ActivityExecution, ActivityFailed
from pyworkflow.decision import CompleteProcess, ScheduleActivity, Timer
from pyworkflow.process import ProcessCompleted
from pyworkflow.signal import Signal

EARLY = datetime.datetime(2014, 10, 1, tzinfo=datetime.UTC)
LATE = EARLY + datetime.timedelta(days=1)
EXECUTION = ActivityExecution("A", "1", [2])

# name, type, the fields in order, another value of the last one
EVENTS = [
    ("ProcessStartedEvent", "process_started", (), None),
    ("DecisionStartedEvent", "decision_started", (), None),
    ("DecisionEvent", "decision", (CompleteProcess(1),), CompleteProcess(2)),
    ("DecisionRefusedEvent", "decision_refused", (CompleteProcess(1), "UNHANDLED_DECISION"), "OTHER"),
    ("DecisionTimedOutEvent", "decision_timed_out", (), None),
    ("DecisionFailedEvent", "decision_failed", ("reason", "details"), None),
    ("DecisionCompletedEvent", "decision_completed", (), None),
    ("DecisionReleasedEvent", "decision_released", (), None),
    ("ProcessBlockedEvent", "process_blocked", ("reason", "details"), None),
    ("ProcessResumedEvent", "process_resumed", (), None),
    ("ActivityStartedEvent", "activity_started", (EXECUTION,), ActivityExecution("A", "2", [2])),
    ("ActivityReleasedEvent", "activity_released", (EXECUTION,), ActivityExecution("B", "1", [2])),
    ("ActivityEvent", "activity", (EXECUTION, ActivityCompleted(4)), ActivityFailed("r")),
    ("SignalEvent", "signal", (Signal("go", 1),), Signal("go")),
    ("TimerEvent", "timer", (Timer(5, "d"),), Timer(6, "d")),
    ("CancelRequestedEvent", "cancel_requested", ("details",), None),
    ("ChildProcessStartedEvent", "child_process_started", ("p", "Foo", ["t"]), []),
    ("ChildProcessEvent", "child_process", ("p", ProcessCompleted(1), "Foo", ["t"]), []),
    ("ProcessSignaledEvent", "process_signaled", ("p", Signal("go")), Signal("stop")),
    ("ProcessCancelRequestedEvent", "process_cancel_requested", ("p",), "q"),
    ("ProcessResetEvent", "process_reset", ("p", "r", 7, "reason"), "other"),
    ("ProcessTimedOutEvent", "process_timed_out", (), None),
    ("ProcessTerminatedEvent", "process_terminated", ("reason", "details", "CHILD_POLICY_APPLIED"), "OTHER"),
]

OWN = {cls.__name__ for cls in events.Event.__subclasses__() if cls.__module__ == events.__name__}

table = pytest.mark.parametrize(("name", "type_", "fields", "another"), EVENTS, ids=[row[0] for row in EVENTS])


def test_the_table_has_every_event():
    assert {row[0] for row in EVENTS} == OWN


@table
def test_an_event_has_its_type_and_takes_its_fields_in_order(name, type_, fields, another):
    event = getattr(events, name)(*fields, datetime=EARLY)
    own = [field for field in event.__struct_fields__ if field not in ("datetime", "id", "identity")]
    assert event.type == type_
    assert tuple(getattr(event, field) for field in own) == fields
    assert (event.datetime, event.id) == (EARLY, None)


@table
def test_events_are_equal_when_everything_but_time_and_place_is(name, type_, fields, another):
    cls = getattr(events, name)
    assert cls(*fields, datetime=EARLY, id=1) == cls(*fields, datetime=LATE, id=2)
    assert hash(cls(*fields, datetime=EARLY)) == hash(cls(*fields, datetime=LATE))
    if fields:
        assert cls(*fields) != cls(*fields[:-1], another)


def test_events_of_different_kinds_differ():
    plain = [events.ProcessStartedEvent(), events.DecisionStartedEvent(), events.ProcessTimedOutEvent()]
    for event in plain:
        assert plain.count(event) == 1
    assert plain[0] != "process_started"


@table
def test_repr_shows_the_fields_and_not_the_time(name, type_, fields, another):
    event = getattr(events, name)(*fields, datetime=EARLY, id=3)
    assert repr(event) == f"{name}({', '.join(map(str, fields))})"


def test_an_event_made_by_hand_happened_just_now_in_utc():
    before = datetime.datetime.now(datetime.UTC)
    made = events.ProcessStartedEvent().datetime
    assert before <= made <= datetime.datetime.now(datetime.UTC)
    assert made.utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize(
    ("event", "field", "value"),
    [
        (events.ChildProcessEvent("p", None), "workflow", None),
        (events.ChildProcessEvent("p", None), "tags", []),
        (events.ChildProcessStartedEvent("p"), "tags", []),
        (events.CancelRequestedEvent(), "details", None),
        (events.DecisionFailedEvent(), "reason", None),
        (events.ProcessTerminatedEvent(), "cause", "OPERATOR_INITIATED"),
    ],
)
def test_default_fields(event, field, value):
    assert getattr(event, field) == value


def test_default_tags_are_not_shared():
    events.ChildProcessEvent("p", None).tags.append("t")
    assert events.ChildProcessEvent("p", None).tags == []


def test_an_activity_event_names_its_activity():
    assert events.ActivityEvent(EXECUTION, ActivityCompleted()).activity == "A"


def test_events_hold_what_they_are_given_itself():
    decision = ScheduleActivity("A")
    assert events.DecisionEvent(decision).decision is decision
    assert isinstance(events.DecisionEvent(decision), msgspec.Struct)


def test_the_first_apis_path_has_every_event():
    names = OWN | {"Event"}
    assert set(pyworkflow.event.__all__) == names
    assert all(getattr(pyworkflow.event, name) is getattr(events, name) for name in names)
