"""The office: opens processes, applies messages to them and commits what comes of it, again when somebody was faster.

Nothing else in the engine reads or writes a head.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from msgspec import structs

from ..exceptions import CorruptRecord, UnknownProcessException, WorkflowError
from .head import Head, Limits
from .history import History, HistoryCache, forget_oldest
from .machine import Draft, apply
from .messages import Message, Start
from .news import News
from .outlook import Outlook
from .pack import pack, unpack
from .store import Commit, Row, Store, Task

PUT_OFF = 60.0
LONG_HISTORY = 10_000
logger = logging.getLogger("pyworkflow.engine")

_NONE: tuple[str, None] = ("", None)


class Visit:
    """One process while something is said to it: the `draft` of what comes of it, and a reply for each message.

    A reply is a value, or the error that the sender is to see. `history` is the process's, where a decider was asked on
    the way: it may be ahead of what is stored. `again` is the last time that all was said, where somebody was faster.
    """

    __slots__ = ("again", "draft", "failed", "history", "messages", "process", "replies", "taken")

    def __init__(self, process: str, messages: Sequence[Message], draft: Draft) -> None:
        self.process = process
        self.again: Visit | None = None
        self.messages: list[Message] = []
        self.draft = draft
        self.replies: list[Any] = []
        self.failed = False
        self.taken: list[Any] = []
        self.history: History | None = None
        for message in messages:
            self._say(message)

    def _say(self, message: Message) -> None:
        self.messages.append(message)
        try:
            self.replies.append(apply(self.draft, message))
        except WorkflowError as error:
            self.failed = True
            self.replies.append(_about(error, self.draft, self.process))

    def take(self, message: Message) -> int | None:
        """Take a task; the number of the reply, None where it is not to be had: then it was not said."""
        try:
            started = apply(self.draft, message)
        except WorkflowError:
            return None
        self.messages.append(message)
        self.replies.append(started)
        return len(self.replies) - 1


class Office:
    """Applies messages to processes in a store. `keep` is how many heads are remembered, beside the histories.

    Where the store has `joined` a caller's transaction, what is said to a process is a part of that as a whole.
    """

    def __init__(self, store: Store, limits: Limits, keep: int, histories: HistoryCache, joined: bool = False) -> None:
        self.histories = histories
        self.news = News(histories)
        self.store = store
        self.outlook = Outlook(store)
        self.limits = limits
        self._keep = keep
        self._joined = joined
        self._heads: dict[str, tuple[str, Head]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def batch(self, grouped: bool = True) -> Iterator[None]:
        """Group what is done as the store can; not `grouped`, it is one commit, which is quicker by itself.

        If it fails, none of it may have happened: what was remembered is forgotten.
        """
        try:
            with self.store.batch() if grouped else nullcontext():
                yield
        except BaseException:
            self._heads.clear()
            self.histories.clear()
            if grouped:
                self.news.forget()
            raise
        finally:
            self.news.tell()

    def send(self, process: str, *messages: Message) -> list[Any]:
        """Say something to one process, in a transaction of its own; the replies."""
        with self.batch(grouped=self._joined):
            return self.commit([self.visit(process, messages, self.store.now())])[0].replies

    def ask(self, process: str, message: Message) -> Any:
        """Say one thing to one process; its reply, or the error raised."""
        reply = self.send(process, message)[-1]
        if isinstance(reply, WorkflowError):
            raise reply
        return reply

    def visit(self, process: str, messages: Sequence[Message], now: float) -> Visit:
        """Say it to the process as it is remembered, and as it is stored where that brings no commit to prove it. One
        that is to be started and is not remembered is taken not to be there."""
        _, known = self._heads.get(process, _NONE)
        if known is not None or (messages and isinstance(messages[0], Start)):
            visit = self.on(process, known, messages, now)
            if visit.draft.changed and not visit.failed:
                return visit
        return self.on(process, self.stored(process), messages, now)

    def on(self, process: str, head: Head | None, messages: Sequence[Message], now: float) -> Visit:
        """Say it to the process in this state."""
        return Visit(process, messages, Draft(head, now, self.limits))

    def commit(self, visits: Sequence[Visit]) -> list[Visit]:
        """Commit visits, each to another process and each whole by itself. Where somebody was faster it is done again,
        without what was handed over or answered on the way."""
        changed = [visit for visit in visits if visit.draft.changed]
        commits = [pack(visit.draft) for visit in changed]
        applied = self.store.commit(commits) if commits else []
        again = set()
        for visit, commit, ok in zip(changed, commits, applied, strict=True):
            if ok:
                self._remember(commit, visit)
            else:
                again.add(visit)
        return [self._again(visit) if visit in again else visit for visit in visits] if again else list(visits)

    def _again(self, first: Visit) -> Visit:
        while True:
            visit = self.on(first.process, self.stored(first.process), first.messages, self.store.now())
            first.again = visit
            if not visit.draft.changed:
                return visit
            commit = pack(visit.draft)
            if self.store.commit([commit])[0]:
                self._remember(commit, visit)
                return visit

    def stored(self, process: str) -> Head | None:
        """The process as it is stored now."""
        row = self.store.read(process)
        return None if row is None else self.head(process, row)

    def claim(self, queues: Sequence[str], lease: float, limit: int) -> list[tuple[Task, Head | None]]:
        """Take tasks that are due by the outlook, with their processes. What cannot be read is logged and put off."""
        now = self.store.now()
        claimed: list[tuple[Task, Head | None]] = []
        queues = self.outlook.due(queues)
        while queues and (wanted := limit - len(claimed)):
            mark = self.outlook.mark()
            due = self.store.claim(queues, now, now + lease, wanted)
            for task, row in due:
                try:
                    claimed.append((task, None if row is None else self.head(task.process, row)))
                except CorruptRecord as error:
                    self.put_off(task, error)
            if len(due) < wanted:
                self.outlook.emptied(queues, mark)
                break
        return claimed

    def put_off(self, task: Task, error: CorruptRecord) -> None:
        """Leave a task that cannot be read for later, when somebody may have mended it."""
        logger.error("%s; task %s is put off for %.0f s", error, task.key, PUT_OFF)
        self.store.postpone(task, self.store.now() + PUT_OFF)

    def give_back(self, task: Task) -> None:
        """Let a claimed task be due again."""
        due = self.store.now()
        self.store.postpone(task, due)
        self.outlook.expect([structs.replace(task, due=due)])

    def head(self, process: str, row: Row) -> Head:
        """The head of a row: the remembered one when it is the same state."""
        stamp, head = self._heads.get(process, _NONE)
        return head if head is not None and stamp == row.stamp else unpack(row, process)

    def _remember(self, commit: Commit, visit: Visit) -> None:
        draft = visit.draft
        if commit.add:
            self.outlook.expect(commit.add)
        self.news.note(draft, visit.history)
        if draft.head.seq >= LONG_HISTORY > draft.head.seq - len(draft.written):
            limit = self.limits.events
            logger.warning("process %r has %d events; it ends at %d", commit.process, draft.head.seq, limit)
        if not self._keep:
            return
        if not draft.head.open:
            self._heads.pop(commit.process, None)
            self.histories.drop(commit.process, draft.head.run)
            return
        self.histories.extend(draft, visit.history)
        self._heads.pop(commit.process, None)
        self._heads[commit.process] = (commit.stamp, draft.head)
        if len(self._heads) > self._keep:
            forget_oldest(self._heads, self._keep, self._lock)


def _about(error: WorkflowError, draft: Draft, process: str) -> WorkflowError:
    """An error of the machine, which does not know the name of a process that is not there."""
    if draft.current is None and isinstance(error, UnknownProcessException):
        return UnknownProcessException(f"there is no process {process!r}")
    return error
