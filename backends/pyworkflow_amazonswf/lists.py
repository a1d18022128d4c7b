"""Lists of processes: SWF's two, of open and of closed executions, as one, filtered by all that a ProcessFilter has.

SWF filters by one thing at a time; it is asked for the one that says most, and the rest is done here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby, islice
from typing import Any

from pyworkflow.engine.store import Query, Summary

from .runs import PAGE
from .service import Service, SwfFault

CLOSE_STATUSES = {
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELED": "canceled",
    "TERMINATED": "terminated",
    "CONTINUED_AS_NEW": "continued",
    "TIMED_OUT": "timedout",
}
"""SWF's closeStatus, and ours."""

OPEN, CLOSED = "open", "closed"
_OPEN_STATUSES = frozenset({"running", "blocked"})


def summary_of(info: dict[str, Any]) -> Summary:
    """What SWF lists of an execution. An open one counts as running: that it is blocked, only its history says."""
    closed = info.get("closeTimestamp")
    status = CLOSE_STATUSES.get(info.get("closeStatus", ""), "running")
    if info.get("executionStatus") == "CLOSED" and status == "running":
        status = "terminated"
    return Summary(
        info["execution"]["workflowId"],
        info["execution"]["runId"],
        info["workflowType"]["name"],
        status,
        info["startTimestamp"].timestamp(),
        None if closed is None else closed.timestamp(),
        (info.get("parent") or {}).get("workflowId"),
        list(info.get("tagList") or ()),
        info["workflowType"].get("version", ""),
    )


class Lists:
    """Reads SWF's lists, which lag behind what happened by moments."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def find(self, query: Query) -> Iterator[Summary]:
        """What matches, but for the status of open ones: newest start first, then by id, then by run."""
        streams = [self._stream(which, query) for which in _lists(query)]
        merged = heapq.merge(*streams, key=lambda summary: -summary.started)
        for _, alike in groupby(merged, key=lambda summary: summary.started):
            for summary in sorted(alike, key=lambda summary: (summary.id, summary.run)):
                if query.cursor is None or _place(summary) > (-query.cursor[0], *query.cursor[1:]):
                    yield summary

    def newest(self, id: str, which: str) -> Summary | None:
        """The newest open or closed run of a process."""
        return next(islice(self._stream(which, Query(id=id)), 1), None)

    def _stream(self, which: str, query: Query) -> Iterator[Summary]:
        query_without_status = Query(**{**_as_dict(query), "statuses": None, "cursor": None, "limit": None})
        token: str | None = None
        while True:
            page = self._page(which, query, token)
            found = map(summary_of, page["executionInfos"])
            # A new list each time: some servers do not sort, and some do not filter.
            yield from sorted(filter(query_without_status.matches, found), key=_place)
            if not (token := page.get("nextPageToken")):
                return

    def _page(self, which: str, query: Query, token: str | None) -> dict[str, Any]:
        try:
            return self._service.call(
                f"list_{which}_workflow_executions",
                startTimeFilter=_span(query),
                nextPageToken=token,
                maximumPageSize=PAGE,
                **_filter(which, query),
            )
        except SwfFault as error:
            raise ValueError(f"Amazon SWF cannot list that: {error}") from error


def _as_dict(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in query.__struct_fields__}


def _place(summary: Summary) -> tuple[float, str, str]:
    return -summary.started, summary.id, summary.run


def _lists(query: Query) -> list[str]:
    """Which of SWF's lists may hold what is asked for."""
    statuses = query.statuses
    closes = query.closed_from is not None or query.closed_to is not None
    open = (statuses is None or bool(statuses & _OPEN_STATUSES)) and not closes
    closed = statuses is None or bool(statuses - _OPEN_STATUSES)
    return [OPEN] * open + [CLOSED] * closed


def _span(query: Query) -> dict[str, Any]:
    """SWF's times are inclusive; what is too much is filtered here."""
    latest = [time for time in (query.started_to, query.cursor and query.cursor[0], query.closed_to) if time]
    span = {"oldestDate": _date(query.started_from or 0.0)}
    return {**span, "latestDate": _date(min(latest))} if latest else span


def _date(time: float) -> datetime:
    return datetime.fromtimestamp(max(0.0, min(time, 32_503_680_000.0)), UTC)


def _filter(which: str, query: Query) -> dict[str, Any]:
    """The one filter that SWF takes beside the time: that which leaves least."""
    if query.id is not None:
        return {"executionFilter": {"workflowId": query.id}}
    if query.tag is not None:
        return {"tagFilter": {"tag": query.tag}}
    if query.workflow is not None:
        return {"typeFilter": {"name": query.workflow}}
    if which == CLOSED and query.statuses is not None and len(query.statuses) == 1:
        theirs = [name for name, ours in CLOSE_STATUSES.items() if ours in query.statuses]
        return {"closeStatusFilter": {"status": theirs[0]}} if theirs else {}
    return {}
