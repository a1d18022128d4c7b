"""A history as turns: what a decider saw, and what it decided on that. Attempts that came to nothing are skipped.

What is recorded between the start of a decision and that of the next one is either the answer to the first (decisions,
and refusals of them), or news that the next one is about. Where the end of a process was refused, as something had come
that the code did not know, that was no turn either: the code sees it with the rest, and may go another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import is_
from typing import Any

from msgspec import Struct, field, json

from ..decision import Decision
from ..events import (
    DecisionCompletedEvent,
    DecisionEvent,
    DecisionFailedEvent,
    DecisionRefusedEvent,
    DecisionReleasedEvent,
    DecisionStartedEvent,
    DecisionTimedOutEvent,
    Event,
)

Signature = tuple[Any, ...]

_VOID = {DecisionFailedEvent, DecisionTimedOutEvent, DecisionReleasedEvent}

SIGNATURES: dict[str, tuple[str, ...]] = {
    "schedule_activity": ("id", "activity"),
    "cancel_activity": ("id",),
    "timer": ("id",),
    "cancel_timer": ("id",),
    "record_marker": ("name",),
    "start_child_process": ("process.id", "process.workflow"),
    "signal_process": ("process_id", "signal.name"),
    "request_cancel_process": ("process_id",),
}
"""What of a decision must be the same when it is decided again, by type; of those that close a process, only that."""

CONTENTS: dict[str, tuple[str, ...]] = {
    "schedule_activity": ("input",),
    "start_child_process": ("process.input", "process.tags"),
    "signal_process": ("signal.data",),
    "request_cancel_process": ("details",),
    "record_marker": ("details",),
    "complete_process": ("result",),
    "fail_process": ("reason", "details"),
    "cancel_process": ("details",),
    "continue_as_new": ("input",),
}
"""What else of it must be the same where inputs are compared too. How long timers take never is."""

MAY_BE_REFUSED_LATER = ("start_child_process", "signal_process", "request_cancel_process")


_STANDING = ("record_marker", "cancel_timer")
"""What may stand beside an end that was refused, so that the turn is begun anew: nothing will come of it."""


class Recorded(Struct, gc=False):
    """What a history has as the answer to a turn; of it stands `before` from ends that were refused.

    `exact` says that inputs are compared too.
    """

    decisions: list[Decision] = field(default_factory=list)
    refused: Sequence[DecisionRefusedEvent] = ()
    empty: bool = False
    first_event: int | None = None
    before: Sequence[Decision] = ()
    exact: bool = False
    _named: dict[str, Decision] | None = None

    def __bool__(self) -> bool:
        return bool(self.decisions or self.refused or self.empty)

    def named(self, name: str) -> Decision | None:
        """The activity, timer or marker of this id or name that this answer asked for."""
        if self._named is None:
            self._named = {str(getattr(it, "id", None) or getattr(it, "name", "")): it for it in self.decisions}
        return self._named.get(name)

    def after(self, before: Sequence[Decision]) -> Recorded:
        """With what stands already."""
        if not before:
            return self
        return Recorded([*before, *self.decisions], self.refused, self.empty, self.first_event, before, self.exact)


class Step(Struct, gc=False):
    """The answer to the turn before, the news since then, and when the next decision began with them (None: not).

    `end` is the place of that beginning in the list, `number` the one that it has in the stored history; `standing` is
    what was decided on it already, with an end that was refused.
    """

    answer: Recorded = field(default_factory=Recorded)
    news: list[Event] = field(default_factory=list)
    time: datetime | None = None
    end: int = 0
    number: int = 0
    standing: list[Decision] = field(default_factory=list)


class Turn(Struct, eq=False, gc=False):
    """What the code sees at once, what it decides on that, and what the history has instead (None: nothing yet).

    What was decided before an end was refused is `standing`.
    """

    number: int
    when: datetime
    news: list[Event]
    recorded: Recorded | None
    events: int
    decided: list[Decision | None] = field(default_factory=list)
    sources: dict[int, str] | None = None
    standing: Recorded | None = None

    @property
    def decisions(self) -> list[Decision]:
        return [decision for decision in self.decided if decision is not None]

    @property
    def to_record(self) -> list[Decision]:
        """The decisions that do not stand already."""
        if self.standing is None:
            return self.decisions
        standing = [signature(decision) for decision in self.standing.decisions]
        return [it for it in self.decisions if signature(it) not in standing]

    @property
    def as_recorded(self) -> bool:
        """Was the very same decided? It mostly is: what the history has is taken from there."""
        recorded = self.recorded
        if recorded is None or recorded.refused or len(recorded.decisions) != len(self.decided):
            return False
        return all(map(is_, self.decided, recorded.decisions))


def signature(decision: Decision) -> Signature:
    """The type of a decision, and what else must be the same when it is decided again."""
    type = decision.type
    match type:
        case "schedule_activity":
            return type, decision.id, decision.activity  # type: ignore[attr-defined]
        case "timer" | "cancel_timer" | "cancel_activity":
            return type, decision.id  # type: ignore[attr-defined]
    return type, *(_value(decision, path) for path in SIGNATURES.get(type, ()))


def contents(decision: Decision) -> bytes:
    """What a decision hands over, as JSON."""
    return json.encode([_value(decision, path) for path in CONTENTS.get(decision.type, ())], order="sorted")


def _exactly(decision: Decision) -> Signature:
    return *signature(decision), contents(decision)


def _value(decision: Decision, path: str) -> Any:
    value: Any = decision
    for name in path.split("."):
        value = getattr(value, name)
    return value


def steps(history: Sequence[Event], at: int = 0) -> list[Step] | None:
    """The steps after the first `at` events, which end with the start of a decision; the last has no time.

    None when the decision that began there came to nothing, or to an end that was refused.
    """
    found: list[Step] = []
    step = Step()
    for index in range(at, len(history)):
        event: Any = history[index]
        kind = type(event)
        if kind is DecisionStartedEvent:
            if _is_refused_end(step.answer):
                if not found:
                    return None
                step = _reopened(found.pop(), step)
            step.time, step.end, step.number = event.datetime, index + 1, event.id or index + 1
            found.append(step)
            step = Step()
        elif kind is DecisionEvent:
            step.answer.first_event = step.answer.first_event or event.id
            step.answer.decisions.append(event.decision)
        elif kind is DecisionCompletedEvent:
            step.answer.empty = True
        elif kind in _VOID:
            if not found and at:
                return None
            step = _merged(found, step)
        else:
            if kind is DecisionRefusedEvent:
                step.answer.refused = [*step.answer.refused, event]
            step.news.append(event)
    return [*found, step]


def _merged(found: list[Step], step: Step) -> Step:
    """What an attempt that came to nothing was about is still news."""
    if not found:
        return step
    before = found.pop()
    before.news += step.news
    before.answer.refused = [*before.answer.refused, *step.answer.refused]
    return Step(before.answer, before.news, standing=before.standing)


def _is_refused_end(answer: Recorded) -> bool:
    refused = [(it.cause, it.decision.closes) for it in answer.refused]
    return set(refused) == {("UNHANDLED_DECISION", True)} and all(it.type in _STANDING for it in answer.decisions)


def _reopened(before: Step, step: Step) -> Step:
    news = [event for event in step.news if type(event) is not DecisionRefusedEvent]
    return Step(before.answer, before.news + news, standing=before.standing + step.answer.decisions)


def same_events(ours: Sequence[Event], theirs: Sequence[Event]) -> bool:
    """Are these the same records, not just equal ones?"""
    return len(ours) == len(theirs) and all(map(_same, ours, theirs))


def _same(one: Event, other: Event) -> bool:
    return one is other or (one.id == other.id and one.datetime == other.datetime and one == other)


def differences(recorded: Recorded, decided: Sequence[Decision]) -> Iterator[tuple[Decision | None, Decision | None]]:
    """Pairs (of the history, of the code) that do not match; None where one of the two has nothing.

    The order of an answer does not count: tasks that run beside each other may be reordered. Markers of `patched` may
    be absent from the code, once nobody needs the old way any more; so may what stands from an end that was refused.
    """
    sign_of = _exactly if recorded.exact else signature
    ours = [sign_of(decision) for decision in decided]
    theirs = [sign_of(decision) for decision in recorded.decisions]
    if ours == theirs and not recorded.refused:
        return
    left: dict[Signature, list[Decision]] = {}
    for sign, decision in zip(theirs, recorded.decisions, strict=True):
        left.setdefault(sign, []).append(decision)
    refused = [sign_of(event.decision) for event in recorded.refused]
    extra = []
    for sign, decision in zip(ours, decided, strict=True):
        if left.get(sign):
            left[sign].pop(0)
        elif sign in refused:
            refused.remove(sign)
        else:
            extra.append(decision)
    missing = [decision for decisions in left.values() for decision in decisions if not _is_patch(decision)]
    missing = [decision for decision in missing if not any(decision is it for it in recorded.before)]
    missing += [it.decision for it in recorded.refused if sign_of(it.decision) in refused and _must_be(it.decision)]
    yield from _paired(missing, extra)


def _is_patch(decision: Decision) -> bool:
    return decision.type == "record_marker" and decision.name.startswith("patched-")  # type: ignore[attr-defined]


def _must_be(refused: Decision) -> bool:
    """Must this answer be what was refused? Children and messages may have been on their way for long."""
    return refused.type not in MAY_BE_REFUSED_LATER


def _paired(missing: list[Decision], extra: list[Decision]) -> Iterator[tuple[Decision | None, Decision | None]]:
    """What stands at the same position together, the rest alone."""
    by_position = {position_of(decision): decision for decision in extra}
    for decision in missing:
        other = by_position.get(position_of(decision))
        if other is not None:
            extra.remove(other)
            del by_position[position_of(other)]
        yield decision, other
    for decision in extra:
        yield None, decision


def position_of(decision: Decision) -> str:
    """Where in the code a decision was made, as far as its id or name tells."""
    id = getattr(decision, "id", None) or getattr(decision, "name", "")
    if decision.closes:
        return "end"
    return str(id).partition("-")[0]
