"""Mail: delivers the alarms and letters that are due. Every poll does; there is no daemon and no leader."""

from __future__ import annotations

import uuid

import msgspec

from ..exceptions import CorruptRecord, ProcessAlreadyRunning, UnknownProcessException
from . import messages as msg
from .codec import decode, unseal
from .office import Job, Office, Reply
from .store import ALARMS, LETTERS, Task

LEASE = 5.0
PATIENCE = 3.0
BATCH = 100

_LETTERS = msgspec.json.Decoder(msg.Letter)


def fresh_run() -> str:
    """An id for a run, never used again."""
    return uuid.uuid4().hex[:16]


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
        jobs = [Job(task.process, [msg.Wake()], head=head) for task, head in claimed]
        for (task, _), done in zip(claimed, self.office.work(jobs), strict=True):
            head = done.draft.current
            if head is None or head.alarm is None:
                self.store.discard(task)
            elif not done.draft.changed:
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
        reply = self.office.work([Job(letter.to, [letter.message])])[0].replies[0]
        if isinstance(reply.error, UnknownProcessException) and letter.initiated and now < letter.sent + PATIENCE:
            return self.store.postpone(task, now + 0.1)
        if letter.initiated:
            self.office.work([Job(letter.sender, [_answer(letter, reply)])])
        return self.store.discard(task)


def _answer(letter: msg.Letter, reply: Reply) -> msg.Message:
    run, initiated = letter.sender_run, letter.initiated
    if isinstance(letter.message, msg.Start):
        if reply.error is None:
            return msg.ChildStarted(run=run, initiated=initiated, child_run=reply.value)
        cause = (
            "WORKFLOW_ALREADY_RUNNING" if isinstance(reply.error, ProcessAlreadyRunning) else "OPERATION_NOT_PERMITTED"
        )
        return msg.Undelivered(run=run, initiated=initiated, cause=cause)
    if reply.error is None:
        return msg.Delivered(run=run, initiated=initiated)
    return msg.Undelivered(run=run, initiated=initiated, cause="UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION")
