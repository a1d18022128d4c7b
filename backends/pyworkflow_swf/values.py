"""How single values look in SWF: seconds and numbers are strings, payloads are texts, lists and types are nested."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

LONGEST = 99_999_999
"""The most seconds that SWF can write: eight digits (DurationInSeconds in its service model)."""
FOREVER = 31_536_000_000.0
"""How many seconds `NONE` is where None would mean "as the type says"; the engine's longest time."""
REASON_LIMIT = 256


class Texts(Protocol):
    """Turns payloads into the texts that SWF keeps, and back; None is no text."""

    def dump(self, value: Any) -> str | None: ...

    def load(self, text: str | None) -> Any: ...


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class JsonTexts:
    """Payloads as JSON. A text of another client that is not JSON is read as the string that it is."""

    def dump(self, value: Any) -> str | None:
        return None if value is None else _encode(value)

    def load(self, text: str | None) -> Any:
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            return text


class Side(NamedTuple):
    """Which of SWF's two languages is meant: what a missing timeout is written as, and what `NONE` is read as."""

    missing: str | None
    none: float | None


DECISIONS_SIDE = Side(None, FOREVER)
"""In decisions and requests a missing timeout is the type's, and `NONE` is the wish for no limit."""
EVENTS_SIDE = Side("NONE", None)
"""In events everything is resolved: no timeout is no limit."""


class Kind(NamedTuple):
    """How values of one kind are written into SWF's fields, and read from them."""

    write: Callable[[Any, Texts, Side], Any]
    read: Callable[[Any, Texts, Side], Any]


def whole(seconds: float) -> str:
    """Seconds as SWF writes them: whole ones, rounded up so that nothing happens early. Raises ValueError."""
    if seconds > LONGEST:
        raise ValueError(f"SWF takes at most {LONGEST:,} seconds, not {seconds:,}: use a shorter time")
    return str(math.ceil(seconds))


def _write_timeout(value: float | None, texts: Texts, side: Side) -> str | None:
    if value is None:
        return side.missing
    return "NONE" if value > LONGEST else whole(value)


def _read_timeout(value: str | None, texts: Texts, side: Side) -> float | None:
    if value is None or value == "":
        return None
    return side.none if value == "NONE" else int(value)


def short(reason: Any) -> str | None:
    """A reason in the 256 characters that SWF keeps of it."""
    text = None if reason is None else str(reason)
    return text if text is None or len(text) <= REASON_LIMIT else text[: REASON_LIMIT - 1] + "…"


TEXT = Kind(lambda value, texts, side: value, lambda value, texts, side: value)
REASON = Kind(lambda value, texts, side: short(value), lambda value, texts, side: value)
PAYLOAD = Kind(lambda value, texts, side: texts.dump(value), lambda value, texts, side: texts.load(value))
TIMEOUT = Kind(_write_timeout, _read_timeout)
DELAY = Kind(
    lambda value, texts, side: None if value is None else whole(value), lambda value, texts, side: int(value or 0)
)
NUMBER = Kind(
    lambda value, texts, side: None if value is None else str(value), lambda value, texts, side: int(value or 0)
)
OPTIONAL_NUMBER = Kind(NUMBER.write, lambda value, texts, side: int(value) if value else None)
TAGS = Kind(lambda value, texts, side: list(value) if value else None, lambda value, texts, side: list(value or ()))
OPTIONAL_TAGS = Kind(
    lambda value, texts, side: None if value is None else list(value),
    lambda value, texts, side: None if value is None else list(value),
)


class Field(NamedTuple):
    """One value: its name here, its place in SWF's attributes (`workflowType.name`), and its kind."""

    ours: str
    theirs: str
    kind: Kind = TEXT


class Fields:
    """The fields of one decision or event, ready to be written and read."""

    def __init__(self, *fields: Field) -> None:
        self.fields = fields
        self._plain = [(field.ours, field.theirs, field.kind) for field in fields if "." not in field.theirs]
        self._nested = [
            (field.ours, outer, inner, field.kind)
            for field in fields
            for outer, separator, inner in [field.theirs.partition(".")]
            if separator
        ]

    def write(self, values: Mapping[str, Any], texts: Texts, side: Side) -> dict[str, Any]:
        """SWF's attributes for our values; what is None is left out."""
        attributes: dict[str, Any] = {}
        for ours, theirs, kind in self._plain:
            if (value := kind.write(values.get(ours), texts, side)) is not None:
                attributes[theirs] = value
        for ours, outer, inner, kind in self._nested:
            if (value := kind.write(values.get(ours), texts, side)) is not None:
                attributes.setdefault(outer, {})[inner] = value
        return attributes

    def read(self, attributes: Mapping[str, Any], texts: Texts, side: Side) -> dict[str, Any]:
        """Our values of SWF's attributes; a name stands for each field, None where there is nothing."""
        get = attributes.get
        values = {ours: kind.read(get(theirs), texts, side) for ours, theirs, kind in self._plain}
        for ours, outer, inner, kind in self._nested:
            values[ours] = kind.read((get(outer) or {}).get(inner), texts, side)
        return values

    def only(self, names: Iterable[str]) -> Fields:
        """Those of these names here."""
        wanted = set(names)
        return Fields(*(field for field in self.fields if field.ours in wanted))
