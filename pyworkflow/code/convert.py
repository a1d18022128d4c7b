"""Type hints at work: the arguments of a call become one JSON input, and back, and a result what its hint says."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from types import FunctionType
from typing import Any

import msgspec

from ..engine.codec import Payloads
from ..exceptions import PayloadError

_PAYLOADS = Payloads()
_PLAIN = (str, int, bool, type(None))
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_NOT_YET = {
    **dict.fromkeys(
        ("Call", "Future", "Task", "_GatheringFuture", "coroutine"), ", but what comes of it: await it first"
    ),
    "SyncCall": ", but what comes of it: ctx.get_result(…) has that",
}
"""What workflow code has in hand where it forgot to wait."""
_NOT_SAID = (Any, inspect.Parameter.empty, None, type(None), object)


class Shape:
    """The parameters and the result of a function, less the first `skip` parameters, which are not the caller's."""

    def __init__(self, function: Callable[..., Any], skip: int = 0) -> None:
        self.function = function
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[skip:]
        self.signature = signature.replace(parameters=parameters)
        self.parameters = {it.name: it for it in parameters}
        self.single = len(parameters) == 1 and parameters[0].kind not in _MANY
        self.hints = _hints(function)
        self.returns = self.hints.get("return", Any)

    def input_of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The input of a call: nothing, the one argument, or several by name. Raises TypeError as the call would."""
        if self.single and len(args) == 1 and not kwargs:
            return args[0]
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.function.__name__}(): {error}") from None
        if not self.parameters:
            return None
        if self.single:
            bound.apply_defaults()
            return next(iter(bound.arguments.values()))
        return dict(self._by_name(bound.arguments))

    def _by_name(self, arguments: Mapping[str, Any]) -> typing.Iterator[tuple[str, Any]]:
        for name, value in arguments.items():
            kind = self.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                yield from value.items()
            elif kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
                parameter = self.parameters[name]
                raise TypeError(f"{self.function.__name__}() is called by names: it cannot have {parameter}")
            else:
                yield name, value

    def arguments(self, input: Any) -> inspect.BoundArguments:
        """The arguments of a call with this input, converted by their hints. Raises PayloadError."""
        try:
            if not self.parameters:
                return self.signature.bind()
            if self.single:
                return self._converted(self._alone(input))
            if isinstance(input, list):
                return self._converted(self.signature.bind(*input))
            if isinstance(input, dict):
                return self._converted(self.signature.bind(**input))
            return self._converted(self.signature.bind(*([] if input is None else [input])))
        except TypeError as error:
            raise PayloadError(f"{self.function.__name__}() cannot be called with the input: {error}") from None

    def _alone(self, value: Any) -> inspect.BoundArguments:
        """The one parameter with its value."""
        ((name, parameter),) = self.parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            return self.signature.bind(**{name: value})
        return self.signature.bind(value)

    def heard(self, data: Any) -> inspect.BoundArguments:
        """The arguments of a call with a message's data, which is {} where none was sent. Raises PayloadError.

        A single parameter that does not want {} is left out then, or None, whichever it allows.
        """
        if data != {} or not self.single:
            return self.arguments(data)
        (parameter,) = self.parameters.values()
        is_optional = parameter.default is not inspect.Parameter.empty
        if is_optional and self.hints.get(parameter.name, Any) in _NOT_SAID:
            return self.signature.bind()
        try:
            return self.arguments(data)
        except PayloadError:
            if is_optional:
                return self.signature.bind()
            with suppress(PayloadError):
                return self.arguments(None)
            raise

    def _converted(self, bound: inspect.BoundArguments) -> inspect.BoundArguments:
        for name, value in bound.arguments.items():
            hinted = name in self.hints and self.parameters[name].kind not in _MANY
            bound.arguments[name] = self._as_hinted(name, value) if hinted else own(value)
        return bound

    def _as_hinted(self, name: str, value: Any) -> Any:
        """An argument as its hint says; nothing, where the hint knows no None, is the default."""
        default = self.parameters[name].default
        try:
            return convert(value, self.hints[name], f"{self.function.__name__}(): {name}")
        except PayloadError:
            if value is None and default is not inspect.Parameter.empty:
                return default
            raise

    def result(self, value: Any) -> Any:
        """What was returned, as the hint says. Raises PayloadError."""
        return convert(value, self.returns, f"the result of {self.function.__name__}()")


@lru_cache(maxsize=1_000)
def shape_of(function: Callable[..., Any], skip: int = 0) -> Shape:
    """The shape of a function."""
    return Shape(function, skip)


def convert(value: Any, hint: Any, what: str) -> Any:
    """A JSON value as its type hint says: dataclasses, datetimes, pydantic models … Raises PayloadError."""
    if type(value) is hint or hint in _NOT_SAID or isinstance(hint, typing.TypeVar):
        return own(value)
    try:
        return msgspec.convert(own(value), hint, dec_hook=_foreign, str_keys=True)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        raise PayloadError(f"{what}: {error}") from None


def _foreign(hint: Any, value: Any) -> Any:
    return hint.model_validate(value) if hasattr(hint, "model_validate") else value


def own(value: Any) -> Any:
    """A JSON value of the caller's own: that of a history is shared, and must not change."""
    if type(value) is dict:
        return {key: own(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(own(item) for item in value)
    return value


def snapshot(value: Any) -> Any:
    """The JSON value that will be recorded, which does not change with the original. Raises PayloadError."""
    if type(value) in _PLAIN and not (type(value) is str and len(value) > 10_000):
        return value
    try:
        return _PAYLOADS.load(_PAYLOADS.dump(value))
    except PayloadError as error:
        kind = str(error).removesuffix(" is not JSON").rpartition(" ")[2]
        raise PayloadError(f"{error}{_NOT_YET.get(kind, '')}") from None


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The hints that can be known: a name that only type checkers import must not cost the others theirs."""
    try:
        return typing.get_type_hints(function)
    except Exception:
        return dict(_one_by_one(inspect.unwrap(function)))


def _one_by_one(function: Any) -> typing.Iterator[tuple[str, Any]]:
    for name, hint in getattr(function, "__annotations__", {}).items():
        alone = FunctionType((lambda: None).__code__, getattr(function, "__globals__", {}))
        alone.__annotations__ = {name: hint}
        with suppress(Exception):
            yield from typing.get_type_hints(alone).items()
