"""Clients that wait for tasks: any number of them on one thread, and a task is taken only when one waits for it.

One thread asks the backend for the lists that somebody waits for, one task of a kind at a time; whatever else is due
in the backend is done by the same call, so timers and timeouts need no client. Who waits is known to the event loop
alone. A client that goes away leaves before it can be given a task, and a task that nobody is left for is handed back.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from concurrent.futures import Future

from pyworkflow.backend import Exchanged, Wanted
from pyworkflow.exceptions import BackendUnavailable, WorkflowError
from pyworkflow.task import ActivityTask, DecisionTask
from pyworkflow.values import fresh_id

from .endpoint import Endpoint

LONG = 10.0
BACKOFF = 0.5
DECISION, ACTIVITY = "decision", "activity"
Task = ActivityTask | DecisionTask
Waiter = asyncio.Future[Task | None]
List = tuple[str, str]

logger = logging.getLogger("pyworkflow.swf")


class Polls:
    """`start`, `wait` and `stop` belong to the event loop. A list is a kind and a category."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._backend = endpoint.backend
        self._name = f"swf-{fresh_id()}"
        self._waiting: dict[List, deque[Waiter]] = {}
        self._wanted: frozenset[List] = frozenset()
        self._asked: frozenset[List] = frozenset()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="swf-polls", daemon=True)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Let everybody who waits go, with nothing."""
        self._stopped = True
        for waiter in [waiter for waiters in self._waiting.values() for waiter in waiters]:
            _let_go(waiter)
        self._backend.interrupt_wait(self._name)
        await asyncio.to_thread(self._thread.join)

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    async def wait(self, kind: str, category: str, timeout: float, identity: str | None = None) -> Task | None:
        """The next task of a list, None after `timeout` seconds. Who waits for it is not known when it is taken."""
        if (task := await self._take((kind, category), identity)) is not None:
            return task
        waiter: Waiter = self._loop.create_future()
        self._enter((kind, category), waiter)
        timer = self._loop.call_later(0 if self._stopped else timeout, _let_go, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and (task := waiter.result()) is not None:
                self.hand_back(task)
            raise
        finally:
            timer.cancel()
            if self._leave((kind, category), waiter) and (kind, category) in self._asked:
                self._backend.interrupt_wait(self._name)  # Nobody is there any more who could be given one.

    async def _take(self, list: List, identity: str | None) -> Task | None:
        """What is there already, unless others wait for it."""
        if self._waiting.get(list) or self._stopped:
            return None
        taking = asyncio.ensure_future(self._endpoint.call(lambda: self._exchange(frozenset({list}), 0.0, identity)))
        try:
            got = await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(self._taken_for_nobody)
            raise
        return next(iter(_tasks(got)), None)

    def _taken_for_nobody(self, taking: asyncio.Future[Exchanged]) -> None:
        if not taking.cancelled() and taking.exception() is None:
            for task in _tasks(taking.result()):
                self.hand_back(task)

    def hand_back(self, task: Task, delay: float = 0.0) -> None:
        """Nobody is left to do it; `delay` is how many seconds it rests."""
        self._loop.run_in_executor(None, self._release, task, delay)

    # -- who waits: in the event loop ----------

    def _enter(self, list: List, waiter: Waiter) -> None:
        self._waiting.setdefault(list, deque()).append(waiter)
        self._wanted |= {list}
        if list not in self._asked:
            self._backend.interrupt_wait(self._name)

    def _leave(self, list: List, waiter: Waiter) -> bool:
        """Wait no more; was it the last one who did?"""
        waiters = self._waiting.get(list)
        if waiters is None or waiter not in waiters:
            return False
        waiters.remove(waiter)
        if waiters:
            return False
        del self._waiting[list]
        self._wanted -= {list}
        return True

    def _hand(self, list: List, task: Task, handed: Future[bool]) -> None:
        """Give a task to who has waited longest, and is still there."""
        waiters = self._waiting.get(list, deque())
        while waiters:
            waiter = waiters[0]
            self._leave(list, waiter)
            if not waiter.done():
                waiter.set_result(task)
                handed.set_result(True)
                return
        handed.set_result(False)

    # -- the thread ----------

    def _run(self) -> None:
        while not self._stopped:
            try:
                got = self._next()
                for decision in got.decisions:
                    self._deliver((DECISION, decision.category), decision)
                for activity in got.activities:
                    self._deliver((ACTIVITY, activity.category), activity)
            except BackendUnavailable as error:
                logger.warning("the backend cannot be reached: %s", error)
                threading.Event().wait(BACKOFF)
            except Exception:
                logger.exception("tasks could not be taken")
                threading.Event().wait(BACKOFF)

    def _next(self) -> Exchanged:
        self._asked = wanted = self._wanted
        return self._exchange(wanted, LONG)

    def _exchange(self, lists: frozenset[List], timeout: float, identity: str | None = None) -> Exchanged:
        decisions, activities = _of(DECISION, lists), _of(ACTIVITY, lists)
        interrupt = self._name if timeout else None
        return self._backend.exchange(
            decisions=decisions, activities=activities, identity=identity, timeout=timeout, interrupt=interrupt
        )

    def _deliver(self, list: List, task: Task) -> None:
        """The next one is taken only when this one is in somebody's hands: so never more than there are who wait."""
        handed: Future[bool] = Future()
        self._loop.call_soon_threadsafe(self._hand, list, task, handed)
        if not handed.result():
            self._release(task)

    def _release(self, task: Task, delay: float = 0.0) -> None:
        try:
            self._backend.release_task(task, delay)
        except WorkflowError as error:
            logger.warning("a task that nobody is left for waits for its timeout: %s", error)


def _of(kind: str, wanted: frozenset[List]) -> Wanted:
    categories = tuple(category for each, category in sorted(wanted) if each == kind)
    return Wanted(categories, 1 if categories else 0)


def _tasks(got: Exchanged) -> list[Task]:
    return [*got.decisions, *got.activities]


def _let_go(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)
