"""What a Manager knows by name: its workflows and their activities, here and at the backend."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
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

        Raises ValueError for an activity that is called as another one of another workflow, TypeError for what is none.
        """
        workflow = as_workflow(workflow)
        activities = [as_activity(it) for it in listed(f"{workflow.__name__}.activities", workflow.activities)]
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
        for activity in activities:
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


def listed(name: str, things: Iterable[Any]) -> list[Any]:
    """What is in a list. Raises TypeError for a thing that is in none."""
    if isinstance(things, Iterable) and not isinstance(things, str | type):
        return list(things)
    alone = getattr(things, "__name__", None)
    raise TypeError(f"{name} are a list, not {f'{alone}: write [{alone}]' if alone else repr(things)}")


def as_workflow(thing: type[Workflow]) -> type[Workflow]:
    """A Workflow class. Raises TypeError for anything else."""
    if not isinstance(thing, type):
        raise TypeError(f"{thing!r} is no workflow: give a class derived from Workflow, or a function with @workflow")
    if not issubclass(thing, Workflow):
        raise TypeError(
            f"{thing.__name__} is no workflow, it does not derive from Workflow; an activity belongs into the "
            f"`activities` of one, or of the manager: Manager(…, activities=[{thing.__name__}])"
        )
    return thing


def as_activity(thing: type[Activity] | Callable[..., Any]) -> type[Activity]:
    """The Activity class that a class or a function stands for. Raises TypeError."""
    if isinstance(thing, type):
        if not issubclass(thing, Activity):
            raise TypeError(f"{thing.__name__} is no activity: it does not derive from Activity")
        return thing
    from .code.decorators import activity_of

    return activity_of(thing)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
