"""The outlook: when something is due in which queue, as far as one engine knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    def look(self, queues: Sequence[str]) -> None:
        """See how these queues stand."""
        now = self._store.now()
        self._dues.update(dict.fromkeys(queues, inf) | self._store.next_due(queues))
        self._looked.update(dict.fromkeys(queues, now))

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
        dues = self._dues
        for task in tasks:
            if task.due < dues.get(task.queue, -inf):
                dues[task.queue] = task.due

    def emptied(self, queues: Iterable[str]) -> None:
        """Nothing more is due in these queues, for a moment."""
        self._dues.update(dict.fromkeys(queues, inf))
