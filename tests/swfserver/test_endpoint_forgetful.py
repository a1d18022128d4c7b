"""A store forgets acknowledged commits: a server that remembers their histories tells its clients what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pyworkflow.engine.engine import Engine
from pyworkflow_swfserver import registry, serving
from tests.simulation.test_forgetful_store import Forgetful

from .support import Shop, decision, schedule


@pytest.fixture
def store() -> Forgetful:
    return Forgetful()


@pytest.fixture
def shop(store: Forgetful) -> Iterator[Shop]:
    """A shop with an order that was decided on once."""
    with serving(Engine(store), long_poll=0.3) as url:
        shop = Shop(url).open()
        run = shop.start()
        shop.answer(decision("RecordMarker", markerName="m"))
        shop.events(run)
        yield shop


def read(shop: Shop) -> None:
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="lost")
    shop.events(run_of(shop))


def taken(shop: Shop) -> None:
    read(shop)
    assert shop.poll()["taskToken"]


def decided(shop: Shop) -> None:
    read(shop)
    shop.answer(schedule())
    shop.events(run_of(shop))


def run_of(shop: Shop) -> str:
    open = shop.swf.list_open_workflow_executions(domain="shop", startTimeFilter={"oldestDate": 0})
    return str(open["executionInfos"][0]["execution"]["runId"])


@pytest.mark.parametrize("lost", [read, taken, decided])
@pytest.mark.parametrize("news", [1, 2, 5])
def test_clients_see_what_is_stored(store: Forgetful, shop: Shop, lost: Callable[[Shop], None], news: int) -> None:
    store.remember()
    lost(shop)
    store.forget()
    with serving(Engine(store), long_poll=0.3) as other:
        for number in range(news):
            Shop(other).swf.signal_workflow_execution(domain="shop", workflowId="o", signalName=f"new-{number}")
        task = shop.poll()
        told = [event for event in task["events"] if event["eventType"] == "WorkflowExecutionSignaled"]
        names = [event["workflowExecutionSignaledEventAttributes"]["signalName"] for event in told]
        assert names == [f"new-{number}" for number in range(news)]
        assert task["events"][-1]["eventId"] == task["startedEventId"]
        run = task["workflowExecution"]["runId"]
        assert shop.events(run) == Shop(other).events(run)
        shop.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[schedule()])
        assert shop.take()["startedEventId"] == len(shop.events(run))


@pytest.mark.parametrize("lost", [1, 3])
def test_types_are_those_that_are_stored(
    store: Forgetful, shop: Shop, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "FRESH", -1.0)
    store.remember()
    for number in range(lost):
        shop.swf.register_activity_type(domain="shop", name=f"lost-{number}", version="1")
    store.forget()
    with serving(Engine(store), long_poll=0.3) as other:
        for name in ("new", "newer"):
            Shop(other).swf.register_activity_type(domain="shop", name=name, version="1")
        types = shop.swf.list_activity_types(domain="shop", registrationStatus="REGISTERED")["typeInfos"]
        assert [each["activityType"]["name"] for each in types] == ["Charge", "new", "newer"]


def test_a_domain_that_is_lost_can_be_registered_again(store: Forgetful, shop: Shop) -> None:
    store.remember()
    for domain in ("lost", "later"):
        shop.swf.register_domain(name=domain, workflowExecutionRetentionPeriodInDays="1")
        shop.swf.register_activity_type(domain=domain, name="A", version="1")
    store.forget()
    shop.swf.register_domain(name="lost", workflowExecutionRetentionPeriodInDays="1")
    shop.swf.register_activity_type(domain="lost", name="A", version="1")
    with pytest.raises(shop.swf.exceptions.UnknownResourceFault):
        shop.swf.register_activity_type(domain="later", name="A", version="1")
