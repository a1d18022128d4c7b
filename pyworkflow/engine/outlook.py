"""The outlook: when something is due in which queue, as far as one engine knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from math import inf

from .store import Store, Task

BELIEVED = 0.01


class Outlook:
    """What this engine adds itself it knows at once; what others add it knows when it has looked.

    A queue that is said to be empty costs nothing more; one that is said to hold something is claimed from, and may
    have been emptied by others.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dues: dict[str, float] = {}
        self._looked: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self._marks = count(1)

    def mark(self) -> int:
        """A point in time: what is found out from here on is not to replace what is told after it."""
        return next(self._marks)

    def look(self, queues: Sequence[str]) -> None:
        """See how these queues stand."""
        mark, now = self.mark(), self._store.now()
        dues = self._store.next_due(queues)
        for queue in queues:
            self._tell(queue, dues.get(queue, inf), mark)
        self._looked.update(dict.fromkeys(queues, now))

    def _tell(self, queue: str, due: float, mark: int) -> None:
        """Other threads look and add, too: what is known of a later time stays."""
        if self._told.get(queue, 0) < mark:
            self._dues[queue], self._told[queue] = due, mark

    def glance(self, queues: Sequence[str]) -> None:
        """Look only if that was longer than BELIEVED seconds ago."""
        now = self._store.now()
        ages = [now - self._looked.get(queue, -inf) for queue in queues]
        if min(ages) < 0 or max(ages) >= BELIEVED:
            self.look(queues)

    def due(self, queues: Sequence[str]) -> list[str]:
        """Those of these queues in which something may be due; one that was never looked at is."""
        now, dues = self._store.now(), self._dues
        return [queue for queue in queues if dues.get(queue, -inf) <= now]

    def seconds(self, queues: Sequence[str]) -> float:
        """How long until something is due in one of these queues; not positive when something is."""
        return min([self._dues.get(queue, -inf) for queue in queues], default=inf) - self._store.now()

    def expect(self, tasks: Iterable[Task]) -> None:
        """These were added."""
        for task in tasks:
            self._tell(task.queue, min(task.due, self._dues.get(task.queue, -inf)), self.mark())

    def emptied(self, queues: Iterable[str], mark: int) -> None:
        """Nothing more was due in these queues at this mark; that is believed for a moment."""
        for queue in queues:
            self._tell(queue, inf, mark)
