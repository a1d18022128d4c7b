"""One run's history in SWF's words, as clients of a domain see it: the Writer's events, with what only SWF says."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pyworkflow import decision as dec
from pyworkflow import events as ev
from pyworkflow_swf import Start, Writer

from .names import Domain
from .texts import ExactTexts

ANSWER = "~swf.answer"
"""The marker that opens an answer which says more than its decisions do: `context`, and `more` attributes for some."""

_STARTS = ("ActivityTaskStarted", "DecisionTaskStarted")
_TYPES = ("taskList", "activityType", "workflowType")
_EXECUTIONS = ("workflowExecution", "parentWorkflowExecution")
Attributes = dict[str, Any]


class Scribe(Writer):
    """`pages` are the events in JSON, SWF's number 1 first, and `size` bytes; `seen` of our events they are made of.

    `started` has SWF's number for each of our starts of a decision or an activity; `before` the start of the decision
    that had been answered last before each start of a decision, 0 for none.
    """

    def __init__(
        self,
        start: Start,
        domain: Domain,
        run_at: Callable[[str, dt.datetime], str],
        next_run: Callable[[], str],
    ) -> None:
        super().__init__(start, ExactTexts(), self._run_now, next_run)
        self.lock = threading.Lock()
        self.pages: list[msgspec.Raw] = []
        self.size = 0
        self._marks: list[tuple[str, dt.datetime]] = []
        self.started: dict[int, int] = {}
        self.before: dict[int, int] = {}
        self.context: str | None = None
        self.latest_activity: float | None = None
        self._domain = domain
        self._run_at = run_at
        self._event = 0
        self._identity = ""
        self._answered = 0
        self._note: Mapping[str, Any] = {}
        self._place = 0
        self._controls: dict[int, Attributes] = {}

    def read_on(self, events: Sequence[ev.Event]) -> None:
        """Write the events that follow."""
        self.extend(self._plain(events))
        self._marks += map(_mark, events)

    @property
    def seen(self) -> int:
        return len(self._marks)

    def knows(self, event: ev.Event) -> bool:
        """Is it the one that was written under its number?"""
        return self._marks[(event.id or 0) - 1] == _mark(event)

    def _plain(self, events: Iterable[ev.Event]) -> Iterator[ev.Event]:
        """The events, without the marker that opens an answer: what it says is added to what the answer is made of."""
        for event in events:
            self._event = event.id or 0
            self._identity = getattr(event, "identity", "")
            note = note_of(event)
            if note is None:
                yield event
            else:
                self._note = note
                yield ev.DecisionCompletedEvent(datetime=event.datetime, id=event.id)

    def add(self, kind: str, attributes: Mapping[str, Any]) -> int:
        """Write an event; its number."""
        own = dict(attributes)
        if kind == "DecisionTaskCompleted":
            self._answered = own["startedEventId"]
            self._complete_with(own)
        elif own.get("initiatedEventId"):
            own |= self._controls.get(own["initiatedEventId"], {}) if kind.endswith("Failed") else {}
        elif "decisionTaskCompletedEventId" in own:
            own |= self._more(kind)
            self._place += 1
        if kind in _STARTS:
            own["identity"] = self._identity  # Though it may be none: clients such as simpleflow want it there.
        id = super().add(kind, self._outside(own))
        if "control" in own and kind.endswith("Initiated"):
            self._controls[id] = {"control": own["control"]}
        event = self.events[-1]
        event["eventTimestamp"] = event["eventTimestamp"].timestamp()
        if kind == "ActivityTaskScheduled":
            self.latest_activity = event["eventTimestamp"]
        if kind in _STARTS:
            self.started[self._event], self.before[id] = id, self._answered
        text = msgspec.json.encode(event)
        self.size += len(text)
        self.pages.append(msgspec.Raw(text))
        return id

    def _complete_with(self, attributes: Attributes) -> None:
        if self._note.get("event") != self._event:
            self._note = {}
        attributes["executionContext"] = context = self._note.get("context")
        self.context = context or self.context
        self._place = 0

    def _more(self, kind: str) -> Attributes:
        """What the answer says beside the decision whose event comes next; of a refused one SWF tells less."""
        more: Attributes = self._note.get("more", {}).get(str(self._place), {})
        if kind.endswith("Failed"):
            return {"control": more["control"]} if "control" in more and kind != "ScheduleActivityTaskFailed" else {}
        return more

    def _outside(self, attributes: Attributes) -> Attributes:
        """The same under the names that the domain's clients know."""
        outside = self._domain.outside
        for key in attributes.keys() & {*_TYPES}:
            attributes[key] = {**attributes[key], "name": outside(attributes[key]["name"])}
        for key in attributes.keys() & {*_EXECUTIONS}:
            attributes[key] = {**attributes[key], "workflowId": outside(attributes[key]["workflowId"])}
        if "workflowId" in attributes:
            attributes["workflowId"] = outside(attributes["workflowId"])
        if attributes.get("tagList"):
            attributes["tagList"] = [outside(tag) for tag in attributes["tagList"]]
        return attributes

    def _run_now(self, process: str) -> str:
        return self._run_at(process, self._time)


def _mark(event: ev.Event) -> tuple[str, dt.datetime]:
    return event.type, event.datetime


def note_of(event: ev.Event) -> Mapping[str, Any] | None:
    """What the marker that opens an answer says, None for every other event."""
    if not isinstance(event, ev.DecisionEvent) or not isinstance(event.decision, dec.RecordMarker):
        return None
    marker = event.decision
    return {**marker.details, "event": event.id} if marker.name == ANSWER else None
