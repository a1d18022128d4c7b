"""What the actors of a simulation were told, and whether the histories keep it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from pyworkflow.engine import records as rec
from pyworkflow.engine.store import Query, Store

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)


@dataclass
class Promise:
    """One request, however often it is repeated.

    `asked` counts the calls whose outcome nobody knows, `on_the_way` those that have not returned.
    """

    kind: str
    process: str
    id: str
    asked: int = 0
    on_the_way: int = 0
    acknowledged: bool = False
    refused: bool = False
    size: int = 0
    must_start: bool = False

    @property
    def open(self) -> bool:
        return not (self.acknowledged or self.refused)


@dataclass
class Promises:
    """Every request of a simulation."""

    made: list[Promise] = field(default_factory=list)

    def new(self, kind: str, process: str, **options) -> Promise:
        promise = Promise(kind, process, f"{kind}-{len(self.made)}", **options)
        self.made.append(promise)
        return promise

    def check(self, store: Store) -> None:
        """Is everything that was acknowledged in the histories once, and nothing that was refused?"""
        kept = Kept(store)
        for promise in self.made:
            for what, number in kept.times(promise):
                least, most = self._bounds(promise, what)
                assert least <= number <= most, f"{promise} is {number} times in the histories ({what})"
        kept.check_answers({promise.id: promise.size for promise in self.made if promise.kind == "answer"})

    def _bounds(self, promise: Promise, what: str) -> tuple[int, int]:
        """How often it may be there; a terminate has no request id, and happens as often as asked."""
        most = promise.asked if what == "terminate" else min(promise.asked, 1)
        return (1 if promise.acknowledged and (what != "start" or promise.must_start) else 0), most


class Kept:
    """What the histories of a store hold, counted by request."""

    def __init__(self, store: Store) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.answers: list[tuple[str, list[rec.Record]]] = []
        signals = set()
        for shown in store.find(Query()):
            records = own([_RECORDS.decode(sealed[9:]) for sealed in store.history(shown.id, shown.run)])
            for index, record in enumerate(records):
                for what, id in _requests(record):
                    signals.add(id) if what == "signal" else self.counts[what].update([id])
                if isinstance(record, rec.MarkerRecorded):
                    self.answers.append((record.name, records[index + 1 :]))
        self.counts["signal"].update(signals)

    def times(self, promise: Promise) -> Iterator[tuple[str, int]]:
        whats = {"both": ("start", "signal"), "reset": ("start",), "cancel": ()}.get(promise.kind, (promise.kind,))
        for what in whats:
            yield what, self.counts[what][promise.id]

    def check_answers(self, sizes: dict[str, int]) -> None:
        """Each answer began with a marker: what follows it must be all the rest of it."""
        for name, rest in self.answers:
            decided = 0
            for record in rest:
                if isinstance(record, rec.Initiating) or (isinstance(record, rec.DecisionRefused) and record.decision):
                    decided += 1
                elif not isinstance(record, rec.ActivityCanceled):
                    break
                if decided == sizes[name]:
                    break
            assert decided == sizes[name], f"{name} had {sizes[name]} decisions, {decided} were applied"


def own(records: list[rec.Record]) -> list[rec.Record]:
    """Those that were not taken over from another run, but the first, which is made anew.

    Signals are: they are told once more there. (Twice in one run is found by the ledger.)
    """
    for index in range(len(records) - 1, -1, -1):
        if isinstance(records[index], rec.ProcessReset):
            return [records[0], *records[index:]]
    return records


def _requests(record: rec.Record) -> Iterator[tuple[str, str]]:
    match record:
        case rec.ProcessStarted():
            if record.request_id:
                yield "start", record.request_id
        case rec.Signaled():
            yield "signal", record.request_id
        case rec.ProcessTerminated():
            yield "terminate", record.reason
        case rec.MarkerRecorded():
            yield "answer", record.name
        case rec.ActivityCompleted():
            yield "complete", bytes(record.result).decode().strip('"')
        case rec.ActivityFailed():
            yield "complete", record.reason
