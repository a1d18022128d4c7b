"""What pyworkflow's own words in a history of SWF's mean for its run: one row for each type of event that may hold one.

A row says whether the event was ours; any other is read as SWF's tables say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow import events as ev
from pyworkflow.activity import ActivityTimedOut
from pyworkflow.decision import RequestCancelProcess
from pyworkflow.process import ProcessTerminated
from pyworkflow_swf import EVENTS_SIDE
from pyworkflow_swf.decisions import BY_KIND, join, read_row
from pyworkflow_swf.kinds import CHILD_ENDS, REFUSED

from . import words
from .run import Attributes, Child, HandedBack, Run

Own = Callable[[Run, Attributes, Attributes], bool]
DONE = "decisionTaskCompletedEventId"


# -- markers ----------


def _marker(run: Run, event: Attributes, attributes: Attributes) -> bool:
    handler = _MARKERS.get(attributes["markerName"])
    if handler is None:
        run.settle()
        return False
    run.own_answer(attributes.get(DONE))
    return handler(run, event, run.texts.load(attributes.get("details")))


def _failed(run: Run, event: Attributes, details: Any) -> bool:
    run.fail()
    return run.show(event, ev.DecisionFailedEvent, reason=details["reason"], details=details["details"])


def _released(run: Run, event: Attributes, details: Any) -> bool:
    run.waited = False
    return run.show(event, ev.DecisionReleasedEvent)


def _blocked(run: Run, event: Attributes, details: Any) -> bool:
    run.blocked = (details["reason"], details["details"])
    return run.show(event, ev.ProcessBlockedEvent, reason=details["reason"], details=details["details"])


def _passed(run: Run, event: Attributes, details: Any) -> bool:
    run.forget_start()
    return True


def _part(run: Run, event: Attributes, details: Any) -> bool:
    if run.part is not None:
        run.forget_start()
    run.answer()
    run.part = (run.last_start(), details["done"])
    return True


def _whole(run: Run, event: Attributes, details: Any) -> bool:
    run.forget_start()
    run.answer()
    run.part = None
    return True


_MARKERS: dict[str, Callable[[Run, Attributes, Any], bool]] = {
    words.FAILED: _failed,
    words.RELEASED: _released,
    words.BLOCKED: _blocked,
    words.PASSED: _passed,
    words.PART: _part,
    words.WHOLE: _whole,
}

# -- signals and cancel requests ----------


def _signaled(run: Run, event: Attributes, attributes: Attributes) -> bool:
    name, text = attributes["signalName"], attributes.get("input")
    if name == words.CANCEL:
        run.cancel_details = run.texts.load(text)
        return True
    if name == words.RESUME:
        return run.blocked is None or _resumed(run, event)
    request = run.texts.request(text)
    if request in run.requests:
        return True
    if request:
        run.requests.add(request)
    return False


def _resumed(run: Run, event: Attributes) -> bool:
    run.resume()
    return run.show(event, ev.ProcessResumedEvent)


def _cancel_requested(run: Run, event: Attributes, attributes: Attributes) -> bool:
    if run.cancel_requested:  # Asking twice is asking once.
        return True
    run.cancel_requested = True
    return run.show(event, ev.CancelRequestedEvent, details=run.cancel_details)


def _signal_initiated(run: Run, event: Attributes, attributes: Attributes) -> bool:
    if attributes["signalName"] != words.CANCEL:
        return False
    run.answered(attributes.get(DONE))
    run.own_signals.add(event["eventId"])
    run.cancels_sent[attributes["workflowId"]] = run.texts.load(attributes.get("input"))
    return True


def _cancel_initiated(run: Run, event: Attributes, attributes: Attributes) -> bool:
    details = run.cancels_sent.pop(attributes["workflowId"], None)
    if details is None:
        return False
    run.answered(attributes.get(DONE))
    to = join(attributes["workflowId"], attributes.get("runId"))
    run.refs[event["eventId"]] = RequestCancelProcess(to, details)
    return run.show(event, ev.DecisionEvent, decision=run.refs[event["eventId"]])


def _of_own_signal(run: Run, event: Attributes, attributes: Attributes) -> bool:
    return attributes.get("initiatedEventId") in run.own_signals


# -- children ----------


def _child_initiated(run: Run, event: Attributes, attributes: Attributes) -> bool:
    policy, id = words.policy_of(attributes.get("control")), event["eventId"]
    run.children[id] = Child(attributes["workflowId"], policy or "ABANDON")
    if policy is None:
        return False
    run.answered(attributes.get(DONE))
    row = BY_KIND["StartChildWorkflowExecution"]
    run.refs[id] = read_row(row, {**attributes, "childPolicy": policy}, run.texts, EVENTS_SIDE)
    return run.show(event, ev.DecisionEvent, decision=run.refs[id])


def _child_started(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.children[attributes["initiatedEventId"]].run = attributes["workflowExecution"]["runId"]
    return False


def _child_ended(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.children.pop(attributes["initiatedEventId"], None)
    return False


def _terminated(run: Run, event: Attributes, attributes: Attributes) -> bool:
    if attributes.get("reason") != words.POLICY:
        return False
    run.result = ProcessTerminated(cause="CHILD_POLICY_APPLIED")
    return run.show(event, ev.ProcessTerminatedEvent, cause="CHILD_POLICY_APPLIED")


# -- timers ----------


def _timer_started(run: Run, event: Attributes, attributes: Attributes) -> bool:
    name = attributes["timerId"]
    if not name.startswith(words.OURS):
        return False
    run.answered(attributes.get(DONE))
    if name == words.WAIT:
        run.waiting = True
    elif (back := _of_timer(run, name)) is not None:
        back.timing = True
    return True


def _timer_fired(run: Run, event: Attributes, attributes: Attributes) -> bool:
    name = attributes["timerId"]
    if name == words.WAIT:
        run.waiting, run.waited = False, True
    elif (back := _of_timer(run, name)) is not None:
        back.due = True
    return bool(name.startswith(words.OURS))


def _of_timer(run: Run, name: str) -> Any:
    waiting = (back for back in run.handed_back.values() if name == f"{words.AGAIN}.{back.scheduled}")
    return next(waiting, None)


# -- activities ----------


def _scheduled(run: Run, event: Attributes, attributes: Attributes) -> bool:
    id = event["eventId"]
    run.activities[id] = attributes
    if attributes.get("control") != words.AGAIN:
        return False
    back = run.handed_back.pop(attributes["activityId"])
    run.answered(attributes.get(DONE))
    run.refs[id] = run.refs[back.scheduled]
    return True


def _activity_failed(run: Run, event: Attributes, attributes: Attributes) -> bool:
    ended = _ENDS.get(attributes.get("reason") or "")
    return ended is not None and ended(run, event, attributes)


def _said_to_be_late(run: Run, event: Attributes, attributes: Attributes) -> bool:
    details = run.texts.load(attributes.get("details"))
    execution = run.execution(attributes["scheduledEventId"])
    return run.show(event, ev.ActivityEvent, activity_execution=execution, result=ActivityTimedOut(*details))


def _handed_back(run: Run, event: Attributes, attributes: Attributes) -> bool:
    scheduled = attributes["scheduledEventId"]
    again = {name: it for name, it in run.activities[scheduled].items() if name != DONE} | {"control": words.AGAIN}
    delay = run.texts.load(attributes.get("details")) or 0
    run.handed_back[again["activityId"]] = HandedBack(scheduled, again, delay, due=not delay)
    return run.show(event, ev.ActivityReleasedEvent, activity_execution=run.execution(scheduled))


_ENDS: dict[str, Own] = {words.HANDED_BACK: _handed_back, words.TIMED_OUT: _said_to_be_late}

# -- decisions that were answered, refused, or neither ----------


def _decision_scheduled(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.scheduled = True
    return False


def _decision_started(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.scheduled, run.taken = False, True
    run.starts.append(event["eventId"])
    return False


def _completed(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.taken = False
    run.complete()
    return False


def _timed_out(run: Run, event: Attributes, attributes: Attributes) -> bool:
    run.taken = False
    run.time_out()
    return False


def _refused(run: Run, event: Attributes, attributes: Attributes) -> bool:
    """What came from another process, and a close that was merely too early, do not count."""
    cause = attributes.get("cause", "")
    run.children.pop(attributes.get("initiatedEventId") or 0, None)
    if cause != "UNHANDLED_DECISION" and not attributes.get("initiatedEventId"):
        run.refuse(cause)
    return _of_own_signal(run, event, attributes)


OWN: dict[str, Own] = {
    **dict.fromkeys(REFUSED.values(), _refused),
    **dict.fromkeys((end.kind for end in CHILD_ENDS), _child_ended),
    "StartChildWorkflowExecutionInitiated": _child_initiated,
    "ChildWorkflowExecutionStarted": _child_started,
    "WorkflowExecutionTerminated": _terminated,
    "MarkerRecorded": _marker,
    "WorkflowExecutionSignaled": _signaled,
    "WorkflowExecutionCancelRequested": _cancel_requested,
    "SignalExternalWorkflowExecutionInitiated": _signal_initiated,
    "RequestCancelExternalWorkflowExecutionInitiated": _cancel_initiated,
    "ExternalWorkflowExecutionSignaled": _of_own_signal,
    "TimerStarted": _timer_started,
    "TimerFired": _timer_fired,
    "ActivityTaskScheduled": _scheduled,
    "ActivityTaskFailed": _activity_failed,
    "DecisionTaskScheduled": _decision_scheduled,
    "DecisionTaskStarted": _decision_started,
    "DecisionTaskCompleted": _completed,
    "DecisionTaskTimedOut": _timed_out,
}
