"""A run as its history tells it, pyworkflow's own words included: what a decider sees, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pyworkflow import events as ev
from pyworkflow.exceptions import CorruptRecord, WorkflowError
from pyworkflow.process import Process
from pyworkflow_swf import ForeignEvent, Reader
from pyworkflow_swf.kinds import WAKING
from pyworkflow_swf.reading import moment

from .payloads import SwfTexts

Attributes = Mapping[str, Any]


class HandedBack(Struct):
    """An activity that a worker handed back: to be scheduled again when it is `due`, by a timer where that is later."""

    scheduled: int
    attributes: dict[str, Any]
    delay: float
    timing: bool = False
    due: bool = False


class Child(Struct):
    """A child that has not ended, as far as its parent heard; `run` is None until it runs."""

    id: str
    policy: str
    run: str | None = None


class Run(Reader):
    """What is known of a run, grown as events come in.

    `blocked` is why its decider is not asked; `failures` and `timeouts` count decisions in a row that were not
    answered; `waiting` and `waited` say whether a pause before the next one is on, or over. `part` is the start of an
    answer that is not whole yet, and how many of its decisions are there; `starts` are the numbers of all starts of
    decisions.
    """

    texts: SwfTexts

    def __init__(self, texts: SwfTexts, own: Mapping[str, Any], id: str, run: str) -> None:
        super().__init__(texts, own)
        self.id, self.run = id, run
        self.blocked: tuple[str, Any] | None = None
        self.failures = self.timeouts = 0
        self.waiting = self.waited = False
        self.part: tuple[int, int] | None = None
        self.handed_back: dict[str, HandedBack] = {}
        self.activities: dict[int, Attributes] = {}
        self.children: dict[int, Child] = {}
        self.cancel_requested = False
        self.cause = ""
        self.requests: set[str] = set()
        self.cancel_details: Any = None
        self.cancels_sent: dict[str, Any] = {}
        self.own_signals: set[int] = set()
        self.scheduled = self.taken = False
        self.starts: list[int] = []
        self._completed = False
        self._refusals = 0
        self._refused = False

    def append(self, event: Attributes) -> None:
        """Read one event. Raises CorruptRecord for what only looks like a word of ours, PayloadError."""
        if self._completed and event["eventType"] != "MarkerRecorded":
            self.answer()
        try:
            super().append(event)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, WorkflowError):
                raise
            what = f"event {event['eventId']}, {event['eventType']}, of process {self.id!r}, run {self.run}"
            raise CorruptRecord(f"{what} cannot be read: {type(error).__name__}: {error}") from error

    def settle(self) -> None:
        """The history ends here: an answer of which nothing came was an empty one."""
        if self._completed:
            self.answer()

    # -- answers, and what was refused of them ----------

    def complete(self) -> None:
        """An answer has come, a decider's or ours: its first event tells."""
        self._completed = True

    def answer(self) -> None:
        """It is a decider's."""
        self._completed = False
        self.failures = self.timeouts = 0
        self._refusals, self._refused = self.refusals, False

    def own_answer(self, completed: int | None) -> None:
        """It is ours."""
        self._completed = False
        self.answered(completed)

    def refuse(self, cause: str) -> None:
        """A decision was refused; an answer with several of those counts once."""
        if not self._refused:
            self._refused = True
            self._refusals += 1
        self.waited, self.cause = False, cause

    @property
    def refusals(self) -> int:
        """How many answers in a row, the last one included, had decisions that were refused."""
        return self._refusals if self._refused else 0

    def fail(self) -> None:
        self.failures, self.waited = self.failures + 1, False

    def time_out(self) -> None:
        self.timeouts, self.waited = self.timeouts + 1, False

    def resume(self) -> None:
        self.blocked, self._refused = None, False
        self.failures = self.timeouts = self._refusals = 0

    # -- what a decider is shown ----------

    def process(self, until: int | None = None) -> Process:
        """The process, with its history up to an event."""
        started, events = self.started, self.events
        if until is not None:
            events = [event for event in events if (event.id or 0) <= until]
        parent = (started.get("parentWorkflowExecution") or {}).get("workflowId")
        kind = started.get("workflowType") or {}
        return Process(
            kind.get("name"), self.id, self.texts.load(started.get("input")), started.get("tagList") or (),
            events, parent, run=self.run, status=self.status, version=kind.get("version"),
        )  # fmt: skip

    @property
    def decision(self) -> str:
        """How the decision task stands: started, scheduled or idle."""
        return "started" if self.taken else "scheduled" if self.scheduled else "idle"

    @property
    def status(self) -> str:
        if self.result is not None:
            return self.result.type
        return "running" if self.blocked is None else "blocked"

    @property
    def request(self) -> str:
        """The id of the request that started the process."""
        return self.texts.request(self.started.get("input"))

    def news(self, since: int = 0) -> bool:
        """Is there anything after an event that wakes a decider, and that none has answered?"""
        unseen = (event for event in Process(history=self.events).unseen_events() if (event.id or 0) > since)
        return any(event.type in WAKING or isinstance(event, ForeignEvent) for event in unseen)

    # -- what is made of pyworkflow's own words ----------

    def show(self, event: Attributes, cls: type[ev.Event], **values: Any) -> bool:
        """Show an event of ours for one of SWF's."""
        self.events.append(cls(**values, datetime=moment(event["eventTimestamp"]), id=event["eventId"]))
        return True

    def forget_start(self) -> None:
        """The decision task was none of the decider's business."""
        for index in range(len(self.events) - 1, -1, -1):
            if isinstance(self.events[index], ev.DecisionStartedEvent):
                del self.events[index]
                return

    def last_start(self) -> int:
        """The number of the last decision start that a decider is shown."""
        starts = (event.id or 0 for event in reversed(self.events) if isinstance(event, ev.DecisionStartedEvent))
        return next(starts, 0)
