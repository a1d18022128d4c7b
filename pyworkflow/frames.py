"""Which frames of a stack are code of whoever wrote the workflows, and which only run it."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any


def is_authors(frame: FrameType) -> bool:
    """Is it code of whoever wrote the workflow, and none that only runs it?"""
    return not f"{frame.f_globals.get('__name__')}.".startswith(("pyworkflow.", "asyncio.", "importlib."))


def authors_part(error: BaseException) -> TracebackType | None:
    """An error's traceback from the author's first frame on; None where it has none of theirs."""
    part = error.__traceback__
    while part is not None and not is_authors(part.tb_frame):
        part = part.tb_next
    return part


def raised(text: Any) -> str | None:
    """The line of a traceback that says what was raised; None for what is no text of one."""
    if not (isinstance(text, str) and text.startswith("Traceback (most recent call last):\n")):
        return None
    return text.rstrip().rpartition("\n")[2]


def authors_level() -> int:
    """The `stacklevel` at which the caller's warning is about the author's line."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and not is_authors(frame):
        frame, level = frame.f_back, level + 1
    return level
