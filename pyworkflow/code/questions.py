"""Questions to a process: its code is run here from its history, and looked at."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from ..events import DecisionEvent, Event, ProcessTerminatedEvent, ProcessTimedOutEvent
from ..exceptions import UnknownTypeException, UpdateFailed
from ..process import Process
from .convert import own, shape_of, snapshot
from .course import UPDATE
from .replay import Replay, answered
from .turns import steps
from .workflows import CodeWorkflow

_SAID = ("process_started", "process_reset", "signal", "cancel_requested")

__all__ = ["UPDATE", "ask", "closes"]


def ask(
    cls: type[CodeWorkflow],
    process: Process,
    kind: str,
    name: str,
    args: tuple[Any, ...],
    named: Mapping[str, Any],
) -> Any:
    """The answer of a query; of an update the input, once its validator has let it pass.

    Raises UnknownTypeException, UpdateFailed, NotDeterministic, PayloadError.
    """
    handlers = cls._code.handlers
    if (kind, name) not in handlers:
        known = ", ".join(sorted(it for a_kind, it in handlers if a_kind == kind)) or "none"
        raise UnknownTypeException(f"workflow {cls.name!r} has no {kind} {name!r}; it has {known}")
    method, validator = handlers[kind, name]
    shape = shape_of(getattr(cls, method), 1)
    input = snapshot(shape.input_of(args, named))
    course, told = (replay := Replay(cls, process)).course, Future[Any]()

    def answer() -> Any:
        bound, workflow = shape.arguments(input), course.workflow
        if kind == "query":
            return _answer(course.run(partial(getattr(workflow, method), *bound.args, **bound.kwargs)), cls, name)
        if validator is not None:
            course.run(partial(_validate, validator, workflow, bound, name))
        return input

    course.look = partial(_tell, told, answer)
    try:
        replay.go_back_to(steps(process.history) or [])
        course.at_rest()
        return told.result()
    finally:
        course.close()


def _tell(told: Future[Any], answer: Callable[[], Any]) -> None:
    """The code that is looked at must not see what goes wrong with that."""
    try:
        told.set_result(answer())
    except BaseException as error:
        told.set_exception(error)


def _answer(answer: Any, cls: type, name: str) -> Any:
    if inspect.iscoroutine(answer):
        answer.close()
        raise TypeError(f"query {name!r} of {cls.__name__} is async: a query only looks, write it with def")
    return own(answer)


def _validate(validator: Any, workflow: Any, bound: inspect.BoundArguments, name: str) -> None:
    try:
        validator(workflow, *bound.args, **bound.kwargs)
    except Exception as error:
        raise UpdateFailed(f"update {name!r} was refused: {type(error).__name__}: {error}") from error


def closes(event: Event) -> bool:
    """Is this the last event of a process?"""
    if isinstance(event, DecisionEvent):
        return event.decision.closes
    return isinstance(event, ProcessTerminatedEvent | ProcessTimedOutEvent)


def is_decided(history: Sequence[Event], upto: int) -> bool:
    """Has all that was said to the process in the first `upto` events been decided on, or is it too late for that?"""
    if history and closes(history[-1]):
        return True
    said = max((place for place, event in enumerate(history[:upto]) if event.type in _SAID), default=0)
    pairs = answered(steps(history) or [], None)
    return max((step.end for step, recorded in pairs if recorded is not None), default=0) > said
