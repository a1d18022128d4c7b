"""A signal: a named message with data, sent to a running process."""

from __future__ import annotations

import sys
from typing import Any

from .values import Decorating, Value


class Signal(Value):
    """A message to a process: `name`, and JSON `data` ({} where none is given)."""

    _compared = ("name", "data")

    def __init__(self, name: str, data: Any = None) -> None:
        self.name = name
        self.data = {} if data is None else data


sys.modules[__name__].__class__ = Decorating
