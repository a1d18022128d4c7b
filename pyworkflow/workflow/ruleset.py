"""RuleSetWorkflow: a workflow written as methods that each say which events they answer."""

from __future__ import annotations

from typing import Any, ClassVar

from ..activity import ActivityCompleted
from ..decision import CancelProcess, Decision
from ..events import ActivityEvent, CancelRequestedEvent, DecisionRefusedEvent, Event
from ..process import Process
from .answers import answer_to_interruption, answer_to_refusal, decide_by_event
from .base import Answer, Workflow, decisions_of
from .rules import Rule, answers, is_rule


class RuleSetWorkflow(Workflow):
    """Calls, for each new event, every method whose rule matches it, in the order of the class's definition.

    The decorators are in `pyworkflow.workflow.rules`; a method gets `(event, process)`. Inherited rules count and
    come first. A subclass that defines a method again replaces the inherited one together with its rule, so it
    needs a decorator of its own.
    An event without a matching rule is answered as `DefaultWorkflow` does where it is not overridden: an interrupted
    activity fails the process, a cancel request cancels it, most other events are answered with nothing. `ruleset`
    has the names of the methods.
    """

    ruleset: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.ruleset = tuple(name for name, member in _members(cls).items() if is_rule(member))

    def decide(self, process: Process) -> list[Decision]:
        """The decisions on all events that no decision has answered yet."""
        return decide_by_event(process, self.handle_event, self.activities)

    def handle_event(self, event: Event, process: Process) -> Answer:
        """What the matching rules decide together on one event."""
        methods = [getattr(self, name) for name in self.ruleset]
        matching = [method for method in methods if answers(method, event)]
        if not matching:
            return _unmatched(event, process)
        return [decision for method in matching for decision in decisions_of(method(event, process), process)]


def _unmatched(event: Event, process: Process) -> Decision | None:
    if isinstance(event, ActivityEvent) and not isinstance(event.result, ActivityCompleted):
        return answer_to_interruption(process, event.activity_execution, event.result)
    if isinstance(event, CancelRequestedEvent):
        return CancelProcess(event.details)
    if isinstance(event, DecisionRefusedEvent):
        return answer_to_refusal(event.decision, event.cause)
    return None


def _members(cls: type) -> dict[str, object]:
    """The class's members, inherited ones included and first; each as attribute access finds it.

    Raises TypeError for a rule that was written without its parentheses: it took the method for its first argument.
    """
    members: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        members.update(vars(base))
    for name, member in members.items():
        if isinstance(member, Rule):
            raise TypeError(f"{cls.__name__}.{name} is not a method: write its rule with parentheses, @rules.…()")
    return members
