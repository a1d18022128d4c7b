"""What a Manager knows by name: its workflows and their activities, here and at the backend."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from .activity import Activity, ActivityMonitor
from .backend import Backend
from .exceptions import UnknownTypeException
from .task import ActivityTask, DecisionTask
from .workflow import Workflow


class Registry:
    """Part of Manager."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.workflows: list[type[Workflow]] = []
        self.activities: list[type[Activity]] = []
        self.decision_categories: tuple[str, ...] = ()
        self.activity_categories: tuple[str, ...] = ()
        self._workflows: dict[tuple[str, str | None], type[Workflow]] = {}
        self._activities: dict[tuple[str, str | None], type[Activity]] = {}

    @property
    def workflow_types(self) -> Container[tuple[str, str | None]]:
        """The workflows that it can decide on, as (name, version)."""
        return self._workflows

    @property
    def activity_types(self) -> Container[tuple[str, str | None]]:
        """The activities that it can execute, as (name, version)."""
        return self._activities

    def register_workflow(self, workflow: type[Workflow]) -> None:
        """Make a workflow and its activities known here and to the backend.

        Raises ValueError for an activity that is called as another one of another workflow.
        """
        self.backend.register_workflow(
            workflow.name,
            workflow.category,
            workflow.timeout,
            workflow.decision_timeout,
            version=workflow.version,
        )
        self.workflows.append(workflow)
        self.decision_categories = tuple(sorted({*self.decision_categories, workflow.category}))
        self._workflows[workflow.name, workflow.version] = self._workflows[workflow.name, None] = workflow
        for activity in map(as_activity, workflow.activities):
            self._refuse_another(activity, workflow)
            self.register_activity(activity)

    def _refuse_another(self, activity: type[Activity], workflow: type[Workflow]) -> None:
        """Of two with one name, one would do the other's work."""
        known = self._activities.get((activity.name, activity.version), activity)
        if known is not activity and not issubclass(activity, known):
            raise ValueError(
                f"workflow {workflow.name!r} has an activity {activity.name!r}, version {activity.version}, which is "
                f"{_place(activity)}, but another workflow's is {_place(known)}: give one another name, or version"
            )

    def register_activity(self, activity: type[Activity] | Callable[..., Any]) -> None:
        """Make an activity, a class or a function, known here and to the backend; in place of one of the same name."""
        activity = as_activity(activity)
        self.backend.register_activity(
            activity.name,
            activity.category,
            activity.scheduled_timeout,
            activity.execution_timeout,
            activity.heartbeat_timeout,
            version=activity.version,
            close_timeout=activity.close_timeout,
        )
        if activity not in self.activities:
            self.activities.append(activity)
            self.activity_categories = tuple(sorted({*self.activity_categories, activity.category}))
        self._activities[activity.name, activity.version] = self._activities[activity.name, None] = activity

    def workflow_for_task(self, task: DecisionTask) -> Workflow:
        """The workflow that decides on a task's process. Raises UnknownTypeException."""
        name, version = task.process.workflow, task.process.version
        found = self._workflows.get((str(name), version))
        if found is None:
            raise UnknownTypeException(f"workflow {name!r}, version {version}, is not one of this manager's workflows")
        return found()

    def activity_for_task(self, task: ActivityTask, monitor: ActivityMonitor | None = None) -> Activity:
        """The activity that executes a task. Raises UnknownTypeException."""
        name, version = task.activity, task.context.get("version")
        found = self._activities.get((name, version))
        if found is None:
            raise UnknownTypeException(f"activity {name!r}, version {version}, is not one of this manager's activities")
        return found(task, monitor)


def as_activity(thing: type[Activity] | Callable[..., Any]) -> type[Activity]:
    """The Activity class that a class or a function stands for. Raises TypeError."""
    if isinstance(thing, type):
        return thing
    from .code.decorators import activity_of

    return activity_of(thing)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
