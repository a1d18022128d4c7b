"""CodeWorkflow: a workflow written as ordinary code, which is run again against its history."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ..activity import Activity
from ..decision import Decision
from ..exceptions import NotDeterministic, PayloadError
from ..process import Process, ProcessFailed
from ..workflow.base import Workflow
from .context import Context
from .convert import Shape
from .decorators import Handlers, activity_of, check_function, handlers_of
from .live import Live
from .replay import Kept, Replay, replayed
from .rerun import Rerun
from .sync import SyncContext
from .turns import Recorded

if TYPE_CHECKING:
    from .course import Course


class CodeWorkflow(Workflow):
    """Override `run(self, ctx, …)`, plain or async; what it returns is the result of the process.

    Its parameters after the context are the input: one is the input itself, several are its fields. An object of the
    class is made for each process, and lives as long as its code: keep what signals and queries need on `self`.
    `self.ctx` is the context, for handlers, which may hear a signal before `run` has begun; `__init__` has none yet.

    `failures` are exceptions that fail the process, beside ActivityFailed and its like; any other is a bug, for which
    the process waits. `guard` is whether clocks, chance, sockets and threads raise in its code.
    """

    failures: ClassVar[tuple[type[Exception], ...]] = ()
    guard: ClassVar[bool] = True
    keeps: ClassVar[bool] = True
    kept: Kept | None = None
    ctx: Any
    _code: ClassVar[Code]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._code = Code(cls)
        cls._code.check()
        for name in ("decide", "keeps", "kept", "ctx"):
            if name in vars(cls) and (name, vars(cls)[name]) != ("ctx", None):
                raise TypeError(
                    f"{cls.__name__}.{name} would hide what the library needs under this name: choose another one; "
                    f"a signal, query or update is heard as {name!r} with @signal(name={name!r}) and so on"
                )

    def run(self, ctx: Any, *args: Any) -> Any:
        """The code. Plain functions get a SyncContext, async ones a Context."""
        raise NotImplementedError(f"{type(self).__name__} must override run()")

    def decide(self, process: Process) -> list[Decision]:
        """What the code asks for next. Raises NotDeterministic where it does not follow the history."""
        kept = self.kept
        replay = None if kept is None else kept.take(process)
        decisions = None if replay is None else _gone_on(replay, process)
        if replay is None or decisions is None:
            replay, decisions = replayed(type(self), process)
        if kept is not None and kept.always_replay:
            _check_again(replay, type(self), process, decisions)
        if kept is None or any(decision.closes for decision in decisions):
            replay.course.close()
        else:
            kept.put(process, replay)
        return list(decisions)


class Code:
    """What the library knows of the code of a class. It is apart from the class, whose names are the user's."""

    def __init__(self, cls: type[CodeWorkflow]) -> None:
        self.cls = cls

    def check(self) -> None:
        """Raises TypeError for a class that could never run."""
        check_function(self.cls.run, f"{self.cls.__name__}.run is made")
        least = 1 if self._is_static else 2
        parameters = inspect.signature(self.cls.run).parameters.values()
        if len(parameters) < least and not any(it.kind is it.VAR_POSITIONAL for it in parameters):
            raise TypeError(f"{self.cls.__name__}.run has no parameter for the context: write `def run(self, ctx, …)`")
        if not isinstance(self.cls.activities, list | tuple):
            raise TypeError(f"{self.cls.__name__}.activities is a list, not {self.cls.activities!r}")
        known: dict[tuple[str, str], type[Activity]] = {}
        for cls in map(activity_of, self.cls.activities):
            if known.setdefault((cls.name, cls.version), cls) is not cls:
                raise TypeError(f"{self.cls.__name__}: two activities are called {cls.name!r}; give one another name")

    @cached_property
    def shape(self) -> Shape:
        """The parameters of `run` that are the input."""
        return Shape(self.cls.run, 1 if self._is_static else 2)

    @property
    def _is_static(self) -> bool:
        """Was it a function, without `self`?"""
        return isinstance(inspect.getattr_static(self.cls, "run"), staticmethod)

    @cached_property
    def handlers(self) -> Handlers:
        """The methods that hear from outside."""
        return handlers_of(self.cls)

    def course(self, process: Process, traced: bool = False) -> Course:
        """What runs the code of a process."""
        is_async = inspect.iscoroutinefunction(inspect.unwrap(self.cls.run))
        return Live(self.cls, process, traced) if is_async else Rerun(self.cls, process, traced)

    def made(self, course: Course) -> CodeWorkflow:
        """The object of a process, with its context."""
        workflow = self.cls()
        workflow.ctx = Context(course) if isinstance(course, Live) else SyncContext(course)
        return workflow

    def call(self, course: Course) -> Any:
        """Call `run`. Raises ProcessFailed where the input is not what it takes."""
        try:
            bound = self.shape.arguments(course.process.input)
        except PayloadError as error:
            raise ProcessFailed(str(error)) from None
        return course.workflow.run(course.workflow.ctx, *bound.args, **bound.kwargs)

    def activity_named(self, name: str) -> type[Activity] | None:
        """The activity of this name among those of the workflow."""
        return next((it for it in map(activity_of, self.cls.activities) if it.name == name), None)


def _check_again(replay: Replay, cls: type[CodeWorkflow], process: Process, decisions: list[Decision]) -> None:
    """Run the code from its start, which has to come to the same decisions. Raises NotDeterministic."""
    try:
        replayed(cls, process, Recorded(list(decisions), exact=True))[0].course.close()
    except BaseException:
        replay.course.close()
        raise


def _gone_on(replay: Replay, process: Process) -> list[Decision] | None:
    """What code that was kept decides; None where the history has taken another way."""
    found = replay.following(process.history)
    try:
        if found is not None:
            return replay.go_on(found, process.history)
    except NotDeterministic:
        pass  # Run anew, it says more of why.
    except BaseException:
        replay.course.close()
        raise
    replay.course.close()
    return None


CodeWorkflow._code = Code(CodeWorkflow)
