"""Mail: delivers the alarms and letters that are due. Every poll does; there is no daemon and no leader."""

from __future__ import annotations

from typing import Any

import msgspec

from ..exceptions import CorruptRecord, ProcessAlreadyRunning, UnknownProcessException, WorkflowError
from . import messages as msg
from .codec import decode, unseal
from .office import Office
from .store import ALARMS, LETTERS, Task
from .translate import fresh_run

LEASE = 5.0
PATIENCE = 3.0
BATCH = 100

_LETTERS = msgspec.json.Decoder(msg.Letter)


class Mail:
    """A claimed alarm or letter that its deliverer drops is due again after LEASE seconds: delivered at least once."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.store = office.store

    def deliver(self) -> None:
        """Deliver what is due; letters that come of it too, up to a few rounds."""
        with self.office.batch():
            self._sound_alarms()
        for _ in range(8):
            with self.office.batch():
                letters = self.office.claim([LETTERS], LEASE, BATCH)
                for task, _ in letters:
                    self._open(task)
            if not letters:
                return

    def _sound_alarms(self) -> None:
        claimed = self.office.claim([ALARMS], LEASE, BATCH)
        now = self.store.now()
        visits = [self.office.on(task.process, head, [msg.Wake()], now) for task, head in claimed]
        for (task, _), visit in zip(claimed, self.office.commit(visits), strict=True):
            head = visit.draft.current
            if head is None or head.alarm is None:
                self.store.discard(task)
            elif not visit.draft.changed:
                self.store.postpone(task, head.alarm)

    def _open(self, task: Task) -> None:
        try:
            what = f"letter {task.key} of process {task.process!r}"
            self._hand_over(task, decode(_LETTERS, unseal(task.body, what)[0], what), self.store.now())
        except CorruptRecord as error:
            self.office.put_off(task, error)

    def _hand_over(self, task: Task, letter: msg.Letter, now: float) -> None:
        if isinstance(letter.message, msg.Start):
            letter.message.run = fresh_run()
        (reply,) = self._say(letter.to, letter.message)
        if isinstance(reply, UnknownProcessException) and letter.initiated and now < letter.sent + PATIENCE:
            return self.store.postpone(task, now + 0.1)
        if letter.initiated:
            self._say(letter.sender, _answer(letter, reply))
        return self.store.discard(task)

    def _say(self, process: str, message: msg.Message) -> list[Any]:
        return self.office.commit([self.office.visit(process, [message], self.store.now())])[0].replies


def _answer(letter: msg.Letter, reply: Any) -> msg.Message:
    run, initiated = letter.sender_run, letter.initiated
    if not isinstance(reply, WorkflowError):
        if isinstance(letter.message, msg.Start):
            return msg.ChildStarted(run=run, initiated=initiated, child_run=reply)
        return msg.Delivered(run=run, initiated=initiated)
    if isinstance(reply, ProcessAlreadyRunning):
        cause = "WORKFLOW_ALREADY_RUNNING"
    elif isinstance(letter.message, msg.Start):
        cause = "OPERATION_NOT_PERMITTED"
    else:
        cause = "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"
    return msg.Undelivered(run=run, initiated=initiated, cause=cause)
