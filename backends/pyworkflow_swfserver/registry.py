"""Domains and types, kept on any backend: a domain is a process of a reserved workflow, a change to it is a signal.

Nobody decides on these processes. Their order of events is the order of changes, which is all that a register needs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from pyworkflow.backend import Backend, ProcessFilter
from pyworkflow.events import Event, SignalEvent
from pyworkflow.exceptions import ProcessAlreadyRunning, UnknownProcessException
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.values import fresh_id

from . import register as reg
from .faults import Fault, swf, unknown
from .names import REGISTRY, Domain
from .register import Mark, Register, Request

FRESH = 1.0
MOST_CHANGES = 20_000
MOST_DOMAINS = 100

logger = logging.getLogger("pyworkflow.swf")


class Registry:
    """Registers are read on from where they were read to, at the latest when they are FRESH seconds old.

    `bare` is the name of the domain whose names are the backend's own.
    """

    def __init__(self, backend: Backend, bare: str | None) -> None:
        self._backend = backend
        self._bare = bare
        self._known: dict[str, Register] = {}
        self._read_at: dict[str, float] = {}
        self._lock = threading.RLock()
        backend.register_workflow(REGISTRY, REGISTRY, None, None)
        if bare is not None:
            self._begin(
                bare, {"description": "what is in the backend", "workflowExecutionRetentionPeriodInDays": "NONE"}
            )

    def domain(self, name: str) -> Domain:
        return Domain(name, name == self._bare)

    def of_process(self, name: str | None) -> Domain:
        """The domain of this name, or the bare one."""
        return self.domain(name or self._bare or "")

    # -- reading ----------

    def register(self, name: str, fresh: bool = False) -> Register:
        """A domain's register. Raises Fault for an unknown domain."""
        with self._lock:
            known = self._known.get(name)
            if known is None or fresh or time.monotonic() > self._read_at[name] + FRESH:
                self._read_on(name, None)
            return self._known[name]

    def type(self, domain: str, kind: str, named: Request) -> reg.Type:
        """A type; one that another server may just have registered is looked for again. Raises Fault."""
        try:
            return self.register(domain).type(kind, named)
        except Fault:
            return self.register(domain, fresh=True).type(kind, named)

    def all(self) -> Iterator[Register]:
        """The registers of all domains, by name."""
        cursor, names = None, []
        while True:
            page = self._backend.list_processes(ProcessFilter(workflow=REGISTRY), 500, cursor)
            names += [process.tags[0] for process in page.processes]
            if (cursor := page.cursor) is None:
                break
        return (self.register(name) for name in sorted(names))

    def _read_on(self, name: str, key: str | None) -> Fault | None:
        """Read what is new in a domain's history; what became of the change with this key."""
        id, outcome = self.domain(name).register, None
        known = self._known.get(name)
        try:
            skip = 0 if known is None else known.seen - 1  # the last known event once more
            events = self._backend.history(id, skip)
            if known is None or not (events and known.last == _mark(events[0])):
                if known is not None:
                    logger.warning("the store has forgotten events of %s: its domain is read anew", id)
                    skip, events = 0, self._backend.history(id)
                known = self._known[name] = Register(name, self._backend.process_by_id(id).input)
        except UnknownProcessException:
            self._known.pop(name, None)
            raise unknown(f"domain: {name}") from None
        self._read_at[name] = time.monotonic()
        for event in events[known.seen - skip :]:
            fault = _follow(known, event)
            if key is not None and isinstance(event, SignalEvent) and event.signal.data["key"] == key:
                outcome = fault
        return outcome

    # -- changing ----------

    def add(self, name: str, request: Request) -> None:
        """Register a domain. Raises Fault."""
        if len(list(self.all())) >= MOST_DOMAINS:
            raise swf("LimitExceededFault", f"there are {MOST_DOMAINS} domains, and there can be no more")
        if not self._begin(name, request):
            raise swf("DomainAlreadyExistsFault", name)

    def _begin(self, name: str, request: Request) -> bool:
        domain = self.domain(name)
        about = Process(REGISTRY, domain.register, request, [name])
        try:
            self._backend.start_process(about, category=REGISTRY)
        except ProcessAlreadyRunning:
            return False
        return True

    def change(self, domain: str, operation: str, request: Request) -> None:
        """Write a change into a domain's history, unless it is wrong already. Raises Fault."""
        with self._lock:
            known = self.register(domain, fresh=True)
            reg.check(known, operation, request)
            if known.seen >= MOST_CHANGES:
                raise swf(
                    "LimitExceededFault", f"domain {domain} has had {MOST_CHANGES:,} changes, and can have no more"
                )
            key = fresh_id()
            about: dict[str, Any] = {"key": key, "request": request}
            self._backend.signal_process(self.domain(domain).register, Signal(operation, about), request_id=key)
            if (fault := self._read_on(domain, key)) is not None:
                raise fault


def _mark(event: Event) -> Mark:
    """What tells an event from another one under its number."""
    key = event.signal.data.get("key") if isinstance(event, SignalEvent) else None
    return event.type, event.datetime, key


def _follow(register: Register, event: Event) -> Fault | None:
    register.seen, register.last = register.seen + 1, _mark(event)
    if not isinstance(event, SignalEvent) or event.signal.name not in reg.BY_OPERATION:
        return None
    request = event.signal.data["request"]
    return reg.apply(register, event.signal.name, request, event.datetime.timestamp())
