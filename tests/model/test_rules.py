"""Rules: which events each decorator of a RuleSetWorkflow matches."""

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
    CompleteProcess,
    Timer,
)
from pyworkflow.events import (
    ActivityEvent,
    CancelRequestedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionEvent,
    DecisionRefusedEvent,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from pyworkflow.process import ProcessCompleted, ProcessFailed
from pyworkflow.signal import Signal
from pyworkflow.workflow import Workflow, rules
from pyworkflow.workflow.rules import answers


class WorkActivity(Activity):
    pass


class OtherActivity(Activity):
    pass


class RenamedActivity(Activity):
    name = "Work"


class BarWorkflow(Workflow):
    pass


def raises(value):
    raise KeyError(value)


EXECUTION = ActivityExecution("Work", "1", [2, 3])
STARTED = ProcessStartedEvent()
COMPLETED = ActivityEvent(EXECUTION, ActivityCompleted(6))
FAILED = ActivityEvent(EXECUTION, ActivityFailed("broken", "trace"))
CANCELED = ActivityEvent(EXECUTION, ActivityCanceled())
TIMED_OUT = ActivityEvent(EXECUTION, ActivityTimedOut())
SIGNAL = SignalEvent(Signal("go", 1))
TIMER = TimerEvent(Timer(5, {"step": 2}))
CHILD = ChildProcessEvent("c", ProcessCompleted(6), "Bar", ["red", "big"])
CHILD_FAILED = ChildProcessEvent("c", ProcessFailed("broken"), "Bar", ["red", "big"])
CHILD_STARTED = ChildProcessStartedEvent("c", "Bar", ["red", "big"])
CANCEL_REQUESTED = CancelRequestedEvent("why")
REFUSED = DecisionRefusedEvent(CompleteProcess(1), "UNHANDLED_DECISION")
REFUSED_CANCEL = DecisionRefusedEvent(CancelActivity("1"), "ACTIVITY_ID_UNKNOWN")

EVENTS = [
    *(STARTED, COMPLETED, FAILED, CANCELED, TIMED_OUT, SIGNAL, TIMER, CHILD, CHILD_FAILED, CHILD_STARTED),
    *(CANCEL_REQUESTED, REFUSED, REFUSED_CANCEL, DecisionEvent(CompleteProcess(1))),
]
INTERRUPTIONS = [FAILED, CANCELED, TIMED_OUT]
CHILDREN = [CHILD, CHILD_FAILED]

RULES = [
    (rules.process_started(), [STARTED]),
    (rules.cancel_requested(), [CANCEL_REQUESTED]),
    (rules.completed_activity(), [COMPLETED]),
    (rules.completed_activity(WorkActivity), [COMPLETED]),
    (rules.completed_activity(RenamedActivity), [COMPLETED]),
    (rules.completed_activity(OtherActivity), []),
    (rules.completed_activity("Work"), [COMPLETED]),
    (rules.completed_activity("Other"), []),
    (rules.completed_activity(lambda name: name.startswith("W")), [COMPLETED]),
    (rules.completed_activity(lambda name: name.startswith("O")), []),
    (rules.completed_activity(raises), []),
    (rules.completed_activity(str), [COMPLETED]),
    (rules.completed_activity(int), []),
    (rules.completed_activity(input=[2, 3]), [COMPLETED]),
    (rules.completed_activity(input=[2, 4]), []),
    (rules.completed_activity(input=list), [COMPLETED]),
    (rules.completed_activity(input=dict), []),
    (rules.completed_activity(input=lambda input: input[0] == 2), [COMPLETED]),
    (rules.completed_activity(input=lambda input: input["a"]), []),
    (rules.completed_activity(input=0), [COMPLETED]),
    (rules.completed_activity("Work", [2, 4]), []),
    (rules.completed_activity("Other", [2, 3]), []),
    (rules.interrupted_activity(), INTERRUPTIONS),
    (rules.interrupted_activity(WorkActivity), INTERRUPTIONS),
    (rules.interrupted_activity("Other"), []),
    (rules.interrupted_activity(result=ActivityFailed), [FAILED]),
    (rules.interrupted_activity("Work", ActivityTimedOut), [TIMED_OUT]),
    (rules.interrupted_activity("Other", ActivityTimedOut), []),
    (rules.interrupted_activity(result=ActivityFailed("broken", "trace")), [FAILED]),
    (rules.interrupted_activity(result=ActivityFailed("other")), []),
    (rules.interrupted_activity(result=lambda result: result.reason == "broken"), [FAILED]),
    (rules.signal(), [SIGNAL]),
    (rules.signal("go"), [SIGNAL]),
    (rules.signal("stop"), []),
    (rules.signal(lambda name: name in ("go", "stop")), [SIGNAL]),
    (rules.signal(raises), []),
    (rules.timer(), [TIMER]),
    (rules.timer({"step": 2}), [TIMER]),
    (rules.timer({"step": 3}), []),
    (rules.timer(lambda data: data["step"] > 1), [TIMER]),
    (rules.timer(raises), []),
    (rules.child_process_started(), [CHILD_STARTED]),
    (rules.child_process_started(BarWorkflow), [CHILD_STARTED]),
    (rules.child_process_started("Foo"), []),
    (rules.child_process_started(tags=["red"]), []),
    (rules.child_process_started(has_tag="red"), [CHILD_STARTED]),
    (rules.child_process_completed(), CHILDREN),
    (rules.child_process_completed(BarWorkflow), CHILDREN),
    (rules.child_process_completed("Bar"), CHILDREN),
    (rules.child_process_completed("Foo"), []),
    (rules.child_process_completed(tags=["red", "big"]), CHILDREN),
    (rules.child_process_completed(tags=("red", "big")), CHILDREN),
    (rules.child_process_completed(tags=["big", "red"]), []),
    (rules.child_process_completed(tags=lambda tags: len(tags) == 2), CHILDREN),
    (rules.child_process_completed(has_tag="big"), CHILDREN),
    (rules.child_process_completed(has_tag="bi"), []),
    (rules.child_process_completed(has_tag=lambda tag: tag.startswith("b")), CHILDREN),
    (rules.child_process_completed(has_tag=raises), []),
    (rules.child_process_completed(result=ProcessCompleted), [CHILD]),
    (rules.child_process_completed(result=ProcessCompleted(6)), [CHILD]),
    (rules.child_process_completed(result=lambda result: result.reason), [CHILD_FAILED]),
    (rules.child_process_completed("Bar", ["red", "big"], "red", ProcessFailed), [CHILD_FAILED]),
    (rules.child_process_completed("Foo", ["red", "big"], "red", ProcessFailed), []),
    (rules.refused_decision(), [REFUSED, REFUSED_CANCEL]),
    (rules.refused_decision(CancelActivity), [REFUSED_CANCEL]),
    (rules.refused_decision(cause="UNHANDLED_DECISION"), [REFUSED]),
    (rules.refused_decision(CancelActivity, "UNHANDLED_DECISION"), []),
    (rules.rule(lambda event: event.type in ("signal", "timer")), [SIGNAL, TIMER]),
    (rules.rule(match=lambda event: event.signal.name == "go"), [SIGNAL]),
    (rules.rule(raises), []),
]


@pytest.mark.parametrize(("rule", "matched"), RULES)
def test_a_rule_matches(rule, matched):
    method = rule(lambda self, event, process: None)
    assert [event for event in EVENTS if answers(method, event)] == matched


def test_a_rule_on_no_tags_at_all():
    child = ChildProcessEvent("c", ProcessCompleted(), "Bar")
    assert not rules.child_process_completed(has_tag="red").match(child)
    assert rules.child_process_completed().match(child)
