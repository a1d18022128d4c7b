"""An order: what one exchange still wants, from which queues, and for how long its worker's deciders may be asked."""

from __future__ import annotations

import os

from ..backend.model import Decide, Wanted
from .codec import check_name
from .desk import Caller, Taken
from .head import ActivityWork, Head, Work
from .store import activities_queue, decisions_queue

DECIDING = 0.02
MOST = 10_000
"""So many tasks are taken at once, whatever is wanted."""


def type_of(work: Work, head: Head) -> tuple[str, str]:
    """The name and version of what the work is to be done by."""
    if isinstance(work, ActivityWork):
        return work.activity, work.version
    return head.workflow, head.workflow_version


class Order:
    """`left` are the decisions and activities still wanted, `by_kind` their queues. `seconds_left` is how long deciders
    may take before it commits, `decided` how many answers they gave; `started` is what was tried to be started for it.
    """

    def __init__(
        self, decisions: Wanted | None, activities: Wanted | None, identity: str, decide: Decide | None = None
    ) -> None:
        self.caller = Caller(identity, int.from_bytes(os.urandom(4), "big"))
        self.decide = decide
        self.seconds_left = 0.0 if decide is None else DECIDING
        self.decided = 0
        self.started: list[Taken] = []
        decisions, activities = decisions or Wanted(), activities or Wanted()
        self._types = decisions.types, activities.types
        self.left = [min(decisions.limit, MOST), min(activities.limit, MOST)]
        self.by_kind = [
            [decisions_queue(check_name("a category", category)) for category in decisions.categories],
            [activities_queue(check_name("a category", category)) for category in activities.categories],
        ]

    def kind(self, queue: str) -> int | None:
        """Which of the two is wanted from this queue, None for neither."""
        for kind in (0, 1):
            if self.left[kind] > 0 and queue in self.by_kind[kind]:
                return kind
        return None

    def wants(self, work: Work, head: Head) -> bool:
        """Is this work of a type that the worker wants?"""
        types = self._types[isinstance(work, ActivityWork)]
        return types is None or type_of(work, head) in types

    def may_have(self, taken: Taken) -> bool:
        """Was this started for the same worker, and is it wanted?"""
        mine = taken.caller.identity == self.caller.identity
        return mine and self.kind(taken.queue) is not None and self.wants(taken.work, taken.head)

    @property
    def queues(self) -> list[str]:
        """Those that something is still wanted from."""
        return [queue for left, queues in zip(self.left, self.by_kind, strict=True) if left > 0 for queue in queues]
