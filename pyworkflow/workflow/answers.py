"""How the answers to a process's new events become one list of decisions.

The outcome should not hang on whether events reach a decider one by one or together. Decided one by one, a closing
decision would be refused while another event waits (UNHANDLED_DECISION), and then be decided again. So here too:

- Refusals are answered first: they are about what was decided before any of the other events was seen.
- A closing decision comes last, after everything that the answers to the other events ask for.
- FailProcess and CancelProcess stand; of several the first counts.
- CompleteProcess and ContinueAsNew give way when the answer to a later event starts an activity, a timer or a child,
  or closes the process: there is more to do after all, and who responds to it closes the process in the end.
- What only repeats an earlier decision about the same id, such as canceling an activity twice, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..activity import ActivityCanceled, ActivityExecution, ActivityResult
from ..decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    Decision,
    FailProcess,
    RequestCancelProcess,
    ScheduleActivity,
    StartChildProcess,
    Timer,
)
from ..events import DecisionRefusedEvent, Event
from ..exceptions import refusal
from ..process import Process
from ..retry import retried
from .base import Answer, decisions_of

_ALREADY_OVER = frozenset({"ACTIVITY_ID_UNKNOWN", "TIMER_ID_UNKNOWN", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"})


def decide_by_event(
    process: Process, respond: Callable[[Event, Process], Answer], activities: Iterable[Any] = ()
) -> list[Decision]:
    """What `respond(event, process)` asks for over all unseen events, combined by this module's rules.

    It does not hear of failures that the retry policies of `activities` answer.
    """

    def answer(event: Event) -> list[Decision]:
        again = retried(process, event, activities)
        return decisions_of(respond(event, process), process) if again is None else again

    events = sorted(process.unseen_events(), key=lambda event: not isinstance(event, DecisionRefusedEvent))
    return combined(answer(event) for event in events)


def combined(answers: Iterable[list[Decision]]) -> list[Decision]:
    """One list of the answers to consecutive events, by this module's rules."""
    others: list[Decision] = []
    end: Decision | None = None
    for answer in answers:
        if any(isinstance(decision, ScheduleActivity | Timer | StartChildProcess) for decision in answer):
            end = _standing(end)
        for decision in answer:
            if decision.closes:
                end = _standing(end) or decision
            else:
                others.append(decision)
    return _without_repeats(others) + ([] if end is None else [end])


def answer_to_interruption(process: Process, execution: ActivityExecution, result: ActivityResult) -> Decision | None:
    """What to do about an activity that did not complete where the workflow does not say.

    The process fails, unless it canceled the activity itself.
    """
    if isinstance(result, ActivityCanceled) and process.has_decision(CancelActivity(execution)):
        return None
    return FailProcess(f"activity {execution.activity} {outcome_words(result)}", getattr(result, "details", None))


def outcome_words(result: ActivityResult) -> str:
    """How an activity ended, in words."""
    words = {"timedout": "timed out", "canceled": "was canceled"}.get(result.type, result.type)
    cause = getattr(result, "reason", None) or getattr(result, "timeout_type", None)
    return f"{words}: {cause}" if cause else words


def answer_to_refusal(decision: Decision, cause: str) -> Decision | None:
    """What to do about a refused decision where the workflow does not say.

    A closing decision that came before an event was seen is decided again, and a cancellation of what is already over
    is left at that. Anything else fails the process: it would wait for what never comes.
    """
    if cause == "UNHANDLED_DECISION":
        return decision
    if cause in _ALREADY_OVER and isinstance(decision, CancelActivity | CancelTimer | RequestCancelProcess):
        return None
    return FailProcess(f"decision {decision.type}{_subject(decision)} was refused: {refusal(cause)}")


def _standing(end: Decision | None) -> Decision | None:
    """The end that nothing later replaces, if it is one."""
    return end if isinstance(end, FailProcess | CancelProcess) else None


def _without_repeats(decisions: list[Decision]) -> list[Decision]:
    """Drops what repeats the last decision about the same id: a timer may still be canceled and started anew, twice."""
    kept: list[Decision] = []
    last: dict[str | None, Decision] = {}
    for decision in decisions:
        id = _unique_id(decision)
        if id is None or last.get(id) != decision:
            kept.append(decision)
        last[id] = decision
    return kept


def _unique_id(decision: Decision) -> str | None:
    """The id of the one thing that a decision is about; None where asking twice means two."""
    if isinstance(decision, StartChildProcess):
        return decision.process.id
    if isinstance(decision, RequestCancelProcess):
        return decision.process_id
    return getattr(decision, "id", None)


def _subject(decision: Decision) -> str:
    """Which activity, child, timer or process a decision is about, as far as a reason needs it: never the input."""
    if isinstance(decision, StartChildProcess):
        return f" of {decision.process.workflow}"
    names = (getattr(decision, attribute, None) for attribute in ("activity", "id", "process_id", "name"))
    return next((f" of {name}" for name in names if name), "")
