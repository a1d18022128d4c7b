"""Two servers over one Redis, and over one Postgres: an execution goes from one to the other and back."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pyworkflow import open_backend
from pyworkflow_swfserver import serving
from tests.servers import postgres, redis

from .support import Shop, complete, decision, schedule


@pytest.fixture(params=["redis", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """A backend's URL, with nothing in it."""
    if request.param == "postgres":
        server = postgres.url()
        yield f"{server}{'&' if '?' in server else '?'}schema={postgres.emptied()}"
        return
    with redis.shared() as url:
        yield f"{url}?prefix={os.urandom(4).hex()}"


def test_an_execution_from_start_to_end(store: str) -> None:
    with serving(open_backend(store), long_poll=20.0) as here, serving(open_backend(store), long_poll=20.0) as there:
        one, other = Shop(here).open(), Shop(there)
        run = one.start(input="not JSON", tagList=["t"])
        other.answer(schedule(input="hello"), decision("StartTimer", timerId="t", startToFireTimeout="0"))
        task = one.take()
        assert task["input"] == "hello"
        other.swf.respond_activity_task_completed(taskToken=task["taskToken"], result="done")
        one.answer(complete(result="all"))
        assert one.events(run) == other.events(run)
        about = {"startTimeFilter": {"oldestDate": 0}, "tagFilter": {"tag": "t"}}
        (closed,) = other.swf.list_closed_workflow_executions(domain="shop", **about)["executionInfos"]
        assert closed["closeStatus"] == "COMPLETED"
