"""A process under test: messages go in, and what each did comes out as lines of text that tables can hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw, Struct

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import Head, Limits
from pyworkflow.engine.machine import Draft, apply
from pyworkflow.engine.pack import pack
from pyworkflow.exceptions import WorkflowError


@dataclass
class Said:
    """What one message did: new events, changed tasks (None: one is gone), letters by key, and what its sender sees."""

    events: list[str]
    tasks: dict[str, str | None]
    letters: dict[str, msg.Letter]
    reply: Any = None
    error: WorkflowError | None = None


@dataclass
class Case:
    """A row of a table: after `given`, `say` at `at` brings `events` and changes `tasks`; `head` is what then holds.

    A step is a message, or a pair of the time and a message; times are seconds after the first one.
    """

    name: str
    given: list[Any]
    say: Any
    events: list[str] = field(default_factory=list)
    tasks: dict[str, str | None] = field(default_factory=dict)
    at: float | None = None
    reply: Any = None
    error: type[WorkflowError] | None = None
    head: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def check(self) -> None:
        process = Machine(self.limits)
        process.say(*self.given)
        said = process.say(self.say if self.at is None else (self.at, self.say))
        assert said.events == self.events
        assert said.tasks == self.tasks
        assert said.reply == self.reply
        assert type(said.error) is (self.error or type(None)), said.error
        for path, value in self.head.items():
            assert process.look(path) == value, path


def table(cases: list[Case]) -> dict[str, Any]:
    """The keyword arguments of `pytest.mark.parametrize` for these rows."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    return {"argnames": "case", "argvalues": cases, "ids": names}


class Machine:
    """One process through all its steps: its tasks by key, and all its events as (run, number, text) in `seen`."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.head: Head | None = None
        self.now = 0.0
        self.tasks: dict[str, Any] = {}
        self.seen: list[tuple[str, int, str]] = []

    def say(self, *steps: Any) -> Said:
        """Say one thing after the other, each in a step of its own; what the last one did."""
        said = Said([], {}, {})
        for item in steps:
            self.now, message = item if isinstance(item, tuple) else (self.now, item)
            said = self._step(fresh(message))
        return said

    def _step(self, message: msg.Message) -> Said:
        said = Said([], {}, {})
        draft = Draft(self.head, self.now, self.limits)
        try:
            said.reply = apply(draft, message)
        except WorkflowError as error:
            said.error = error
        said.events = [show(record) for _, _, record in draft.written]
        if draft.current is not None and draft.changed:
            self.seen += [(run, seq, show(record)) for run, seq, record in draft.written]
            said.letters = {key: task.body for key, task in draft.tasks.items() if task and _is_letter(task.body)}
            commit = pack(draft)
            said.tasks = {key: None for key in commit.remove if self.tasks.pop(key, None)}
            said.tasks |= {task.key: _place(task) for task in commit.add}
            self.tasks |= {task.key: task for task in commit.add}
            self.head = draft.current
        return said

    def look(self, path: str) -> Any:
        """A part of the head: `decision.state`, `activities.3.by`; `len timers` counts."""
        value: Any = self.head
        count = path.startswith("len ")
        for name in path.removeprefix("len ").split("."):
            value = value[_key(value, name)] if isinstance(value, dict) else getattr(value, name)
        return len(value) if count else value


def _is_letter(body: object) -> bool:
    return isinstance(body, msg.Letter)


def _key(values: dict[Any, Any], name: str) -> Any:
    return int(name) if name.isdecimal() and name not in values else name


def _place(task: Any) -> str:
    return f"{task.queue} @{task.due:g}" + (f" !{task.priority}" if task.priority else "")


def fresh(message: Any) -> Any:
    """A copy that a step may write to; payloads stay the objects that they are."""
    copy = message.__copy__()
    if isinstance(copy, msg.AnswerDecision):
        copy.decisions = [record.__copy__() for record in copy.decisions]
    elif isinstance(copy, msg.EndActivity):
        copy.end = copy.end.__copy__()
    return copy


def show(record: rec.Record) -> str:
    """A record as a line: its type, then what differs from the defaults; the time is left out."""
    info = msgspec.structs.fields(record)
    words = [type(record).__struct_config__.tag]
    for item in info:
        value = getattr(record, item.name)
        if item.name != "time" and not _is_default(item, value):
            words.append(f"{item.name}={_text(value)}")
    return " ".join(words)


def _is_default(item: msgspec.structs.FieldInfo, value: Any) -> bool:
    if isinstance(value, Raw):
        return bytes(value) in (b"", b"null")
    if item.default_factory is not msgspec.NODEFAULT:
        return value == item.default_factory()
    return value == item.default


def _text(value: Any) -> str:
    if isinstance(value, Raw):
        return bytes(value).decode()
    if isinstance(value, rec.Initiating):
        return f"<{show(value)}>"
    if isinstance(value, Struct):
        return ":".join(map(str, msgspec.structs.astuple(value)))
    return str(value)


# -- messages, with the values that most rows share: process p, runs r1, r2 … ----------


def start(run: str = "r1", **options: Any) -> msg.Start:
    options = {"process": "p", "workflow": "W", "version": "1", "category": "c"} | options
    return msg.Start(run=run, **options)


def take(run: str = "r1", **options: Any) -> msg.TakeDecision:
    return msg.TakeDecision(run=run, **options)


def answer(*decisions: rec.Initiating, started: int = 2, run: str = "r1", **options: Any) -> msg.AnswerDecision:
    return msg.AnswerDecision(run=run, started=started, decisions=list(decisions), **options)


def fail(started: int = 2, run: str = "r1", **options: Any) -> msg.FailDecision:
    return msg.FailDecision(run=run, started=started, **({"reason": "bug"} | options))


def begin(scheduled: int = 3, run: str = "r1") -> msg.TakeActivity:
    return msg.TakeActivity(run=run, scheduled=scheduled)


def end(kind: type[rec.ActivityEnd], scheduled: int = 3, started: int = 4, **options: Any) -> msg.EndActivity:
    return msg.EndActivity(run="r1", started=started, end=kind(scheduled=scheduled, **options))


def done(scheduled: int = 3, started: int = 4, **options: Any) -> msg.EndActivity:
    return end(rec.ActivityCompleted, scheduled, started, **options)


def beat(scheduled: int = 3, started: int = 4, **options: Any) -> msg.Heartbeat:
    return msg.Heartbeat(run="r1", scheduled=scheduled, started=started, **options)


def activity(id: str = "a", **options: Any) -> rec.ActivityScheduled:
    return rec.ActivityScheduled(id=id, **({"activity": "A", "version": "1", "category": "w"} | options))


def child(process: str = "k", child_policy: str = "ABANDON", **options: Any) -> rec.ChildInitiated:
    options = {"workflow": "K", "version": "1", "category": "c"} | options
    return rec.ChildInitiated(process=process, child_policy=child_policy, **options)


def timer(id: str = "t", delay: float = 5.0, **options: Any) -> rec.TimerStarted:
    return rec.TimerStarted(id=id, delay=delay, **options)


WAKE = msg.Wake()
D = "decision/c @{:g}".format
