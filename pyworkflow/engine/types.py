"""The registered workflow and activity types: what a call or a decision leaves out is taken from them."""

from __future__ import annotations

from msgspec import Struct

from .. import defaults


class WorkflowType(Struct, frozen=True):
    """A workflow's defaults; timeouts in seconds, None for no limit."""

    name: str
    category: str = defaults.DECISION_CATEGORY
    timeout: float | None = defaults.WORKFLOW_TIMEOUT
    decision_timeout: float | None = defaults.DECISION_TIMEOUT
    version: str = defaults.WORKFLOW_VERSION


class ActivityType(Struct, frozen=True):
    """An activity's defaults; timeouts in seconds, None for no limit."""

    name: str
    category: str = defaults.ACTIVITY_CATEGORY
    scheduled_timeout: float | None = defaults.ACTIVITY_SCHEDULED_TIMEOUT
    execution_timeout: float | None = defaults.ACTIVITY_EXECUTION_TIMEOUT
    heartbeat_timeout: float | None = defaults.ACTIVITY_HEARTBEAT_TIMEOUT
    version: str = defaults.ACTIVITY_VERSION
    close_timeout: float | None = None


class Types:
    """What is registered in this operating-system process. The last registration of a name and version counts."""

    def __init__(self) -> None:
        self._workflows: dict[tuple[str, str], WorkflowType] = {}
        self._activities: dict[tuple[str, str], ActivityType] = {}

    def add_workflow(self, type: WorkflowType) -> None:
        self._workflows[type.name, type.version] = self._workflows[type.name, ""] = type

    def add_activity(self, type: ActivityType) -> None:
        self._activities[type.name, type.version] = self._activities[type.name, ""] = type

    def workflow(self, name: str, version: str | None) -> WorkflowType:
        """A workflow's type; the library's defaults for one that is not registered here."""
        found = self._workflows.get((name, version or ""))
        return found or WorkflowType(name, version=version or defaults.WORKFLOW_VERSION)

    def activity(self, name: str, version: str | None) -> ActivityType | None:
        return self._activities.get((name, version or ""))
