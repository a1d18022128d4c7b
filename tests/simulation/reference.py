"""A reference model: what a backend must do, written plainly and without the engine, to compare histories with.

Decisions are tuples, events are lines of text. Times are given from outside; whatever is due happens in `settle`.
"""

from __future__ import annotations

from .reference_base import ACTIVITIES, ATTEMPTS, DECISION_TIMEOUT, WORKFLOW_TIMEOUT, Refused
from .reference_mail import Mail
from .reference_tasks import Tasks

__all__ = ["ACTIVITIES", "ATTEMPTS", "DECISION_TIMEOUT", "WORKFLOW_TIMEOUT", "Reference", "Refused"]


class Reference(Tasks, Mail):
    """Time passes, and whatever is due happens."""

    def next_due(self) -> float | None:
        """When something happens by itself."""
        times = [due for id in self.processes for due, _, _ in self._deadlines(id)]
        return min([*times, *(letter.due for letter in self.mail)], default=None)

    def settle(self) -> None:
        """Everything that is due happens: deadlines first, then letters, until nothing is left."""
        for id in list(self.processes):
            self.expire(id)
        while ready := sorted((it for it in self.mail if it.due <= self.now), key=lambda it: it.due):
            for letter in ready:
                self.mail.remove(letter)
                self._deliver(letter)
