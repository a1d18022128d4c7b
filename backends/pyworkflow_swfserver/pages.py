"""Page tokens: where the next page begins, so that any server of the same backend can go on."""

from __future__ import annotations

import base64
from typing import Any, TypeVar

import msgspec

from .faults import invalid

T = TypeVar("T")

LARGEST = 1_000
AS_IT_COMES = 100


def token(*place: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def place(text: str | None, kind: type[T]) -> T | None:
    """What a token says, None without one. Raises Fault for one that we did not give, or gave for another call."""
    if not text:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=kind)
    except (ValueError, msgspec.MsgspecError):
        raise invalid("Invalid token") from None


def size(request: dict[str, Any]) -> int:
    """How many entries a page may have."""
    return min(request.get("maximumPageSize") or AS_IT_COMES, LARGEST)


def slice_of(found: list[Any], request: dict[str, Any], name: str) -> dict[str, Any]:
    """One page of a list that is there as a whole."""
    start = place(request.get("nextPageToken"), tuple[int])
    first = 0 if start is None else start[0]
    last = first + size(request)
    page: dict[str, Any] = {name: found[first:last]}
    return page | ({"nextPageToken": token(last)} if last < len(found) else {})
