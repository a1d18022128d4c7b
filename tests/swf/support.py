"""A backend over the endpoint in the same program, and short ways to work on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.decision import Decision
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask
from pyworkflow.testing import VirtualClock

from .inside import Inside


class Desk:
    """A backend with workflow W and activity A, a clock, and the endpoint in sight."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.swf = Inside(self.clock)
        self.backend = AmazonSWFBackend(domain="test", client=self.swf, **options)
        self.backend.register_workflow("W")
        self.backend.register_activity("A", "default", None, None, None)

    def close(self) -> None:
        self.backend.close()
        self.swf.close()

    def another(self, **options: Any) -> AmazonSWFBackend:
        """Another machine's backend, which remembers nothing."""
        other = AmazonSWFBackend(domain="test", client=self.swf, **options)
        other.register_activity("A", "default", None, None, None)
        return other

    def start(self, **options: Any) -> None:
        self.backend.start_process(Process("W", "p", options.pop("input", None)), **options)

    def open(self, backend: AmazonSWFBackend | None = None) -> DecisionTask:
        task = (backend or self.backend).poll_decision_task()
        assert task is not None
        return task

    def decide(self, *decisions: Decision) -> DecisionTask:
        task = self.open()
        self.backend.complete_decision_task(task, decisions)
        return task

    def take(self) -> ActivityTask:
        task = self.backend.poll_activity_task()
        assert task is not None
        return task

    def idle(self) -> bool:
        return self.backend.poll_decision_task() is None

    def types(self) -> list[str]:
        return [event.type for event in self.backend.process_by_id("p").history]

    def kinds(self) -> list[str]:
        """The types of SWF's events."""
        return [event["eventType"] for event in self.swf.events("p", str(self.backend.process_by_id("p").run))]

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.swf.calls if name == operation]


@pytest.fixture
def desk_with() -> Iterator[Callable[..., Desk]]:
    """Makes desks whose backends have options."""
    with ExitStack() as desks:
        yield lambda **options: desks.enter_context(closing(Desk(**options)))


@pytest.fixture
def desk(desk_with: Callable[..., Desk]) -> Desk:
    return desk_with()
