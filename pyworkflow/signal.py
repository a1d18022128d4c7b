"""A signal: a named message with data, sent to a running process."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .values import Value


class Signal(Value):
    """A message to a process: `name`, and JSON `data` ({} where none is given)."""

    _compared = ("name", "data")

    def __init__(self, name: str, data: Any = None) -> None:
        self.name = name
        self.data = {} if data is None else data


class _Decorating(ModuleType):
    """This module, which `from pyworkflow import signal` finds too, is the decorator of that name when called."""

    def __call__(self, method: Any = None, /, *, name: str | None = None) -> Any:
        from .code.decorators import signal

        return signal(method) if name is None else signal(name=name)


sys.modules[__name__].__class__ = _Decorating
