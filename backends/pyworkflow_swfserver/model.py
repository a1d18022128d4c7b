"""SWF's service model, as botocore has it: which operations there are, and what a request must look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cached_property
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from .faults import invalid, unknown_operation, unreadable

_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
}


_NAME = "not contain : / | or control characters, nor be 'arn'", r"\A(?!arn\Z)[^:/|\x00-\x1f\x7f-\x9f]*\Z"
_SECONDS = "be a whole number of seconds, or NONE", r"\A([0-9]{1,8}|NONE)\Z"
_LIMITED = "be a whole number of seconds", r"\A[0-9]{1,8}\Z"
WRITTEN: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("Name", "Version", "VersionOptional", "WorkflowId", "ActivityId", "TimerId"), _NAME),
    "DomainName": (f"{_NAME[0]}, nor begin or end with space", _NAME[1].replace(")[", r"|\s|.*\s\Z)[", 1)),
    "DurationInSecondsOptional": _SECONDS,
    "DurationInSeconds": _LIMITED,
    "DurationInDays": ("be 0 to 90 days, or NONE", r"\A([0-8]?[0-9]|90|NONE)\Z"),
    "TaskPriority": ("be a whole number", r"\A-?[0-9]{1,10}\Z"),
    "executionStartToCloseTimeout": _LIMITED,
    "defaultExecutionStartToCloseTimeout": _LIMITED,
}
"""How strings are written, by their shape or the member that they are: what only the model's documentation says."""


class Model:
    """Reads requests: at once what is as it should be; of the rest it tells what is wrong, in AWS's words."""

    @cached_property
    def service(self) -> ServiceModel:
        return ServiceModel(Loader().load_service_model("swf", "service-2"), "swf")

    @cached_property
    def _decoders(self) -> dict[str, msgspec.json.Decoder[Any]]:
        operations = (self.service.operation_model(name) for name in self.service.operation_names)
        return {each.name: msgspec.json.Decoder(_type(each.input_shape)) for each in operations}

    def load(self) -> None:
        """Make everything ready, so that the first client need not wait for it."""
        assert self._decoders

    def read(self, operation: str, body: bytes) -> dict[str, Any]:
        """The request that a body is. Raises Fault."""
        decoder = self._decoders.get(operation)
        if decoder is None:
            raise unknown_operation(operation)
        try:
            request: dict[str, Any] = decoder.decode(body)
            return request
        except msgspec.ValidationError:
            return self._explained(operation, body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise unreadable(f"the request is not JSON: {error}") from None

    def _explained(self, operation: str, body: bytes) -> dict[str, Any]:
        """The request, if all that is wrong with it is that what was left out is null. Raises Fault."""
        try:
            request = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise unreadable(f"the request is not JSON: {error}") from None
        problems = list(_problems(self.service.operation_model(operation).input_shape, request, ""))
        if problems:
            raise invalid(*problems)
        found: dict[str, Any] = _without_nulls(request)
        return found


@cache
def model() -> Model:
    """The one of this program: reading it takes a while, and it never changes."""
    return Model()


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


# -- the fast way: a type that a request must be of ----------


def _type(shape: Shape, member: str = "") -> Any:
    """The msgspec type of what a shape allows."""
    about, kind = shape.metadata, shape.type_name
    if kind == "structure":
        members = {name: _type(member, name) for name, member in shape.members.items()}
        wanted = {name: each if name in shape.required_members else NotRequired[each] for name, each in members.items()}
        return TypedDict(shape.name, wanted)  # type: ignore[operator]
    if kind in ("string", "list"):
        plain: Any = list[_type(shape.member)] if kind == "list" else str  # type: ignore[misc]
        if kind == "string" and shape.enum:
            return Literal[tuple(shape.enum)]
        pattern = None if (rule := _written(shape, member)) is None else rule[1]
        return Annotated[plain, msgspec.Meta(min_length=about.get("min"), max_length=about.get("max"), pattern=pattern)]
    if kind in ("integer", "long"):
        return Annotated[int, msgspec.Meta(ge=about.get("min"), le=about.get("max"))]
    return {"boolean": bool, "timestamp": float}[kind]


def _written(shape: Shape, member: str) -> tuple[str, str] | None:
    return WRITTEN.get(member) or WRITTEN.get(shape.name)


# -- the slow way: everything that is wrong ----------


def _problems(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if not _fits(shape, value):
        raise unreadable(f"{at or 'the request'} is a {type(value).__name__}, where a {shape.type_name} is expected")
    if shape.type_name == "structure":
        for name in shape.required_members:
            if value.get(name) is None:
                yield f"Value null at '{_below(at, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _problems(member, value[name], _below(at, name))
    elif shape.type_name == "list":
        yield from _too_long_or_short(shape, value, at)
        for place, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{at}.{place}.member")
    elif shape.type_name == "string":
        yield from _too_long_or_short(shape, value, at)
        if shape.enum and value not in shape.enum:
            values = ", ".join(shape.enum)
            yield _not_allowed(value, at, f"Member must satisfy enum value set: [{values}]")
        rule = _written(shape, at.rpartition(".")[2])
        if rule is not None and not re.search(rule[1], value):
            yield _not_allowed(value, at, f"Member must {rule[0]}")
    elif shape.type_name in ("integer", "long"):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        if low is not None and value < low:
            yield _not_allowed(value, at, f"Member must have value greater than or equal to {low}")
        if high is not None and value > high:
            yield _not_allowed(value, at, f"Member must have value less than or equal to {high}")


def _fits(shape: Shape, value: Any) -> bool:
    wanted = _TYPES[shape.type_name]
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def _too_long_or_short(shape: Shape, value: Any, at: str) -> Iterator[str]:
    shortest, longest = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < shortest:
        yield _not_allowed(value, at, f"Member must have length greater than or equal to {shortest}")
    if longest is not None and len(value) > longest:
        yield _not_allowed(value, at, f"Member must have length less than or equal to {longest}")


def _below(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _not_allowed(value: Any, at: str, rule: str) -> str:
    shown = str(value)
    return f"Value '{shown if len(shown) <= 100 else shown[:100] + '…'}' at '{at}' failed to satisfy constraint: {rule}"
