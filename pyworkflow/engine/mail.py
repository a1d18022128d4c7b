"""Mail: delivers the alarms and letters that are due. Every poll does; there is no daemon and no leader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
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
    """A claimed alarm or letter that its deliverer drops is due again after LEASE seconds: delivered at least once.

    Letters are taken, handed over, and answered in transactions of their own, each of which comes to all its processes
    in one go. So no two deliverers, each with processes in hand that the other wants, wait for one another.
    """

    def __init__(self, office: Office) -> None:
        self.office = office
        self.store = office.store

    def deliver(self) -> None:
        """Deliver what is due; letters that come of it too, up to a few rounds."""
        with self.office.batch():
            self._sound_alarms()
        for _ in range(8):
            with self.office.batch():
                claimed = self.office.claim([LETTERS], LEASE, BATCH)
                letters = [(task, letter) for task, _ in claimed if (letter := self._open(task)) is not None]
            if not claimed:
                return
            self._hand_over(letters)

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

    def _open(self, task: Task) -> msg.Letter | None:
        """What a letter says; one that cannot be read is put off."""
        try:
            what = f"letter {task.key} of process {task.process!r}"
            return decode(_LETTERS, unseal(task.body, what)[0], what)
        except CorruptRecord as error:
            self.office.put_off(task, error)
            return None

    def _hand_over(self, letters: list[tuple[Task, msg.Letter]]) -> None:
        for _, letter in letters:
            if isinstance(letter.message, msg.Start):
                letter.message.run = fresh_run()
        with self.office.batch():
            replies = self._say([(letter.to, letter.message) for _, letter in letters])
        with self.office.batch():
            self._answer(letters, replies)

    def _answer(self, letters: list[tuple[Task, msg.Letter]], replies: list[Any]) -> None:
        """Tell senders what they wait for. Letters to or from a process that cannot be read are put off."""
        now = self.store.now()
        told = [
            (letter, reply)
            for (_, letter), reply in zip(letters, replies, strict=True)
            if letter.initiated and not (_is_early(letter, reply, now) or isinstance(reply, CorruptRecord))
        ]
        heard = iter(self._say([(letter.sender, _answer(letter, reply)) for letter, reply in told]))
        for (task, letter), reply in zip(letters, replies, strict=True):
            if _is_early(letter, reply, now):
                self.store.postpone(task, now + 0.1)
                continue
            error = reply if isinstance(reply, CorruptRecord) or not letter.initiated else next(heard)
            if isinstance(error, CorruptRecord):
                self.office.put_off(task, error)
            else:
                self.store.discard(task)

    def _say(self, messages: Sequence[tuple[str, msg.Message]]) -> list[Any]:
        """Say something to processes, what one is told in one commit where it can be; the replies."""
        now, later = _at_once(messages)
        replies = dict(zip(now, self._say_at_once([messages[index] for index in now]), strict=True))
        if later:
            replies |= dict(zip(later, self._say([messages[index] for index in later]), strict=True))
        return [replies[index] for index in range(len(messages))]

    def _say_at_once(self, messages: Sequence[tuple[str, msg.Message]]) -> list[Any]:
        by_process: dict[str, list[msg.Message]] = {}
        for process, message in messages:
            by_process.setdefault(process, []).append(message)
        now, visits, replies = self.store.now(), [], dict[str, Iterator[Any]]()
        for process, said in by_process.items():
            try:
                visits.append(self.office.visit(process, said, now))
            except CorruptRecord as error:
                replies[process] = repeat(error)
        for visit in self.office.commit(visits):
            replies[visit.process] = iter(visit.replies)
        return [next(replies[process]) for process, _ in messages]


def _at_once(messages: Sequence[tuple[str, msg.Message]]) -> tuple[list[int], list[int]]:
    """Which of them go into one commit a process, and which must wait for that: a commit begins one run at most."""
    now: list[int] = []
    later: list[int] = []
    told: set[str] = set()
    full: set[str] = set()
    for index, (process, message) in enumerate(messages):
        starts = isinstance(message, msg.Start)
        if process in full or (starts and process in told):
            later.append(index)
            full.add(process)
            continue
        now.append(index)
        told.add(process)
        if starts:
            full.add(process)
    return now, later


def _is_early(letter: msg.Letter, reply: Any, now: float) -> bool:
    """Is it to a process that is not there, and whose start may still be on its way?"""
    return isinstance(reply, UnknownProcessException) and letter.initiated > 0 and now < letter.sent + PATIENCE


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
