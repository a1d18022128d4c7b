"""The office: opens processes, applies messages to them and commits what comes of it, again when somebody was faster.

Nothing else in the engine reads or writes a head.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from ..exceptions import CorruptRecord, UnknownProcessException, WorkflowError
from .head import Head, Limits
from .history import HistoryCache
from .machine import Draft, apply
from .messages import Message
from .pack import pack, unpack
from .store import Commit, Row, Store, Task

PUT_OFF = 60.0
LONG_HISTORY = 10_000
logger = logging.getLogger("pyworkflow.engine")

_NONE: tuple[str, None] = ("", None)


class Reply(Struct, gc=False):
    """What a message was answered: a value, or the error that its sender is to see."""

    value: Any = None
    error: WorkflowError | None = None


class Job(Struct, gc=False):
    """Messages for one process. `after` may add to the draft once they are applied; what it returns is `taken`.

    `head` is the process as the store just gave it, where the caller has it. Neither counts when somebody was faster.
    """

    process: str
    messages: Sequence[Message]
    after: Callable[[Draft], list[Any]] | None = None
    head: Head | None = None


class Done(Struct, gc=False):
    """A job's replies, and the process as it was left."""

    process: str
    replies: list[Reply]
    taken: list[Any]
    draft: Draft
    failed: bool = False


class Office:
    """Applies messages to processes in a store. `keep` is how many heads are remembered, beside the histories."""

    def __init__(self, store: Store, limits: Limits, keep: int, histories: HistoryCache) -> None:
        self.histories = histories
        self.store = store
        self.limits = limits
        self._keep = keep
        self._heads: OrderedDict[str, tuple[str, Head]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Group jobs as the store can. If it fails, none may have happened: what was remembered is forgotten."""
        try:
            with self.store.batch():
                yield
        except BaseException:
            with self._lock:
                self._heads.clear()
            self.histories.clear()
            raise

    def send(self, process: str, *messages: Message) -> list[Reply]:
        """Say something to one process, in a transaction of its own; the replies."""
        with self.batch():
            return self.work([Job(process, messages)])[0].replies

    def ask(self, process: str, message: Message) -> Any:
        """Say one thing to one process; its reply, or the error raised."""
        reply = self.send(process, message)[-1]
        if reply.error is not None:
            raise reply.error
        return reply.value

    def work(self, jobs: Sequence[Job]) -> list[Done]:
        """Do several jobs, each for another process, and commit them together; each is atomic by itself."""
        now = self.store.now()
        done = [self._do(job, now) for job in jobs]
        changed = [item for item in done if item.draft.changed]
        commits = [pack(item.draft) for item in changed]
        applied = self.store.commit(commits) if commits else []
        again = set()
        for item, commit, ok in zip(changed, commits, applied, strict=True):
            if ok:
                self._remember(commit, item.draft)
            else:
                again.add(id(item))
        if not again:
            return done
        return [self._redo(job) if id(item) in again else item for job, item in zip(jobs, done, strict=True)]

    def _redo(self, job: Job) -> Done:
        while True:
            done = self._on(self._read(job.process), Job(job.process, job.messages), self.store.now())
            if not done.draft.changed:
                return done
            commit = pack(done.draft)
            if self.store.commit([commit])[0]:
                self._remember(commit, done.draft)
                return done

    def _do(self, job: Job, now: float) -> Done:
        """A job on the process as it is remembered, and on what is stored where that brings no commit to prove it."""
        if job.head is not None:
            return self._on(job.head, job, now)
        known = self._heads.get(job.process)
        if known is not None:
            done = self._on(known[1], Job(job.process, job.messages), now)
            if done.draft.changed and not done.failed:
                done.taken = job.after(done.draft) if job.after is not None else []
                return done
        return self._on(self._read(job.process), job, now)

    def _on(self, head: Head | None, job: Job, now: float) -> Done:
        draft = Draft(head, now, self.limits)
        done = Done(job.process, [], [], draft)
        for message in job.messages:
            try:
                done.replies.append(Reply(apply(draft, message)))
            except WorkflowError as error:
                done.failed = True
                done.replies.append(Reply(error=_about(error, draft, job.process)))
        if job.after is not None:
            done.taken = job.after(draft)
        return done

    def _read(self, process: str) -> Head | None:
        row = self.store.read(process)
        return None if row is None else self.head(process, row)

    def claim(self, queues: Sequence[str], lease: float, limit: int) -> list[tuple[Task, Head | None]]:
        """Take due tasks with their processes. What cannot be read is logged and put off."""
        now = self.store.now()
        claimed: list[tuple[Task, Head | None]] = []
        while wanted := limit - len(claimed):
            due = self.store.claim(queues, now, now + lease, wanted)
            for task, row in due:
                try:
                    claimed.append((task, None if row is None else self.head(task.process, row)))
                except CorruptRecord as error:
                    self.put_off(task, error)
            if len(due) < wanted:
                break
        return claimed

    def put_off(self, task: Task, error: CorruptRecord) -> None:
        """Leave a task that cannot be read for later, when somebody may have mended it."""
        logger.error("%s; task %s is put off for %.0f s", error, task.key, PUT_OFF)
        self.store.postpone(task, self.store.now() + PUT_OFF)

    def head(self, process: str, row: Row) -> Head:
        """The head of a row: the remembered one when it is the same state."""
        stamp, head = self._heads.get(process, _NONE)
        return head if head is not None and stamp == row.stamp else unpack(row, process)

    def _remember(self, commit: Commit, draft: Draft) -> None:
        if draft.head.seq >= LONG_HISTORY > draft.head.seq - len(draft.written):
            limit = self.limits.events
            logger.warning("process %r has %d events; it ends at %d", commit.process, draft.head.seq, limit)
        if not self._keep:
            return
        if not draft.head.open:
            self._heads.pop(commit.process, None)
            self.histories.drop(commit.process, draft.head.run)
            return
        self.histories.extend(commit.process, draft)
        with self._lock:
            self._heads[commit.process] = (commit.stamp, draft.head)
            self._heads.move_to_end(commit.process)
            while len(self._heads) > self._keep:
                self._heads.popitem(last=False)


def _about(error: WorkflowError, draft: Draft, process: str) -> WorkflowError:
    """An error of the machine, which does not know the name of a process that is not there."""
    if draft.current is None and isinstance(error, UnknownProcessException):
        return UnknownProcessException(f"there is no process {process!r}")
    return error
