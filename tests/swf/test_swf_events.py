"""SWF's events beside ours: all 54 types are read, and what is written in SWF's words is what its model says."""

from __future__ import annotations

from typing import Any

import pytest

import pyworkflow.activity as act
from pyworkflow import decision as dec
from pyworkflow import events as ev
from pyworkflow import process as proc
from pyworkflow.backend import ProcessFilter
from pyworkflow.signal import Signal
from pyworkflow_swf import ForeignEvent, JsonTexts, Reader, Start, Writer
from pyworkflow_swf.kinds import DECIDED, LAMBDA, REFUSED, event_attributes
from pyworkflow_swf.reading import READABLE
from pyworkflow_swf.written import WRITE

from .model import check, enum, members
from .scenes import Scene, played

TEXTS = JsonTexts()
PLAYED = dict(played())
EXECUTION = {"workflowId": "c", "runId": "r"}
TYPE = {"name": "W", "version": "1.0"}

# What later events refer to, by number.
BEFORE: list[tuple[str, dict[str, Any]]] = [
    ("WorkflowExecutionStarted", {"workflowType": TYPE, "input": "[1]", "taskList": {"name": "d"}}),
    ("DecisionTaskScheduled", {"taskList": {"name": "d"}}),
    ("DecisionTaskStarted", {"scheduledEventId": 2}),
    ("DecisionTaskCompleted", {"scheduledEventId": 2, "startedEventId": 3}),
    ("ActivityTaskScheduled", {"activityType": {"name": "A", "version": "1"}, "activityId": "a", "input": "2"}),
    ("TimerStarted", {"timerId": "t", "startToFireTimeout": "5", "control": "[3]"}),
    ("StartChildWorkflowExecutionInitiated", {"workflowId": "c", "workflowType": TYPE, "tagList": ["t"]}),
    ("SignalExternalWorkflowExecutionInitiated", {"workflowId": "q", "signalName": "s", "input": "4"}),
    ("RequestCancelExternalWorkflowExecutionInitiated", {"workflowId": "q"}),
    ("ActivityTaskStarted", {"scheduledEventId": 5}),
]
A = act.ActivityExecution("A", "a", 2)
CHILD = {"process_id": "c", "workflow": "W", "tags": ["t"]}
CHILD_ATTRIBUTES = {"workflowExecution": EXECUTION, "workflowType": TYPE, "initiatedEventId": 7, "startedEventId": 9}
ENDED = {"scheduledEventId": 5, "startedEventId": 10}
DONE = {"decisionTaskCompletedEventId": 4}

READ: list[tuple[str, dict[str, Any], ev.Event]] = [
    ("ActivityTaskStarted", {"scheduledEventId": 5}, ev.ActivityStartedEvent(activity_execution=A)),
    (
        "ActivityTaskCompleted",
        {**ENDED, "result": '{"n": 1}'},
        ev.ActivityEvent(activity_execution=A, result=act.ActivityCompleted({"n": 1})),
    ),
    (
        "ActivityTaskFailed",
        {**ENDED, "reason": "why", "details": "not json"},
        ev.ActivityEvent(activity_execution=A, result=act.ActivityFailed("why", "not json")),
    ),
    (
        "ActivityTaskTimedOut",
        {**ENDED, "timeoutType": "HEARTBEAT", "details": "1"},
        ev.ActivityEvent(activity_execution=A, result=act.ActivityTimedOut(1)),
    ),
    ("ActivityTaskCanceled", ENDED, ev.ActivityEvent(activity_execution=A, result=act.ActivityCanceled())),
    ("TimerFired", {"timerId": "t", "startedEventId": 6}, ev.TimerEvent(timer=dec.Timer(5, [3]))),
    ("ChildWorkflowExecutionStarted", CHILD_ATTRIBUTES, ev.ChildProcessStartedEvent(**CHILD)),
    (
        "ChildWorkflowExecutionCompleted",
        {**CHILD_ATTRIBUTES, "result": "1"},
        ev.ChildProcessEvent(result=proc.ProcessCompleted(1), **CHILD),
    ),
    (
        "ChildWorkflowExecutionFailed",
        {**CHILD_ATTRIBUTES, "reason": "why"},
        ev.ChildProcessEvent(result=proc.ProcessFailed("why"), **CHILD),
    ),
    (
        "ChildWorkflowExecutionCanceled",
        {**CHILD_ATTRIBUTES, "details": "1"},
        ev.ChildProcessEvent(result=proc.ProcessCanceled(1), **CHILD),
    ),
    (
        "ChildWorkflowExecutionTimedOut",
        CHILD_ATTRIBUTES,
        ev.ChildProcessEvent(result=proc.ProcessTimedOut(), **CHILD),
    ),
    (
        "ChildWorkflowExecutionTerminated",
        CHILD_ATTRIBUTES,
        ev.ChildProcessEvent(result=proc.ProcessTerminated(), **CHILD),
    ),
    (
        "ExternalWorkflowExecutionSignaled",
        {"initiatedEventId": 8, "workflowExecution": EXECUTION},
        ev.ProcessSignaledEvent(process_id="q", signal=Signal("s", 4)),
    ),
    (
        "ExternalWorkflowExecutionCancelRequested",
        {"initiatedEventId": 9, "workflowExecution": EXECUTION},
        ev.ProcessCancelRequestedEvent(process_id="q"),
    ),
    (
        "WorkflowExecutionSignaled",
        {"signalName": "s", "input": "plain", "externalInitiatedEventId": 0},
        ev.SignalEvent(signal=Signal("s", "plain")),
    ),
    ("WorkflowExecutionCancelRequested", {"externalInitiatedEventId": 0}, ev.CancelRequestedEvent()),
    ("WorkflowExecutionTimedOut", {"timeoutType": "START_TO_CLOSE"}, ev.ProcessTimedOutEvent()),
    (
        "WorkflowExecutionTerminated",
        {"reason": "why", "cause": "CHILD_POLICY_APPLIED"},
        ev.ProcessTerminatedEvent(reason="why", cause="CHILD_POLICY_APPLIED"),
    ),
    ("DecisionTaskTimedOut", {"scheduledEventId": 2, "startedEventId": 3}, ev.DecisionTimedOutEvent()),
    ("DecisionTaskStarted", {"scheduledEventId": 2}, ev.DecisionStartedEvent()),
    *((kind, {"id": "l"}, ForeignEvent(kind=kind, attributes={"id": "l"})) for kind in LAMBDA),
    ("SomethingNew", {"n": 1}, ForeignEvent(kind="SomethingNew", attributes={"n": 1})),
    ("MarkerRecorded", {**DONE, "markerName": "m"}, ev.DecisionEvent(decision=dec.RecordMarker("m"))),
    ("ActivityTaskCancelRequested", {"activityId": "a"}, ev.DecisionEvent(decision=dec.CancelActivity("a"))),
    ("TimerCanceled", {"timerId": "t", "startedEventId": 6}, ev.DecisionEvent(decision=dec.CancelTimer("t"))),
    ("WorkflowExecutionCompleted", {"result": "1"}, ev.DecisionEvent(decision=dec.CompleteProcess(1))),
    ("WorkflowExecutionFailed", {"reason": "r"}, ev.DecisionEvent(decision=dec.FailProcess("r"))),
    ("WorkflowExecutionCanceled", {"details": "1"}, ev.DecisionEvent(decision=dec.CancelProcess(1))),
    (
        "WorkflowExecutionContinuedAsNew",
        {"newExecutionRunId": "r2", "workflowType": TYPE, "taskList": {"name": "d"}, "input": "1"},
        ev.DecisionEvent(decision=dec.ContinueAsNew(1, version="1.0", category="d")),
    ),
    *(
        (kind, {"cause": "C", **attributes}, ev.DecisionRefusedEvent(decision=decision, cause="C"))
        for kind, attributes, decision in [
            (
                "ScheduleActivityTaskFailed",
                {"activityType": {"name": "A", "version": "1"}, "activityId": "b"},
                dec.ScheduleActivity("A", "b"),
            ),
            ("RequestCancelActivityTaskFailed", {"activityId": "b"}, dec.CancelActivity("b")),
            ("StartTimerFailed", {"timerId": "t"}, dec.Timer(0)),
            ("CancelTimerFailed", {"timerId": "t"}, dec.CancelTimer("t")),
            ("RecordMarkerFailed", {"markerName": "m"}, dec.RecordMarker("m")),
            ("CompleteWorkflowExecutionFailed", {}, dec.CompleteProcess()),
            ("FailWorkflowExecutionFailed", {}, dec.FailProcess()),
            ("CancelWorkflowExecutionFailed", {}, dec.CancelProcess()),
            ("ContinueAsNewWorkflowExecutionFailed", {}, dec.ContinueAsNew()),
            (
                "StartChildWorkflowExecutionFailed",
                {"workflowType": TYPE, "workflowId": "c", "initiatedEventId": 7},
                dec.StartChildProcess(proc.Process("W", "c", None, ["t"])),
            ),
            (
                "StartChildWorkflowExecutionFailed",
                {"workflowType": TYPE, "workflowId": "d", "initiatedEventId": 0},
                dec.StartChildProcess(proc.Process("W", "d")),
            ),
            (
                "SignalExternalWorkflowExecutionFailed",
                {"workflowId": "q", "initiatedEventId": 8},
                dec.SignalProcess("q", "s", 4),
            ),
            (
                "RequestCancelExternalWorkflowExecutionFailed",
                {"workflowId": "q", "initiatedEventId": 9},
                dec.RequestCancelProcess("q"),
            ),
        ]
    ),
]


def history(*more: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"eventId": id, "eventType": kind, "eventTimestamp": 1e9 + id, event_attributes(kind): attributes}
        for id, (kind, attributes) in enumerate([*BEFORE, *more], 1)
    ]


def test_every_type_of_event_is_read() -> None:
    assert {*READABLE, *LAMBDA} == enum("EventType")
    assert len(enum("EventType")) == 54
    named = {kind for kind, _ in BEFORE} | {kind for kind, _, _ in READ} - {"SomethingNew"}
    assert named == enum("EventType")


def test_every_decision_has_its_events() -> None:
    assert set(DECIDED) == set(REFUSED) == enum("DecisionType") - {"ScheduleLambdaFunction"}
    for kind in (*DECIDED.values(), *REFUSED.values()):
        assert event_attributes(kind) in members("HistoryEvent")


@pytest.mark.parametrize(
    ("kind", "attributes", "expected"), READ, ids=lambda value: value if type(value) is str else ""
)
def test_an_event_is_read(kind: str, attributes: dict[str, Any], expected: ev.Event) -> None:
    reader = Reader(TEXTS)
    reader.extend(history((kind, attributes)))
    event = reader.events[-1]
    assert event == expected
    assert (event.id, event.datetime.timestamp()) == (11, 1e9 + 11)


def test_what_was_read_is_not_read_again() -> None:
    reader = Reader(TEXTS)
    events = history(("TimerFired", {"timerId": "t", "startedEventId": 6}))
    reader.extend(events[:7])
    reader.extend(events[3:])
    whole = Reader(TEXTS)
    whole.extend(events)
    assert reader.events == whole.events
    assert reader.last == 11


@pytest.mark.parametrize(
    ("kind", "attributes", "result"),
    [
        ("WorkflowExecutionCompleted", {"result": "1"}, proc.ProcessCompleted(1)),
        ("WorkflowExecutionFailed", {"reason": "r", "details": "1"}, proc.ProcessFailed("r", 1)),
        ("WorkflowExecutionCanceled", {"details": "1"}, proc.ProcessCanceled(1)),
        ("WorkflowExecutionContinuedAsNew", {"newExecutionRunId": "r2"}, proc.ProcessContinued("r2")),
        ("WorkflowExecutionTimedOut", {}, proc.ProcessTimedOut()),
        ("WorkflowExecutionTerminated", {"reason": "r", "details": "1"}, proc.ProcessTerminated("r", 1)),
    ],
)
def test_a_close_tells_the_result(kind: str, attributes: dict[str, Any], result: proc.ProcessResult) -> None:
    reader = Reader(TEXTS)
    reader.extend(history((kind, attributes)))
    assert reader.result == result


def test_an_answer_is_empty_when_nothing_came_of_it() -> None:
    completed = ("DecisionTaskCompleted", {"scheduledEventId": 2, "startedEventId": 3})
    marker = ("MarkerRecorded", {"markerName": "m", "decisionTaskCompletedEventId": 11})
    reader = Reader(TEXTS)
    reader.extend(history(completed))
    assert [event.id for event in reader.all_events() if event.type == "decision_completed"] == [4, 11]
    reader.extend(history(completed, marker))
    assert [event.id for event in reader.all_events() if event.type == "decision_completed"] == [4]


# -- our histories in SWF's words ----------


def written(scene: Scene) -> list[dict[str, Any]]:
    run = first_run(scene)
    writer = Writer(Start("W", input={"n": 1}, tags=("t",), category="parents", timeout=1000), TEXTS)
    return writer.extend(scene.backend.history(f"p:{run}"))


def first_run(scene: Scene) -> str:
    """That which was started; a run that continues it is another."""
    runs = scene.backend.list_processes(ProcessFilter(id="p", status="all")).processes
    return str(min(runs, key=lambda run: run.status != "continued").run)


@pytest.mark.parametrize("name", PLAYED)
def test_a_history_of_ours_is_one_of_swf_s(name: str) -> None:
    events = written(PLAYED[name])
    assert [event["eventId"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        check("HistoryEvent", event)
    open_task = 0
    for event in events:
        match event["eventType"]:
            case "DecisionTaskStarted":
                about = event["decisionTaskStartedEventAttributes"]
                assert events[about["scheduledEventId"] - 1]["eventType"] == "DecisionTaskScheduled"
                assert not open_task
                open_task = event["eventId"]
            case "DecisionTaskCompleted" | "DecisionTaskTimedOut":
                assert event[event_attributes(event["eventType"])]["startedEventId"] == open_task
                open_task = 0


@pytest.mark.parametrize("name", PLAYED)
def test_a_history_comes_back_as_it_was(name: str) -> None:
    scene = PLAYED[name]
    run = first_run(scene)
    reader = Reader(TEXTS)
    reader.extend(written(scene))
    before = scene.backend.process_by_id(f"p:{run}").history
    assert reader.events == [_as_swf_tells(event) for event in before]
    assert [event.datetime for event in reader.events] == [event.datetime for event in before]


def _as_swf_tells(event: ev.Event) -> ev.Event:
    """SWF does not repeat what was refused, nor why a child was terminated, nor what a continued run left out."""
    match event:
        case ev.DecisionRefusedEvent(decision=dec.Timer()):
            return ev.DecisionRefusedEvent(decision=dec.Timer(0), cause=event.cause)
        case ev.ChildProcessEvent(result=proc.ProcessTerminated()):
            return ev.ChildProcessEvent(
                process_id=event.process_id, workflow=event.workflow, tags=event.tags, result=proc.ProcessTerminated()
            )
        case ev.DecisionEvent(decision=dec.ContinueAsNew() as next):
            full = dec.ContinueAsNew(
                next.input, version="1.0", tags=next.tags, timeout=1000, decision_timeout=60, category="parents",
                priority=0,
            )  # fmt: skip
            return ev.DecisionEvent(decision=full)
    return event


def test_a_history_is_written_in_parts_as_in_one_piece() -> None:
    events = PLAYED["activities"].backend.history("p")
    whole = Writer(Start("W"), TEXTS)
    whole.extend(events)
    for cut in (1, 2, 8, 14):
        parts = Writer(Start("W"), TEXTS)
        added = [*parts.extend(events[:cut]), *parts.extend(events[cut:])]
        assert added == parts.events
        assert [event["eventType"] for event in added].count("DecisionTaskStarted") == [
            event["eventType"] for event in whole.events
        ].count("DecisionTaskStarted")


def test_every_event_of_ours_that_swf_has_is_written() -> None:
    kinds = {event["eventType"] for scene in PLAYED.values() for event in written(scene)}
    never = {
        "RecordMarkerFailed",
        "FailWorkflowExecutionFailed",
        "CancelWorkflowExecutionFailed",
        "ContinueAsNewWorkflowExecutionFailed",
    }
    assert kinds == enum("EventType") - set(LAMBDA) - never


def test_every_event_of_ours_has_a_row() -> None:
    own = {cls for cls in vars(ev).values() if isinstance(cls, type) and issubclass(cls, ev.Event)}
    assert set(WRITE) == (own - {ev.Event}) | {ForeignEvent}
