"""Whatever a backend's history says can be told in SWF's words: the backend suite, and after each test all its runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.validate import ParamValidator

from pyworkflow.backend import Backend, ProcessFilter
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.exceptions import BackendUnavailable, CorruptRecord
from pyworkflow.testing import BackendSuite
from pyworkflow_swfserver.endpoint import Endpoint
from pyworkflow_swfserver.executions import OPERATIONS
from tests.swf.model import service, unknown

from .support import attributes

REFERENCES: dict[tuple[str, str], str] = {
    ("DecisionTask", "scheduledEventId"): "DecisionTaskScheduled",
    ("DecisionTask", "startedEventId"): "DecisionTaskStarted",
    ("ActivityTask", "scheduledEventId"): "ActivityTaskScheduled",
    ("ActivityTask", "startedEventId"): "ActivityTaskStarted",
    ("ActivityTask", "latestCancelRequestedEventId"): "ActivityTaskCancelRequested",
    ("Timer", "startedEventId"): "TimerStarted",
    ("ChildWorkflowExecution", "initiatedEventId"): "StartChildWorkflowExecutionInitiated",
    ("ChildWorkflowExecution", "startedEventId"): "ChildWorkflowExecutionStarted",
    ("StartChildWorkflowExecutionFailed", "initiatedEventId"): "StartChildWorkflowExecutionInitiated",
    ("SignalExternalWorkflowExecutionFailed", "initiatedEventId"): "SignalExternalWorkflowExecutionInitiated",
    ("ExternalWorkflowExecutionSignaled", "initiatedEventId"): "SignalExternalWorkflowExecutionInitiated",
    ("RequestCancelExternalWorkflowExecutionFailed", "initiatedEventId"):
        "RequestCancelExternalWorkflowExecutionInitiated",
    ("ExternalWorkflowExecutionCancelRequested", "initiatedEventId"): "RequestCancelExternalWorkflowExecutionInitiated",
    ("", "decisionTaskCompletedEventId"): "DecisionTaskCompleted",
}  # fmt: skip
"""What an event refers to, by the beginning of its type and the member that does."""
MAY_BE_NONE = {
    *((f"ActivityTask{end}", "startedEventId") for end in ("Canceled", "TimedOut")),
    ("StartChildWorkflowExecutionFailed", "initiatedEventId"),
    ("SignalExternalWorkflowExecutionFailed", "initiatedEventId"),
    ("MarkerRecorded", "decisionTaskCompletedEventId"),
}
"""0 where what ended had not begun, what was refused was never sent, or nobody decided on what is noted."""


def check(events: list[dict[str, Any]]) -> None:
    """A history as SWF could have written it."""
    types = {0: ""}
    tasks = ""
    for number, event in enumerate(events, 1):
        kind = event["eventType"]
        types[number] = kind
        assert event["eventId"] == number
        assert not ParamValidator().validate(event, service().shape_for("HistoryEvent")).has_errors()
        assert not list(unknown(service().shape_for("HistoryEvent"), event))
        for member, value in attributes(event).items():
            for (beginning, name), referred in REFERENCES.items():
                if name == member and kind.startswith(beginning):
                    assert value or (kind, member) in MAY_BE_NONE, event
                    assert not value or (value < number and types[value] == referred), event
        if kind.startswith("DecisionTask"):
            tasks += {"Scheduled": "s", "Started": "t", "Completed": "c", "TimedOut": "o"}[kind[12:]]
    assert types[1] == "WorkflowExecutionStarted"
    _check_decision_tasks(tasks)


def _check_decision_tasks(tasks: str) -> None:
    """At most one is scheduled and one started; what is started was scheduled, what ends was started."""
    scheduled = started = 0
    for letter in tasks:
        scheduled += (letter == "s") - (letter == "t")
        started += (letter == "t") - (letter in "co")
        assert scheduled in (0, 1) and started in (0, 1), tasks


class TestHistoriesInTheirWords(BackendSuite):
    def make_backend(self, clock: Callable[[], float], tmp_path: Path) -> Backend:
        return MemoryBackend(clock)

    @pytest.fixture(autouse=True)
    def _told(self, _open: None) -> Iterator[None]:
        yield
        with suppress(BackendUnavailable):  # after tests that closed it
            runs = self.backend.list_processes(ProcessFilter(status="all"), 1_000).processes
            endpoint = Endpoint(self.backend)
            for run in runs:
                with suppress(CorruptRecord):  # after tests that damaged it
                    check(self.read(endpoint, str(run.id), str(run.run)))

    def read(self, endpoint: Endpoint, id: str, run: str) -> list[dict[str, Any]]:
        if id.startswith("~"):
            return []
        request = {"domain": "default", "execution": {"workflowId": id, "runId": run}, "maximumPageSize": 1_000}
        page = OPERATIONS["GetWorkflowExecutionHistory"](endpoint, request)
        found: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(page["events"]))
        assert found[-1]["eventId"] <= 1_000
        return found
