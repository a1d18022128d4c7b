"""Questions about processes: what they are, what is pending, what happened, which there are; nothing changes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from ..backend.model import STATUSES, Description, Page, PendingActivity, ProcessFilter, QueueCount
from ..events import Event, ProcessBlockedEvent
from ..exceptions import CorruptRecord, UnknownProcessException
from ..process import Process, ProcessResult
from . import records as rec
from .checks import count, moment, optional_text, text
from .codec import Payloads, decode, seed, unseal_last
from .head import CLOSED, OPEN, ActivityState, Head
from .history import History
from .office import Office
from .pack import unpack
from .store import Query, Summary
from .views import closing_result

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)
_CURSORS = msgspec.json.Decoder(tuple[float, str, str])
PURGE_BATCH = 500


class Questions:
    """Reads heads, histories and indexes."""

    def __init__(self, office: Office, payloads: Payloads) -> None:
        self.office = office
        self.store = office.store
        self.payloads = payloads

    def head(self, process: str, run: str) -> Head:
        row = self.store.read(process, run or None)
        if row is None:
            raise UnknownProcessException(f"there is no {f'run {run} of process' if run else 'process'} {process!r}")
        return unpack(row, process) if run else self.office.head(process, row)

    def process(self, process: str, run: str) -> Process:
        head = self.head(process, run)
        history = self._history(head)
        return Process(
            head.workflow,
            head.id,
            None if history.start is None else self.payloads.load(history.start.input),
            head.tags,
            history.events,
            None if head.parent is None else head.parent.process,
            run=head.run,
            status=head.status,
            version=head.workflow_version,
        )

    def events(self, process: str, run: str, skip: int, limit: int | None) -> list[Event]:
        count("skip", skip, 0)
        if limit is not None:
            count("a limit", limit, 0)
        head = self.head(process, run)
        last = head.seq if limit is None else min(skip + limit, head.seq)
        if skip >= last:
            return []
        try:
            return self.office.histories.look(head.id, head.run, head.seq, head.crc).between(skip + 1, last)
        except CorruptRecord:
            self.head(head.id, head.run)  # It may have been deleted meanwhile: then that is said.
            raise

    def _history(self, head: Head) -> History:
        history = History(self.payloads, head.id, head.run)
        history.append_sealed(self._sealed(head, 0))
        return history

    def _sealed(self, head: Head, skip: int) -> list[bytes]:
        sealed = self.store.history(head.id, head.run, skip, head.seq - skip)
        if len(sealed) < head.seq - skip:
            self.head(head.id, head.run)
            raise CorruptRecord(f"event {skip + len(sealed) + 1} of process {head.id!r}, run {head.run} is missing")
        return sealed

    def result(self, process: str, run: str) -> ProcessResult | None:
        """How a process ended, None while it is open; that of the current run unless `run` is given."""
        head = self.head(process, run)
        if head.open:
            return None
        what = f"event {head.seq} of process {process!r}, run {head.run}"
        body, checksum = unseal_last(self._sealed(head, max(head.seq - 2, 0)), what, seed(head.id, head.run))
        if checksum != head.crc:
            raise CorruptRecord(f"{what} is not the one that was written last")
        return closing_result(decode(_RECORDS, body, what), self.payloads.load)

    def describe(self, process: str, run: str) -> Description:
        head = self.head(process, run)
        return Description(
            self.lazy(head),
            head.started,
            head.closed,
            head.seq,
            head.decision.state,
            head.decision.attempts,
            head.by,
            head.cancel_requested,
            list(self._activities(head)),
            {id: timer.due for id, timer in head.timers.items()},
            [child.process for child in head.children.values()],
            self.result(process, head.run),
            self._blocked(head),
            head.category,
            head.priority,
            head.timeout,
            head.decision_timeout,
            None if head.parent is None else head.parent.run,
            self._continued_from(head),
        )

    def _continued_from(self, head: Head) -> str | None:
        """The run before this one; None, too, where that cannot be read."""
        what = f"event 1 of process {head.id!r}, run {head.run}"
        with suppress(CorruptRecord):
            body, _ = unseal_last(self.store.history(head.id, head.run, 0, 1), what, seed(head.id, head.run))
            start = decode(_RECORDS, body, what)
            return start.continued_from or None if isinstance(start, rec.ProcessStarted) else None
        return None

    def _blocked(self, head: Head) -> tuple[str, Any] | None:
        if head.status != "blocked":
            return None
        events = reversed(self._read(head).events)
        return head.blocked, next((event.details for event in events if isinstance(event, ProcessBlockedEvent)), None)

    def _read(self, head: Head) -> History:
        """As much of the history as can be read."""
        history = History(self.payloads, head.id, head.run)
        with suppress(CorruptRecord):
            history.append_sealed(self._sealed(head, 0))
        return history

    def _activities(self, head: Head) -> Iterator[PendingActivity]:
        names = {}
        if head.activities:
            names = {seq: getattr(decision, "activity", "") for seq, decision in self._read(head).refs.items()}
        for seq, state in head.activities.items():
            yield PendingActivity(
                state.id,
                names.get(seq, ""),
                state.category,
                "started" if state.started else "scheduled",
                f"{head.id}:{head.run}:{seq}:{state.started}" if state.started else None,
                _earliest(state),
                state.cancel,
                self.payloads.load(state.details) if state.started else None,
            )

    def page(self, which: ProcessFilter, limit: int, cursor: str | None) -> Page:
        found = self.store.find(query_of(which, count("a page's size", limit, 1) + 1, cursor))
        shown = found[:limit]
        processes = [lazy(summary, self.process) for summary in shown]
        return Page(processes, cursor_of(shown[-1]) if len(found) > limit else None)

    def count(self, which: ProcessFilter) -> int:
        return self.store.count(query_of(which, None, None))

    def queues(self) -> list[QueueCount]:
        counts = []
        for info in self.store.queues(self.store.now()):
            kind, _, category = info.queue.partition("/")
            counts.append(QueueCount(kind, category, info.ready, info.later))  # type: ignore[arg-type]
        return counts

    def purge(self, closed_before: datetime | float) -> int:
        before, total = moment("closed_before", closed_before), 0
        while purged := self.store.purge(before, PURGE_BATCH):
            total += purged
        return total

    def lazy(self, head: Head) -> Process:
        """The process of a head; its input and history are read when they are asked for."""
        return Process.lazy(
            lambda: self.process(head.id, head.run),
            workflow=head.workflow,
            id=head.id,
            run=head.run,
            tags=list(head.tags),
            parent=None if head.parent is None else head.parent.process,
            status=head.status,
            version=head.workflow_version,
        )


def lazy(summary: Summary, load: Callable[[str, str], Process]) -> Process:
    """A process as lists show it; `load` is called with its id and run for the rest."""
    return Process.lazy(
        lambda: load(summary.id, summary.run),
        workflow=summary.workflow,
        id=summary.id,
        run=summary.run,
        tags=list(summary.tags),
        parent=summary.parent,
        status=summary.status,
        version=summary.version,
        started=summary.started,
        closed=summary.closed,
    )


def _earliest(state: ActivityState) -> float | None:
    return min((due for due in (state.by, state.close_by, state.beat_by) if due is not None), default=None)


def _statuses(status: str) -> frozenset[str] | None:
    if status == "all":
        return None
    if status in ("open", "closed"):
        return OPEN if status == "open" else CLOSED
    if status not in STATUSES:
        raise ValueError(f"{status!r} is no status: use open, closed, all or one of {', '.join(STATUSES)}")
    return frozenset({status})


def query_of(which: ProcessFilter, limit: int | None, cursor: str | None) -> Query:
    """What a store, or whoever else has summaries, is asked for a page. Raises ValueError, InvalidName."""
    return Query(
        _statuses(which.status),
        optional_text("a workflow's name", which.workflow),
        optional_text("a tag", which.tag),
        optional_text("a parent's id", which.parent),
        optional_text("an id", which.id),
        optional_text("a prefix", which.id_prefix),
        _time("started_from", which.started_from),
        _time("started_to", which.started_to),
        _time("closed_from", which.closed_from),
        _time("closed_to", which.closed_to),
        None if cursor is None else _read_cursor(cursor),
        limit,
    )


def _time(what: str, value: datetime | float | None) -> float | None:
    return None if value is None else moment(what, value)


def cursor_of(summary: Summary) -> str:
    """What continues a list after this one."""
    return base64.urlsafe_b64encode(msgspec.json.encode((summary.started, summary.id, summary.run))).decode()


def _read_cursor(cursor: str) -> tuple[float, str, str]:
    try:
        started, id, run = _CURSORS.decode(base64.urlsafe_b64decode(cursor))
        return started, text("an id", id), text("a run", run)
    except (TypeError, ValueError, msgspec.DecodeError):
        raise ValueError(f"{cursor!r} is not a cursor of an earlier page") from None
