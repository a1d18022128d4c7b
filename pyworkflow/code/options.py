"""The options of a call, which stand beside the arguments of what is called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..activity import Activity
from .convert import shape_of
from .decorators import FunctionActivity

_OF_DECISIONS = (
    *("category", "priority", "version"),
    *("scheduled_timeout", "execution_timeout", "heartbeat_timeout", "close_timeout"),
)
OF_ACTIVITIES = ("retry", "timeout", *_OF_DECISIONS)
OF_CHILDREN = ("id", "child_policy", "tags", "version", "timeout", "decision_timeout", "category", "priority")


def options_in(named: dict[str, Any]) -> dict[str, Any]:
    """Takes the options of a decision out of the arguments of a call."""
    options = {name: named.pop(name) for name in _OF_DECISIONS if name in named}
    timeout = named.pop("timeout", None)
    return options if timeout is None else {"close_timeout": timeout, **options}


def parameters_of(cls: type[Activity] | None) -> Iterable[str]:
    """The names of the parameters of an activity that is a function."""
    return shape_of(cls.function).parameters if cls is not None and issubclass(cls, FunctionActivity) else ()


def refuse_parameters(name: str, options: Iterable[str], named: Iterable[str], parameters: Iterable[str]) -> None:
    """Raises TypeError for what could be an option of a call as well as a parameter of what is called."""
    for both in sorted({*named}.intersection(options).intersection(parameters)):
        raise TypeError(
            f"{name}: {both} would be an option of the call, and is a parameter: hand it over by its position, or "
            "give the parameter another name"
        )
