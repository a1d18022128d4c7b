"""The Backend over any store: users' verbs become messages, polls go to the counter, questions to the records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .. import defaults
from ..activity import ActivityResult
from ..backend.base import Backend
from ..backend.model import (
    Decide,
    Description,
    Exchanged,
    Finished,
    IfRunning,
    Page,
    ProcessFilter,
    ProcessRef,
    QueueCount,
    Tell,
    Wanted,
)
from ..events import Event
from ..process import Process, ProcessResult
from ..signal import Signal
from ..task import ActivityTask
from . import messages as msg
from .bell import process_topic
from .checks import text, until
from .codec import PAYLOAD_LIMIT, PayloadCodec, Payloads, check_name
from .counter import Counter
from .desk import Desk
from .head import Limits
from .history import HistoryCache
from .mail import Mail
from .office import Office
from .order import Order
from .questions import Questions
from .resetting import Resetter
from .store import ALARMS, LETTERS, Store
from .tokens import activity_token
from .translate import Translator, policy, reason_text, target
from .translate import timeout as _seconds
from .types import ActivityType, Types, WorkflowType

SHORTEST_NAP, LONGEST_NAP = 0.005, 1.0
MAIL = (ALARMS, LETTERS)


class Engine(Backend):
    """A backend over a store. `cache_size` is how many processes' heads and histories are kept decoded (0: none);
    `payload_limit` is in bytes; `payload_codec` encrypts or compresses payloads."""

    def __init__(
        self,
        store: Store,
        *,
        cache_size: int = 1_000,
        payload_limit: int = PAYLOAD_LIMIT,
        payload_codec: PayloadCodec | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.store = store
        self._types = Types()
        self._payloads = Payloads(payload_codec, payload_limit)
        histories = HistoryCache(store, self._payloads, cache_size)
        self._office = Office(store, limits or Limits(), cache_size, histories)
        self._mail = Mail(self._office)
        self._translator = Translator(self._types, self._payloads)
        self._counter = Counter(self._office, Desk(store, self._translator, self._payloads, histories))
        self._questions = Questions(self._office, self._payloads)
        self._interrupts: set[str | None] = set()
        self._closed = False

    @classmethod
    def from_url(cls, url: str, *, create: bool = True, **options: Any) -> Engine:
        """A backend as `open_backend` makes it from a URL."""
        return cls(**options)

    # -- types ----------

    def register_workflow(
        self,
        name: str,
        category: str = defaults.DECISION_CATEGORY,
        timeout: float | None = defaults.WORKFLOW_TIMEOUT,
        decision_timeout: float | None = defaults.DECISION_TIMEOUT,
        *,
        version: str = defaults.WORKFLOW_VERSION,
    ) -> None:
        type = WorkflowType(
            check_name("a workflow's name", name),
            check_name("a category", category),
            _seconds(timeout),
            _seconds(decision_timeout),
            check_name("a version", version),
        )
        self._types.add_workflow(type)

    def register_activity(
        self,
        name: str,
        category: str = defaults.ACTIVITY_CATEGORY,
        scheduled_timeout: float | None = defaults.ACTIVITY_SCHEDULED_TIMEOUT,
        execution_timeout: float | None = defaults.ACTIVITY_EXECUTION_TIMEOUT,
        heartbeat_timeout: float | None = defaults.ACTIVITY_HEARTBEAT_TIMEOUT,
        *,
        version: str = defaults.ACTIVITY_VERSION,
        close_timeout: float | None = None,
    ) -> None:
        type = ActivityType(
            check_name("an activity's name", name),
            check_name("a category", category),
            _seconds(scheduled_timeout),
            _seconds(execution_timeout),
            _seconds(heartbeat_timeout),
            check_name("a version", version),
            _seconds(close_timeout),
        )
        self._types.add_activity(type)

    # -- processes ----------

    def start_process(
        self,
        process: Process,
        *,
        request_id: str | None = None,
        if_running: IfRunning = "fail",
        signal: Signal | None = None,
        timeout: float | None = None,
        decision_timeout: float | None = None,
        category: str | None = None,
        priority: int = 0,
        connection: Any = None,
    ) -> str:
        start = self._translator.start(
            process, request_id, if_running, signal, timeout, decision_timeout, category, priority
        )
        self._office_on(connection).ask(start.process, start)
        return start.process

    def signal_process(
        self,
        process_or_id: ProcessRef,
        signal: Signal | str,
        data: Any = None,
        *,
        request_id: str | None = None,
        connection: Any = None,
    ) -> None:
        process, run = target(process_or_id)
        self._office_on(connection).ask(process, self._translator.signal(run, signal, data, request_id))

    def _office_on(self, connection: Any) -> Office:
        """The office; in a caller's transaction, which may be rolled back, one that remembers nothing."""
        if connection is None:
            return self._office
        store = self.store.joined(connection)
        return Office(store, self._office.limits, 0, HistoryCache(store, self._payloads, 0), joined=True)

    def cancel_process(self, process_or_id: ProcessRef, details: Any = None) -> None:
        process, run = target(process_or_id)
        self._office.ask(process, msg.RequestCancel(run=run, details=self._payloads.dump(details)))

    def terminate_process(
        self,
        process_or_id: ProcessRef,
        reason: str | None = None,
        details: Any = None,
        *,
        child_policy: str | None = None,
    ) -> None:
        process, run = target(process_or_id)
        message = msg.Terminate(
            run=run,
            reason=reason_text(reason),
            details=self._payloads.dump(details),
            child_policy="" if child_policy is None else policy(child_policy),
        )
        self._office.ask(process, message)
        self._mail.deliver()

    def resume_process(self, process_or_id: ProcessRef) -> None:
        process, run = target(process_or_id)
        self._office.ask(process, msg.Resume(run=run))

    def reset_process(
        self,
        process_or_id: ProcessRef,
        to: int | None = None,
        *,
        id: str | None = None,
        results: Mapping[str, ActivityResult] | None = None,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> str:
        resetter = Resetter(self._office, self._questions, self._translator)
        asked = text("a request id", request_id or "")
        return resetter.reset(target(process_or_id), to, id, results or {}, reason, asked)

    # -- questions ----------

    def process_by_id(self, process_or_id: ProcessRef) -> Process:
        return self._questions.process(*target(process_or_id))

    def processes(self, workflow: str | None = None, tag: str | None = None) -> Iterator[Process]:
        which, cursor = ProcessFilter(workflow=workflow, tag=tag), None
        while True:
            page = self.list_processes(which, 500, cursor)
            yield from page.processes
            if (cursor := page.cursor) is None:
                return

    def list_processes(self, which: ProcessFilter, limit: int = 100, cursor: str | None = None) -> Page:
        return self._questions.page(which, limit, cursor)

    def count_processes(self, which: ProcessFilter) -> int:
        return self._questions.count(which)

    def describe_process(self, process_or_id: ProcessRef) -> Description:
        return self._questions.describe(*target(process_or_id))

    def history(self, process_or_id: ProcessRef, skip: int = 0, limit: int | None = None) -> list[Event]:
        return self._questions.events(*target(process_or_id), skip, limit)

    def wait_for_process(self, process_or_id: ProcessRef, timeout: float | None = None) -> ProcessResult | None:
        process, run = target(process_or_id)
        end = None if timeout is None else until(timeout)
        while True:
            ticket = self.store.ticket()
            result = self._questions.result(process, run)
            left = LONGEST_NAP if end is None else min(end - time.monotonic(), LONGEST_NAP)
            if result is not None or left <= 0 or self._closed:
                return result
            self.store.wait(ticket, [process_topic(process)], left)

    # -- tasks ----------

    def exchange(
        self,
        finished: Sequence[Finished] = (),
        *,
        decisions: Wanted | None = None,
        activities: Wanted | None = None,
        identity: str | None = None,
        timeout: float = 0.0,
        interrupt: str | None = None,
        decide: Decide | None = None,
    ) -> Exchanged:
        end, outlook = until(timeout), self._office.outlook
        while True:
            order = Order(decisions, activities, reason_text(identity)[:256], decide)
            ticket = self.store.ticket() if timeout > 0 else None
            queues = [*MAIL, *order.queues]
            (outlook.glance if finished else outlook.look)(queues)
            quiet = 0.0 if finished else outlook.seconds(queues)
            if outlook.due(MAIL):
                self._mail.deliver()
            result = Exchanged()
            if finished or self._counter.doubts.about(order.may_have) or outlook.due(order.queues):
                result, finished = self._counter.serve(finished, order), ()
            left = end - time.monotonic()
            if result or left <= 0 or self._closed or interrupt in self._interrupts:
                self._interrupts.discard(interrupt)
                return result
            # What is due and was not to be had is in somebody else's hands.
            nap = max(min(quiet, LONGEST_NAP), SHORTEST_NAP)
            self.store.wait(ticket, [*queues, interrupt] if interrupt else queues, min(left, nap))

    def interrupt_wait(self, name: str) -> None:
        self._interrupts.add(name)
        self.store.ring([name])

    def heartbeat_activity_task(self, task: ActivityTask, details: Any = None) -> bool:
        process, run, scheduled, started = activity_token(task.context.get("token"))
        message = msg.Heartbeat(run=run, scheduled=scheduled, started=started, details=self._payloads.dump(details))
        return bool(self._office.ask(process, message))

    # -- the backend itself ----------

    def queues(self) -> list[QueueCount]:
        return self._questions.queues()

    def purge(self, closed_before: datetime | float) -> int:
        return self._questions.purge(closed_before)

    def info(self) -> dict[str, Any]:
        return dict(self.store.info())

    def watch(self, tell: Tell) -> None:
        self._office.news.watch(lambda head, events: tell(self._questions.lazy(head), events))

    def close(self) -> None:
        self._closed = True
        self.store.close()
