"""A history as deciders see it: stored records become events, each once, and are kept for the next decision."""

from __future__ import annotations

import datetime as dt
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from .. import activity as act
from .. import decision as dec
from .. import events as ev
from .. import process as proc
from ..exceptions import CorruptRecord, PayloadError
from ..signal import Signal
from . import records as rec
from .codec import Payloads, decode, unseal
from .machine import Draft

Read = Callable[[int], list[bytes]]

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)


class History:
    """The events of one run, grown as records come in; `seq` and `crc` are the last record's."""

    def __init__(self, payloads: Payloads) -> None:
        self.load = payloads.load
        self.seq = 0
        self.crc = 0
        self.events: list[ev.Event] = []
        self.start: rec.ProcessStarted | None = None
        self.refs: dict[int, Any] = {}
        self._hidden: list[ev.Event] = []

    def append_sealed(self, sealed: Sequence[bytes], process: str, run: str) -> None:
        """Add what the store holds after `seq`. Raises CorruptRecord, naming the event."""
        for blob in sealed:
            what = f"event {self.seq + 1} of process {process!r}, run {run}"
            body, crc = unseal(blob, what, self.crc)
            self.append(decode(_RECORDS, body, what))
            self.crc = crc

    def append(self, record: rec.Record) -> None:
        self.seq += 1
        event = _EVENTS[type(record)](self, record)
        event.id, event.datetime = self.seq, dt.datetime.fromtimestamp(record.time, dt.UTC)
        if isinstance(record, rec.DecisionCompleted):
            self._hidden.append(event)
        else:
            self.events.append(event)

    def append_all(self, draft: Draft) -> None:
        """Add the events of a draft that are not there yet."""
        for _, seq, record in draft.written:
            if seq > self.seq:
                self.append(record)

    def until(self, seq: int) -> list[ev.Event]:
        """The events up to a number, as a list of its own."""
        events = self.events
        return events[:] if seq == self.seq else events[: bisect_right(events, seq, key=_number)]

    def all_events(self) -> list[ev.Event]:
        """The events that a decider is not shown included, in order."""
        return sorted(self.events + self._hidden, key=_number)

    def execution(self, record: rec.ActivityEnd | rec.ActivityStarted | rec.ActivityReleased) -> act.ActivityExecution:
        scheduled: dec.ScheduleActivity = self.refs[record.scheduled]
        return act.ActivityExecution(scheduled.activity, scheduled.id, scheduled.input)

    def decided(self, decision: dec.Decision) -> ev.DecisionEvent:
        """A decision that later records refer to by its number."""
        self.refs[self.seq] = decision
        return ev.DecisionEvent(decision)


def _number(event: ev.Event) -> int:
    return event.id or 0


class HistoryCache:
    """The histories decided on last, by run. Correctness never depends on it; `size` 0 keeps none."""

    def __init__(self, payloads: Payloads, size: int) -> None:
        self._payloads = payloads
        self._size = size
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], History] = OrderedDict()

    def get(self, process: str, run: str, seq: int, read: Read) -> History:
        """The history up to `seq` at least; `read(skip)` gives the sealed records that are missing."""
        history = self.take(process, run)
        if history is None or history.seq < seq:
            history = self._read(history, process, run, seq, read)
        self._keep(process, run, history)
        return history

    def ahead(self, process: str, draft: Draft, read: Read) -> History | None:
        """The history with what a draft adds to it, to be committed or thrown away; None when others are ahead."""
        run, first = draft.head.run, draft.head.seq - len(draft.written)
        if draft.archived is not None:
            return None
        history = self.take(process, run)
        if history is None or history.seq < first:
            history = self._read(history, process, run, first, read)
        if history.seq > first:
            return None
        history.append_all(draft)
        return history

    def _read(self, history: History | None, process: str, run: str, seq: int, read: Read) -> History:
        history = history or History(self._payloads)
        history.append_sealed(read(history.seq)[: seq - history.seq], process, run)
        if history.seq < seq:
            raise CorruptRecord(f"event {history.seq + 1} of process {process!r}, run {run} is missing")
        return history

    def extend(self, process: str, draft: Draft, ahead: History | None) -> None:
        """Add what a commit wrote to the history that is kept, if one is, so that it need not be read again."""
        head = draft.head
        history = ahead or self.take(process, head.run)
        if history is None or draft.archived is not None or history.seq < head.seq - len(draft.written):
            return
        with suppress(PayloadError):
            history.append_all(draft)
            history.crc = head.crc
            self._keep(process, head.run, history)

    def take(self, process: str, run: str) -> History | None:
        """A kept history, which nobody else sees until it is kept again."""
        with self._lock:
            return self._kept.pop((process, run), None)

    def _keep(self, process: str, run: str, history: History) -> None:
        with self._lock:
            self._kept[process, run] = history
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def drop(self, process: str, run: str) -> None:
        """Forget a run that has ended."""
        self.take(process, run)

    def clear(self) -> None:
        """Keep nothing: what was kept may never have happened."""
        with self._lock:
            self._kept.clear()


def outcome(status: str, reason: str, payload: Any, cause: str) -> proc.ProcessResult:
    """How a child ended, from its status."""
    match status:
        case "completed":
            return proc.ProcessCompleted(payload)
        case "failed":
            return proc.ProcessFailed(reason or None, payload)
        case "canceled":
            return proc.ProcessCanceled(payload)
        case "timedout":
            return proc.ProcessTimedOut(payload)
    return proc.ProcessTerminated(reason or None, payload, cause)


def closing_result(record: rec.Record, load: Callable[[msgspec.Raw], Any]) -> proc.ProcessResult:
    """How a process ended, from its last record."""
    match record:
        case rec.ProcessCompleted():
            return proc.ProcessCompleted(load(record.result))
        case rec.ProcessFailed():
            return proc.ProcessFailed(record.reason or None, load(record.details))
        case rec.ProcessCanceled():
            return proc.ProcessCanceled(load(record.details))
        case rec.ProcessContinued():
            return proc.ProcessContinued(record.run)
        case rec.ProcessTerminated():
            return proc.ProcessTerminated(record.reason or None, load(record.details), record.cause)
    return proc.ProcessTimedOut()


def _started(history: History, record: rec.ProcessStarted) -> ev.Event:
    history.start = record
    return ev.ProcessStartedEvent()


def schedule_decision(history: History, record: rec.ActivityScheduled) -> dec.ScheduleActivity:
    return dec.ScheduleActivity(
        record.activity,
        record.id,
        record.category,
        history.load(record.input),
        version=record.version,
        priority=record.priority,
        scheduled_timeout=record.scheduled_timeout,
        execution_timeout=record.execution_timeout,
        heartbeat_timeout=record.heartbeat_timeout,
        close_timeout=record.close_timeout,
    )


def _child(history: History, record: rec.ChildInitiated) -> dec.Decision:
    child = proc.Process(
        record.workflow, record.process, history.load(record.input), record.tags, version=record.version
    )
    return dec.StartChildProcess(
        child,
        record.child_policy,
        timeout=record.timeout,
        decision_timeout=record.decision_timeout,
        category=record.category,
        priority=record.priority,
    )


def _id(process: str, run: str) -> str:
    return f"{process}:{run}" if run else process


_DECISIONS: dict[type[rec.Record], Callable[[History, Any], dec.Decision]] = {
    rec.ActivityScheduled: schedule_decision,
    rec.ActivityCancelRequested: lambda h, r: dec.CancelActivity(r.id),
    rec.TimerStarted: lambda h, r: dec.Timer(r.delay, h.load(r.data), id=r.id),
    rec.TimerCanceled: lambda h, r: dec.CancelTimer(r.id),
    rec.MarkerRecorded: lambda h, r: dec.RecordMarker(r.name, h.load(r.details)),
    rec.ChildInitiated: _child,
    rec.SignalInitiated: lambda h, r: dec.SignalProcess(_id(r.process, r.run), Signal(r.name, h.load(r.data))),
    rec.CancelInitiated: lambda h, r: dec.RequestCancelProcess(_id(r.process, r.run), h.load(r.details)),
    rec.ProcessCompleted: lambda h, r: dec.CompleteProcess(h.load(r.result)),
    rec.ProcessFailed: lambda h, r: dec.FailProcess(r.reason or None, h.load(r.details)),
    rec.ProcessCanceled: lambda h, r: dec.CancelProcess(h.load(r.details)),
    rec.ProcessContinued: lambda h, r: dec.ContinueAsNew(
        h.load(r.input),
        version=r.version,
        tags=r.tags,
        timeout=r.timeout,
        decision_timeout=r.decision_timeout,
        category=r.category,
        priority=r.priority,
    ),
}


def _refused(history: History, record: rec.DecisionRefused) -> ev.Event:
    if record.decision is None:
        return ev.DecisionRefusedEvent(history.refs[record.initiated], record.cause)
    return ev.DecisionRefusedEvent(_DECISIONS[type(record.decision)](history, record.decision), record.cause)


def _ended(result: Callable[[History, Any], act.ActivityResult]) -> Callable[[History, Any], ev.Event]:
    return lambda h, r: ev.ActivityEvent(h.execution(r), result(h, r))


def _child_closed(history: History, record: rec.ChildClosed) -> ev.Event:
    child = history.refs[record.initiated].process
    result = outcome(record.status, record.reason, history.load(record.payload), record.cause)
    return ev.ChildProcessEvent(child.id, result, child.workflow, child.tags)


def _child_started(history: History, record: rec.ChildStarted) -> ev.Event:
    child = history.refs[record.initiated].process
    return ev.ChildProcessStartedEvent(child.id, child.workflow, child.tags)


def _signal_delivered(history: History, record: rec.SignalDelivered) -> ev.Event:
    sent = history.refs[record.initiated]
    return ev.ProcessSignaledEvent(sent.process_id, sent.signal)


_EVENTS: dict[type[rec.Record], Callable[[History, Any], ev.Event]] = {
    **{type: lambda h, r: h.decided(_DECISIONS[r.__class__](h, r)) for type in _DECISIONS},
    rec.ProcessStarted: _started,
    rec.DecisionStarted: lambda h, r: ev.DecisionStartedEvent(),
    rec.DecisionCompleted: lambda h, r: ev.DecisionCompletedEvent(),
    rec.DecisionTimedOut: lambda h, r: ev.DecisionTimedOutEvent(),
    rec.DecisionFailed: lambda h, r: ev.DecisionFailedEvent(r.reason, h.load(r.details)),
    rec.DecisionReleased: lambda h, r: ev.DecisionReleasedEvent(),
    rec.DecisionRefused: _refused,
    rec.ProcessBlocked: lambda h, r: ev.ProcessBlockedEvent(r.reason, h.load(r.details)),
    rec.ProcessResumed: lambda h, r: ev.ProcessResumedEvent(),
    rec.ActivityStarted: lambda h, r: ev.ActivityStartedEvent(h.execution(r)),
    rec.ActivityReleased: lambda h, r: ev.ActivityReleasedEvent(h.execution(r)),
    rec.ActivityCompleted: _ended(lambda h, r: act.ActivityCompleted(h.load(r.result))),
    rec.ActivityFailed: _ended(lambda h, r: act.ActivityFailed(r.reason or None, h.load(r.details))),
    rec.ActivityCanceled: _ended(lambda h, r: act.ActivityCanceled(h.load(r.details))),
    rec.ActivityTimedOut: _ended(lambda h, r: act.ActivityTimedOut(h.load(r.details), r.timeout_type)),
    rec.Signaled: lambda h, r: ev.SignalEvent(Signal(r.name, h.load(r.data))),
    rec.CancelRequested: lambda h, r: ev.CancelRequestedEvent(h.load(r.details)),
    rec.TimerFired: lambda h, r: ev.TimerEvent(h.refs[r.started]),
    rec.ChildStarted: _child_started,
    rec.ChildClosed: _child_closed,
    rec.SignalDelivered: _signal_delivered,
    rec.CancelDelivered: lambda h, r: ev.ProcessCancelRequestedEvent(h.refs[r.initiated].process_id),
    rec.ProcessTimedOut: lambda h, r: ev.ProcessTimedOutEvent(),
    rec.ProcessTerminated: lambda h, r: ev.ProcessTerminatedEvent(r.reason or None, h.load(r.details), r.cause),
}
