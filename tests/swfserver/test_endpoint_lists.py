"""Lists and counts of executions, by everything that SWF filters by, in its order and in pages."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow.testing import VirtualClock

from .support import TYPE, WORKFLOW, Shop, complete, decision


@pytest.fixture
def busy(shop: Shop, clock: VirtualClock) -> Shop:
    """One execution each minute: five, of which "1" has completed, "3" failed, later and earlier than it began."""
    shop.swf.register_workflow_type(domain="shop", name="Order", version="2", **WORKFLOW)
    shop.begun = clock.now  # type: ignore[attr-defined]
    for number in range(5):
        type = {**TYPE, "version": "2" if number > 2 else "1"}
        shop.start(str(number), tagList=[f"tag-{number % 2}"], taskList={"name": str(number)}, workflowType=type)
        clock.advance(60)
    shop.answer(decision("FailWorkflowExecution"), list="3")
    clock.advance(60)
    shop.answer(complete(), list="1")
    return shop


def ids(shop: Shop, what: str, **about: Any) -> list[str]:
    if not {"startTimeFilter", "closeTimeFilter"} & {*about}:
        about["startTimeFilter"] = {"oldestDate": 0}
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = getattr(shop.swf, f"list_{what}_workflow_executions")(domain="shop", **about, **more)
        found += [each["execution"]["workflowId"] for each in page["executionInfos"]]
        if "nextPageToken" not in page:
            break
        more = {"nextPageToken": page["nextPageToken"]}
    counted = {name: value for name, value in about.items() if name not in ("maximumPageSize", "reverseOrder")}
    count = getattr(shop.swf, f"count_{what}_workflow_executions")(domain="shop", **counted)
    assert (count["count"], count["truncated"]) == (len(found), False)
    return found


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("reverse", [False, True])
def test_open_ones_are_listed_newest_first(busy: Shop, size: int, reverse: bool) -> None:
    found = ids(busy, "open", maximumPageSize=size, reverseOrder=reverse)
    assert found == (["0", "2", "4"] if reverse else ["4", "2", "0"])


def test_filters_of_open_ones(busy: Shop) -> None:
    begun = busy.begun  # type: ignore[attr-defined]
    assert ids(busy, "open", tagFilter={"tag": "tag-0"}) == ["4", "2", "0"]
    assert ids(busy, "open", tagFilter={"tag": "tag-9"}) == []
    assert ids(busy, "open", typeFilter={"name": "Order"}) == ["4", "2", "0"]
    assert ids(busy, "open", typeFilter={"name": "Order", "version": "2"}) == ["4"]
    assert ids(busy, "open", executionFilter={"workflowId": "2"}) == ["2"]
    assert ids(busy, "open", startTimeFilter={"oldestDate": begun + 60, "latestDate": begun + 120}) == ["2"]
    assert ids(busy, "open", startTimeFilter={"oldestDate": begun + 121}) == ["4"]


def test_filters_of_closed_ones(busy: Shop) -> None:
    begun = busy.begun  # type: ignore[attr-defined]
    assert ids(busy, "closed") == ["3", "1"]
    assert ids(busy, "closed", closeTimeFilter={"oldestDate": 0}) == ["1", "3"]
    assert ids(busy, "closed", closeTimeFilter={"oldestDate": 0}, reverseOrder=True, maximumPageSize=1) == ["3", "1"]
    assert ids(busy, "closed", closeTimeFilter={"oldestDate": begun + 310}) == ["1"]
    assert ids(busy, "closed", closeStatusFilter={"status": "FAILED"}) == ["3"]
    assert ids(busy, "closed", closeStatusFilter={"status": "TIMED_OUT"}) == []


def test_filters_that_exclude_each_other_are_refused(busy: Shop) -> None:
    start = {"oldestDate": 0}
    with pytest.raises(Exception, match="more than one exclusive filters"):
        busy.swf.list_open_workflow_executions(
            domain="shop", startTimeFilter=start, tagFilter={"tag": "a"}, typeFilter={"name": "b"}
        )
    with pytest.raises(Exception, match="exactly one of start time filter and close time filter"):
        busy.swf.list_closed_workflow_executions(domain="shop")
    with pytest.raises(Exception, match="exactly one of start time filter and close time filter"):
        busy.swf.count_closed_workflow_executions(domain="shop", startTimeFilter=start, closeTimeFilter=start)


def test_pending_tasks_are_counted(busy: Shop) -> None:
    count = busy.swf.count_pending_decision_tasks
    assert count(domain="shop", taskList={"name": "0"})["count"] == 1
    assert count(domain="shop", taskList={"name": "1"})["count"] == 0
    assert busy.swf.count_pending_activity_tasks(domain="shop", taskList={"name": "work"})["count"] == 0


def test_domains_are_listed_in_pages(busy: Shop) -> None:
    for name in ("b", "a"):
        busy.swf.register_domain(name=name, workflowExecutionRetentionPeriodInDays="NONE")
    first = busy.swf.list_domains(registrationStatus="REGISTERED", maximumPageSize=3)
    assert [each["name"] for each in first["domainInfos"]] == ["a", "b", "default"]
    rest = busy.swf.list_domains(registrationStatus="REGISTERED", nextPageToken=first["nextPageToken"])
    assert [each["name"] for each in rest["domainInfos"]] == ["shop"]
