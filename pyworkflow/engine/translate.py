"""From the model to the engine: requests, decisions and results, with payloads encoded and defaults filled in.

One row a type: a new decision is a row in DECISIONS, a record, a handler in the machine and a row in `history`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import pyworkflow.activity as act

from .. import decision as dec
from .. import defaults
from ..backend.model import Refused
from ..exceptions import InvalidName
from ..process import Process
from ..signal import Signal
from ..values import fresh_id
from . import messages as msg
from . import records as rec
from .checks import REPLACEMENTS, TIMEOUT_TYPES, one_of, optional_name, text
from .codec import Payloads, check_name
from .types import ActivityType, Types

LONGEST = 31_536_000_000
POLICIES = ("ABANDON", "REQUEST_CANCEL", "TERMINATE")


class Translator:
    """Makes records; raises PayloadError, InvalidName or ValueError for what cannot be recorded."""

    def __init__(self, types: Types, payloads: Payloads) -> None:
        self.types = types
        self.payloads = payloads

    def start(
        self,
        process: Process,
        request_id: str | None,
        if_running: msg.IfRunning,
        signal: Signal | None,
        limit: float | None,
        decision_timeout: float | None,
        category: str | None,
        rank: int,
    ) -> msg.Start:
        """The request to start a process, with what it leaves out taken from its type."""
        version = optional_name("a version", process.version)
        type = self.types.workflow(check_name("a workflow's name", process.workflow), version)
        return msg.Start(
            run=fresh_run(),
            process=id_of(process, request_id),
            workflow=type.name,
            version=type.version,
            input=self.payloads.dump(process.input),
            tags=tags(process.tags),
            timeout=_timeout(limit, type.timeout),
            decision_timeout=_timeout(decision_timeout, type.decision_timeout),
            category=check_name("a category", category or type.category),
            priority=priority(rank),
            request_id=text("a request id", request_id or ""),
            if_running=one_of("if_running", if_running, REPLACEMENTS),  # type: ignore[arg-type]
            signal=None if signal is None else self.signal("", signal, None, request_id),
        )

    def signal(self, run: str, signal: Signal | str, data: Any, request_id: str | None) -> msg.Signal:
        """The request to signal a process."""
        if not isinstance(signal, Signal):
            signal = Signal(signal, data)
        return msg.Signal(
            run=run,
            name=check_name("a signal's name", signal.name),
            data=self.payloads.dump(signal.data),
            request_id=text("a request id", request_id or ""),
        )

    def answer(self, decisions: Sequence[dec.Decision]) -> tuple[list[rec.Initiating], dict[int, str]]:
        """The records of a decider's answer, and which of them must be refused for what cause."""
        records: list[rec.Initiating] = []
        refused: dict[int, str] = {}
        for index, given in enumerate(decisions):
            decision = given.decision if isinstance(given, Refused) else given
            if not isinstance(decision, dec.Decision):
                raise ValueError(f"{decision!r} is not a decision")
            if decision.closes and index < len(decisions) - 1:
                raise ValueError(f"{decision!r} closes the process: it must be the last decision")
            records.append(DECISIONS[decision.type](self, decision))
            if isinstance(given, Refused):
                refused[index] = given.cause
            elif isinstance(decision, dec.ScheduleActivity) and not self._known(decision):
                refused[index] = "ACTIVITY_TYPE_DOES_NOT_EXIST"
        return records, refused

    def result(self, scheduled: int, result: act.ActivityResult) -> rec.ActivityEnd:
        """The record of an activity's end."""
        dump = self.payloads.dump
        match result:
            case act.ActivityCompleted():
                return rec.ActivityCompleted(scheduled=scheduled, result=dump(result.result))
            case act.ActivityCanceled():
                return rec.ActivityCanceled(scheduled=scheduled, details=dump(result.details))
            case act.ActivityTimedOut():
                kind = one_of("a timeout's type", result.timeout_type or "START_TO_CLOSE", TIMEOUT_TYPES)
                return rec.ActivityTimedOut(scheduled=scheduled, timeout_type=kind, details=dump(result.details))
            case act.ActivityFailed():
                reason = reason_text(result.reason)
                return rec.ActivityFailed(scheduled=scheduled, reason=reason, details=dump(result.details))
        raise ValueError(f"{result!r} is not an activity's result")

    def _known(self, decision: dec.ScheduleActivity) -> ActivityType | None:
        return self.types.activity(decision.activity, decision.version)

    def _named(self, decision: dec.ScheduleActivity) -> ActivityType:
        """A type with the library's defaults, under the names that a decision gives."""
        version = optional_name("a version", decision.version)
        return ActivityType(
            check_name("an activity's name", decision.activity), version=version or defaults.ACTIVITY_VERSION
        )

    def schedule_activity(self, decision: dec.ScheduleActivity) -> rec.ActivityScheduled:
        type = self._known(decision) or self._named(decision)
        return rec.ActivityScheduled(
            id=check_name("an activity's id", decision.id),
            activity=type.name,
            version=type.version,
            category=check_name("a category", decision.category) if decision.category else type.category,
            input=self.payloads.dump(decision.input),
            priority=priority(decision.priority),
            scheduled_timeout=_timeout(decision.scheduled_timeout, type.scheduled_timeout),
            execution_timeout=_timeout(decision.execution_timeout, type.execution_timeout),
            heartbeat_timeout=_timeout(decision.heartbeat_timeout, type.heartbeat_timeout),
            close_timeout=_timeout(decision.close_timeout, type.close_timeout),
        )

    def start_child(self, decision: dec.StartChildProcess) -> rec.ChildInitiated:
        process = decision.process
        version = optional_name("a version", process.version)
        type = self.types.workflow(check_name("a workflow's name", process.workflow), version)
        return rec.ChildInitiated(
            process=check_name("a process's id", process.id or fresh_id()),
            workflow=type.name,
            version=type.version,
            child_policy=policy(decision.child_policy),
            input=self.payloads.dump(process.input),
            tags=tags(process.tags),
            timeout=_timeout(decision.timeout, type.timeout),
            decision_timeout=_timeout(decision.decision_timeout, type.decision_timeout),
            category=check_name("a category", decision.category or type.category),
            priority=priority(decision.priority),
        )

    def signal_process(self, decision: dec.SignalProcess) -> rec.SignalInitiated:
        process, run = target(decision.process_id)
        name = check_name("a signal's name", decision.signal.name)
        return rec.SignalInitiated(process=process, run=run, name=name, data=self.payloads.dump(decision.signal.data))

    def request_cancel_process(self, decision: dec.RequestCancelProcess) -> rec.CancelInitiated:
        process, run = target(decision.process_id)
        return rec.CancelInitiated(process=process, run=run, details=self.payloads.dump(decision.details))

    def start_timer(self, decision: dec.Timer) -> rec.TimerStarted:
        delay = seconds(decision.delay, "a timer's delay")
        return rec.TimerStarted(
            id=check_name("a timer's id", decision.id), delay=delay, data=self.payloads.dump(decision.data)
        )

    def fail_process(self, decision: dec.FailProcess) -> rec.ProcessFailed:
        return rec.ProcessFailed(reason=reason_text(decision.reason), details=self.payloads.dump(decision.details))

    def continue_as_new(self, decision: dec.ContinueAsNew) -> rec.ProcessContinued:
        return rec.ProcessContinued(
            input=self.payloads.dump(decision.input),
            version=optional_name("a version", decision.version),
            tags=None if decision.tags is None else tags(decision.tags),
            timeout=_timeout(decision.timeout, None),
            decision_timeout=_timeout(decision.decision_timeout, None),
            category=decision.category and check_name("a category", decision.category),
            priority=None if decision.priority is None else priority(decision.priority),
        )


DECISIONS: dict[str, Callable[[Translator, Any], rec.Initiating]] = {
    "schedule_activity": Translator.schedule_activity,
    "cancel_activity": lambda to, d: rec.ActivityCancelRequested(id=check_name("an activity's id", d.id)),
    "complete_process": lambda to, d: rec.ProcessCompleted(result=to.payloads.dump(d.result)),
    "fail_process": Translator.fail_process,
    "cancel_process": lambda to, d: rec.ProcessCanceled(details=to.payloads.dump(d.details)),
    "continue_as_new": Translator.continue_as_new,
    "start_child_process": Translator.start_child,
    "signal_process": Translator.signal_process,
    "request_cancel_process": Translator.request_cancel_process,
    "timer": Translator.start_timer,
    "cancel_timer": lambda to, d: rec.TimerCanceled(id=check_name("a timer's id", d.id)),
    "record_marker": lambda to, d: rec.MarkerRecorded(
        name=check_name("a marker's name", d.name), details=to.payloads.dump(d.details)
    ),
}


def target(process_or_id: Process | str) -> tuple[str, str]:
    """The process and the run ("" for the current one) of a Process, or of an id `process` or `process:run`."""
    if isinstance(process_or_id, Process):
        process, run = process_or_id.id, process_or_id.run or ""
    else:
        process, _, run = process_or_id.partition(":") if isinstance(process_or_id, str) else (process_or_id, "", "")
    return check_name("a process's id", process), run and check_name("a run", run)


def fresh_run() -> str:
    """An id for a run, never used again."""
    return uuid.uuid4().hex[:16]


def id_of(process: Process, request_id: str | None) -> str:
    """The id of a process to start; where none was given a fresh one, the same again for the same request."""
    if process.id is not None:
        return check_name("a process's id", process.id)
    return sha256(request_id.encode()).hexdigest()[:32] if request_id else fresh_id()


def tags(values: Sequence[str]) -> list[str]:
    """Tags as SWF allows them: up to five."""
    if isinstance(values, str):
        raise InvalidName(f"tags are a list of strings, not the string {values!r}")
    if len(values) > 5:
        raise ValueError(f"a process has at most 5 tags, not {len(values)}")
    return [check_name("a tag", tag) for tag in values]


def policy(value: str) -> str:
    """A child policy."""
    if value not in POLICIES:
        raise ValueError(f"{value!r} is not a child policy: use {', '.join(POLICIES)}")
    return value


def priority(value: int) -> int:
    """A priority, an int32."""
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise ValueError(f"a priority is an int32, not {value!r}")
    return value


def seconds(value: float, what: str) -> float:
    """A length of time: a finite number of seconds, not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
        raise ValueError(f"{what} is a number of seconds, from 0 to {LONGEST:,} (a thousand years), not {value!r}")
    return value


def timeout(value: float | None) -> float | None:
    """A timeout in seconds, None for no limit."""
    return None if value is None else seconds(value, "a timeout")


def reason_text(reason: Any) -> str:
    """A reason as the history keeps it: at most 32,768 characters of text that can be encoded."""
    text = "" if reason is None else str(reason)
    return text[:32_768].encode("utf-8", "backslashreplace").decode()


def _timeout(value: float | None, default: float | None) -> float | None:
    return default if value is None else seconds(value, "a timeout")
