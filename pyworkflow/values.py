"""What the model's modules and small classes share: equality by value, a plain repr, names, being decorators."""

from __future__ import annotations

import uuid
import warnings
from types import ModuleType
from typing import Any, ClassVar, Protocol

from .frames import authors_level

CLOSE = 0.87
"""So much alike are names of which one is a misspelling: execute_timeout and execution_timeout; names and name not."""


class Decorating(ModuleType):
    """A module that is, when called, the decorator of its own name: `from pyworkflow import activity` finds both."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        from .code import decorators

        return getattr(decorators, self.__name__.rpartition(".")[2])(*args, **named)


class Named(Protocol):
    """A class with a name: an Activity or a Workflow."""

    name: str


def name_of(thing: str | Named | type[Any]) -> str:
    """The name of an activity or workflow that is given as its class, an instance or its name."""
    if isinstance(thing, str):
        return thing
    return str(getattr(thing, "name", None) or thing.__name__)  # type: ignore[union-attr]  # A function's.


def derived_name(cls: type, suffix: str) -> str:
    """A class's name without a trailing suffix, which is kept where it is the whole name."""
    name = cls.__name__
    return name.removesuffix(suffix) or name


def fresh_id() -> str:
    """A unique id for an activity, a timer or a process that was given none."""
    return uuid.uuid4().hex


def warn_of_misspelt(cls: type) -> None:
    """Warn of an attribute of a class that has almost the name of a setting, which nobody would ever read."""
    for name, value in vars(cls).items():
        if name.startswith("_") or callable(value) or hasattr(value, "__get__"):
            continue
        if not any(hasattr(base, name) for base in cls.__bases__) and (meant := _setting_like(name, cls)):
            warnings.warn(
                f"{cls.__qualname__}.{name} is ignored by pyworkflow: is {meant} meant?",
                stacklevel=authors_level(),
            )


def _setting_like(name: str, cls: type) -> str | None:
    """The setting of the library's classes below this one that a name is a misspelling of; none of its own words."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("pyworkflow.")]
    settings = {each for base in own for each in getattr(base, "__annotations__", ()) if not each.startswith("_")}
    if name in settings:
        return None
    from difflib import get_close_matches  # It takes long to import, and is hardly ever needed.

    others = [each for each in sorted(settings) if not (name.startswith(each) or each.startswith(name))]
    return next(iter(get_close_matches(name, others, n=1, cutoff=CLOSE)), None)


class Value:
    """Equal by value: the same class and the same `_compared` attributes; printed as `Name(shown, shown)`."""

    _compared: ClassVar[tuple[str, ...]] = ()
    _shown: ClassVar[tuple[str, ...] | None] = None
    _separator: ClassVar[str] = ", "

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._compared)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        shown: Any = self._compared if self._shown is None else self._shown
        return f"{type(self).__name__}({self._separator.join(str(getattr(self, name)) for name in shown)})"
