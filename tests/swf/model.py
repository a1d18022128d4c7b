"""SWF's own description of its protocol, as botocore ships it, to hold requests and histories against."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator


@cache
def service() -> ServiceModel:
    return botocore.session.get_session().get_service_model("swf")


def enum(name: str) -> set[str]:
    """The values that SWF knows of an enumeration."""
    return set(service().shape_for(name).enum)  # type: ignore[attr-defined]


def members(name: str) -> Mapping[str, Shape]:
    """The members of a structure."""
    return service().shape_for(name).members  # type: ignore[attr-defined]


def check(shape: str, value: Any) -> None:
    """The value has the shape that the model gives it, and no field that the model does not know."""
    found = service().shape_for(shape)
    report = ParamValidator().validate(value, found)
    assert not report.has_errors(), report.generate_report()
    assert not list(unknown(found, value))
    assert not list(wrong(found, value))


def unknown(shape: Any, value: Any) -> Any:
    """Fields of a value that its shape has not: botocore lets those of answers pass."""
    if shape.type_name == "structure":
        yield from (name for name in value if name not in shape.members)
        for name, inner in value.items():
            if name in shape.members:
                yield from unknown(shape.members[name], inner)
    elif shape.type_name == "list":
        for inner in value:
            yield from unknown(shape.member, inner)


def wrong(shape: Any, value: Any) -> Any:
    """Values that are none of their enumeration's, or longer than allowed: botocore lets both pass."""
    if shape.type_name == "structure":
        for name, inner in value.items():
            yield from wrong(shape.members[name], inner)
    elif shape.type_name == "list":
        for inner in value:
            yield from wrong(shape.member, inner)
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield value
        if len(value) > shape.metadata.get("max", len(value)):
            yield value
