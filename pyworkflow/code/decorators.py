"""The decorators: `@activity`, `@workflow` make classes of functions; `@signal`, `@query`, `@update` mark methods."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, overload

from ..activity import Activity, ActivityFailed
from ..exceptions import PayloadError
from ..task import ActivityTask
from .convert import own, shape_of

if TYPE_CHECKING:
    from ..retry import RetryPolicy
    from .workflows import CodeWorkflow

R = TypeVar("R")
Method = TypeVar("Method", bound=Callable[..., Any])

Handlers = dict[tuple[str, str], tuple[str, Callable[..., Any] | None]]

_CLASS = "__pyworkflow_activity__"
_HANDLES = "__pyworkflow_handles__"
_current: ContextVar[Activity] = ContextVar("pyworkflow.activity")
_ASYNC, _GENERATOR = 0x80, 0x20 | 0x200


class FunctionActivity(Activity, Generic[R]):
    """An activity that is a function; `function` is the function itself, for whoever wants to call it."""

    function: ClassVar[Callable[..., Any]]

    if not TYPE_CHECKING:  # Type checkers are to expect what Activity expects.

        def __init__(self, *args: Any, **named: Any) -> None:
            """Raises TypeError where the function is called as if it still were one."""
            if not isinstance(args[0] if args else named.get("task"), ActivityTask):
                name = type(self).__name__
                raise TypeError(
                    f"{name} is an activity: workflow code asks for it with ctx.call({name}, …), awaited in async "
                    f"code; the function itself is {name}.function"
                )
            super().__init__(*args, **named)

    def execute(self) -> Any:
        """Call the function with its arguments out of the input."""
        bound = self._bound()
        token = _current.set(self)
        try:
            return type(self).function(*bound.args, **bound.kwargs)
        finally:
            _current.reset(token)

    def _bound(self) -> Any:
        try:
            return shape_of(type(self).function).arguments(self.input)
        except PayloadError as error:
            raise ActivityFailed(str(error), non_retryable=True) from None


class AsyncFunctionActivity(FunctionActivity[R]):
    """An activity that is an async function."""

    async def execute(self) -> Any:
        """Await the function with its arguments out of the input."""
        bound = self._bound()
        _current.set(self)
        return await type(self).function(*bound.args, **bound.kwargs)


def current_activity() -> Activity:
    """The activity that a function is executed as: its heartbeats, attempt and idempotency key.

    Raises RuntimeError outside of one.
    """
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("no activity is executed here: current_activity() is for functions with @activity") from None


class MakesActivity(Protocol):
    """What `activity(…)` with attributes is: the decorator."""

    @overload
    def __call__(self, function: Callable[..., Coroutine[Any, Any, R]], /) -> type[FunctionActivity[R]]: ...

    @overload
    def __call__(self, function: Callable[..., R], /) -> type[FunctionActivity[R]]: ...


@overload
def activity(function: Callable[..., Coroutine[Any, Any, R]], /) -> type[FunctionActivity[R]]: ...
@overload
def activity(function: Callable[..., R], /, *, name: str) -> type[FunctionActivity[R]]: ...
@overload
def activity(function: Callable[..., R], /) -> type[FunctionActivity[R]]: ...
@overload
def activity(
    *,
    name: str = ...,
    version: str = ...,
    category: str = ...,
    scheduled_timeout: float = ...,
    execution_timeout: float = ...,
    heartbeat_timeout: float = ...,
    close_timeout: float | None = ...,
    auto_complete: bool = ...,
    executor: str = ...,
    retry: RetryPolicy | None = ...,
) -> MakesActivity: ...
def activity(function: Any = None, /, **attributes: Any) -> Any:
    """Make a function, plain or async, an Activity class; `attributes` are those that an Activity has.

    Raises TypeError for anything but a function, and for attributes that an Activity does not have.
    """
    if function is None:
        return lambda it: activity(it, **attributes)
    check_function(function, "@activity makes an activity")
    _check_attributes(Activity, attributes, "an activity")
    name = attributes.pop("name", function.__name__)
    if name == "<lambda>":
        raise TypeError("a lambda needs a name to be an activity: activity(name=…)(lambda …)")
    is_async = bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & _ASYNC)
    return type(
        function.__name__,
        (AsyncFunctionActivity if is_async else FunctionActivity,),
        {
            "function": staticmethod(function),
            "name": name,
            "__module__": function.__module__,
            "__qualname__": function.__qualname__,
            "__doc__": function.__doc__,
            **attributes,
        },
    )


def activity_of(thing: Any) -> type[Activity]:
    """The Activity class that a class or a plain function stands for, always the same. Raises TypeError."""
    if isinstance(thing, type) and issubclass(thing, Activity):
        return thing
    made = getattr(thing, _CLASS, None)
    if made is None:
        made = activity(thing)
        try:
            setattr(thing, _CLASS, made)
        except AttributeError:  # A built-in function: its class goes by its name.
            pass
    found: type[Activity] = made
    return found


# -- calls of activities ----------


def input_of(name: str, cls: type[Activity] | None, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The input of an activity that is called so. Raises TypeError."""
    if cls is not None and issubclass(cls, FunctionActivity):
        return shape_of(cls.function).input_of(args, named)
    return only_input(name, args, named)


def result_of(cls: type[Activity] | None) -> Callable[[Any], Any]:
    """What converts the results of an activity."""
    if cls is None:
        return own
    if issubclass(cls, FunctionActivity):
        return shape_of(cls.function).result
    return shape_of(cls.execute, 1).result if "return" in getattr(cls.execute, "__annotations__", ()) else own


def only_input(name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The one input that a class takes."""
    if len(args) > 1 or named:
        unknown = f", not {', '.join(named)}" if named else f", not {len(args)} arguments"
        raise TypeError(f"{name} takes one input{unknown}")
    return args[0] if args else None


def spread(activity: Any, item: Any) -> tuple[Any, ...]:
    """The arguments that an item of a map stands for."""
    if isinstance(item, tuple) and not isinstance(activity, str):
        cls = activity_of(activity)
        if issubclass(cls, FunctionActivity) and not shape_of(cls.function).single:
            return item
    return (item,)


# -- workflows ----------


@overload
def workflow(function: Callable[..., Any], /) -> type[CodeWorkflow]: ...
@overload
def workflow(
    *,
    name: str = ...,
    version: str = ...,
    category: str = ...,
    activities: Sequence[type[Activity] | Callable[..., Any]] = ...,
    timeout: float = ...,
    decision_timeout: float = ...,
    failures: tuple[type[Exception], ...] = ...,
    guard: bool = ...,
) -> Callable[[Callable[..., Any]], type[CodeWorkflow]]: ...
def workflow(function: Any = None, /, **attributes: Any) -> Any:
    """Make a function of a context and an input, plain or async, a CodeWorkflow; `attributes` are those of the class.

    Raises TypeError for anything but a function, and for attributes that a CodeWorkflow does not have.
    """
    from .workflows import CodeWorkflow

    if function is None:
        return lambda it: workflow(it, **attributes)
    check_function(function, "@workflow makes a workflow")
    _check_attributes(CodeWorkflow, attributes, "a workflow")
    if attributes.setdefault("name", function.__name__) == "<lambda>":
        raise TypeError("a lambda needs a name to be a workflow: workflow(name=…)(lambda …)")
    members = {"run": staticmethod(function), "__module__": function.__module__, "__doc__": function.__doc__}
    made: type[CodeWorkflow] = type(function.__name__, (CodeWorkflow,), {**members, **attributes})
    made.__qualname__ = function.__qualname__
    return made


def check_function(function: Any, makes: str) -> None:
    """Raises TypeError for what is no function, or a generator, whose values nobody would take."""
    if not callable(function) or isinstance(function, type):
        raise TypeError(f"{makes} of a function, not of {function!r}")
    if not hasattr(function, "__name__"):
        raise TypeError(f"{makes} of a function, not of {function!r}: write a def that calls it")
    if getattr(getattr(function, "__code__", None), "co_flags", 0) & _GENERATOR:
        raise TypeError(f"{makes} of a function, not of a generator, as {function.__name__} is: it has a yield")


def _check_attributes(cls: type, attributes: dict[str, Any], what: str) -> None:
    known = {name for base in cls.__mro__ for name in getattr(base, "__annotations__", {}) if not name.startswith("_")}
    unknown = sorted(set(attributes) - known)
    if unknown:
        raise TypeError(f"{what} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")


# -- methods that hear from outside ----------


@overload
def signal(method: Method, /) -> Method: ...
@overload
def signal(*, name: str) -> Callable[[Method], Method]: ...
def signal(method: Any = None, /, *, name: str | None = None) -> Any:
    """The method is called with the data of each signal of its name; it may be async where the workflow is."""
    return _marked("signal", method, name)


@overload
def query(method: Method, /) -> Method: ...
@overload
def query(*, name: str) -> Callable[[Method], Method]: ...
def query(method: Any = None, /, *, name: str | None = None) -> Any:
    """The method answers `Manager.query`: it looks and changes nothing."""
    return _marked("query", method, name)


@overload
def update(method: Method, /) -> Method: ...
@overload
def update(*, name: str | None = None, validator: Callable[..., Any] | None = None) -> Callable[[Method], Method]: ...
def update(method: Any = None, /, *, name: str | None = None, validator: Callable[..., Any] | None = None) -> Any:
    """The method answers `Manager.update`: it may change the process, and its result goes to the caller.

    `validator(self, …)` is called first, and refuses the update by raising.
    """
    return _marked("update", method, name, validator)


def _marked(kind: str, method: Any, name: str | None, validator: Callable[..., Any] | None = None) -> Any:
    if method is None:
        return lambda it: _marked(kind, it, name, validator)
    if not callable(method):
        raise TypeError(f"@{kind} is for methods; to give a name, write @{kind}(name=…)")
    setattr(method, _HANDLES, (kind, name or method.__name__, validator))
    return method


def handlers_of(cls: type) -> Handlers:
    """The methods of a class that hear from outside: by kind and name, the method's name and its validator.

    What overrides a method that does hears in its place. Raises TypeError for two methods of one name.
    """
    found: Handlers = {}
    for attribute in dir(cls):
        methods = [vars(base)[attribute] for base in cls.__mro__ if attribute in vars(base)]
        marks = [getattr(method, _HANDLES) for method in methods if hasattr(method, _HANDLES)]
        if marks and callable(getattr(cls, attribute)):
            kind, name, validator = marks[0]
            other = found.setdefault((kind, name), (attribute, validator))[0]
            if other != attribute:
                raise TypeError(f"{cls.__name__}: both {other} and {attribute} would hear the {kind} {name!r}")
    return found
