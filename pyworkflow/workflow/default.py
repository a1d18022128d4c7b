"""DefaultWorkflow: a workflow written as one method for each kind of event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..activity import ActivityCompleted, ActivityExecution, ActivityResult
from ..decision import CancelProcess, Decision, Timer
from ..events import (
    ActivityEvent,
    CancelRequestedEvent,
    ChildProcessEvent,
    ChildProcessStartedEvent,
    DecisionRefusedEvent,
    Event,
    ProcessStartedEvent,
    SignalEvent,
    TimerEvent,
)
from ..process import Process, ProcessResult
from ..signal import Signal
from .answers import answer_to_interruption, answer_to_refusal, decide_by_event
from .base import Answer, Workflow


class DefaultWorkflow(Workflow):
    """Calls one method for each new event, in order, and does what they return: whatever `Workflow.decide` may.

    Override `initiate` and those of the `respond_to_…` methods that matter. A method does not see what others
    decided in the same call. How several answers are combined, a closing decision last, is said in
    `pyworkflow.workflow.answers`.
    """

    def decide(self, process: Process) -> list[Decision]:
        """The decisions on all events that no decision has answered yet."""
        return decide_by_event(process, self.handle_event, self.activities)

    def handle_event(self, event: Event, process: Process) -> Answer:
        """Call the method that is responsible for an event; an event without one is answered with nothing."""
        match event:
            case ProcessStartedEvent():
                return self.initiate(process)
            case ActivityEvent(activity_execution=execution, result=ActivityCompleted(result=result)):
                return self.respond_to_completed_activity(process, execution, result)
            case ActivityEvent(activity_execution=execution, result=interruption):
                return self.respond_to_interrupted_activity(process, execution, interruption)
            case SignalEvent(signal=signal):
                return self.respond_to_signal(process, signal)
            case TimerEvent(timer=timer):
                return self.respond_to_timer(process, timer)
            case ChildProcessStartedEvent(process_id=id, workflow=workflow, tags=tags):
                return self.respond_to_started_child(process, id, workflow, tags)
            case ChildProcessEvent(process_id=id, workflow=workflow, result=result, tags=tags):
                return self.respond_to_child_process(process, id, workflow, result, tags)
            case CancelRequestedEvent(details=details):
                return self.respond_to_cancel_request(process, details)
            case DecisionRefusedEvent(decision=decision, cause=cause):
                return self.respond_to_refused_decision(process, decision, cause)
        return None

    def initiate(self, process: Process) -> Answer:
        """The process was started."""
        raise NotImplementedError(f"{type(self).__name__} must override initiate()")

    def respond_to_completed_activity(
        self, process: Process, activity_execution: ActivityExecution, result: Any
    ) -> Answer:
        """An activity returned `result`, a JSON value. By default nothing follows."""
        return None

    def respond_to_interrupted_activity(
        self, process: Process, activity_execution: ActivityExecution, result: ActivityResult
    ) -> Answer:
        """An activity ended with `result`: ActivityFailed, ActivityCanceled or ActivityTimedOut.

        By default the process fails, unless it canceled the activity itself.
        """
        return answer_to_interruption(process, activity_execution, result)

    def respond_to_signal(self, process: Process, signal: Signal) -> Answer:
        """A signal arrived. By default nothing follows."""
        return None

    def respond_to_timer(self, process: Process, timer: Timer) -> Answer:
        """A timer fired. By default nothing follows."""
        return None

    def respond_to_started_child(
        self, process: Process, child_process_id: str, workflow: str | None, tags: Sequence[str]
    ) -> Answer:
        """A child process began to run. By default nothing follows."""
        return None

    def respond_to_child_process(
        self,
        process: Process,
        child_process_id: str,
        workflow: str | None,
        result: ProcessResult,
        tags: Sequence[str],
    ) -> Answer:
        """A child process closed with `result`, a ProcessResult. By default nothing follows."""
        return None

    def respond_to_cancel_request(self, process: Process, details: Any) -> Answer:
        """Somebody asked for the process's cancellation. By default it is canceled."""
        return CancelProcess(details)

    def respond_to_refused_decision(self, process: Process, decision: Decision, cause: str) -> Answer:
        """A decision could not be applied, for SWF's `cause`.

        By default a closing decision that was refused because of an unseen event (UNHANDLED_DECISION) is decided again,
        a cancellation of what is already over is left at that, and for any other refusal the process fails.
        """
        return answer_to_refusal(decision, cause)
