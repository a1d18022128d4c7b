"""Domains and types: SWF's life of them, durable, and the same whichever server is asked."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow_swfserver import serving
from pyworkflow_swfserver.endpoint import Endpoint
from pyworkflow_swfserver.faults import Fault
from pyworkflow_swfserver.registry import Registry

from .support import ACTIVITY, CHARGE, TYPE, WORKFLOW, Shop

DAYS = {"workflowExecutionRetentionPeriodInDays": "7"}


def code(call: Any, **about: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**about)
    return str(caught.value.response["Error"]["Code"])


def test_the_life_of_a_domain(url: str) -> None:
    swf = Shop(url).swf
    swf.register_domain(name="d", description="about", **DAYS)
    assert code(swf.register_domain, name="d", **DAYS) == "DomainAlreadyExistsFault"
    about = swf.describe_domain(name="d")
    assert about["domainInfo"] == {
        "name": "d", "status": "REGISTERED", "description": "about",
        "arn": "arn:aws:swf:us-east-1:000000000000:/domain/d",
    }  # fmt: skip
    assert about["configuration"] == DAYS
    assert code(swf.undeprecate_domain, name="d") == "DomainAlreadyExistsFault"
    swf.deprecate_domain(name="d")
    assert code(swf.deprecate_domain, name="d") == "DomainDeprecatedFault"
    assert [each["name"] for each in swf.list_domains(registrationStatus="DEPRECATED")["domainInfos"]] == ["d"]
    assert code(swf.register_workflow_type, domain="d", name="W", version="1") == "UnknownResourceFault"
    swf.undeprecate_domain(name="d")
    swf.register_workflow_type(domain="d", name="W", version="1")


@pytest.mark.parametrize(
    ("kind", "named", "defaults"), [("workflow", TYPE, WORKFLOW), ("activity", CHARGE, ACTIVITY)], ids=["w", "a"]
)
def test_the_life_of_a_type(shop: Shop, kind: str, named: dict[str, str], defaults: dict[str, Any]) -> None:
    swf, about = shop.swf, {"domain": "shop", f"{kind}Type": named}
    verb = {name: getattr(swf, f"{name}_{kind}_type") for name in ("deprecate", "undeprecate", "delete", "describe")}
    assert code(getattr(swf, f"register_{kind}_type"), domain="shop", **named) == "TypeAlreadyExistsFault"
    found = verb["describe"](**about)
    assert (found["typeInfo"]["status"], found["configuration"]) == ("REGISTERED", defaults)
    assert code(verb["delete"], **about) == "TypeNotDeprecatedFault"
    assert code(verb["undeprecate"], **about) == "TypeAlreadyExistsFault"
    verb["deprecate"](**about)
    assert code(verb["deprecate"], **about) == "TypeDeprecatedFault"
    assert "deprecationDate" in verb["describe"](**about)["typeInfo"]
    listed = getattr(swf, f"list_{kind}_types")
    assert listed(domain="shop", registrationStatus="REGISTERED")["typeInfos"] == []
    assert [each[f"{kind}Type"] for each in listed(domain="shop", registrationStatus="DEPRECATED")["typeInfos"]] == [
        named
    ]
    verb["undeprecate"](**about)
    verb["deprecate"](**about)
    verb["delete"](**about)
    assert code(verb["describe"], **about) == "UnknownResourceFault"


def test_types_are_listed_in_order_and_in_pages(shop: Shop) -> None:
    for number in range(5):
        shop.swf.register_workflow_type(domain="shop", name=f"W{number}", version="1")
    about = {"domain": "shop", "registrationStatus": "REGISTERED"}
    names, page = [], {"nextPageToken": ""}
    while "nextPageToken" in page:
        more = {"nextPageToken": page["nextPageToken"]} if page["nextPageToken"] else {}
        page = shop.swf.list_workflow_types(**about, maximumPageSize=2, **more)
        names += [each["workflowType"]["name"] for each in page["typeInfos"]]
    assert names == ["Order", *(f"W{number}" for number in range(5))]
    reverse = shop.swf.list_workflow_types(**about, reverseOrder=True)["typeInfos"]
    assert [each["workflowType"]["name"] for each in reverse] == names[::-1]
    named = shop.swf.list_workflow_types(**about, name="W3")["typeInfos"]
    assert [each["workflowType"]["name"] for each in named] == ["W3"]


def test_the_tags_of_a_domain(url: str) -> None:
    swf = Shop(url).swf
    swf.register_domain(name="d", tags=[{"key": "team", "value": "blue"}], **DAYS)
    arn = swf.describe_domain(name="d")["domainInfo"]["arn"]
    swf.tag_resource(resourceArn=arn, tags=[{"key": "cost", "value": "7"}])
    swf.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert swf.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "cost", "value": "7"}]
    many = [{"key": str(number), "value": ""} for number in range(50)]
    assert code(swf.tag_resource, resourceArn=arn, tags=many) == "TooManyTagsFault"
    assert code(swf.list_tags_for_resource, resourceArn="nonsense") == "UnknownResourceFault"


def test_domains_do_not_see_each_other(shop: Shop) -> None:
    other = Shop(shop.url, "other").open()
    assert shop.start("same") != other.start("same")
    assert shop.poll()["workflowExecution"]["workflowId"] == "same"
    about = {"startTimeFilter": {"oldestDate": 0}}
    for each in (shop, other):
        assert each.swf.count_open_workflow_executions(domain=each.domain, **about)["count"] == 1
        infos = each.swf.list_open_workflow_executions(domain=each.domain, **about)["executionInfos"]
        assert [info["execution"]["workflowId"] for info in infos] == ["same"]
    assert "taskToken" in other.poll()


def test_what_was_registered_outlives_the_server(tmp_path: Path) -> None:
    path = str(tmp_path / "work.db")
    backend = SQLiteBackend(path)
    with serving(backend) as url:
        Shop(url).open().start()
    backend.close()
    again = SQLiteBackend(path)
    with serving(again) as url:
        shop = Shop(url)
        assert code(shop.swf.register_domain, name="shop", **DAYS) == "DomainAlreadyExistsFault"
        assert "taskToken" in shop.poll()
    again.close()


def test_two_servers_agree(backend: Backend) -> None:
    one, two = Registry(backend, None), Registry(backend, None)
    one.add("d", DAYS)
    one.change("d", "RegisterWorkflowType", dict(TYPE))
    assert two.type("d", "Workflow", TYPE).created == one.type("d", "Workflow", TYPE).created
    with pytest.raises(Fault, match="WorkflowType=\\[name=Order, version=1\\]"):
        two.change("d", "RegisterWorkflowType", dict(TYPE))
    two.change("d", "DeprecateWorkflowType", {"workflowType": TYPE})
    with pytest.raises(Fault):
        one.change("d", "DeprecateWorkflowType", {"workflowType": TYPE})


def test_of_those_who_register_a_type_at_once_one_has_done_it(backend: Backend) -> None:
    Registry(backend, None).add("d", DAYS)
    together, outcomes = threading.Barrier(8), []

    class Late(Registry):
        """Has checked before anybody writes."""

        def register(self, name: str, fresh: bool = False) -> Any:
            found = super().register(name, fresh)
            together.wait(20)
            return found

    def register() -> None:
        try:
            Late(backend, None).change("d", "RegisterActivityType", dict(CHARGE))
            outcomes.append("done")
        except Fault as fault:
            outcomes.append(fault.kind.rpartition("#")[2])

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["TypeAlreadyExistsFault"] * 7 + ["done"]


def test_registers_are_not_executions(shop: Shop, backend: MemoryBackend) -> None:
    about = {"startTimeFilter": {"oldestDate": 0}}
    for domain in ("shop", "default"):
        assert shop.swf.count_open_workflow_executions(domain=domain, **about)["count"] == 0
    assert backend.process_by_id("~shop").status == "running"
    assert backend.describe_process("~shop").deadline is None


def test_a_server_without_a_bare_domain(backend: Backend) -> None:
    endpoint = Endpoint(backend, None)
    assert [*endpoint.registry.all()] == []
    with pytest.raises(Fault, match="Unknown domain: default"):
        endpoint.domain("default")
