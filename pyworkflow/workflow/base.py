"""A workflow: the class that users subclass to decide on processes, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

from .. import defaults
from ..activity import Activity
from ..decision import Decision, ScheduleActivity
from ..process import Process
from ..values import derived_name, warn_of_misspelt

Single: TypeAlias = Decision | type[Activity] | None
Answer: TypeAlias = Single | Iterable[Single]


class Workflow:
    """The course of a kind of process. Subclass it and override `decide`; an instance is made without arguments.

    Class attributes, times in seconds (fractions allowed): `activities` are the activities, classes or functions, that
    it schedules,
    `timeout` how long a process may be open, `decision_timeout` how long one decision may take, `category` the queue
    whose deciders decide, `version` that of the type. `name` is the class's name without a trailing "Workflow" unless
    the class sets it.

    One that `keeps` something between the decisions on a process is given the worker's `kept` for it before `decide`.
    """

    activities: ClassVar[Sequence[type[Activity] | Callable[..., Any]]] = []
    timeout: ClassVar[float] = defaults.WORKFLOW_TIMEOUT
    decision_timeout: ClassVar[float] = defaults.DECISION_TIMEOUT
    category: ClassVar[str] = defaults.DECISION_CATEGORY
    version: ClassVar[str] = defaults.WORKFLOW_VERSION
    name: str = "Workflow"
    keeps: ClassVar[bool] = False
    kept: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = derived_name(cls, "Workflow")
        warn_of_misspelt(cls)

    def decide(self, process: Process) -> Answer:
        """Decide what the process does next.

        Returns a Decision, an Activity class (short for scheduling it with the process's input), a list, a tuple or
        a generator of them, or None. A decision that closes the process comes last.
        """
        raise NotImplementedError(f"{type(self).__name__} must override decide()")


def decisions_of(answer: Answer, process: Process) -> list[Decision]:
    """The decisions that a decider's answer stands for, in order; None, also in a list, stands for none.

    Raises TypeError for anything else than what `Workflow.decide` may return.
    """
    if not isinstance(answer, Decision) and isinstance(answer, list | tuple | Iterator):
        return [decision for single in answer for decision in _decision_of(single, process)]
    return _decision_of(answer, process)


def _decision_of(single: object, process: Process) -> list[Decision]:
    if single is None:
        return []
    if isinstance(single, Decision):
        return [single]
    if isinstance(single, type) and issubclass(single, Activity):
        return [ScheduleActivity(single, input=process.input)]
    raise TypeError(
        f"workflow {process.workflow} answered with {single!r} (a {type(single).__name__}): return a Decision, "
        "an Activity class, a list of them, or None"
    )
