"""The bench of the backend suite: a fresh backend on a virtual clock for each test, and short ways to work on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ..activity import ActivityCompleted, ActivityResult
from ..backend import Backend
from ..decision import Decision, ScheduleActivity
from ..events import DecisionEvent, Event
from ..process import Process
from ..task import ActivityTask, DecisionTask
from .clock import VirtualClock

TICK = 2.0**-10
"""A length of time that a float adds exactly: just before a deadline is `deadline - TICK`."""

AnyEvent = TypeVar("AnyEvent", bound=Event)


class BackendBench:
    """What a backend's tests stand on. Override `make_backend`.

    Workflow W decides in category "default". Activity A, category "default", has no timeouts of its own.
    """

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        """An empty backend whose time is `clock()`; `tmp_path` is a directory of this test's own."""
        raise NotImplementedError("a BackendSuite needs make_backend")

    @pytest.fixture(autouse=True)
    def _open(self, tmp_path: Path) -> Iterator[None]:
        self.clock = VirtualClock()
        self.backend = self.make_backend(self.clock, tmp_path)
        self.backend.register_workflow("W")
        self.backend.register_activity("A", "default", None, None, None)
        yield
        self.backend.close()
        vars(self).clear()  # pytest keeps the instances of all tests.

    # -- users ----------

    def start(self, id: str | None = "p", workflow: str = "W", input: Any = None, **options: Any) -> str:
        tags = options.pop("tags", None)
        version = options.pop("version", None)
        process = Process(workflow, id, input, tags, version=version)
        return self.backend.start_process(process, **options)

    def status(self, id: str = "p") -> str | None:
        return self.backend.process_by_id(id).status

    def types(self, id: str = "p") -> list[str]:
        """The types of all events, in order."""
        return [event.type for event in self.backend.process_by_id(id).history]

    def events(self, kind: type[AnyEvent], id: str = "p") -> list[AnyEvent]:
        """All events of one kind."""
        return [event for event in self.backend.process_by_id(id).history if isinstance(event, kind)]

    def last(self, kind: type[AnyEvent], id: str = "p") -> AnyEvent:
        return self.events(kind, id)[-1]

    def decision(self, id: str = "p") -> Any:
        """The last decision that was applied."""
        return self.last(DecisionEvent, id).decision

    # -- workers ----------

    def open_decision(self, category: str = "default") -> DecisionTask:
        """Take the decision task that must be there."""
        task = self.backend.poll_decision_task(category)
        assert task is not None, f"no decision task in category {category}"
        return task

    def decide(self, *decisions: Decision, category: str = "default") -> DecisionTask:
        """Take the next decision task and answer it."""
        task = self.open_decision(category)
        self.backend.complete_decision_task(task, decisions)
        return task

    def idle(self, category: str = "default") -> bool:
        """Is there nothing to decide?"""
        return self.backend.poll_decision_task(category) is None

    def take(self, category: str = "default") -> ActivityTask:
        """Take the activity task that must be there."""
        task = self.backend.poll_activity_task(category)
        assert task is not None, f"no activity task in category {category}"
        return task

    def no_activity(self, category: str = "default") -> bool:
        return self.backend.poll_activity_task(category) is None

    def perform(self, result: ActivityResult | Any = None, category: str = "default") -> ActivityTask:
        """Take the next activity and end it, with an ActivityResult or a value."""
        task = self.take(category)
        end = result if isinstance(result, ActivityResult) else ActivityCompleted(result)
        self.backend.complete_activity_task(task, end)
        return task

    def begin(self, id: str = "p", **options: Any) -> ActivityTask:
        """Start a process, schedule activity A under the id "a", and take it."""
        self.start(id)
        self.decide(ScheduleActivity("A", "a", **options))
        return self.take(options.get("category") or "default")

    # -- errors ----------

    def refused(self, error: type[Exception], *calls: Callable[[], object]) -> None:
        """Each of these calls raises this error."""
        for call in calls:
            with pytest.raises(error):
                call()

    # -- time ----------

    def settle(self) -> None:
        """Let what is due happen, letters between processes included."""
        self.backend.exchange()

    def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, with somebody polling all the while."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.advance_to(min(self.clock.now + 0.125, end))
            self.settle()
