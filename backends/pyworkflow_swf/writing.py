"""Our histories as SWF's: each event with its number, the decision tasks that SWF tells of, and what refers to what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from pyworkflow import decision as dec
from pyworkflow import defaults
from pyworkflow import events as ev

from .decisions import split
from .kinds import WAKING, event_attributes
from .values import EVENTS_SIDE, TIMEOUT, Texts

Attributes = dict[str, Any]


class Start(NamedTuple):
    """What a run was started with; events of ours do not repeat it. Timeouts in seconds, None for no limit."""

    workflow: str
    version: str = defaults.WORKFLOW_VERSION
    input: Any = None
    tags: tuple[str, ...] = ()
    category: str = defaults.DECISION_CATEGORY
    timeout: float | None = defaults.WORKFLOW_TIMEOUT
    decision_timeout: float | None = defaults.DECISION_TIMEOUT
    priority: int = 0
    child_policy: str = defaults.CHILD_POLICY
    parent: str | None = None
    parent_run: str | None = None
    parent_initiated: int = 0
    continued_run: str | None = None


class Transcript:
    """The history of one run in SWF's words, grown as our events come in; what was written never changes.

    `rows` write an event each, by its type: those of the Writer.

    `run_of` gives the current run of another process by its id, `next_run` the one that this run continued as: SWF's
    events name them, ours do not.
    """

    rows: Mapping[type[ev.Event], Callable[[Any, Any], None]] = {}

    def __init__(
        self,
        start: Start,
        texts: Texts,
        run_of: Callable[[str], str] = lambda id: "unknown",
        next_run: Callable[[], str] = lambda: "unknown",
    ) -> None:
        self.start = start
        self.texts = texts
        self.run_of = run_of
        self.next_run = next_run
        self.events: list[Attributes] = []
        self.places: dict[tuple[str, str], int] = {}
        self.sent: list[tuple[dec.Decision, int]] = []
        self.answers: dict[int, int] = {}  # by what was initiated: the number of the answer that did
        self.scheduled = self.taken = self.completed = 0
        self.open = self.woken = False
        self._time: Any = None

    def extend(self, events: Iterable[ev.Event]) -> list[Attributes]:
        """Write the events that follow, those that a decider is not shown included; what was added.

        Answers of deciders must come whole.
        """
        before = len(self.events)
        for event in events:
            self._time = event.datetime
            answers = self._answers(event)
            if not answers:
                self._schedule()
            elif self.open:
                self._complete()
            self.rows[type(event)](self, event)
            self.woken = self.woken or event.type in WAKING
            if not answers:
                self._schedule()
        self._schedule()
        return self.events[before:]

    def add(self, kind: str, attributes: Mapping[str, Any]) -> int:
        """Write an event; its number."""
        id = len(self.events) + 1
        attributes = {name: value for name, value in attributes.items() if value is not None}
        self.events.append(
            {"eventTimestamp": self._time, "eventType": kind, "eventId": id, event_attributes(kind): attributes}
        )
        return id

    def place(self, what: str, name: str) -> int:
        """The number of the event that a name stands for now, 0 where there is none."""
        return self.places.get((what, name), 0)

    def execution(self, process_id: str) -> Attributes:
        id, run = split(process_id)
        return {"workflowId": id, "runId": run or self.run_of(id)}

    # -- decision tasks ----------

    def _answers(self, event: ev.Event) -> bool:
        """Is it a part of what a decider answered?"""
        if isinstance(event, ev.DecisionRefusedEvent):
            return self.initiated(event.decision) == 0
        return isinstance(event, ev.DecisionEvent | ev.DecisionCompletedEvent)

    def initiated(self, decision: dec.Decision) -> int:
        """The number of the event by which this decision was sent to another process, 0 where it was not."""
        return next((id for sent, id in self.sent if sent is decision or sent == decision), 0)

    def _schedule(self) -> None:
        """Let the decider be asked, when something woke it and no task waits for it."""
        if self.woken and not self.scheduled:
            timeout = TIMEOUT.write(self.start.decision_timeout, self.texts, EVENTS_SIDE)
            about = {"taskList": {"name": self.start.category}, "startToCloseTimeout": timeout}
            priority = {"taskPriority": str(self.start.priority)} if self.start.priority else {}
            self.scheduled = self.add("DecisionTaskScheduled", {**about, **priority})
        self.woken = False

    def take(self) -> None:
        self.open, about = True, {"scheduledEventId": self.scheduled}
        self.places["decision", ""], self.scheduled = self.scheduled, 0
        self.taken = self.add("DecisionTaskStarted", about)

    def _complete(self) -> None:
        self.open = False
        self.completed = self.add("DecisionTaskCompleted", self._task())

    def time_out(self) -> None:
        """SWF knows no other way for a decision task to end unanswered."""
        self.open = False
        self.add("DecisionTaskTimedOut", {"timeoutType": "START_TO_CLOSE", **self._task()})

    def _task(self) -> Attributes:
        return {"scheduledEventId": self.place("decision", ""), "startedEventId": self.taken}
