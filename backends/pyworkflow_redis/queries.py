"""Finding and counting processes: the index with the fewest candidates is read, and what it names is looked at.

All shards are asked at once, and each is asked for its next page when what it gave is used up.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from pyworkflow.engine.store import Query, Summary

from .layout import Shard, run_key
from .pack import stored_summary
from .pipe import Call
from .plans import Plan, closed_plan, group_plan, plans_for
from .scripts import COUNT, FIND
from .server import Server

PAGE = 500

Found: TypeAlias = tuple[bytes, bytes, Summary]
"""A run's key, what its summary is stored as, and the summary."""


class Reading:
    """A plan that is read on one shard, `size` members of each of its ranges at a time: what was found and not given
    out, and whether there is more."""

    def __init__(self, shard: Shard, plan: Plan, size: int, last: bytes = b"") -> None:
        self.shard = shard
        self.plan = plan
        self.found: deque[Found] = deque()
        self.more = bool(plan.prefixes)
        self._size = size
        self._low, self._after = (last, True) if plan.by_start and last > plan.low else (plan.low, False)

    def page(self) -> Call:
        return Call.script(FIND, [self.shard.found], self._size, *self.plan.bounds(self._low, self._after))

    def turn(self, answer: Sequence[Sequence[bytes]]) -> list[bytes]:
        """The keys of the runs on a page, in the order of what follows the prefixes."""
        pages = [
            [member[len(prefix) :] for member in page] for prefix, page in zip(self.plan.prefixes, answer, strict=True)
        ]
        end = min((page[-1] for page in pages if len(page) == self._size), default=None)
        rests = sorted(rest for page in pages for rest in page if end is None or rest <= end)
        self.more = end is not None
        self._low, self._after = end or b"", True
        return [self.plan.key(rest) for rest in rests]


class Finder:
    """Asks the shards of a server."""

    def __init__(self, server: Server, shards: list[Shard]) -> None:
        self._server = server
        self._shards = shards

    def find(self, query: Query) -> list[Summary]:
        if query.limit == 0:
            return []
        last = b"" if query.cursor is None else run_key(*query.cursor)
        size = PAGE if query.limit is None else min(PAGE, query.limit)
        readings = [Reading(*choice, size, last) for choice in zip(self._shards, self._plans(query), strict=True)]
        streams = [self._matching(query, last, reading, readings) for reading in readings]
        return [summary for _, _, summary in islice(heapq.merge(*streams, key=_key), query.limit)]

    def count(self, query: Query) -> int:
        choices = list(zip(self._shards, self._plans(query), strict=True))
        readings = [Reading(shard, plan, PAGE) for shard, plan in choices if not plan.sure]
        matching = [query.matches(found[2]) for reading in readings for found in self._read(reading, readings)]
        return sum(self._sizes([choice for choice in choices if choice[1].sure])) + sum(matching)

    def closed(self, before: float, limit: int) -> dict[Shard, list[Found]]:
        """Runs that closed before then, up to a limit."""
        plan, left, found = closed_plan(Query(closed_to=before)), limit, {}
        for shard in self._shards:
            reading = Reading(shard, plan, min(PAGE, limit))
            found[shard] = list(islice(self._read(reading, [reading]), left)) if left else []
            left -= len(found[shard])
        return found

    # -- which index to read ----------

    def _plans(self, query: Query) -> list[Plan]:
        """The best plan for each shard."""
        plans = [plans_for(query) for _ in self._shards]
        if not plans[0] or query.statuses is not None or query.workflow is not None:
            calls = [Call(shard.groups, "SMEMBERS", shard.groups) for shard in self._shards]
            for some, pairs in zip(plans, self._server.run(calls), strict=True):
                some.append(group_plan(query, pairs))
        if len(plans[0]) == 1:
            return [plan for (plan,) in plans]
        choices = [(shard, plan) for shard, some in zip(self._shards, plans, strict=True) for plan in some]
        sizes = iter(self._sizes(choices))
        return [min(some, key=lambda _: next(sizes)) for some in plans]

    def _sizes(self, choices: Sequence[tuple[Shard, Plan]]) -> list[int]:
        """How many members the ranges of plans have, each on its shard."""
        calls = [Call.script(COUNT, [shard.found], *plan.bounds(plan.low, False)) for shard, plan in choices]
        return [sum(counts) for counts in self._server.run(calls)]

    # -- reading ----------

    def _matching(self, query: Query, last: bytes, reading: Reading, readings: Sequence[Reading]) -> Iterator[Found]:
        """The runs on a shard that match, in order."""
        found = (found for found in self._read(reading, readings) if found[0] > last and query.matches(found[2]))
        if reading.plan.by_start:
            return found
        return iter(sorted(found, key=_key) if query.limit is None else heapq.nsmallest(query.limit, found, key=_key))

    def _read(self, reading: Reading, readings: Sequence[Reading]) -> Iterator[Found]:
        """What a reading finds. Whenever a page is needed, all readings get one that are without."""
        while reading.found or reading.more:
            if not reading.found:
                self._turn([each for each in readings if each.more and not each.found])
            while reading.found:
                yield reading.found.popleft()

    def _turn(self, readings: Sequence[Reading]) -> None:
        answers = self._server.run([reading.page() for reading in readings])
        named = [(reading, reading.turn(answer)) for reading, answer in zip(readings, answers, strict=True)]
        looks = [(reading, keys[at : at + PAGE]) for reading, keys in named for at in range(0, len(keys), PAGE)]
        values = self._server.run([Call(it.shard.runs, "HMGET", it.shard.runs, *keys) for it, keys in looks])
        for (reading, keys), stored in zip(looks, values, strict=True):
            reading.found += [(key, each, stored_summary(each)) for key, each in zip(keys, stored, strict=True) if each]


def _key(found: Found) -> bytes:
    return found[0]
