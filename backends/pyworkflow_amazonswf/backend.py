"""The backend that users name: `AmazonSWFBackend(domain="shop", region="eu-central-1")`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from typing import Any

from pyworkflow import defaults
from pyworkflow.backend import Backend
from pyworkflow.backend.model import (
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
from pyworkflow.engine.codec import PAYLOAD_LIMIT, PayloadCodec, Payloads, check_name
from pyworkflow.engine.translate import Translator
from pyworkflow.engine.types import ActivityType, WorkflowType
from pyworkflow.events import Event
from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend
from pyworkflow.process import Process, ProcessResult
from pyworkflow.signal import Signal
from pyworkflow.task import ActivityTask

from .address import read_url
from .answers import MOST_DECISIONS, Answers
from .desk import Desk, refusals
from .family import Family
from .news import News
from .payloads import PayloadStore, SwfTexts
from .polls import Polls, by_kind, wanted_of
from .questions import Questions
from .runs import Runs
from .service import Service, SwfFault
from .starting import Requests
from .tokens import target
from .types import SwfTypes

RETENTION = 30
"""Days for which a domain that is made here keeps closed executions; SWF allows 90."""


class AmazonSWFBackend(Backend):
    """A backend on Amazon SWF: one domain of one region.

    Without keys, boto3 looks for them as ever: environment, files, roles. `session` is a boto3 session; `client` a
    ready client of boto3's, whose read_timeout must be 70 seconds at least; `endpoint_url` another address. With
    `ensure_domain` the domain is registered where it is not there. `payload_store` keeps payloads over 32,768
    characters, `payload_codec` encrypts or compresses all of them; `payload_limit` is in bytes. `polls` is how many
    long polls of one category are open at most, `patience` how many seconds `close` waits for them; `cache_size` how
    many histories are kept decoded; longer answers than `decisions_per_answer` are sent in parts. Raises
    UnsupportedBackend for what cannot be used.
    """

    def __init__(
        self,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        region: str | None = None,
        domain: str = "default",
        *,
        session: Any = None,
        client: Any = None,
        endpoint_url: str | None = None,
        ensure_domain: bool = False,
        payload_store: PayloadStore | None = None,
        payload_codec: PayloadCodec | None = None,
        payload_limit: int = PAYLOAD_LIMIT,
        polls: int = 4,
        patience: float = 60.0,
        cache_size: int = 1_000,
        decisions_per_answer: int = MOST_DECISIONS,
    ) -> None:
        keys = {"aws_access_key_id": access_key_id, "aws_secret_access_key": secret_access_key}
        self.service = Service(
            check_name("a domain", domain), session, client, region_name=region, endpoint_url=endpoint_url, **keys
        )
        self.types = SwfTypes(self.service)
        texts = SwfTexts(payload_codec, payload_store, payload_limit)
        translator = Translator(self.types, Payloads(None, payload_limit))
        runs = Runs(self.service, texts, max(1, cache_size))
        answers = Answers(translator, self.types, texts, decisions_per_answer)
        self._news = News(runs)
        self._patience = patience
        self._questions = Questions(self.service, runs)
        family = Family(self.service, runs, self._news)
        self._requests = Requests(self.service, self.types, texts, translator, self._questions, self._news, family)
        self._desk = Desk(self.service, self.types, texts, runs, answers, self._news, family)
        self._polls = Polls(self._desk.take, self._desk.hand_back, self._count, polls)
        if ensure_domain:
            self._ensure_domain()

    @classmethod
    def from_url(cls, url: str, *, create: bool = True, **options: Any) -> AmazonSWFBackend:
        """The backend of `swf://domain?region=…&endpoint_url=…`; `ensure_domain=true` makes the domain, if `create`."""
        settings = options | read_url(url)
        settings["ensure_domain"] = bool(settings.get("ensure_domain")) and create
        return cls(**settings)

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
        check_name("a workflow's name", name)
        self.types.add_workflow(WorkflowType(name, category, timeout, decision_timeout, version))

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
        check_name("an activity's name", name)
        type = ActivityType(
            name, category, scheduled_timeout, execution_timeout, heartbeat_timeout, version, close_timeout
        )
        self.types.add_activity(type)

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
        _no_transactions(connection)
        return self._requests.start(
            process, request_id, if_running, signal, timeout, decision_timeout, category, priority
        )

    def signal_process(
        self,
        process_or_id: ProcessRef,
        signal: Signal | str,
        data: Any = None,
        *,
        request_id: str | None = None,
        connection: Any = None,
    ) -> None:
        _no_transactions(connection)
        self._requests.signal(process_or_id, signal, data, request_id)

    def cancel_process(self, process_or_id: ProcessRef, details: Any = None) -> None:
        self._requests.cancel(process_or_id, details)

    def terminate_process(
        self,
        process_or_id: ProcessRef,
        reason: str | None = None,
        details: Any = None,
        *,
        child_policy: str | None = None,
    ) -> None:
        self._requests.terminate(process_or_id, reason, details, child_policy)

    def resume_process(self, process_or_id: ProcessRef) -> None:
        self._requests.resume(process_or_id)

    # -- questions ----------

    def process_by_id(self, process_or_id: ProcessRef) -> Process:
        return self._questions.process(*target(process_or_id))

    def list_processes(self, which: ProcessFilter, limit: int = 100, cursor: str | None = None) -> Page:
        return self._questions.page(which, limit, cursor)

    def count_processes(self, which: ProcessFilter) -> int:
        return self._questions.count(which)

    def describe_process(self, process_or_id: ProcessRef) -> Description:
        return self._questions.describe(*target(process_or_id))

    def history(self, process_or_id: ProcessRef, skip: int = 0, limit: int | None = None) -> list[Event]:
        return self._questions.events(*target(process_or_id), skip, limit)

    def wait_for_process(self, process_or_id: ProcessRef, timeout: float | None = None) -> ProcessResult | None:
        return self._questions.wait(*target(process_or_id), timeout, lambda: self._polls.closed)

    def processes(self, workflow: str | None = None, tag: str | None = None) -> Iterator[Process]:
        which, cursor = ProcessFilter(workflow=workflow, tag=tag), None
        while True:
            page = self.list_processes(which, 500, cursor)
            yield from page.processes
            if (cursor := page.cursor) is None:
                return

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
        wanted = wanted_of(decisions, activities)
        if finished or wanted:
            self.types.ensure()
        refused = refusals(self._desk, finished)
        if refused or not wanted:
            return Exchanged(refused=refused)
        tasks: list[Any] = []
        # What was handed in is: of trouble with polls the next call hears, or it would be handed in again.
        with suppress(BackendUnavailable) if finished else nullcontext():
            tasks = self._polls.take(wanted, identity, timeout, interrupt)
        return Exchanged(*by_kind(tasks))

    def interrupt_wait(self, name: str) -> None:
        self._polls.interrupt(name)

    def heartbeat_activity_task(self, task: ActivityTask, details: Any = None) -> bool:
        return self._desk.heartbeat(task, details)

    # -- the backend itself ----------

    def queues(self) -> list[QueueCount]:
        """Those of the registered types: SWF has no list of task lists, and its counts are estimates."""
        keys = [(kind, category) for kind in ("decision", "activity") for category in self.types.categories(kind)]
        counts = (QueueCount(kind, category, self._count((kind, category)), 0) for kind, category in keys)  # type: ignore[arg-type]
        return [queue for queue in counts if queue.ready]

    def _count(self, key: tuple[str, str]) -> int:
        kind, category = key
        answer = self.service.call(f"count_pending_{kind}_tasks", taskList={"name": category})
        return int(answer["count"])

    def purge(self, closed_before: datetime | float) -> int:
        raise UnsupportedBackend("Amazon SWF forgets closed executions itself, when the domain's retention is over")

    def info(self) -> dict[str, Any]:
        client = self.service.client("calls")
        about = self.service.call("describe_domain", domain=None, name=self.service.domain)
        return {
            "backend": "amazonswf",
            "domain": self.service.domain,
            "region": client.meta.region_name,
            "endpoint": client.meta.endpoint_url,
            "retention_days": about["configuration"]["workflowExecutionRetentionPeriodInDays"],
        }

    def watch(self, tell: Tell) -> None:
        """Call `tell(process, events)` for what SWF wrote: when a decision is taken, for all that came before it.

        Each event is told once, by whoever takes the decision after it, in the thread of the poll, before the task is
        handed out; what ends a run by whoever hands in that answer, or terminates it. Nobody tells of a run that SWF
        itself ends, but its parent's decider. `tell` must not raise.
        """
        self._news.watch(tell)

    def close(self) -> None:
        self._polls.close(self._patience)

    def _ensure_domain(self) -> None:
        try:
            self.service.answer(
                "register_domain",
                name=self.service.domain,
                workflowExecutionRetentionPeriodInDays=str(RETENTION),
            )
        except SwfFault as error:
            if error.code != "DomainAlreadyExistsFault":
                raise UnsupportedBackend(f"the domain cannot be registered: {error}") from error


def _no_transactions(connection: Any) -> None:
    if connection is not None:
        raise UnsupportedBackend("Amazon SWF cannot join a transaction: leave `connection` out")
