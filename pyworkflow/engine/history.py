"""A history as deciders see it: stored records become events, each once, and are kept for the next decision."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

import pyworkflow.activity as act

from .. import decision as dec
from .. import events as ev
from ..exceptions import CorruptRecord, PayloadError
from ..process import Ongoing
from . import records as rec
from .codec import Payloads, decode, seed, unseal
from .machine import Draft
from .store import Store
from .views import EVENTS

FOLLOWED = 4

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)


class History:
    """The events of one run, grown as records come in; `seq` and `crc` are the last record's.

    One that is `ahead` has events that are not committed yet, and no checksum of theirs; it is kept when they are.
    """

    def __init__(self, payloads: Payloads, process: str, run: str) -> None:
        self.process = process
        self.run = run
        self.load: Callable[[msgspec.Raw], Any] = payloads.load
        self.seq = 0
        self.crc = seed(process, run)
        self.events: list[ev.Event] = []
        self.start: rec.ProcessStarted | None = None
        self.refs: dict[int, Any] = {}
        self.ongoing: list[Ongoing] = []
        self._hidden: list[ev.Event] = []
        self.epoch: int | None = None

    def append_sealed(self, sealed: Sequence[bytes]) -> None:
        """Add what the store holds after `seq`. Raises CorruptRecord, naming the event."""
        for blob in sealed:
            what = f"event {self.seq + 1} of process {self.process!r}, run {self.run}"
            body, crc = unseal(blob, what, self.crc)
            self.append(decode(_RECORDS, body, what))
            self.crc = crc

    def append(self, record: rec.Record) -> None:
        self.seq += 1
        kind = type(record)
        event, values = EVENTS[kind]
        shown = self._hidden if kind is rec.DecisionCompleted else self.events
        shown.append(event(*values(self, record), datetime=_moment(record.time), id=self.seq))

    def append_all(self, draft: Draft) -> None:
        """Add the events of a draft that are of this run and not there yet."""
        for run, seq, record in draft.written:
            if seq > self.seq and run == self.run:
                self.append(record)

    def until(self, seq: int) -> list[ev.Event]:
        """The events up to a number, as a list of its own."""
        events = self.events
        return events[:] if seq == self.seq else events[: bisect_right(events, seq, key=_number)]

    def between(self, first: int, last: int) -> list[ev.Event]:
        """The events of these numbers, those that a decider is not shown included."""
        found = [*_cut(self.events, first, last), *_cut(self._hidden, first, last)]
        return sorted(found, key=_number)

    def execution(self, record: rec.ActivityEnd | rec.ActivityStarted | rec.ActivityReleased) -> act.ActivityExecution:
        """The execution that an activity's events share."""
        execution: act.ActivityExecution = self.refs[record.scheduled].execution
        return execution

    def decided(self, decision: dec.Decision) -> dec.Decision:
        """A decision that later records refer to by its number."""
        self.refs[self.seq] = decision
        return decision


@lru_cache(64)
def _moment(time: float) -> datetime:
    """Seconds since 1970 as a time; what is committed together happened at one."""
    return datetime.fromtimestamp(time, UTC)


def _number(event: ev.Event) -> int:
    return event.id or 0


def _cut(events: list[ev.Event], first: int, last: int) -> list[ev.Event]:
    return events[bisect_left(events, first, key=_number) : bisect_right(events, last, key=_number)]


class HistoryCache:
    """The histories decided on last, by run. Correctness never depends on it; `size` 0 keeps none."""

    def __init__(self, store: Store, payloads: Payloads, size: int) -> None:
        self._store = store
        self._payloads = payloads
        self._size = size
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], History] = {}
        self._followed: dict[tuple[str, str], History] = {}
        self._epoch = 0

    def get(self, process: str, run: str, seq: int) -> History:
        """The history up to `seq` at least. Raises CorruptRecord, PayloadError."""
        history = self.take(process, run)
        if history is None or history.seq < seq:
            history = self.read(history, process, run, seq)
        self._keep(process, run, history)
        return history

    def look(self, process: str, run: str, seq: int, crc: int) -> History:
        """The history up to its event `seq`, which has this checksum, for somebody who only looks.

        That takes no room from the histories that are decided on: of others only the last few are kept, for whoever
        follows one. Raises CorruptRecord, PayloadError.
        """
        decided = self.take(process, run)
        known = decided or self._followed.pop((process, run), None)
        if known is not None and (known.seq > seq or (known.seq == seq and known.crc != crc)):
            known = None
        history = self.read(known, process, run, seq)
        if decided is not None:
            self._keep(process, run, history)
        elif self._size:
            self._followed[process, run] = history
            forget_oldest(self._followed, FOLLOWED, self._lock)
        return history

    def fetch(self, wanted: Sequence[tuple[str, str, int]]) -> None:
        """Read at once what `get` will be asked for: process, run and number each. What is damaged is left to it."""
        missing = []
        for process, run, seq in wanted:
            known = self._kept.get((process, run))
            if known is None or known.seq < seq:
                missing.append((process, run, seq))
        if not 1 < len(missing) <= self._size:
            return
        histories = [self.take(process, run) or History(self._payloads, process, run) for process, run, _ in missing]
        excerpts = [
            (process, run, history.seq, seq - history.seq)
            for (process, run, seq), history in zip(missing, histories, strict=True)
        ]
        for history, sealed in zip(histories, self._store.histories(excerpts), strict=True):
            with suppress(CorruptRecord, PayloadError):
                history.append_sealed(sealed)
                self._keep(history.process, history.run, history)

    def ahead(self, draft: Draft) -> History | None:
        """The history with what a draft adds to it, to be committed or thrown away; None when others are ahead.

        Raises CorruptRecord, PayloadError.
        """
        process, run, first = draft.head.id, draft.head.run, draft.head.seq - len(draft.written)
        if draft.archived is not None:
            return None
        history = self.take(process, run)
        if history is not None and _is_of_another_past(history, draft):
            history = None
        if history is None or history.seq < first:
            history = self.read(history, process, run, first)
        if history.seq > first:
            self._keep(process, run, history)
            return None
        history.append_all(draft)
        return history

    def read(self, history: History | None, process: str, run: str, seq: int) -> History:
        """A history with what it lacks up to `seq`, all of it where a kept one does not go on as the store's does.

        Nothing is kept. Raises CorruptRecord, PayloadError.
        """
        if history is not None and history.seq >= seq:
            return history
        if history is not None:
            with suppress(CorruptRecord):
                return self._read_on(history, seq)
        return self._read_on(History(self._payloads, process, run), seq)

    def _read_on(self, history: History, seq: int) -> History:
        process, run = history.process, history.run
        history.append_sealed(self._store.history(process, run, history.seq, seq - history.seq))
        if history.seq < seq:
            raise CorruptRecord(f"event {history.seq + 1} of process {process!r}, run {run} is missing")
        return history

    def extend(self, draft: Draft, ahead: History | None) -> None:
        """Add what a commit wrote to the history that is kept, if one is, so that it need not be read again."""
        head = draft.head
        history = ahead or self.take(head.id, head.run)
        if history is None or draft.archived is not None:
            return
        first = head.seq - len(draft.written)
        if ahead is None and (history.seq > first or _is_of_another_past(history, draft)):
            return
        with suppress(PayloadError):
            if history.seq >= first:
                history.append_all(draft)
            if history.seq == head.seq:
                history.crc = head.crc
            self._keep(head.id, head.run, history)

    def take(self, process: str, run: str) -> History | None:
        """A kept history, which nobody else sees until it is kept again."""
        history = self._kept.pop((process, run), None)
        if history is not None:
            history.epoch = self._epoch
        return history

    def _keep(self, process: str, run: str, history: History) -> None:
        if history.epoch not in (None, self._epoch):
            return  # It was taken before all were forgotten.
        self._kept[process, run] = history
        if len(self._kept) > self._size:
            forget_oldest(self._kept, self._size, self._lock)

    def drop(self, process: str, run: str) -> None:
        """Forget a run that has ended."""
        self.take(process, run)

    def clear(self) -> None:
        """Keep nothing: what was kept may never have happened."""
        self._epoch += 1
        self._kept.clear()
        self._followed.clear()


def _is_of_another_past(history: History, draft: Draft) -> bool:
    """Did the store forget events that this history has, and take others in their place? A server that has lost
    acknowledged commits does that: after a failover, say, or a power cut. Both have checksums of all that came before.
    """
    base = draft.base
    return base is not None and history.seq == base.seq and history.crc != base.crc


def forget_oldest(kept: dict[Any, Any], size: int, lock: threading.Lock) -> None:
    """Leave the `size` entries that were put in last, while others put in theirs."""
    with lock, suppress(RuntimeError, StopIteration):
        while len(kept) > size:
            kept.pop(next(iter(kept)), None)
