"""The histories that clients read, kept for the next poll: only what is new is read and translated."""

from __future__ import annotations

import datetime as dt
import logging
import threading

from pyworkflow.backend import Backend, Description, ProcessFilter
from pyworkflow.exceptions import UnknownProcessException
from pyworkflow.process import ProcessContinued
from pyworkflow_swf import Start

from .faults import Fault
from .names import Domain, domain_of
from .registry import Registry
from .scribe import Scribe
from .texts import policy_of

KEPT = 1_000
KEPT_BYTES = 100_000_000
"""Of JSON; a history takes about three times as much, as long as it is kept."""

logger = logging.getLogger("pyworkflow.swf")


class Histories:
    """The Scribes of the runs that were read last, as many as there is room for."""

    def __init__(self, backend: Backend, registry: Registry) -> None:
        self._backend = backend
        self._registry = registry
        self._kept: dict[tuple[str, str], Scribe] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._size = 0
        self._lock = threading.Lock()

    def get(self, process: str, run: str, seq: int | None = None) -> Scribe:
        """A run's history, up to our event `seq` at least, or to its end. Raises UnknownProcessException."""
        key = (process, run)
        scribe = self._kept.get(key) or self._begin(process, run)
        if not self._read_on(scribe, f"{process}:{run}", seq):
            logger.warning("the store has forgotten events of %s:%s: its history is read anew", process, run)
            scribe = self._begin(process, run)
            self._read_on(scribe, f"{process}:{run}", seq)
        self._keep(key, scribe)
        return scribe

    def _keep(self, key: tuple[str, str], scribe: Scribe) -> None:
        """Keep it as the one that was read last; those that were not read for longest make room."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = scribe
            self._size += scribe.size - self._sizes.get(key, 0)
            self._sizes[key] = scribe.size
            while len(self._kept) > 1 and (len(self._kept) > KEPT or self._size > KEPT_BYTES):
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self._size -= self._sizes.pop(oldest)

    def _read_on(self, scribe: Scribe, run: str, seq: int | None) -> bool:
        """False where what is known is not what is stored: a store may forget, in a power cut or a failover."""
        with scribe.lock:
            known = scribe.seen if seq is None else min(scribe.seen, seq)
            skip = max(known - 1, 0)  # the last known event once more
            events = self._backend.history(run, skip, None if seq is None else seq - skip)
            if known and not (events and scribe.knows(events[0])):
                return False
            scribe.read_on(events[scribe.seen - skip :])
            return True

    def start(self, process: str, run: str) -> Start:
        """What a run was started with. Raises UnknownProcessException."""
        scribe = self._kept.get((process, run)) or self._begin(process, run)
        return scribe.start

    def _begin(self, process: str, run: str) -> Scribe:
        about = self._backend.describe_process(f"{process}:{run}")
        domain = self._registry.of_process(domain_of(process))
        return Scribe(self._start(about, domain), domain, self._run_at, lambda: self._next_run(process, run))

    def _start(self, about: Description, domain: Domain) -> Start:
        process = about.process
        initiated = self._initiated(about) if process.parent and about.parent_run else 0
        return Start(
            str(process.workflow),
            str(process.version),
            process.input,
            tuple(process.tags),
            about.category,
            about.timeout,
            about.decision_timeout,
            about.priority,
            policy_of(process.input) or self._default_policy(about, domain),
            process.parent,
            about.parent_run,
            initiated,
            about.continued_from,
        )

    def _default_policy(self, about: Description, domain: Domain) -> str:
        named = {"name": domain.outside(str(about.process.workflow)), "version": str(about.process.version)}
        try:
            found = self._registry.type(domain.name, "Workflow", named)
        except Fault:  # started without this server
            return "ABANDON"
        policy: str = found.defaults.get("defaultChildPolicy", "ABANDON")
        return policy

    def _initiated(self, about: Description) -> int:
        """SWF's number of the event in the parent's history by which a child was started."""
        child = str(about.process.id)
        try:
            parent = self.get(str(about.process.parent), str(about.parent_run))
        except UnknownProcessException:  # purged
            return 0
        outside = self._registry.of_process(domain_of(child)).outside(child)
        initiated = [
            event["eventId"]
            for event in parent.events
            if event["eventType"] == "StartChildWorkflowExecutionInitiated"
            and event["startChildWorkflowExecutionInitiatedEventAttributes"]["workflowId"] == outside
            and event["eventTimestamp"] <= about.started
        ]
        return initiated[-1] if initiated else 0

    def _run_at(self, process: str, when: dt.datetime) -> str:
        """The run of a process that was the current one then."""
        which = ProcessFilter(id=process, status="all", started_to=when + dt.timedelta(microseconds=1))
        for found in self._backend.list_processes(which, 1).processes:
            return str(found.run)
        return "unknown"

    def _next_run(self, process: str, run: str) -> str:
        result = self._backend.describe_process(f"{process}:{run}").result
        return result.run if isinstance(result, ProcessContinued) else "unknown"
