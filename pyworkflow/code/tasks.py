"""Tasks and futures that have numbers, so that sets of them are in the same order each time, and places in the code."""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .loop import Loop

T = TypeVar("T")


class Place:
    """Where in the tree of tasks code is: the next command of it gets the next number."""

    __slots__ = ("commands", "drawn", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.commands = 0
        self.drawn = 0

    def next(self) -> str:
        """The position of the next command or task."""
        self.commands += 1
        self.drawn = 0
        return f"{self.path}{self.commands}"

    def draw(self) -> str:
        """The name of the next thing drawn by chance, which no command before or after it changes."""
        self.drawn += 1
        return f"{self.path}{self.commands}#{self.drawn}"


class Task(asyncio.Task[T]):
    """A task with a place in the tree, and a number for a hash."""

    def __init__(self, coro: Any, loop: Loop, place: Place, context: contextvars.Context | None) -> None:
        self.place = place
        self._number = loop.number()
        super().__init__(coro, loop=loop, context=context)

    def __hash__(self) -> int:
        return self._number


class Future(asyncio.Future[T]):
    """A future with a number for a hash."""

    def __init__(self, loop: Loop) -> None:
        self._number = loop.number()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number
