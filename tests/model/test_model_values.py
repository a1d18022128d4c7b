"""Decisions, results and the other small classes: fields, types, equality and repr."""

import pytest

from pyworkflow.activity import (
    Activity,
    ActivityAborted,
    ActivityCanceled,
    ActivityCompleted,
    ActivityExecution,
    ActivityFailed,
    ActivityTimedOut,
)
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    StartTimer,
    Timer,
)
from pyworkflow.events import DecisionEvent
from pyworkflow.process import (
    Process,
    ProcessCanceled,
    ProcessCompleted,
    ProcessContinued,
    ProcessFailed,
    ProcessTerminated,
    ProcessTimedOut,
)
from pyworkflow.signal import Signal
from pyworkflow.task import ActivityTask, DecisionTask


class MultiplicationActivity(Activity):
    pass


CONTINUED = ("input", "version", "tags", "timeout", "decision_timeout", "category", "priority")
SCHEDULE_DEFAULTS = dict.fromkeys(
    ("category", "input", "version", "scheduled_timeout", "execution_timeout", "heartbeat_timeout", "close_timeout")
) | {"priority": 0}


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (ScheduleActivity(MultiplicationActivity), {"activity": "Multiplication"} | SCHEDULE_DEFAULTS),
        (ScheduleActivity("A", "1", "fast", [2]), {"activity": "A", "id": "1", "category": "fast", "input": [2]}),
        (CancelActivity("1"), {"id": "1"}),
        (CancelActivity(ActivityExecution("A", "1")), {"id": "1"}),
        (CancelActivity(ScheduleActivity("A", "1")), {"id": "1"}),
        (CompleteProcess(), {"result": None}),
        (FailProcess(), {"reason": None, "details": None}),
        (CancelProcess(), {"details": None}),
        (ContinueAsNew(), dict.fromkeys(CONTINUED)),
        (StartChildProcess(Process()), {"child_policy": "ABANDON"}),
        (StartChildProcess(Process(), "TERMINATE"), {"child_policy": "TERMINATE", "priority": 0}),
        (StartChildProcess(Process()), dict.fromkeys(("timeout", "decision_timeout", "category"))),
        (SignalProcess("p", "go"), {"process_id": "p", "signal": Signal("go")}),
        (SignalProcess(Process(id="p"), "go", 1), {"process_id": "p", "signal": Signal("go", 1)}),
        (SignalProcess("p", Signal("go", 2)), {"signal": Signal("go", 2)}),
        (RequestCancelProcess("p"), {"process_id": "p", "details": None}),
        (RequestCancelProcess(Process(id="p"), "why"), {"process_id": "p", "details": "why"}),
        (Timer(5), {"delay": 5, "data": {}}),
        (Timer(5, 0, id="t"), {"data": 0, "id": "t"}),
        (CancelTimer("t"), {"id": "t"}),
        (CancelTimer(Timer(5, id="t")), {"id": "t"}),
        (RecordMarker("m"), {"name": "m", "details": None}),
        (Signal("go"), {"name": "go", "data": {}}),
        (Signal("go", 0), {"data": 0}),
        (ActivityCompleted(), {"result": None}),
        (ActivityCanceled(), {"details": None}),
        (ActivityFailed(), {"reason": None, "details": None}),
        (ActivityTimedOut(), {"details": None, "timeout_type": None}),
        (ActivityExecution(MultiplicationActivity, "1", [2]), {"activity": "Multiplication", "input": [2]}),
        (ActivityExecution("A", "a"), {"name": "A", "input": None}),
        (ProcessCompleted(), {"result": None}),
        (ProcessCanceled(), {"details": None}),
        (ProcessFailed(), {"reason": None, "details": None}),
        (ProcessTimedOut(), {"details": None}),
        (ProcessTerminated(), {"reason": None, "details": None, "cause": "OPERATOR_INITIATED"}),
        (ProcessContinued("2"), {"run": "2"}),
    ],
    ids=repr,
)
def test_fields(value, fields):
    assert {name: getattr(value, name) for name in fields} == fields


@pytest.mark.parametrize("make", [lambda: ScheduleActivity("A"), lambda: Timer(5), lambda: ActivityExecution("A")])
def test_ids_that_are_not_given_are_strings_of_their_own(make):
    assert isinstance(make().id, str)
    assert make().id != make().id


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (ActivityCompleted, "completed"),
        (ActivityCanceled, "canceled"),
        (ActivityFailed, "failed"),
        (ActivityTimedOut, "timedout"),
        (ProcessCompleted, "completed"),
        (ProcessCanceled, "canceled"),
        (ProcessFailed, "failed"),
        (ProcessTimedOut, "timedout"),
        (ProcessTerminated, "terminated"),
        (ProcessContinued, "continued"),
        (ScheduleActivity, "schedule_activity"),
        (CancelActivity, "cancel_activity"),
        (CompleteProcess, "complete_process"),
        (FailProcess, "fail_process"),
        (CancelProcess, "cancel_process"),
        (ContinueAsNew, "continue_as_new"),
        (StartChildProcess, "start_child_process"),
        (SignalProcess, "signal_process"),
        (RequestCancelProcess, "request_cancel_process"),
        (Timer, "timer"),
        (CancelTimer, "cancel_timer"),
        (RecordMarker, "record_marker"),
    ],
)
def test_type(value, type_):
    assert value.type == type_


def test_exactly_the_closing_decisions_close():
    own = [cls for cls in Decision.__subclasses__() if cls.__module__ == Decision.__module__]
    closing = {decision for decision in own if decision.closes}
    assert closing == {CompleteProcess, FailProcess, CancelProcess, ContinueAsNew}


def test_names_of_the_first_api():
    assert ActivityAborted is ActivityCanceled
    assert StartTimer is Timer


@pytest.mark.parametrize(
    ("make", "others"),
    [
        (
            lambda: ScheduleActivity("A", "1", input=2),
            [ScheduleActivity("A", "2", input=2), ScheduleActivity("B", "1")],
        ),
        (lambda: ScheduleActivity("A", "1"), [ScheduleActivity("A", "1", input=0), ScheduleActivity("A", "2")]),
        (lambda: CancelActivity("1"), [CancelActivity("2"), CancelTimer("1")]),
        (lambda: Timer(5, {"a": 1}), [Timer(6, {"a": 1}), Timer(5)]),
        (lambda: CompleteProcess(1), [CompleteProcess(2), CompleteProcess()]),
        (lambda: FailProcess("r", "d"), [FailProcess("r"), FailProcess(None, "d")]),
        (lambda: CancelProcess("d"), [CancelProcess()]),
        (lambda: ContinueAsNew(1, tags=["t"]), [ContinueAsNew(1), ContinueAsNew(2, tags=["t"])]),
        (lambda: StartChildProcess(Process("A", "1")), [StartChildProcess(Process("A", "2"))]),
        (lambda: StartChildProcess(Process("A", "1")), [StartChildProcess(Process("A", "1"), "TERMINATE")]),
        (lambda: SignalProcess("p", "s"), [SignalProcess("p", "t"), SignalProcess("q", "s")]),
        (lambda: RecordMarker("m", 1), [RecordMarker("m")]),
        (lambda: Signal("s", 1), [Signal("s"), Signal("t", 1)]),
        (lambda: ActivityCompleted(1), [ActivityCompleted(2), ProcessCompleted(1)]),
        (lambda: ActivityFailed("r", "d"), [ActivityFailed("r"), ActivityFailed("q", "d"), ProcessFailed("r", "d")]),
        (lambda: ActivityCanceled("d"), [ActivityCanceled(), ActivityTimedOut("d")]),
        (lambda: ActivityExecution("A", "1", 2), [ActivityExecution("A", "1"), ActivityExecution("A", "2", 2)]),
        (lambda: ProcessTerminated("r"), [ProcessTerminated("q")]),
        (lambda: Process("A", "1", [2], ["t"]), [Process("A", "1", [2]), Process("A", "2", [2], ["t"])]),
        (lambda: Process("A", parent="p"), [Process("A"), Process("A", history=[], parent="p")]),
        (lambda: ActivityTask(ActivityExecution("A", "1"), "p"), [ActivityTask(ActivityExecution("A", "1"), "q")]),
        (lambda: DecisionTask(Process("A"), {"token": "1"}), [DecisionTask(Process("A"))]),
    ],
)
def test_values_are_equal_by_their_fields(make, others):
    assert make() == make()
    assert hash(make()) == hash(make())
    for other in others:
        assert make() != other
    assert make() != "something else"


EXECUTION_FIELDS = {"activity": "A", "id": "1", "input": 2}


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (ScheduleActivity, {"activity": "A", "id": "1", "input": 5}),
        (ContinueAsNew, dict.fromkeys(CONTINUED, 5)),
        (StartChildProcess, {"process": 1, "child_policy": "TERMINATE"}),
        (FailProcess, {"reason": "r", "details": "d"}),
        (RequestCancelProcess, {"process_or_id": "p", "details": "d"}),
        (RecordMarker, {"name": "n", "details": "d"}),
        (Timer, {"delay": 5, "data": 1}),
        (Signal, {"name": "n", "data": 1}),
        (ActivityExecution, EXECUTION_FIELDS),
        (ActivityFailed, {"reason": "r", "details": "d"}),
        (ProcessFailed, {"reason": "r", "details": "d"}),
        (ProcessTerminated, {"reason": "r", "details": "d"}),
        (Process, {"workflow": "W", "id": "1", "input": 2, "tags": ["t"], "history": [], "parent": "p"}),
    ],
)
def test_every_field_that_says_what_counts(cls, fields):
    for name, value in fields.items():
        other = ["other"] if isinstance(value, list) else "other"
        assert cls(**fields) != cls(**fields | {name: other}), name


def test_a_timers_id_does_not_count():
    assert Timer(5, id="a") == Timer(5, id="b")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (ScheduleActivity(MultiplicationActivity, input=[2, 3]), "ScheduleActivity(Multiplication, [2, 3])"),
        (CancelActivity("1"), "CancelActivity(1)"),
        (CompleteProcess(7), "CompleteProcess(7)"),
        (FailProcess("r", "d"), "FailProcess(r, d)"),
        (Timer(5, {"a": 1}), "Timer(5, {'a': 1})"),
        (Signal("go", 1), "Signal(go, 1)"),
        (StartChildProcess(Process("A", "1")), "StartChildProcess(Process(A, 1, None, []), ABANDON)"),
        (ActivityFailed("reason", "details"), "ActivityFailed(reason,details)"),
        (ActivityCompleted([1]), "ActivityCompleted([1])"),
        (ProcessFailed("reason", "details"), "ProcessFailed(reason,details)"),
        (ActivityExecution("A", "1", 2), "ActivityExecution(A, 1, 2)"),
        (Process("A", "1", 2, ["t"]), "Process(A, 1, 2, ['t'])"),
    ],
)
def test_repr(value, shown):
    assert repr(value) == shown


def test_what_a_history_has_filled_in_does_not_count():
    asked = ScheduleActivity("A", "1", input=2)
    recorded = ScheduleActivity("A", "1", "default", 2, version="1.0", scheduled_timeout=60, execution_timeout=9)
    assert asked == recorded
    assert Process("W", history=[DecisionEvent(recorded)]).has_decision(asked)
    child = StartChildProcess(Process("W", "c"), timeout=5, category="fast")
    assert child == StartChildProcess(Process("W", "c"))
