"""The operations on domains and types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import pages
from .endpoint import Endpoint
from .faults import unknown
from .register import KINDS, Register, Type

Request = dict[str, Any]
Handler = Callable[[Endpoint, Request], Any]
ARN = "arn:aws:swf:{region}:000000000000:/domain/{name}"


def _register_domain(endpoint: Endpoint, request: Request) -> None:
    endpoint.registry.add(request["name"], request)


def _change_domain(operation: str) -> Handler:
    return lambda endpoint, request: endpoint.registry.change(request["name"], operation, {})


def _describe_domain(endpoint: Endpoint, request: Request) -> Request:
    register = endpoint.registry.register(request["name"])
    about = {"workflowExecutionRetentionPeriodInDays": register.retention}
    return {"domainInfo": _domain_info(endpoint, register), "configuration": about}


def _list_domains(endpoint: Endpoint, request: Request) -> Request:
    found = [each for each in endpoint.registry.all() if each.status == request["registrationStatus"]]
    infos = [_domain_info(endpoint, each) for each in found]
    return pages.slice_of(infos[::-1] if request.get("reverseOrder") else infos, request, "domainInfos")


def _domain_info(endpoint: Endpoint, register: Register) -> Request:
    arn = ARN.format(region=endpoint.region, name=register.name)
    about = {"name": register.name, "status": register.status, "arn": arn}
    return about if register.description is None else {**about, "description": register.description}


# -- tags: of domains, by their ARN ----------


def _domain_of_arn(endpoint: Endpoint, request: Request) -> str:
    before, separator, name = request["resourceArn"].partition(":/domain/")
    if not separator or not before.startswith("arn:"):
        raise unknown(f"resource: {request['resourceArn']}")
    return endpoint.registry.register(name).name


def _change_tags(operation: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> None:
        endpoint.registry.change(_domain_of_arn(endpoint, request), operation, request)

    return handle


def _list_tags(endpoint: Endpoint, request: Request) -> Request:
    register = endpoint.registry.register(_domain_of_arn(endpoint, request))
    return {"tags": [{"key": key, "value": value} for key, value in register.tags.items()]}


# -- types ----------


def _change_type(operation: str) -> Handler:
    return lambda endpoint, request: endpoint.registry.change(request["domain"], operation, request)


def _describe_type(kind: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> Request:
        found = endpoint.registry.type(request["domain"], kind, request[f"{kind.lower()}Type"])
        return {"typeInfo": _type_info(found), "configuration": found.defaults}

    return handle


def _list_types(kind: str) -> Handler:
    def handle(endpoint: Endpoint, request: Request) -> Request:
        types = endpoint.registry.register(request["domain"]).types.values()
        found = [
            each
            for each in types
            if each.kind == kind
            and each.status == request["registrationStatus"]
            and request.get("name") in (None, each.name)
        ]
        found.sort(key=lambda each: (each.name, each.version), reverse=bool(request.get("reverseOrder")))
        return pages.slice_of([_type_info(each) for each in found], request, "typeInfos")

    return handle


def _type_info(found: Type) -> Request:
    named = {"name": found.name, "version": found.version}
    more = {"description": found.description, "deprecationDate": found.deprecated}
    return {
        f"{found.kind.lower()}Type": named,
        "status": found.status,
        "creationDate": found.created,
        **{key: value for key, value in more.items() if value is not None},
    }


OPERATIONS: dict[str, Handler] = {
    "RegisterDomain": _register_domain,
    "DeprecateDomain": _change_domain("DeprecateDomain"),
    "UndeprecateDomain": _change_domain("UndeprecateDomain"),
    "DescribeDomain": _describe_domain,
    "ListDomains": _list_domains,
    "ListTagsForResource": _list_tags,
    "TagResource": _change_tags("TagResource"),
    "UntagResource": _change_tags("UntagResource"),
}
for _kind in KINDS:
    for _verb in ("Register", "Deprecate", "Undeprecate", "Delete"):
        OPERATIONS[f"{_verb}{_kind}Type"] = _change_type(f"{_verb}{_kind}Type")
    OPERATIONS[f"Describe{_kind}Type"] = _describe_type(_kind)
    OPERATIONS[f"List{_kind}Types"] = _list_types(_kind)
