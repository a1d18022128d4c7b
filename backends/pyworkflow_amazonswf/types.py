"""Workflow and activity types: what this program knows of them, and their registration in SWF's domain, once each."""

from __future__ import annotations

import threading
from typing import Any

from pyworkflow import defaults
from pyworkflow.engine.types import ActivityType, Types, WorkflowType
from pyworkflow_swf.values import LONGEST, whole

from .service import Service, SwfFault

LONGEST_RUN = 31_536_000
"""Seconds; SWF closes a run after a year."""


def task_timeout(seconds: float | None) -> str:
    """The timeout of a task as SWF writes it."""
    return "NONE" if seconds is None or seconds > LONGEST else whole(seconds)


def execution_timeout(seconds: float | None) -> str:
    """The timeout of a run as SWF writes it. Raises ValueError."""
    if seconds is None or seconds > LONGEST_RUN:
        raise ValueError(
            f"Amazon SWF closes a run after a year: give a timeout of up to {LONGEST_RUN:,} seconds, not {seconds}"
        )
    return whole(seconds)


class SwfTypes(Types):
    """The registered types. They are registered in the domain when they are first needed, whoever was there before.

    Timeouts are sent with each start and schedule, so the defaults that SWF keeps are those of the first registration
    and of no consequence.
    """

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._lock = threading.Lock()
        self._there: set[tuple[str, str, str]] = set()
        self._wanted: dict[tuple[str, str, str], dict[str, Any]] = {}

    def add_workflow(self, type: WorkflowType) -> None:
        super().add_workflow(type)
        self._want_workflow(type)

    def _want_workflow(self, type: WorkflowType) -> None:
        self._wanted["workflow", type.name, type.version] = {
            "defaultTaskList": {"name": type.category},
            "defaultExecutionStartToCloseTimeout": execution_timeout(type.timeout),
            "defaultTaskStartToCloseTimeout": task_timeout(type.decision_timeout),
            "defaultChildPolicy": defaults.CHILD_POLICY,
        }

    def add_activity(self, type: ActivityType) -> None:
        super().add_activity(type)
        self._wanted["activity", type.name, type.version] = {
            "defaultTaskList": {"name": type.category},
            "defaultTaskScheduleToStartTimeout": task_timeout(type.scheduled_timeout),
            "defaultTaskStartToCloseTimeout": task_timeout(type.execution_timeout),
            "defaultTaskHeartbeatTimeout": task_timeout(type.heartbeat_timeout),
            "defaultTaskScheduleToCloseTimeout": task_timeout(type.close_timeout),
        }

    def ensure(self) -> None:
        """Register what is not known to be there."""
        if not self._wanted:
            return
        with self._lock:
            for kind, name, version in list(self._wanted):
                self._register(kind, name, version, self._wanted[kind, name, version])
                del self._wanted[kind, name, version]

    def ensure_workflow(self, name: str, version: str) -> None:
        """Register a workflow that a process is started of, though its class is not here."""
        if ("workflow", name, version) not in self._there:
            self._want_workflow(self.workflow(name, version))
            self.ensure()

    def categories(self, kind: str) -> list[str]:
        """Where tasks of the registered types are taken."""
        known: Any = self._workflows if kind == "decision" else self._activities
        return sorted({type.category for type in known.values()})

    def _register(self, kind: str, name: str, version: str, settings: dict[str, Any]) -> None:
        if (kind, name, version) in self._there:
            return
        try:
            self._service.call(f"register_{kind}_type", name=name, version=version, **settings)
        except SwfFault as error:
            if error.code != "TypeAlreadyExistsFault":
                raise
            self._revive(kind, {f"{kind}Type": {"name": name, "version": version}})
        self._there.add((kind, name, version))

    def _revive(self, kind: str, type: dict[str, Any]) -> None:
        """Undeprecate a type that is there; somebody else may be faster."""
        about = self._service.call(f"describe_{kind}_type", **type)
        if about["typeInfo"]["status"] != "DEPRECATED":
            return
        try:
            self._service.call(f"undeprecate_{kind}_type", **type)
        except SwfFault as error:
            if error.code != "TypeAlreadyExistsFault":
                raise
