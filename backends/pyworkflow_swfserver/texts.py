"""SWF's texts as payloads: whatever a client wrote comes back as it was, to the character.

A text that is JSON as pyworkflow writes it is kept as the value that it says, for workers of pyworkflow to read; any
other is kept as a text in an envelope. The envelope of an input also has what else a start said and we do not.

Where pyworkflow's own deciders and workers are at home, a value counts for more than its spelling: any JSON is kept as
the value that it says, and comes back without superfluous spaces.
"""

from __future__ import annotations

import json
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

TEXT = "swf:text"
POLICY = "swf:childPolicy"
DEEP = 60


class ExactTexts:
    """`load(text)` is what is kept of a text, `dump(value)` the text again."""

    def load(self, text: str | None) -> Any:
        if text is None:
            return None
        value = self._value(text)
        plain = value is not None and value != {} and not _is_envelope(value)
        return value if plain else {TEXT: text}

    def start(self, text: str | None, policy: str | None) -> Any:
        """The input of an execution, and its childPolicy where that is not its type's."""
        return self.load(text) if policy is None else {TEXT: text, POLICY: policy}

    def dump(self, value: Any) -> str | None:
        """{} is no text: that is what a signal or a timer has that was given none."""
        if value is None or value == {}:
            return None
        if _is_envelope(value):
            text: str | None = value.get(TEXT)
            return text
        return msgspec.json.encode(value).decode()

    def _value(self, text: str) -> Any:
        """What it says in JSON, if that is all that it says: None for a text that would come back another."""
        if text.count("[") + text.count("{") > DEEP:
            return None
        try:
            value = msgspec.json.decode(text)
            return value if self._is_same(msgspec.json.encode(value).decode(), text) else None
        except (msgspec.DecodeError, UnicodeError, ValueError):
            return None

    def _is_same(self, back: str, text: str) -> bool:
        """May a text come back like this?"""
        return back == text


class JsonTexts(ExactTexts):
    """The same, but JSON comes back as JSON that says the same."""

    def _is_same(self, back: str, text: str) -> bool:
        return back == text or _said(back) == _said(text)


_said = partial(json.loads, parse_float=Decimal, object_pairs_hook=tuple)
"""What a text of JSON says, with all digits, and keys that are there twice."""


def policy_of(value: Any) -> str | None:
    """The childPolicy that an input has in its envelope."""
    return value.get(POLICY) if _is_envelope(value) else None


def _is_envelope(value: Any) -> bool:
    return isinstance(value, dict) and (TEXT in value or POLICY in value) and value.keys() <= {TEXT, POLICY}
