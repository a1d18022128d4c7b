"""The operations that list and count: open executions, closed ones, and tasks that wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from pyworkflow.backend import ProcessFilter
from pyworkflow.exceptions import UnknownProcessException
from pyworkflow.process import Process

from . import pages
from .endpoint import Endpoint
from .executions import CLOSE_STATUS, execution_info
from .faults import invalid
from .names import Domain

Request = dict[str, Any]
Handler = Callable[[Endpoint, Request], Any]

STATUS = {theirs: ours for ours, theirs in CLOSE_STATUS.items()}
NARROW = ("executionFilter", "typeFilter", "tagFilter", "closeStatusFilter")


class Search:
    """What a request asks for: a filter of the backend's, and what that cannot say."""

    def __init__(self, request: Request, domain: Domain, status: str) -> None:
        if len([name for name in NARROW if request.get(name)]) > 1:
            raise invalid("Cannot specify more than one exclusive filters in the same query")
        if status == "closed" and bool(request.get("startTimeFilter")) == bool(request.get("closeTimeFilter")):
            raise invalid("Must specify exactly one of start time filter and close time filter")
        self.domain = domain
        self.by_close = bool(request.get("closeTimeFilter"))
        self.version = (request.get("typeFilter") or {}).get("version")
        self.which = self._filter(request, status)

    def _filter(self, request: Request, status: str) -> ProcessFilter:
        domain = self.domain
        wanted = request.get("closeStatusFilter")
        type, tag, id = (request.get(name) for name in ("typeFilter", "tagFilter", "executionFilter"))
        return ProcessFilter(
            None if type is None else domain.inside(type["name"]),
            None if tag is None else domain.inside(tag["tag"]),
            status if wanted is None else STATUS[wanted["status"]],
            None,
            None if id is None else domain.inside(id["workflowId"]),
            domain.prefix or None,
            *_times(request, "startTimeFilter"),
            *_times(request, "closeTimeFilter"),
        )

    def matches(self, process: Process) -> bool:
        return self.domain.holds(str(process.id)) and self.version in (None, process.version)

    @property
    def exact(self) -> bool:
        """Does the backend's filter say it all?"""
        return self.version is None and not self.domain.bare


def _times(request: Request, name: str) -> tuple[float | None, float | None]:
    """SWF's latest moment is included, ours is not."""
    found = request.get(name) or {}
    latest = found.get("latestDate")
    return found.get("oldestDate"), None if latest is None else math.nextafter(latest, math.inf)


def _found(endpoint: Endpoint, search: Search, cursor: str | None = None) -> Iterator[Process]:
    while True:
        page = endpoint.backend.list_processes(search.which, 500, cursor)
        yield from (process for process in page.processes if search.matches(process))
        if (cursor := page.cursor) is None:
            return


def _infos(endpoint: Endpoint, processes: Iterable[Process], domain: Domain) -> Iterator[Request]:
    """What is told of each. One that is purged meanwhile is left out."""
    for process in processes:
        with suppress(UnknownProcessException):
            yield execution_info(endpoint.backend.describe_process(process), domain)


def _list(status: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> Request:
        search = Search(request, endpoint.domain(request["domain"]), status)
        if search.by_close or request.get("reverseOrder"):
            return _sorted(endpoint, search, request)
        place = pages.place(request.get("nextPageToken"), tuple[str])
        page = endpoint.backend.list_processes(search.which, pages.size(request), None if place is None else place[0])
        found = (process for process in page.processes if search.matches(process))
        more = {} if page.cursor is None else {"nextPageToken": pages.token(page.cursor)}
        return {"executionInfos": [*_infos(endpoint, found, search.domain)], **more}

    return handle


def _sorted(endpoint: Endpoint, search: Search, request: Request) -> Request:
    """An order that the backend does not keep: all that match are read for it."""
    found = list(_found(endpoint, search))
    by = "closed" if search.by_close else "started"
    found.sort(key=lambda process: getattr(process, by), reverse=not request.get("reverseOrder"))
    page = pages.slice_of(found, request, "executionInfos")
    return {**page, "executionInfos": [*_infos(endpoint, page["executionInfos"], search.domain)]}


def _count(status: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> Request:
        search = Search(request, endpoint.domain(request["domain"]), status)
        if search.exact:
            return {"count": endpoint.backend.count_processes(search.which), "truncated": False}
        return {"count": sum(1 for _ in _found(endpoint, search)), "truncated": False}

    return handle


def _pending(kind: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> Request:
        list = endpoint.domain(request["domain"]).inside(request["taskList"]["name"])
        queues = (queue for queue in endpoint.backend.queues() if (queue.kind, queue.category) == (kind, list))
        return {"count": sum(queue.ready for queue in queues), "truncated": False}

    return handle


OPERATIONS: dict[str, Handler] = {
    "ListOpenWorkflowExecutions": _list("open"),
    "ListClosedWorkflowExecutions": _list("closed"),
    "CountOpenWorkflowExecutions": _count("open"),
    "CountClosedWorkflowExecutions": _count("closed"),
    "CountPendingDecisionTasks": _pending("decision"),
    "CountPendingActivityTasks": _pending("activity"),
}
