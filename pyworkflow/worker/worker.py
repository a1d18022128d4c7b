"""The workers: one loop hands in what is finished and takes what is next; users' code runs beside it."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from logging import Logger
from queue import Empty, SimpleQueue
from typing import Any

from .. import defaults
from ..activity import ActivityFailed
from ..backend import Exchanged, Failed, Finished, Released, Wanted
from ..exceptions import BackendUnavailable, UnknownResourceException
from ..manager import Manager
from ..task import ActivityTask, DecisionTask
from ..values import fresh_id
from .log import fields, warn_of_endless, worker_log
from .running import Running
from .signals import stop_on_signals

LONG_POLL = 10.0
SLOW = 0.2
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 10.0

Categories = str | Sequence[str] | None


class Worker:
    """Decides and executes activities for a manager, `concurrency` of each at once.

    `category` limits it to one or several categories; None serves all those of the manager's types. `heartbeat` sends
    heartbeats for activities by itself. On SIGTERM, SIGINT or `stop()` it takes no more tasks, waits
    `shutdown_timeout` seconds for what is running, and hands back what has not begun; `signaled` says whether it was a
    signal. A decider that raises `attempts` times in a row blocks its process.

    Of workflows that are code it keeps the last `cache_size` processes running; others are run again from their start
    when they are next decided on. With `always_replay` every decision is computed a second time in that way, and must
    be the same: for tests.
    """

    decides = True
    executes = True

    def __init__(
        self,
        manager: Manager,
        name: str | None = None,
        category: Categories = None,
        *,
        concurrency: int = 1,
        shutdown_timeout: float = 30.0,
        heartbeat: bool = False,
        attempts: int = defaults.DECISION_ATTEMPTS,
        cache_size: int = defaults.CACHE_SIZE,
        always_replay: bool = False,
        logger: Logger | None = None,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency is 1 or more, not {concurrency}")
        if cache_size < 0:
            raise ValueError(f"cache_size is 0 or more, not {cache_size}")
        self.manager = manager
        self.name = name or f"{platform.node()}:{os.getpid()}"
        self.concurrency = concurrency
        self.shutdown_timeout = shutdown_timeout
        self.log = worker_log(logger, self.name)
        self._categories = category
        self.signaled = False
        self._interrupt = f"worker/{fresh_id()}"
        self._done: SimpleQueue[Finished] = SimpleQueue()
        self._unsent: list[Finished] = []
        self._stopping = threading.Event()
        self._waiting = False
        self._started = False
        self._at_once = concurrency
        self._running = Running(
            manager, concurrency, self._finished, self._wake, attempts, self.log, heartbeat, cache_size, always_replay
        )

    # -- running ----------

    def run(self, burst: bool = False) -> None:
        """Work until stopped; with `burst`, until there is nothing left to do."""
        self.signaled = False
        if self.executes:
            warn_of_endless(self.manager.activities, self.log)
        with stop_on_signals(self._on_signal):
            try:
                self._work(burst)
            finally:
                self._shut_down()
        self._stopping.clear()

    def _work(self, burst: bool) -> None:
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            try:
                busy = self._turn(0.0 if burst and not len(self._running) else LONG_POLL)
                if burst and not busy and not len(self._running) and self._done.empty():
                    break
                backoff = FIRST_BACKOFF
            except Exception as error:
                self.log.warning("trying again in %.1f s: %s", backoff, error, exc_info=_unexpected(error))
                self._stopping.wait(backoff)
                backoff = min(backoff * 2, LAST_BACKOFF)

    def stop(self) -> None:
        """Let `run`, now or when called next, finish what is running and return; from any thread or signal handler."""
        self._stopping.set()
        self.manager.backend.interrupt_wait(self._interrupt)

    def _on_signal(self) -> None:
        self.signaled = True
        self.stop()

    def step(self, logger: Logger | None = None) -> bool:
        """Take one task, do it here and now, and hand it in; was there one?"""
        log = self.log if logger is None else worker_log(logger, self.name)
        got = self._exchange(self._unsent, self._decisions(1), self._activities(1), 0.0)
        self._unsent = self._refused(got, log)
        tasks: list[ActivityTask | DecisionTask] = [*got.decisions, *got.activities]
        for task in tasks:
            self._running.do(task, self._unsent.append)
            while self._unsent:
                self._hand_in(log)
        return bool(got)

    # -- one turn of the loop ----------

    def _turn(self, timeout: float) -> bool:
        """Hand in what is finished, take what there is room for and start it; was there anything?"""
        if self._started and not self._unsent:
            self._running.settle()
        self._unsent += self._drain()
        self._waiting = not self._unsent
        if self._waiting and not self._done.empty():
            self._unsent += self._drain()
        decisions, activities = self._decisions(self._at_once), self._activities(self._running.free)
        finished = self._unsent
        got = self._exchange(finished, decisions, activities, 0.0 if finished else timeout)
        self._waiting = False
        self._unsent = self._refused(got, self.log)
        self._started = bool(got.activities)
        self._running.start(got.activities)
        self._decide(list(got.decisions))
        return bool(finished or got)

    def _decide(self, tasks: list[DecisionTask]) -> None:
        """Decide on one after the other; where that is slow, answers are handed in on the way, and fewer taken."""
        begun = handed_in = time.monotonic()
        try:
            while tasks and not self._stopping.is_set():
                self._running.do(tasks[0], self._unsent.append)
                del tasks[0]
                if tasks and time.monotonic() - handed_in > SLOW:
                    self._hand_in(self.log)
                    handed_in = time.monotonic()
        finally:
            self._unsent += [Finished(task, Released()) for task in tasks]
        slow = time.monotonic() - begun > SLOW
        self._at_once = max(1, self._at_once // 2) if slow else min(self._at_once * 2, self.concurrency)

    def _drain(self) -> list[Finished]:
        """What is finished by now."""
        finished = []
        with suppress(Empty):
            while True:
                finished.append(self._done.get_nowait())
        return finished

    def _finished(self, finished: Finished) -> None:
        self._done.put(finished)
        self._wake()

    def _wake(self) -> None:
        if self._waiting:
            self._waiting = False
            self.manager.backend.interrupt_wait(self._interrupt)

    def _exchange(
        self, finished: Sequence[Finished], decisions: Wanted, activities: Wanted, timeout: float
    ) -> Exchanged:
        return self.manager.backend.exchange(
            finished,
            decisions=decisions,
            activities=activities,
            identity=self.name,
            timeout=timeout,
            interrupt=self._interrupt,
            decide=self._running.decide_at_once,
        )

    def _hand_in(self, log: Any) -> None:
        self._unsent = self._refused(self._exchange(self._unsent, Wanted(), Wanted(), 0.0), log)

    def _refused(self, got: Exchanged, log: Any) -> list[Finished]:
        """What could not be recorded becomes a failure that can be; what came too late is only logged."""
        again = []
        for finished, error in got.refused:
            instead = _instead(finished, error)
            if instead is None:
                log.warning("too late: %s", error, extra=fields(finished.task))
            else:
                log.error("cannot be recorded: %s", error, extra=fields(finished.task))
                again.append(instead)
        return again

    # -- stopping ----------

    def _shut_down(self) -> None:
        """Hand back what has not begun, wait for what has, and hand in what comes of it."""
        until = time.monotonic() + self.shutdown_timeout
        self._unsent += self._running.withdraw()
        if self.signaled and (count := len(self._running)):
            still = "1 activity is" if count == 1 else f"{count} activities are"
            self.log.info("stopping: %s still running; a second signal ends it at once", still)
        while self._unsent or len(self._running) or not self._done.empty():
            left = until - time.monotonic()
            if left <= 0:
                break
            if not self._unsent and len(self._running):
                with suppress(Empty):
                    # Not for longer: what is handed off ends without a word here.
                    self._unsent.append(self._done.get(timeout=min(left, FIRST_BACKOFF)))
            self._unsent += self._drain()
            self._try_to_hand_in()
        self._unsent += self._drain()
        if self._unsent:
            self._try_to_hand_in()
        for task in self._running.abandon():
            self.log.warning("still running at shutdown; its timeouts will tell", extra=fields(task))

    def _try_to_hand_in(self) -> None:
        try:
            self._hand_in(self.log)
        except Exception as error:
            self.log.warning("cannot hand in: %s", error, exc_info=_unexpected(error))
            time.sleep(FIRST_BACKOFF)

    # -- what it serves ----------

    def _decisions(self, limit: int) -> Wanted:
        manager = self.manager
        return Wanted(self._serves(manager.decision_categories, self.decides), limit, manager.workflow_types)

    def _activities(self, limit: int) -> Wanted:
        manager = self.manager
        return Wanted(self._serves(manager.activity_categories, self.executes), limit, manager.activity_types)

    def _serves(self, all_categories: tuple[str, ...], at_all: bool) -> tuple[str, ...]:
        if not at_all:
            return ()
        if self._categories is None:
            return all_categories
        return (self._categories,) if isinstance(self._categories, str) else tuple(self._categories)


class ActivityWorker(Worker):
    """A worker that executes activities only."""

    decides = False


class DecisionWorker(Worker):
    """A worker that decides only."""

    executes = False


def _instead(finished: Finished, error: Exception) -> Finished | None:
    """What to hand in for an outcome that cannot be recorded (too large, not JSON); None when it came too late."""
    if isinstance(error, UnknownResourceException) or isinstance(finished.outcome, Failed | Released):
        return None
    reason = f"{type(error).__name__}: {error}"
    if isinstance(finished.task, ActivityTask):
        return None if _is_plain_failure(finished) else Finished(finished.task, ActivityFailed(reason))
    return Finished(finished.task, Failed(reason))


def _is_plain_failure(finished: Finished) -> bool:
    return isinstance(finished.outcome, ActivityFailed) and finished.outcome.details is None


def _unexpected(error: Exception) -> bool:
    """Is a traceback of use: is it anything but the backend being away?"""
    return not isinstance(error, BackendUnavailable)
