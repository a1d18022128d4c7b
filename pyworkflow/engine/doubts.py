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

    A task is ours if the process holds it under its number, and the event of that number is the one that we wrote: by
    the same worker at the same time. So only those of workers with a name are settled, and by a worker of that name;
    two that have the same name in two places must not be at one process in one microsecond.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._open: list[Taken] = []

    def about(self, wanted: Callable[[Taken], bool]) -> bool:
        """Is there any about what is wanted?"""
        return any(wanted(taken) for taken in self._open)

    def add(self, taken: Iterable[Taken]) -> None:
        """The newest are kept."""
        self._open.extend(taken)
        del self._open[:-MANY]

    def settle(self, wanted: Callable[[Taken], bool]) -> Iterator[Taken]:
        """What was started indeed, one after the other, if it is wanted then."""
        for taken in list(self._open):
            if wanted(taken) and self._pick(taken) and self._is_ours(taken):
                yield taken

    def _pick(self, taken: Taken) -> bool:
        """Take a doubt upon oneself; has no other thread?"""
        try:
            self._open.remove(taken)
        except ValueError:
            return False
        return True

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
        wrote = next(record for _, seq, record in taken.draft.written if seq == taken.started)
        return bool(sealed) and sealed[0][SEAL:] == encode(wrote)


def _holds(head: Head, taken: Taken) -> bool:
    work = taken.work
    if not head.open or head.run != work.run:
        return False
    if isinstance(work, ActivityWork):
        activity = head.activities.get(work.scheduled)
        return activity is not None and activity.started == taken.started
    return head.decision.state == STARTED and head.decision.started == taken.started
