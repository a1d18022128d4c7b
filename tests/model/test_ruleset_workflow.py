"""RuleSetWorkflow: in which order its rules answer, what a subclass inherits, what is answered without a rule."""

import pytest

from pyworkflow.activity import (
    Activity,
    ActivityCompleted,
    ActivityExecution,
    ActivityFailed,
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
    CancelRequestedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionEvent,
    DecisionRefusedEvent,
    DecisionStartedEvent,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from pyworkflow.process import Process, ProcessFailed
from pyworkflow.signal import Signal
from pyworkflow.workflow import RuleSetWorkflow, rules


class WorkActivity(Activity):
    pass


EXECUTION = ActivityExecution("Work", "1", [2, 3])
STARTED = ProcessStartedEvent()
COMPLETED = ActivityEvent(EXECUTION, ActivityCompleted(6))
FAILED = ActivityEvent(EXECUTION, ActivityFailed("broken", "trace"))
SIGNAL = SignalEvent(Signal("go", 1))
TIMER = TimerEvent(Timer(5, {"step": 2}))
CHILD_FAILED = ChildProcessEvent("c", ProcessFailed("broken"), "Bar", ["red", "big"])
CHILD_STARTED = ChildProcessStartedEvent("c", "Bar", ["red", "big"])
CANCEL_REQUESTED = CancelRequestedEvent("why")
REFUSED = DecisionRefusedEvent(CompleteProcess(1), "UNHANDLED_DECISION")
REFUSED_CANCEL = DecisionRefusedEvent(CancelActivity("1"), "ACTIVITY_ID_UNKNOWN")


def deciding(*events):
    history = [STARTED, DecisionStartedEvent(), *events, DecisionStartedEvent()]
    return Process("Foo", "1", [2, 3], history=history)


NEW = Process("Foo", "1", [2, 3], history=[STARTED, DecisionStartedEvent()])


class Order(RuleSetWorkflow):
    @rules.process_started
    def start(self, event, process):
        return WorkActivity

    @rules.completed_activity(WorkActivity)
    def second(self, event, process):
        yield RecordMarker("second", event.result.result)

    @rules.completed_activity("Work", input=[2, 3])
    def first(self, event, process):
        return [RecordMarker("first", process.input), None]

    @rules.signal("stop")
    @rules.timer()
    def stop(self, event, process):
        return CompleteProcess(event.type)

    def helper(self, event, process):
        raise AssertionError("not a rule")


class Heir(Order):
    @rules.completed_activity()
    def last(self, event, process):
        return RecordMarker("last")

    @rules.signal("halt")
    def stop(self, event, process):
        return CompleteProcess("halted")

    def first(self, event, process):
        raise AssertionError("no rule any more")


def names(decisions):
    return [decision.name for decision in decisions]


def test_a_rules_method_gets_the_event_and_the_process():
    calls = []

    class Foo(RuleSetWorkflow):
        @rules.signal()
        def note(self, event, process):
            calls.append((self, event, process))

    workflow, process = Foo(), deciding(SIGNAL)
    assert workflow.decide(process) == []
    assert calls == [(workflow, SIGNAL, process)]


def test_an_activity_class_is_scheduled_with_the_processs_input():
    (decision,) = Order().decide(NEW)
    assert decision == ScheduleActivity("Work", decision.id, input=[2, 3])


def test_all_matching_rules_answer_in_the_order_of_definition():
    assert Order().decide(deciding(COMPLETED)) == [RecordMarker("second", 6), RecordMarker("first", [2, 3])]


def test_a_method_with_two_rules_answers_both_and_an_event_once():
    assert Order().decide(deciding(SignalEvent(Signal("stop")))) == [CompleteProcess("signal")]
    assert Order().decide(deciding(TIMER)) == [CompleteProcess("timer")]

    class Twice(RuleSetWorkflow):
        @rules.signal("go")
        @rules.signal()
        def note(self, event, process):
            return RecordMarker("note")

    assert names(Twice().decide(deciding(SIGNAL))) == ["note"]


def test_an_interrupted_activity_without_a_rule_fails_the_process():
    class Ignorant(RuleSetWorkflow):
        pass

    assert Ignorant().decide(deciding(FAILED)) == [FailProcess("activity Work failed: broken", "trace")]


@pytest.mark.parametrize("event", [SIGNAL, CHILD_FAILED, CHILD_STARTED, DecisionEvent(CompleteProcess(1))])
def test_an_event_without_a_rule_is_answered_with_nothing(event):
    assert Order().decide(deciding(event)) == []


def test_the_ruleset_names_the_methods():
    assert RuleSetWorkflow.ruleset == ()
    assert Order.ruleset == ("start", "second", "first", "stop")
    assert Heir.ruleset == ("start", "second", "stop", "last")


def test_inherited_rules_count_and_come_first():
    assert names(Heir().decide(deciding(COMPLETED))) == ["second", "last"]
    assert len(Heir().decide(NEW)) == 1


def test_an_overriding_method_replaces_the_inherited_rule():
    assert Heir().decide(deciding(SignalEvent(Signal("halt")))) == [CompleteProcess("halted")]
    assert Heir().decide(deciding(SignalEvent(Signal("stop")))) == []
    assert Heir().decide(deciding(TIMER)) == []
    assert Order().decide(deciding(TIMER)) == [CompleteProcess("timer")]


def test_an_inherited_rule_can_be_taken_out():
    class Quiet(Order):
        second = None

    assert names(Quiet().decide(deciding(COMPLETED))) == ["first"]


def test_rules_of_a_mixin_count():
    class Mixin:
        @rules.signal("go")
        def go(self, event, process):
            return RecordMarker("go")

    class Mixed(Mixin, Order):
        pass

    assert names(Mixed().decide(deciding(SIGNAL))) == ["go"]
    assert len(Mixed().decide(NEW)) == 1


@pytest.mark.parametrize("decorate", [rules.process_started, rules.process_started()])
def test_a_rule_without_arguments_needs_no_parentheses(decorate):
    class Foo(RuleSetWorkflow):
        @decorate
        def start(self, event, process):
            return RecordMarker("started")

    assert names(Foo().decide(NEW)) == ["started"]
    assert Foo().start(STARTED, NEW) == RecordMarker("started")


def test_a_rule_that_lacks_its_parentheses_is_refused_with_the_class():
    with pytest.raises(TypeError, match=r"Foo\.note .* parentheses"):

        class Foo(RuleSetWorkflow):
            @rules.signal
            def note(self, event, process):
                return None


def test_an_error_in_a_method_is_not_swallowed():
    class Foo(RuleSetWorkflow):
        @rules.signal()
        def note(self, event, process):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Foo().decide(deciding(SIGNAL))


def test_a_wrong_answer_is_refused():
    class Foo(RuleSetWorkflow):
        @rules.signal()
        def note(self, event, process):
            return "Work"

    with pytest.raises(TypeError, match="answered with 'Work'"):
        Foo().decide(deciding(SIGNAL))


class Reserved(Order):
    @rules.cancel_requested
    def cancel(self, event, process):
        return RecordMarker("cancel", event.details)

    @rules.refused_decision()
    def refused(self, event, process):
        return RecordMarker("refused", event.cause)


FAILURE = FailProcess("decision schedule_activity of Work was refused: OPEN_ACTIVITIES_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("workflow", "events", "decisions"),
    [
        (Order, [CANCEL_REQUESTED], [CancelProcess("why")]),
        (Reserved, [CANCEL_REQUESTED], [RecordMarker("cancel", "why")]),
        (Order, [REFUSED], [CompleteProcess(1)]),
        (Order, [SIGNAL, REFUSED], [CompleteProcess(1)]),
        (Order, [COMPLETED, REFUSED], [RecordMarker("second", 6), RecordMarker("first", [2, 3]), CompleteProcess(1)]),
        (Order, [REFUSED, TIMER], [CompleteProcess("timer")]),
        (Order, [REFUSED_CANCEL], []),
        (Order, [DecisionRefusedEvent(ScheduleActivity("Work"), "OPEN_ACTIVITIES_LIMIT_EXCEEDED")], [FAILURE]),
        (Reserved, [REFUSED], [RecordMarker("refused", "UNHANDLED_DECISION")]),
        (Reserved, [SIGNAL, REFUSED], [RecordMarker("refused", "UNHANDLED_DECISION")]),
    ],
)
def test_what_may_not_go_unanswered_has_an_answer_unless_a_rule_gives_one(workflow, events, decisions):
    assert workflow().decide(deciding(*events)) == decisions


def test_rules_that_match_one_event_answer_it_together():
    class Both(RuleSetWorkflow):
        @rules.signal()
        def end(self, event, process):
            return CompleteProcess()

        @rules.signal("go")
        def log(self, event, process):
            return ScheduleActivity("Log", "l")

    assert Both().decide(deciding(SIGNAL)) == [ScheduleActivity("Log", "l"), CompleteProcess()]
