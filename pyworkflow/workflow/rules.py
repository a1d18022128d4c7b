"""Rules: decorators that say which events a method of a RuleSetWorkflow answers.

    class Order(RuleSetWorkflow):
        @rules.process_started
        def start(self, event, process):
            return PaymentActivity

        @rules.completed_activity(PaymentActivity)
        def ship(self, event, process):
            return ScheduleActivity(ShipmentActivity, input=event.result.result)

A rule's method is called with the event and the process, and may return whatever `Workflow.decide` may.
A method with several rules answers an event once, when any of them matches.

Each argument of a rule is a value, compared by `==`; a class, which its instances match; or a predicate, which is
called with the value. An activity or workflow may be given as its class or its name. A falsy argument matches
anything (so ask for a falsy value by a predicate), and a predicate that raises an error does not match.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from ..activity import Activity, ActivityCompleted
from ..events import (
    ActivityEvent,
    CancelRequestedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionRefusedEvent,
    Event,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from .base import Workflow

Method = TypeVar("Method", bound=Callable[..., Any])

_MATCHES = "_rule_matches"


class Rule:
    """A decorator: the method answers each event for which `match(event)` is true."""

    def __init__(self, match: Callable[[Any], Any]) -> None:
        self.match = match

    def __call__(self, method: Method) -> Method:
        setattr(method, _MATCHES, (*_matches(method), self.match))
        return method


def is_rule(method: object) -> bool:
    """Does the method answer any events?"""
    return bool(_matches(method))


def answers(method: object, event: Event) -> bool:
    """Does one of the method's rules match the event?"""
    return any(_holds(match, event) for match in _matches(method))


def rule(match: Callable[[Any], Any]) -> Rule:
    """Events for which the predicate `match(event)` is true."""
    return Rule(match)


@overload
def process_started(method: Method, /) -> Method: ...
@overload
def process_started() -> Rule: ...
def process_started(method: Any = None, /) -> Any:
    """The process was started. May be written without parentheses."""
    return _bare(Rule(lambda event: isinstance(event, ProcessStartedEvent)), method)


@overload
def cancel_requested(method: Method, /) -> Method: ...
@overload
def cancel_requested() -> Rule: ...
def cancel_requested(method: Any = None, /) -> Any:
    """Somebody asked for the process's cancellation. May be written without parentheses."""
    return _bare(Rule(lambda event: isinstance(event, CancelRequestedEvent)), method)


def completed_activity(activity: Any = None, input: Any = None) -> Rule:
    """An activity completed: the activity's class or name, the input that it had."""

    def match(event: Event) -> bool:
        return (
            isinstance(event, ActivityEvent)
            and isinstance(event.result, ActivityCompleted)
            and _fits_name(activity, event.activity)
            and _fits(input, event.activity_execution.input)
        )

    return Rule(match)


def interrupted_activity(activity: Any = None, result: Any = None) -> Rule:
    """An activity failed, was canceled or timed out: its class or name, its ActivityResult (e.g. `ActivityFailed`)."""

    def match(event: Event) -> bool:
        return (
            isinstance(event, ActivityEvent)
            and not isinstance(event.result, ActivityCompleted)
            and _fits_name(activity, event.activity)
            and _fits(result, event.result)
        )

    return Rule(match)


def signal(name: Any = None) -> Rule:
    """A signal of this name arrived."""
    return Rule(lambda event: isinstance(event, SignalEvent) and _fits(name, event.signal.name))


def timer(data: Any = None) -> Rule:
    """A timer with this data fired."""
    return Rule(lambda event: isinstance(event, TimerEvent) and _fits(data, event.timer.data))


def child_process_started(workflow: Any = None, tags: Any = None, has_tag: Any = None) -> Rule:
    """A child process began to run: its workflow's class or name, all of its tags, one of its tags."""
    return Rule(
        lambda event: isinstance(event, ChildProcessStartedEvent) and _fits_child(event, workflow, tags, has_tag)
    )


def child_process_completed(workflow: Any = None, tags: Any = None, has_tag: Any = None, result: Any = None) -> Rule:
    """A child process closed, in whatever way unless `result` says (e.g. `ProcessCompleted`).

    Its workflow's class or name, all of its tags, one of its tags, its ProcessResult.
    """

    def match(event: Event) -> bool:
        return (
            isinstance(event, ChildProcessEvent)
            and _fits_child(event, workflow, tags, has_tag)
            and _fits(result, event.result)
        )

    return Rule(match)


def refused_decision(decision: Any = None, cause: Any = None) -> Rule:
    """A decision was refused: the decision (e.g. `ScheduleActivity`) and SWF's cause."""

    def match(event: Event) -> bool:
        return isinstance(event, DecisionRefusedEvent) and _fits(decision, event.decision) and _fits(cause, event.cause)

    return Rule(match)


def _matches(method: object) -> tuple[Callable[[Any], Any], ...]:
    matches: tuple[Callable[[Any], Any], ...] = getattr(method, _MATCHES, ())
    return matches


def _bare(rule: Rule, method: Any) -> Any:
    return rule if method is None else rule(method)


def _holds(predicate: Callable[[Any], Any], value: object) -> bool:
    try:
        return bool(predicate(value))
    except Exception:
        return False


def _fits(expected: Any, value: object) -> bool:
    if not expected:
        return True
    if isinstance(expected, type):
        return isinstance(value, expected)
    if callable(expected):
        return _holds(expected, value)
    return bool(value == expected)


def _fits_name(expected: Any, name: str | None) -> bool:
    if isinstance(expected, type) and issubclass(expected, Activity | Workflow):
        return name == expected.name
    return _fits(expected, name)


def _fits_child(event: ChildProcessStartedEvent | ChildProcessEvent, workflow: Any, tags: Any, has_tag: Any) -> bool:
    if isinstance(tags, tuple):
        tags = list(tags)
    return (
        _fits_name(workflow, event.workflow)
        and _fits(tags, event.tags)
        and (not has_tag or any(_fits(has_tag, tag) for tag in event.tags))
    )
