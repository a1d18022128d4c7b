"""Doubts: tasks that were started, or may have been, for a caller who never heard of it because his call failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..exceptions import CorruptRecord
from .codec import SEAL, encode
from .desk import Taken
from .head import STARTED, ActivityWork, Head
from .office import Office

MANY = 1_000


class Doubts:
    """The next call settles them by what the store says, so that they need not wait for their timeouts.

    A task is ours if the process holds it under its number, and the event of that number is the one that we wrote: it
    has the number of the call in it. It is handed to a caller of the same name.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._open: dict[tuple[str, str, int, int], Taken] = {}

    def about(self, wanted: Callable[[Taken], bool]) -> bool:
        """Is there any about what is wanted?"""
        return any(wanted(taken) for taken in list(self._open.values()))

    def add(self, taken: Iterable[Taken]) -> None:
        """The newest are kept. What a second attempt of a call started under the same number is one doubt."""
        for item in taken:
            self._open[item.head.id, item.work.run, item.started, item.caller.call] = item
        for key in list(self._open)[:-MANY]:
            self._open.pop(key, None)

    def settle(self, wanted: Callable[[Taken], bool]) -> Iterator[Taken]:
        """What was started indeed, one after the other, if it is wanted then."""
        for key, taken in list(self._open.items()):
            # Taken upon oneself, if no other thread has.
            if wanted(taken) and self._open.pop(key, None) is not None and self._is_ours(taken):
                yield taken

    def _is_ours(self, taken: Taken) -> bool:
        try:
            return self._was_stored(taken)
        except CorruptRecord:
            return False
        except Exception:
            self.add([taken])
            raise

    def _was_stored(self, taken: Taken) -> bool:
        head = self._office.stored(taken.head.id)
        if head is None or not _holds(head, taken):
            return False
        sealed = self._office.store.history(head.id, head.run, taken.started - 1, 1)
        return bool(sealed) and sealed[0][SEAL:] == _written(taken)


def _written(taken: Taken) -> bytes:
    where = taken.work.run, taken.started
    return encode(next(record for run, seq, record in taken.draft.written if (run, seq) == where))


def _holds(head: Head, taken: Taken) -> bool:
    work = taken.work
    if not head.open or head.run != work.run:
        return False
    if isinstance(work, ActivityWork):
        activity = head.activities.get(work.scheduled)
        return activity is not None and activity.started == taken.started
    return head.decision.state == STARTED and head.decision.started == taken.started
