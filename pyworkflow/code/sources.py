"""Where in the author's code something happens, for messages."""

from __future__ import annotations

import linecache
import sys
from types import CodeType, FrameType

from ..frames import is_authors


def asking(outermost: CodeType) -> str:
    """The line of the author's code that asks; none where what runs it, `outermost`, asks itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code is not outermost:
        if is_authors(frame):
            return line_of(frame.f_code, frame.f_lineno)
        frame = frame.f_back
    return ""


def line_of(code: CodeType, number: int | None) -> str:
    """A line of a file."""
    text = linecache.getline(code.co_filename, number or 0).strip()
    return f"\n  at {code.co_filename}:{number}, in {code.co_name}" + (f": {text}" if text else "")
