"""Which members of the indexes to read for a query."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from pyworkflow.engine.store import Query

from .layout import HIGH, escaped, key_of_id_member, newest_first, ordered, time_bytes

_STARTED = frozenset({"started_from", "started_to"})
_CLOSED = frozenset({"closed_from", "closed_to"})
_PAGING = frozenset({"cursor", "limit"})


class Plan(Struct):
    """Ranges of members: each begins with a prefix, and what comes after it is from `low` to `high`.

    `key` finds the run's key in what comes after the prefix. `by_start` ranges are in the order of pages. `sure` ones
    hold nothing that does not match.
    """

    prefixes: list[bytes]
    key: Callable[[bytes], bytes]
    low: bytes
    high: bytes
    by_start: bool
    sure: bool

    def bounds(self, low: bytes, after: bool) -> list[bytes]:
        sign = b"(" if after else b"["
        return [bound for prefix in self.prefixes for bound in (sign + prefix + low, b"(" + prefix + self.high)]


def plans_for(query: Query) -> list[Plan]:
    """What could be read for a query beside the pairs of status and workflow, which need to be known."""
    plans = [
        _by_start(query, [letter + ordered(value)], name)
        for letter, name, value in ((b"i", "id", query.id), (b"t", "tag", query.tag), (b"p", "parent", query.parent))
        if value is not None
    ]
    if query.id_prefix is not None:
        sure = _covered(query, frozenset({"id_prefix"}))
        plans.append(Plan([b"i" + escaped(query.id_prefix)], key_of_id_member, b"", HIGH, False, sure))
    if query.closed_from is not None or query.closed_to is not None:
        plans.append(closed_plan(query))
    return plans


def group_plan(query: Query, pairs: Iterable[bytes]) -> Plan:
    """By status and workflow, of which there have been these pairs."""
    return _by_start(query, [b"g" + pair for pair in sorted(pairs) if _fits(query, pair)], "statuses", "workflow")


def closed_plan(query: Query) -> Plan:
    low = b"" if query.closed_from is None else time_bytes(query.closed_from)
    high = HIGH if query.closed_to is None else time_bytes(query.closed_to)
    return Plan([b"c"], lambda rest: rest[8:], low, high, False, _covered(query, _CLOSED))


def _by_start(query: Query, prefixes: list[bytes], *covers: str) -> Plan:
    low = b"" if query.started_to is None else newest_first(query.started_to) + HIGH
    high = HIGH if query.started_from is None else newest_first(query.started_from) + HIGH
    return Plan(prefixes, bytes, low, high, True, _covered(query, _STARTED | set(covers)))


def _covered(query: Query, covers: frozenset[str]) -> bool:
    given = {name for name in query.__struct_fields__ if getattr(query, name) is not None}
    return given <= covers | _PAGING


def _fits(query: Query, pair: bytes) -> bool:
    return (query.statuses is None or any(pair.startswith(ordered(status)) for status in query.statuses)) and (
        query.workflow is None or pair.endswith(b"\0" + ordered(query.workflow))
    )
