"""Finding and counting processes: the index with the fewest candidates is read, and what it names is looked at."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
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


class Finder:
    """Asks the shards of a server."""

    def __init__(self, server: Server, shards: list[Shard]) -> None:
        self._server = server
        self._shards = shards

    def find(self, query: Query) -> list[Summary]:
        if query.limit == 0:
            return []
        streams = [self._matching(shard, query) for shard in self._shards]
        return [summary for _, _, summary in islice(heapq.merge(*streams, key=_key), query.limit)]

    def count(self, query: Query) -> int:
        return sum(self._count(shard, query) for shard in self._shards)

    def closed(self, before: float, limit: int) -> dict[Shard, list[Found]]:
        """Runs that closed before then, up to a limit."""
        plan, left, found = closed_plan(Query(closed_to=before)), limit, {}
        for shard in self._shards:
            found[shard] = list(islice(self._read(shard, plan, min(PAGE, limit)), left)) if left else []
            left -= len(found[shard])
        return found

    # -- one shard ----------

    def _count(self, shard: Shard, query: Query) -> int:
        plan = self._choose(shard, query)
        if plan.sure:
            return self._size(shard, plan)
        return sum(query.matches(summary) for _, _, summary in self._read(shard, plan, PAGE))

    def _matching(self, shard: Shard, query: Query) -> Iterator[Found]:
        """The runs that match, in order."""
        plan = self._choose(shard, query)
        last = b"" if query.cursor is None else run_key(*query.cursor)
        if plan.by_start and last > plan.low:
            plan.low, plan.after = last, True
        read = self._read(shard, plan, PAGE if query.limit is None else min(PAGE, query.limit))
        found = (found for found in read if found[0] > last and query.matches(found[2]))
        if plan.by_start:
            return found
        return iter(sorted(found, key=_key) if query.limit is None else heapq.nsmallest(query.limit, found, key=_key))

    def _choose(self, shard: Shard, query: Query) -> Plan:
        plans = plans_for(query)
        if not plans or query.statuses is not None or query.workflow is not None:
            plans.append(group_plan(query, self._server.ask(shard.groups, "SMEMBERS", shard.groups)))
        return plans[0] if len(plans) == 1 else min(plans, key=lambda plan: self._size(shard, plan))

    def _size(self, shard: Shard, plan: Plan) -> int:
        bounds = plan.bounds(plan.low, plan.after)
        return sum(self._server.run([Call.script(COUNT, [shard.found], *bounds)])[0])

    def _read(self, shard: Shard, plan: Plan, size: int) -> Iterator[Found]:
        """What a plan names, `size` members of each range at a time, in the order of what follows the prefixes."""
        low, after = plan.low, plan.after
        while plan.prefixes:
            call = Call.script(FIND, [shard.found], size, *plan.bounds(low, after))
            pages = [
                [member[len(prefix) :] for member in page]
                for prefix, page in zip(plan.prefixes, self._server.run([call])[0], strict=True)
            ]
            end = min((page[-1] for page in pages if len(page) == size), default=None)
            rests = sorted(rest for page in pages for rest in page if end is None or rest <= end)
            yield from self._look(shard, [plan.key(rest) for rest in rests])
            if end is None:
                return
            low, after = end, True

    def _look(self, shard: Shard, keys: list[bytes]) -> Iterator[Found]:
        for first in range(0, len(keys), PAGE):
            some = keys[first : first + PAGE]
            values = self._server.ask(shard.runs, "HMGET", shard.runs, *some)
            yield from ((key, value, stored_summary(value)) for key, value in zip(some, values, strict=True) if value)


def _key(found: Found) -> bytes:
    return found[0]
