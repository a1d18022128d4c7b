"""SWF's event types by what they say: which decision they apply or refuse, and how an activity or a child ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import pyworkflow.activity as act
from pyworkflow import process as proc

from .decisions import ROWS
from .values import PAYLOAD, REASON, Field, Fields

DECIDED = {
    "ScheduleActivityTask": "ActivityTaskScheduled",
    "RequestCancelActivityTask": "ActivityTaskCancelRequested",
    "CompleteWorkflowExecution": "WorkflowExecutionCompleted",
    "FailWorkflowExecution": "WorkflowExecutionFailed",
    "CancelWorkflowExecution": "WorkflowExecutionCanceled",
    "ContinueAsNewWorkflowExecution": "WorkflowExecutionContinuedAsNew",
    "RecordMarker": "MarkerRecorded",
    "StartTimer": "TimerStarted",
    "CancelTimer": "TimerCanceled",
    "SignalExternalWorkflowExecution": "SignalExternalWorkflowExecutionInitiated",
    "RequestCancelExternalWorkflowExecution": "RequestCancelExternalWorkflowExecutionInitiated",
    "StartChildWorkflowExecution": "StartChildWorkflowExecutionInitiated",
}
"""The event of each decision that was applied."""

REFUSED = {row.kind: f"{row.kind}Failed" for row in ROWS}
"""The event of each decision that was not."""

IDENTIFIES = {
    "ScheduleActivityTask": ("activity", "version", "id"),
    "StartChildWorkflowExecution": ("workflow", "version", "id"),
    "SignalExternalWorkflowExecution": ("id", "run"),
    "RequestCancelExternalWorkflowExecution": ("id", "run"),
    "RequestCancelActivityTask": ("id",),
    "RecordMarker": ("name",),
    "StartTimer": ("id",),
    "CancelTimer": ("id",),
}
"""What a refusal repeats of its decision; of the others SWF tells the cause alone."""

REFUSED_FIELDS = {row.kind: row.fields.only(IDENTIFIES.get(row.kind, ())) for row in ROWS}

SENT = ("StartChildWorkflowExecution", "SignalExternalWorkflowExecution", "RequestCancelExternalWorkflowExecution")
"""Decisions whose refusals may come later, and name the event that initiated them."""

LAMBDA = (
    "LambdaFunctionScheduled",
    "LambdaFunctionStarted",
    "LambdaFunctionCompleted",
    "LambdaFunctionFailed",
    "LambdaFunctionTimedOut",
    "ScheduleLambdaFunctionFailed",
    "StartLambdaFunctionFailed",
)
"""Read as ForeignEvent, as are types that are newer than this table."""


class End(NamedTuple):
    """How an activity or a child ended: SWF's event, our result's class and the fields of both."""

    kind: str
    cls: type[Any]
    fields: Fields
    make: Callable[..., Any]


_RESULT = Fields(Field("result", "result", PAYLOAD))
_FAILURE = Fields(Field("reason", "reason", REASON), Field("details", "details", PAYLOAD))
_DETAILS = Fields(Field("details", "details", PAYLOAD))
_TIME_OUT = Fields(Field("details", "details", PAYLOAD), Field("timeout_type", "timeoutType"))

ACTIVITY_ENDS = (
    End("ActivityTaskCompleted", act.ActivityCompleted, _RESULT, act.ActivityCompleted),
    End("ActivityTaskFailed", act.ActivityFailed, _FAILURE, act.ActivityFailed),
    End("ActivityTaskCanceled", act.ActivityCanceled, _DETAILS, act.ActivityCanceled),
    End("ActivityTaskTimedOut", act.ActivityTimedOut, _TIME_OUT, act.ActivityTimedOut),
)
CHILD_ENDS = (
    End("ChildWorkflowExecutionCompleted", proc.ProcessCompleted, _RESULT, proc.ProcessCompleted),
    End("ChildWorkflowExecutionFailed", proc.ProcessFailed, _FAILURE, proc.ProcessFailed),
    End("ChildWorkflowExecutionCanceled", proc.ProcessCanceled, _DETAILS, proc.ProcessCanceled),
    End("ChildWorkflowExecutionTimedOut", proc.ProcessTimedOut, Fields(), proc.ProcessTimedOut),
    End("ChildWorkflowExecutionTerminated", proc.ProcessTerminated, Fields(), proc.ProcessTerminated),
)

WAKING = frozenset(
    {
        *("process_started", "signal", "cancel_requested", "decision_refused", "decision_timed_out"),
        *("decision_failed", "decision_released", "process_resumed", "process_reset", "activity", "timer"),
        *("child_process_started", "child_process", "process_signaled", "process_cancel_requested"),
    }
)
"""The types of our events after which the decider is asked."""


@cache
def event_attributes(kind: str) -> str:
    """Where an event of this type has its attributes."""
    return f"{kind[0].lower()}{kind[1:]}EventAttributes"
