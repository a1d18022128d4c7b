"""News: what commits wrote, told to those who watch when it is kept, by the thread whose call it was."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from itertools import groupby

from ..events import Event
from ..exceptions import CorruptRecord, PayloadError
from .head import Head
from .history import History, HistoryCache
from .machine import Draft

Telling = Callable[[Head, list[Event]], None]

logger = logging.getLogger("pyworkflow.engine")


class News:
    """What a thread noted in a transaction is told after it, or forgotten with it. Free while nobody watches."""

    def __init__(self, histories: HistoryCache) -> None:
        self._histories = histories
        self._watchers: tuple[Telling, ...] = ()
        self._mine = threading.local()

    def watch(self, tell: Telling) -> None:
        self._watchers += (tell,)

    def note(self, draft: Draft, ahead: History | None) -> None:
        """This draft was committed, in a transaction that may still fail. The history of a run that ended is kept."""
        if self._watchers and draft.written:
            ended = draft.archived or (None if draft.head.open else draft.head)
            history = None if ended is None else ahead or self._histories.take(ended.id, ended.run)
            self._noted().append((draft, history))

    def forget(self) -> None:
        self._mine.noted = []

    def tell(self) -> None:
        """Tell what was noted. Who is told may use the backend: by then there is no transaction any more."""
        if not self._watchers:
            return
        noted = self._noted()
        self.forget()
        for head, events in (news for each in noted for news in self._events(*each)):
            for tell in self._watchers:
                tell(head, events)

    def _noted(self) -> list[tuple[Draft, History | None]]:
        noted: list[tuple[Draft, History | None]] = self._mine.__dict__.setdefault("noted", [])
        return noted

    def _events(self, draft: Draft, ended: History | None) -> Iterator[tuple[Head, list[Event]]]:
        """The events of a draft, for each run that it wrote to."""
        for run, written in groupby(draft.written, key=lambda item: item[0]):
            head = draft.head if draft.archived is None or run == draft.head.run else draft.archived
            numbers = [seq for _, seq, _ in written]
            try:
                history = self._history(draft, head, numbers[0], numbers[-1], ended)
            except (CorruptRecord, PayloadError) as error:
                logger.error("%s; what happened to process %r cannot be told", error, head.id)
            else:
                yield head, history.between(numbers[0], numbers[-1])

    def _history(self, draft: Draft, head: Head, first: int, last: int, ended: History | None) -> History:
        if head.open:
            return self._histories.get(head.id, head.run, last)
        if ended is not None and ended.seq >= first - 1:
            ended.append_all(draft)
        return self._histories.read(ended, head.id, head.run, last)
