"""Checks of what users hand in beside names and payloads: what is wrong is said before anything is read or written."""

from __future__ import annotations

import math
import time
from datetime import datetime

from ..exceptions import InvalidName
from .codec import check_name

REPLACEMENTS = ("fail", "use_existing", "terminate_existing")
TIMEOUT_TYPES = ("SCHEDULE_TO_START", "START_TO_CLOSE", "SCHEDULE_TO_CLOSE", "HEARTBEAT")
TEXT_LIMIT = 1_024


def one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    """One of some words. Raises ValueError."""
    if value not in allowed:
        raise ValueError(f"{what} is one of {', '.join(allowed)}, not {value!r}")
    return value


def text(what: str, value: str) -> str:
    """A string of up to TEXT_LIMIT characters that UTF-8 can encode. Raises InvalidName."""
    if not isinstance(value, str):
        raise InvalidName(f"{what} must be a string, not {type(value).__name__}")
    if len(value) > TEXT_LIMIT:
        raise InvalidName(f"{what} must have at most {TEXT_LIMIT:,} characters, not {len(value):,}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidName(f"{what} must be text that can be encoded: {value!r}")
    return value


def optional_text(what: str, value: str | None) -> str | None:
    return None if value is None else text(what, value)


def optional_name(what: str, value: str | None) -> str | None:
    return None if value is None else check_name(what, value)


def count(what: str, value: int, least: int) -> int:
    """A whole number that is not less than `least`. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise ValueError(f"{what} is a whole number, {least} or more, not {value!r}")
    return value


def moment(what: str, value: datetime | float) -> float:
    """A time in seconds since 1970, of an aware datetime or such a number. Raises ValueError."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError(f"{what} is an aware datetime or seconds since 1970, not {value!r}")
    return value


def until(timeout: float) -> float:
    """When, by the monotonic clock, a wait of so many seconds is over. Raises ValueError."""
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or math.isnan(timeout):
        raise ValueError(f"a timeout is a number of seconds, not {timeout!r}")
    return time.monotonic() + timeout
