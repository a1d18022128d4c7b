"""The backend suite's benches for Amazon SWF: over moto and over the endpoint, in virtual time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pyworkflow.backend import ProcessFilter
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.events import DecisionEvent, Event, ProcessTerminatedEvent
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow.testing import BackendSuite
from pyworkflow_amazonswf.types import LONGEST_RUN
from tests.servers.moto import KEYS, at_the_time_of

from .gaps import difference_for, reason_for
from .inside import Inside


class Kept:
    """A PayloadStore in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        key = uuid4().hex
        self.kept[key] = data
        return key

    def get(self, key: str) -> bytes:
        return self.kept[key]


class OnAmazonSWF(BackendSuite):
    """What the suite means by "for ever" is a year on SWF."""

    def start(self, *args: Any, **options: Any) -> str:
        if options.get("timeout") == 1e9:
            options["timeout"] = LONGEST_RUN
        return super().start(*args, **options)


class OnMoto(OnAmazonSWF):
    """Set `url` to where moto is."""

    url: str
    client: Any = None

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        if (why := reason_for(request)) is not None:
            pytest.skip(why)

    @pytest.fixture(autouse=True)
    def _moto(self, _gap: None) -> Iterator[None]:
        self.times: list[Callable[[], float]] = []
        with at_the_time_of(lambda: self.times[0]()):
            yield

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        self.times.append(clock)
        if OnMoto.client is None:  # making one takes a while
            OnMoto.client = AmazonSWFBackend(**KEYS, endpoint_url=self.url).service.client("polls")
        return AmazonSWFBackend(
            domain=uuid4().hex, client=OnMoto.client, ensure_domain=True, payload_store=Kept(), patience=5
        )


class OnTheEndpoint(OnAmazonSWF):
    """In the same process, over the endpoint. After each test, what was told is what happened before the last decision
    was taken, and how it ended where that was our doing."""

    @pytest.fixture(autouse=True)
    def _difference(self, request: pytest.FixtureRequest) -> Iterator[None]:
        if (why := difference_for(request)) is not None:
            pytest.skip(why)
        with ExitStack() as self.servers:
            yield

    @pytest.fixture(autouse=True)
    def _compare(self, _difference: None, _open: None) -> Iterator[None]:
        yield
        with suppress(BackendUnavailable):  # after tests that closed it
            self.compare()

    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> AmazonSWFBackend:
        self.swf = self.servers.enter_context(closing(Inside(clock)))
        backend = AmazonSWFBackend(
            domain="test", client=self.swf, payload_store=Kept(), patience=5, decisions_per_answer=10_000
        )
        self.heard: dict[tuple[str, str], list[Event]] = {}
        backend.watch(lambda process, events: self.heard.setdefault((process.id, process.run), []).extend(events))
        return backend

    def compare(self) -> None:
        for run in self.backend.list_processes(ProcessFilter(status="all"), 1_000).processes:
            key = (str(run.id), str(run.run))
            theirs, history = self.swf.events(*key), self.backend.history(run)
            starts = [event["eventId"] for event in theirs if event["eventType"] == TAKEN]
            until = math.inf if ended_by_us(theirs[-1], history[-1]) else max(starts, default=0)
            told = [(event.id, event.type) for event in self.heard.pop(key, [])]
            assert told == [(event.id, event.type) for event in history if (event.id or 0) <= until]
        assert self.heard == {}


TAKEN = "DecisionTaskStarted"


def ended_by_us(theirs: dict[str, Any], last: Event) -> bool:
    """Is it the end of a run, and not SWF's own doing?"""
    if isinstance(last, ProcessTerminatedEvent):
        return bool(theirs["workflowExecutionTerminatedEventAttributes"]["cause"] == "OPERATOR_INITIATED")
    return isinstance(last, DecisionEvent) and last.decision.closes
