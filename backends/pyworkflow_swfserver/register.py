"""What a domain's history says: the domain, its types and tags, as the changes that clients asked for, in their order.

Each change is a row: what may be wrong with it, and what it does. Whoever reads the same history comes to the same
register, so of two clients that register one type at once the first in the history has done it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct

from .faults import Fault, swf, unknown

REGISTERED, DEPRECATED = "REGISTERED", "DEPRECATED"
MOST_TAGS = 50
Request = dict[str, Any]
Mark = tuple[str, datetime, str | None]


class Type(Struct):
    """A workflow or activity type; `defaults` are its configuration as SWF has it. Times in seconds since 1970."""

    kind: str
    name: str
    version: str
    created: float
    defaults: Request
    description: str | None = None
    deprecated: float | None = None

    @property
    def status(self) -> str:
        return REGISTERED if self.deprecated is None else DEPRECATED

    def __str__(self) -> str:
        return title(self.kind, self.name, self.version)


class Register:
    """A domain as its history says, up to the event `seen`, of which `last` is the mark."""

    def __init__(self, name: str, request: Request) -> None:
        self.name = name
        self.description: str | None = request.get("description")
        self.retention: str = request.get("workflowExecutionRetentionPeriodInDays", "NONE")
        self.tags: dict[str, str] = {tag["key"]: tag.get("value", "") for tag in request.get("tags") or ()}
        self.status = REGISTERED
        self.types: dict[tuple[str, str, str], Type] = {}
        self.seen = 0
        self.last: Mark | None = None

    def type(self, kind: str, named: Request) -> Type:
        """A type by its name and version. Raises Fault."""
        found = self.types.get((kind, named["name"], named["version"]))
        if found is None:
            raise unknown(f"type: {title(kind, named['name'], named['version'])}")
        return found


def title(kind: str, name: str, version: str) -> str:
    return f"{kind}Type=[name={name}, version={version}]"


# -- what may be wrong with a change, and what it does ----------


class Change(NamedTuple):
    check: Callable[[Register, str, Request], None]
    apply: Callable[[Register, str, Request, float], None]


def _is_registered(register: Register, kind: str, request: Request) -> None:
    if register.status == DEPRECATED:
        raise swf("DomainDeprecatedFault", register.name)


def _is_deprecated(register: Register, kind: str, request: Request) -> None:
    if register.status == REGISTERED:
        raise swf("DomainAlreadyExistsFault", register.name)


def _status(status: str) -> Callable[[Register, str, Request, float], None]:
    def apply(register: Register, kind: str, request: Request, now: float) -> None:
        register.status = status

    return apply


def _is_new(register: Register, kind: str, request: Request) -> None:
    if register.status == DEPRECATED:
        raise unknown(f"domain: {register.name} is deprecated")
    found = register.types.get((kind, request["name"], request["version"]))
    if found is not None:
        raise swf("TypeAlreadyExistsFault", str(found))


def _add(register: Register, kind: str, request: Request, now: float) -> None:
    name, version = request["name"], request["version"]
    defaults = {key: value for key, value in request.items() if key.startswith("default")}
    register.types[kind, name, version] = Type(kind, name, version, now, defaults, request.get("description"))


def _type(register: Register, kind: str, request: Request) -> Type:
    return register.type(kind, request[f"{kind.lower()}Type"])


def _can_deprecate(register: Register, kind: str, request: Request) -> None:
    if (found := _type(register, kind, request)).deprecated is not None:
        raise swf("TypeDeprecatedFault", str(found))


def _can_undeprecate(register: Register, kind: str, request: Request) -> None:
    if (found := _type(register, kind, request)).deprecated is None:
        raise swf("TypeAlreadyExistsFault", str(found))


def _can_delete(register: Register, kind: str, request: Request) -> None:
    if (found := _type(register, kind, request)).deprecated is None:
        raise swf("TypeNotDeprecatedFault", str(found))


def _deprecate(register: Register, kind: str, request: Request, now: float) -> None:
    _type(register, kind, request).deprecated = now


def _undeprecate(register: Register, kind: str, request: Request, now: float) -> None:
    _type(register, kind, request).deprecated = None


def _delete(register: Register, kind: str, request: Request, now: float) -> None:
    found = _type(register, kind, request)
    del register.types[kind, found.name, found.version]


def _not_too_many(register: Register, kind: str, request: Request) -> None:
    if len({*register.tags, *(tag["key"] for tag in request["tags"])}) > MOST_TAGS:
        raise swf("TooManyTagsFault", f"a domain has at most {MOST_TAGS} tags")


def _tag(register: Register, kind: str, request: Request, now: float) -> None:
    register.tags |= {tag["key"]: tag.get("value", "") for tag in request["tags"]}


def _untag(register: Register, kind: str, request: Request, now: float) -> None:
    for key in request["tagKeys"]:
        register.tags.pop(key, None)


def _nothing_wrong(register: Register, kind: str, request: Request) -> None: ...


CHANGES: dict[str, Change] = {
    "DeprecateDomain": Change(_is_registered, _status(DEPRECATED)),
    "UndeprecateDomain": Change(_is_deprecated, _status(REGISTERED)),
    "Register{}Type": Change(_is_new, _add),
    "Deprecate{}Type": Change(_can_deprecate, _deprecate),
    "Undeprecate{}Type": Change(_can_undeprecate, _undeprecate),
    "Delete{}Type": Change(_can_delete, _delete),
    "TagResource": Change(_not_too_many, _tag),
    "UntagResource": Change(_nothing_wrong, _untag),
}
"""By operation; `{}` is Workflow or Activity."""
KINDS = ("Workflow", "Activity")
BY_OPERATION: dict[str, tuple[Change, str]] = {
    operation.format(kind): (change, kind) for operation, change in CHANGES.items() for kind in KINDS
}


def check(register: Register, operation: str, request: Request) -> None:
    """Raises Fault where the register does not allow the change."""
    change, kind = BY_OPERATION[operation]
    change.check(register, kind, request)


def apply(register: Register, operation: str, request: Request, now: float) -> Fault | None:
    """Do what an event of the history asks for, unless it may not be done; then the fault says why."""
    change, kind = BY_OPERATION[operation]
    try:
        change.check(register, kind, request)
    except Fault as fault:
        return fault
    change.apply(register, kind, request, now)
    return None
