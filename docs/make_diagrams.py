#!/usr/bin/env python3
"""Writes docs/state-machine.md: the machine is run from every state that small scenarios reach, and drawn as it is."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pyworkflow.engine import messages as msg  # noqa: E402
from pyworkflow.engine import records as rec  # noqa: E402
from pyworkflow.engine.head import ActivityWork, Head, Limits, deadlines  # noqa: E402
from pyworkflow.engine.machine import Draft, apply, decisions, step  # noqa: E402
from pyworkflow.exceptions import WorkflowError  # noqa: E402

STEP = sys.modules[step.__module__]
LIMITS = Limits(refusals=2)
FILE = ROOT / "docs" / "state-machine.md"
TIMEOUTS = ("scheduled_timeout", "execution_timeout", "heartbeat_timeout", "close_timeout")
Edges = dict[tuple[str, str], set[str]]

# -- what can be said to a process in some state ----------


def starts() -> Iterator[msg.Message]:
    for timeout in (None, 9.0):
        yield msg.Start(
            run="r", process="p", workflow="W", version="1", category="c", timeout=timeout, decision_timeout=timeout
        )


def resets(head: Head | None) -> Iterator[msg.Message]:
    start = rec.ProcessStarted(workflow="W", version="1", category="c")
    source = "another" if head is None else head.id
    seen = ("", 0) if head is None else (head.run, head.seq)
    yield msg.Reset(run="n", process="p", source=source, source_run="r", records=[start], seen=seen)


ACTIVITIES = [rec.ActivityScheduled(id="a", activity="A", version="1", category="w", **{t: 1.0}) for t in TIMEOUTS]
SCENARIOS: list[list[rec.Initiating]] = [
    [*ACTIVITIES, rec.ActivityCancelRequested(id="a")],
    [rec.TimerStarted(id="t", delay=1.0), rec.TimerCanceled(id="t"), rec.MarkerRecorded(name="m")],
    [rec.ChildInitiated(process="k", workflow="K", version="1", child_policy="TERMINATE")],
    [rec.SignalInitiated(process="x", name="s"), rec.CancelInitiated(process="x")],
]
CLOSES: list[rec.Initiating] = [close() for close in rec.CLOSES]  # type: ignore[assignment]


def messages(head: Head | None, decided: list[rec.Initiating]) -> Iterator[msg.Message]:
    """Whatever users, workers and other processes can say in this state; an answer is one of `decided`, or none."""
    if head is None or head.open:
        yield from resets(head)
    if head is None:
        yield from starts()
        return
    held: dict[str, Any] = {"run": head.run, "started": head.decision.started}
    yield from (msg.Signal(name="s"), msg.RequestCancel(), msg.Terminate(), msg.Resume())
    yield msg.TakeDecision(run=head.run)
    yield msg.AnswerDecision(**held)
    yield from (msg.AnswerDecision(**held, decisions=[record.__copy__()]) for record in (*decided, *CLOSES))
    yield from (msg.FailDecision(**held, attempts=attempts) for attempts in (1, 2))
    yield msg.ReleaseDecision(**held)
    for seq, state in head.activities.items():
        work = ActivityWork(head.run, seq, state.id, "A", "1")
        yield msg.TakeActivity(run=head.run, scheduled=seq)
        for end in (rec.ActivityCompleted, rec.ActivityFailed, rec.ActivityCanceled):
            yield msg.EndActivity(run=head.run, started=state.started, end=end(scheduled=seq))
        yield msg.Heartbeat(run=head.run, scheduled=seq, started=state.started)
        yield msg.ReleaseActivity(run=head.run, scheduled=seq, started=state.started, work=work)
    for seq in (*head.children, *head.letters):
        yield msg.ChildStarted(run=head.run, initiated=seq)
        yield msg.ChildClosed(run=head.run, initiated=seq, status="completed")
        yield msg.Delivered(run=head.run, initiated=seq)
        yield msg.Undelivered(run=head.run, initiated=seq, cause="X")


def steps(head: Head | None, decided: list[rec.Initiating]) -> Iterator[tuple[str, float, msg.Message]]:
    """Every next step: its name, its time, its message. A deadline is a step when it is the next one."""
    now = 0.0 if head is None else head.time
    for message in messages(head, decided):
        yield _name(message), now, message
    if head is not None and (due := sorted(deadlines(head), key=lambda item: item[0])):
        yield f"{due[0][1]} timeout".replace("timer timeout", "a timer"), due[0][0], msg.Wake()


def _name(message: msg.Message) -> str:
    if isinstance(message, msg.AnswerDecision) and message.decisions:
        closes = isinstance(message.decisions[0], rec.CLOSES)
        return type(message.decisions[0]).__name__ if closes else "AnswerDecision"
    return type(message).__name__


# -- the states, and how steps lead from one to another ----------


def explore(decided: list[rec.Initiating]) -> Iterator[tuple[Head | None, str, msg.Message, Draft]]:
    """Every step from every state that differs in what the diagrams show, breadth first."""
    seen = {_shape(None)}
    waiting: list[Head | None] = [None]
    while waiting:
        head = waiting.pop(0)
        for name, now, message in steps(head, decided):
            draft = Draft(head, now, LIMITS)
            try:
                apply(draft, message)
            except WorkflowError:
                continue
            yield head, name, message, draft
            after = draft.current
            if after is not None and (shape := _shape(after)) not in seen:
                seen.add(shape)
                waiting.append(after)


def _shape(head: Head | None) -> Any:
    if head is None:
        return None
    activities = sorted(
        (bool(a.started), a.cancel, [a.by is None, a.close_by is None, a.beat_by is None, a.execution_timeout is None])
        for a in head.activities.values()
    )
    children = sorted({child.running for child in head.children.values()})
    decision = head.decision
    state = (head.status, decision.state, decision.again, head.timeout, decision.attempts, decision.refusals)
    return repr((state, activities, sorted(head.timers), children, sorted(set(head.letters.values()))))


def process_state(head: Head | None) -> str:
    return "[*]" if head is None else head.status


def decision_state(head: Head | None) -> str:
    if head is None or not head.open:
        return "[*]"
    return "blocked" if head.status == "blocked" else head.decision.state


def edges() -> dict[str, Edges]:
    """For each diagram, its edges with their labels."""
    drawn: dict[str, Edges] = {name: defaultdict(set) for name in DIAGRAMS}
    met: set[type] = set()
    for head, name, message, draft in chain.from_iterable(explore(decided) for decided in SCENARIOS):
        met |= {type(message), *(type(record) for record in getattr(message, "decisions", ()))}
        for diagram, state in (("process", process_state), ("decision", decision_state)):
            for before, label, after in _moves(head, name, draft, state):
                drawn[diagram][before, after].add(label)
        for diagram in ("activity", "timer", "child"):
            for before, label, after in _things(diagram, head, draft):
                drawn[diagram][before, after].add(label)
    missing = {type.__name__ for type in (*STEP.HANDLERS, *decisions.APPLY) if type not in met}
    if missing:
        raise SystemExit(f"make_diagrams never tried {', '.join(sorted(missing))}: add them to its scenarios")
    return drawn


def _moves(
    head: Head | None, name: str, draft: Draft, state: Callable[[Head | None], str]
) -> Iterator[tuple[str, str, str]]:
    before, after = state(head), state(draft.current)
    if draft.archived is not None and head is not None:
        yield before, name, state(draft.archived)
        yield state(draft.archived), "the next run", after
    elif before != after:
        yield before, name, after


PLACES = {"activity": "activities", "timer": "timers", "child": "children"}


def _things(diagram: str, head: Head | None, draft: Draft) -> Iterator[tuple[str, str, str]]:
    """How each activity, timer or child moved, labeled with the events that say so."""
    old = draft.archived if draft.archived is not None else draft.current
    before = {} if head is None else getattr(head, PLACES[diagram])
    after = {} if old is None else getattr(old, PLACES[diagram])
    for key in sorted({*before, *after}, key=str):
        was = _state(diagram, before[key]) if key in before else "[*]"
        events = [type(record).__name__ for _, seq, record in draft.written if _names(record, seq, key, before)]
        end = _END.get(events[-1], "") if events else "dropped"
        now = _state(diagram, after[key]) if key in after else end
        if now != was:
            yield was, " + ".join(events) or "the process closes", now


def _state(diagram: str, thing: Any) -> str:
    if diagram == "activity":
        return "started" if thing.started else "scheduled"
    return ("running" if thing.running else "initiated") if diagram == "child" else "running"


def _names(record: rec.Record, seq: int, key: Any, before: dict[Any, Any]) -> bool:
    """Is this record about the thing with this key?"""
    if seq == key or key in (getattr(record, "scheduled", 0), getattr(record, "initiated", 0)):
        return True
    if isinstance(record, rec.ActivityCancelRequested):
        return key in before and record.id == getattr(before[key], "id", None)
    if isinstance(record, rec.TimerFired):
        return key in before and record.started == getattr(before[key], "started", None)
    return isinstance(record, rec.TimerStarted | rec.TimerCanceled) and record.id == key


_END = {
    "ActivityCompleted": "completed",
    "ActivityFailed": "failed",
    "ActivityCanceled": "canceled",
    "ActivityTimedOut": "timedout",
    "TimerFired": "fired",
    "TimerCanceled": "canceled",
    "ChildClosed": "closed",
    "DecisionRefused": "refused",
}

# -- drawing ----------

DIAGRAMS = {
    "process": "A process. The edges are what is said to it, decisions that close it, and its timeout.",
    "decision": "The decision task of an open process: at most one. The edges are messages and deadlines.",
    "activity": "An activity. The edges are the events that record them.",
    "timer": "A timer.",
    "child": "A child, as its parent's history tells it.",
}
INTRO = """# The state machine

Drawn by `python docs/make_diagrams.py` from what `pyworkflow.engine.machine` does; a test sees to it that this file is
up to date. Do not edit it.
"""


def page() -> str:
    """The whole file."""
    drawn = edges()
    return INTRO + "".join(f"\n## {name.capitalize()}\n\n{DIAGRAMS[name]}\n\n{_mermaid(drawn[name])}" for name in drawn)


def _mermaid(edges: Edges) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    for (before, after), labels in sorted(edges.items()):
        lines.append(f"    {before} --> {after}: {', '.join(sorted(labels))}")
    return "\n".join([*lines, "```", ""])


if __name__ == "__main__":
    FILE.write_text(page())
