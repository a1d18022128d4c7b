"""Resetting: what is needed of a run's history for it to begin anew is read, and said to the process."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..activity import ActivityResult
from ..exceptions import BackendUnavailable, CannotReset, CorruptRecord, WorkflowError
from . import messages as msg
from . import records as rec
from .checks import count
from .codec import check_name, decode, seed, unseal
from .head import Head
from .machine.reset import MovedOn, check_cut, held_at, is_answer
from .office import Office
from .questions import Questions
from .translate import Translator, fresh_run, reason_text

TRIES = 100

_RECORDS = msgspec.json.Decoder(rec.AnyRecord)


class Resetter:
    """Reads records, and says Reset."""

    def __init__(self, office: Office, questions: Questions, translator: Translator) -> None:
        self._office = office
        self._questions = questions
        self._translator = translator

    def reset(
        self,
        source: tuple[str, str],
        to: int | None,
        id: str | None,
        results: Mapping[str, ActivityResult],
        reason: str | None,
        request_id: str,
    ) -> str:
        """Begin anew, as Backend.reset_process says; the process's id."""
        process = source[0] if id is None else check_name("a process's id", id)
        if id == source[0]:
            raise CannotReset(f"process {id!r} cannot be its own fork: give another id, or none to reset it")
        if to is not None:
            count("an event's number", to, 1)
        if not isinstance(results, Mapping):
            raise ValueError(f"results are given by the ids of activities, not as {results!r}")
        for _ in range(TRIES):
            current = self._office.stored(process)
            if _was_done(current, request_id):
                return process
            try:
                self._office.ask(process, self._message(process, current, source, to, results, reason, request_id))
            except MovedOn:
                continue
            except WorkflowError:
                if _was_done(self._office.stored(process), request_id):
                    return process  # By a copy of this request, in the meantime.
                raise
            return process
        raise BackendUnavailable(f"process {process!r} changes faster than it can be read: stop its workers first")

    def _message(
        self,
        process: str,
        current: Head | None,
        source: tuple[str, str],
        to: int | None,
        results: Mapping[str, ActivityResult],
        reason: str | None,
        request_id: str,
    ) -> msg.Reset:
        head = self._questions.head(*source)
        records = self._records(head)
        end = _before_last_answer(records) if to is None else to
        check_cut(records, end)
        return msg.Reset(
            run=fresh_run(),
            process=process,
            source=head.id,
            source_run=head.run,
            records=records[:end],
            signals=[record for record in records[end:] if isinstance(record, rec.Signaled)],
            ends={name: self._translator.result(0, result) for name, result in results.items()},
            seen=("", 0) if current is None else (current.run, current.seq),
            reason=reason_text(reason),
            request_id=request_id,
        )

    def _records(self, head: Head) -> list[rec.Record]:
        """All records of a run. Raises CorruptRecord."""
        records, crc = [], seed(head.id, head.run)
        for number, sealed in enumerate(self._office.store.history(head.id, head.run, 0, head.seq), 1):
            what = f"event {number} of process {head.id!r}, run {head.run}"
            body, crc = unseal(sealed, what, crc)
            records.append(decode(_RECORDS, body, what))
        if len(records) < head.seq:
            raise CorruptRecord(f"event {len(records) + 1} of process {head.id!r}, run {head.run} is missing")
        return records


def _was_done(current: Head | None, request_id: str) -> bool:
    return current is not None and bool(request_id) and request_id in current.starts


def _before_last_answer(records: list[rec.Record]) -> int:
    for number in range(len(records) - 1, 0, -1):
        if is_answer(records[number]) and held_at(records, number):
            return number
    raise CannotReset("nothing has been decided yet")
