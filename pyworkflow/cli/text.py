"""Text that others wrote, made safe to print: no terminal obeys it, no reader is misled by it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..frames import raised

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


def end_of_traceback(value: Any) -> Any:
    """The last line of a traceback, which says what was raised; any other value as it is."""
    line = raised(value)
    return value if line is None else f"… {line}"


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A question to add to what is said of an unknown word; nothing where no other is like it."""
    from difflib import get_close_matches

    close = get_close_matches(word, words)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def pretty(value: Any) -> str:
    """A JSON value for people, still valid JSON."""
    return inert(json.dumps(value, ensure_ascii=False, indent=2, default=str), lines=True)
