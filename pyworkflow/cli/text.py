"""Text that others wrote, made safe to print: no terminal obeys it, no reader is misled by it."""

from __future__ import annotations

import json
from typing import Any

_JOINERS = "\u200c\u200d"
"""Zero-width, but Persian, Indic scripts and emoji are misspelt without them."""


def inert(text: str, *, lines: bool = False) -> str:
    """The text with escapes for what is not printable: control characters, marks that change direction and the like.

    With `lines`, newlines stay. The escapes are JSON's, so that JSON text stays valid and means the same.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _JOINERS or (lines and c == "\n") else _escape(c) for c in text)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def compact(value: Any) -> str:
    """A JSON value on one line, nothing for None."""
    return "" if value is None else inert(json.dumps(value, ensure_ascii=False, default=str))


def details(value: Any) -> str:
    """What explains a failure: text such as a traceback line by line, any other JSON value as such."""
    return inert(value, lines=True) if isinstance(value, str) else pretty(value)


def pretty(value: Any) -> str:
    """A JSON value for people, still valid JSON."""
    return inert(json.dumps(value, ensure_ascii=False, indent=2, default=str), lines=True)
