"""DefaultWorkflow: which method each event reaches, with what, and what follows where nobody overrides it."""

import pytest

from pyworkflow.activity import (
    Activity,
    ActivityCanceled,
    ActivityCompleted,
    ActivityExecution,
    ActivityFailed,
    ActivityTimedOut,
)
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CompleteProcess,
    FailProcess,
    RecordMarker,
    ScheduleActivity,
    Timer,
)
from pyworkflow.events import (
    ActivityEvent,
    ActivityStartedEvent,
    CancelRequestedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionEvent,
    DecisionRefusedEvent,
    DecisionStartedEvent,
    DecisionTimedOutEvent,
    ProcessBlockedEvent,
    ProcessCancelRequestedEvent,
    ProcessResumedEvent,
    ProcessSignaledEvent,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from pyworkflow.process import Process, ProcessCompleted, ProcessFailed
from pyworkflow.signal import Signal
from pyworkflow.workflow import DefaultWorkflow

EXECUTION, TIMER, SIGNAL = ActivityExecution("Work", "1", [2]), Timer(5, id="t"), Signal("go")
FAILURE, COMPLETE = ActivityFailed("broken", "trace"), CompleteProcess("done")
REFUSED = DecisionRefusedEvent(COMPLETE, "UNHANDLED_DECISION")


class WorkActivity(Activity):
    pass


class Recorder(DefaultWorkflow):
    """Notes each call as a marker: its method, its arguments without the process."""


def _record(name):
    def method(self, process, *arguments):
        assert isinstance(process, Process)
        return RecordMarker(name, arguments)

    return method


METHODS = [name for name in dir(DefaultWorkflow) if name.startswith("respond_to_")] + ["initiate"]
for _name in METHODS:
    setattr(Recorder, _name, _record(_name))


def deciding(*events):
    """A process that was just taken, with these events new to its decider."""
    return Process(
        "Foo", "1", [2, 3], history=[ProcessStartedEvent(), DecisionStartedEvent(), *events, DecisionStartedEvent()]
    )


CALLS = [
    (ActivityEvent(EXECUTION, ActivityCompleted(4)), "respond_to_completed_activity", (EXECUTION, 4)),
    (ActivityEvent(EXECUTION, FAILURE), "respond_to_interrupted_activity", (EXECUTION, FAILURE)),
    (
        ActivityEvent(EXECUTION, ActivityCanceled("d")),
        "respond_to_interrupted_activity",
        (EXECUTION, ActivityCanceled("d")),
    ),
    (
        ActivityEvent(EXECUTION, ActivityTimedOut("d")),
        "respond_to_interrupted_activity",
        (EXECUTION, ActivityTimedOut("d")),
    ),
    (SignalEvent(SIGNAL), "respond_to_signal", (SIGNAL,)),
    (TimerEvent(TIMER), "respond_to_timer", (TIMER,)),
    (ChildProcessStartedEvent("c", "Bar", ["t"]), "respond_to_started_child", ("c", "Bar", ["t"])),
    (
        ChildProcessEvent("c", ProcessCompleted(4), "Bar", ["t"]),
        "respond_to_child_process",
        ("c", "Bar", ProcessCompleted(4), ["t"]),
    ),
    (CancelRequestedEvent("why"), "respond_to_cancel_request", ("why",)),
    (REFUSED, "respond_to_refused_decision", (COMPLETE, "UNHANDLED_DECISION")),
]

UNANSWERED = [
    DecisionEvent(RecordMarker("own")),
    DecisionEvent(ScheduleActivity("Work")),
    ActivityStartedEvent(EXECUTION),
    ProcessSignaledEvent("p", SIGNAL),
    ProcessCancelRequestedEvent("p"),
    ProcessBlockedEvent(),
    ProcessResumedEvent(),
]


def test_the_table_reaches_every_method():
    assert {method for _, method, _ in CALLS} | {"initiate"} == set(METHODS)


@pytest.mark.parametrize(("event", "method", "arguments"), CALLS, ids=lambda value: str(value)[:40])
def test_each_event_reaches_its_method(event, method, arguments):
    assert Recorder().decide(deciding(event)) == [RecordMarker(method, arguments)]


def test_the_start_reaches_initiate():
    process = Process("Foo", history=[ProcessStartedEvent(), DecisionStartedEvent()])
    assert Recorder().decide(process) == [RecordMarker("initiate", ())]


@pytest.mark.parametrize("event", UNANSWERED, ids=lambda event: event.type)
def test_own_decisions_and_mere_notes_reach_nothing(event):
    assert Recorder().decide(deciding(event)) == []


def test_events_are_answered_in_order_and_once():
    first = SignalEvent(Signal("first"))
    history = [ProcessStartedEvent(), first, DecisionStartedEvent(), DecisionEvent(RecordMarker("own"))]
    history += [SignalEvent(SIGNAL), ActivityStartedEvent(EXECUTION), TimerEvent(TIMER), DecisionStartedEvent()]
    answered = [marker.details for marker in Recorder().decide(Process("Foo", history=history))]
    assert answered == [(SIGNAL,), (TIMER,)]


def test_after_a_timed_out_decision_everything_is_answered_again():
    history = [ProcessStartedEvent(), SignalEvent(SIGNAL), DecisionStartedEvent()]
    retried = [*history, DecisionTimedOutEvent(), DecisionStartedEvent()]
    names = [marker.name for marker in Recorder().decide(Process("Foo", history=retried))]
    assert names == ["initiate", "respond_to_signal"]


def test_refusals_are_answered_first():
    names = [marker.name for marker in Recorder().decide(deciding(SignalEvent(SIGNAL), REFUSED, TimerEvent(TIMER)))]
    assert names == ["respond_to_refused_decision", "respond_to_signal", "respond_to_timer"]


def test_initiate_must_be_overridden():
    class Foo(DefaultWorkflow):
        pass

    with pytest.raises(NotImplementedError, match="Foo must override initiate"):
        Foo().decide(Process("Foo", history=[ProcessStartedEvent(), DecisionStartedEvent()]))


@pytest.mark.parametrize(
    "event",
    [
        ActivityEvent(EXECUTION, ActivityCompleted(4)),
        SignalEvent(SIGNAL),
        TimerEvent(TIMER),
        ChildProcessStartedEvent("c"),
        ChildProcessEvent("c", ProcessFailed("r")),
    ],
    ids=lambda event: event.type,
)
def test_by_default_nothing_follows(event):
    assert DefaultWorkflow().decide(deciding(event)) == []


@pytest.mark.parametrize(
    ("result", "decision"),
    [
        (FAILURE, FailProcess("activity Work failed: broken", "trace")),
        (ActivityFailed(), FailProcess("activity Work failed")),
        (ActivityTimedOut("40%"), FailProcess("activity Work timed out", "40%")),
        (ActivityTimedOut("40%", "HEARTBEAT"), FailProcess("activity Work timed out: HEARTBEAT", "40%")),
        (ActivityCanceled("d"), FailProcess("activity Work was canceled", "d")),
    ],
    ids=repr,
)
def test_by_default_an_interrupted_activity_fails_the_process(result, decision):
    assert DefaultWorkflow().decide(deciding(ActivityEvent(EXECUTION, result))) == [decision]


@pytest.mark.parametrize(
    ("canceled", "result", "count"),
    [("1", ActivityCanceled(), 0), ("2", ActivityCanceled(), 1), ("1", FAILURE, 1), ("1", ActivityTimedOut(), 1)],
)
def test_by_default_an_activity_that_the_process_canceled_itself_is_no_failure(canceled, result, count):
    events = DecisionEvent(CancelActivity(canceled)), ActivityEvent(EXECUTION, result)
    assert len(DefaultWorkflow().decide(deciding(*events))) == count


def test_by_default_a_cancel_request_cancels_the_process():
    assert DefaultWorkflow().decide(deciding(CancelRequestedEvent("why"))) == [CancelProcess("why")]


class Shop(DefaultWorkflow):
    def initiate(self, process):
        yield WorkActivity
        yield None
        yield RecordMarker("begun")

    def respond_to_completed_activity(self, process, activity_execution, result):
        return COMPLETE

    def respond_to_signal(self, process, signal):
        return {"extra": ScheduleActivity("Extra", "x"), "note": RecordMarker("n"), "stop": FailProcess("stop")}.get(
            signal.name
        )


COMPLETED = ActivityEvent(EXECUTION, ActivityCompleted(4))
REFUSED_FAIL = DecisionRefusedEvent(FailProcess("first"), "UNHANDLED_DECISION")
EXTRA, NOTE, STOP, OTHER = (SignalEvent(Signal(name)) for name in ("extra", "note", "stop", "other"))


def test_a_method_may_be_a_generator():
    work, marker = Shop().decide(Process("Shop", input=3, history=[ProcessStartedEvent(), DecisionStartedEvent()]))
    assert work == ScheduleActivity("Work", work.id, input=3)
    assert marker == RecordMarker("begun")


@pytest.mark.parametrize(
    ("events", "decisions"),
    [
        ([REFUSED], [COMPLETE]),
        ([REFUSED, OTHER], [COMPLETE]),
        ([OTHER, REFUSED], [COMPLETE]),
        ([NOTE, REFUSED], [RecordMarker("n"), COMPLETE]),
        ([EXTRA, REFUSED], [ScheduleActivity("Extra", "x")]),
        ([REFUSED, EXTRA], [ScheduleActivity("Extra", "x")]),
        ([REFUSED, STOP], [FailProcess("stop")]),
        ([REFUSED_FAIL, COMPLETED], [FailProcess("first")]),
        ([COMPLETED, REFUSED_FAIL, STOP], [FailProcess("first")]),
        ([DecisionRefusedEvent(CancelActivity("1"), "ACTIVITY_ID_UNKNOWN"), REFUSED], [COMPLETE]),
        (
            [DecisionRefusedEvent(ScheduleActivity("Work"), "OPEN_ACTIVITIES_LIMIT_EXCEEDED"), REFUSED],
            [FailProcess("decision schedule_activity of Work was refused: OPEN_ACTIVITIES_LIMIT_EXCEEDED")],
        ),
        ([COMPLETED, OTHER], [COMPLETE]),
        ([COMPLETED, COMPLETED], [COMPLETE]),
        ([COMPLETED, EXTRA], [ScheduleActivity("Extra", "x")]),
        ([EXTRA, COMPLETED], [ScheduleActivity("Extra", "x"), COMPLETE]),
    ],
)
def test_a_refused_close_is_decided_again_unless_there_is_more_to_do(events, decisions):
    assert Shop().decide(deciding(*events)) == decisions


def test_a_refusal_may_be_answered_otherwise():
    class Patient(Shop):
        def respond_to_refused_decision(self, process, decision, cause):
            return RecordMarker(cause, decision)

    assert Patient().decide(deciding(REFUSED)) == [RecordMarker("UNHANDLED_DECISION", COMPLETE)]


def test_a_wrong_answer_is_refused():
    class Wrong(Shop):
        def respond_to_timer(self, process, timer):
            return "Work"

    with pytest.raises(TypeError, match="workflow Foo answered with 'Work'"):
        Wrong().decide(deciding(TimerEvent(TIMER)))
