"""Functions with all kinds of parameters, and what is refused because it could never work."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass
from typing import Any

import pytest

from pyworkflow import CodeWorkflow, Context, Process, activity, signal, workflow

from .conftest import Environment


@dataclass
class Parcel:
    item: str


@activity
def by_name(*, when: dt.datetime) -> str:
    return f"{when:%Y}"


@activity
def by_position(when: dt.datetime, /) -> str:
    return f"{when:%Y}"


@activity
def two_ways(text: str, *, when: dt.datetime) -> str:
    return f"{text} {when:%Y}"


class ByName(CodeWorkflow):
    activities = [by_name, by_position, two_ways]

    async def run(self, ctx: Context, *, year: dt.date) -> list[str]:
        when = dt.datetime(year.year, 1, 1)
        calls = [ctx.call(by_name, when=when), ctx.call(by_position, when), ctx.call(two_ways, "in", when=when)]
        return [await call for call in calls]


def test_parameters_of_all_kinds_are_converted(environment: Environment) -> None:
    assert environment(ByName).run(Process(ByName, "p", "2020-05-06")) == ["2020", "2020", "in 2020"]


@activity
def send(text: str, priority: int = 1, timeout: float = 2) -> list[Any]:
    return [text, priority, timeout]


@workflow
async def named(ctx: Context, id: str) -> str:
    return id


@pytest.mark.parametrize("option", ["priority", "timeout", "id"])
def test_what_could_be_an_option_and_a_parameter_is_refused(option: str, environment: Environment) -> None:
    """It was taken for the option, and the function got its default."""

    @workflow(activities=[send])
    async def flow(ctx: Context) -> Any:
        if option == "id":
            return await ctx.call_workflow(named, id="x")
        return await ctx.call(send, "x", **{option: 5})

    with pytest.raises(TypeError, match=f"{option} would be an option of the call, and is a parameter"):
        environment(flow, named).run(Process(flow))


def test_what_can_be_both_may_be_handed_over_by_its_position(environment: Environment) -> None:
    @workflow(activities=[send])
    async def flow(ctx: Context) -> Any:
        return await ctx.call(send, "x", 5, 7, execution_timeout=9)

    assert environment(flow).run(Process(flow)) == ["x", 5, 7]


def test_a_hint_that_only_type_checkers_know_costs_no_other_its_own(environment: Environment) -> None:
    def odd(ctx: Nowhere, parcel: Parcel) -> str:  # type: ignore[name-defined]  # noqa: F821
        return type(parcel).__name__

    flow = workflow(odd)
    assert environment(flow).run(Process(flow, "p", {"item": "tea"})) == "Parcel"


def yields(ctx: Any) -> Any:
    yield 1


async def yields_async(ctx: Any) -> Any:
    yield 1


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: workflow(yields), "not of a generator"),
        (lambda: workflow(yields_async), "not of a generator"),
        (lambda: activity(yields), "not of a generator"),
        (lambda: type("W", (CodeWorkflow,), {"run": yields}), "not of a generator"),
        (lambda: workflow(lambda ctx: 1), "a lambda needs a name"),
        (lambda: workflow(name="none")(lambda: 1), "no parameter for the context"),
        (lambda: type("W", (CodeWorkflow,), {"run": lambda self: 1}), "no parameter for the context"),
        (lambda: activity(functools.partial(send.function, "x")), "write a def that calls it"),
        (lambda: workflow(activities=send)(named.run), "activities is a list"),
        (lambda: workflow(activities=[send, activity(name="send")(by_name.function)])(named.run), "two activities"),
        (lambda: type("W", (Handled,), {"other": signal(name="hear")(yields)}), "both hear and other would hear"),
    ],
)
def test_what_could_never_work_is_refused_where_it_is_defined(make: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        make()._code.handlers  # noqa: B018


class Handled(CodeWorkflow):
    def __init__(self) -> None:
        self.heard: list[str] = []

    @signal
    def hear(self, what: str) -> None:
        self.heard.append(f"base {what}")

    async def run(self, ctx: Context) -> list[str]:
        await ctx.wait_condition(lambda: self.heard, timeout=5)
        return self.heard


class HandledOtherwise(Handled):
    def hear(self, what: str) -> None:
        self.heard.append(f"other {what}")


def test_what_overrides_a_handler_hears_in_its_place(environment: Environment) -> None:
    env = environment(HandledOtherwise)
    env.start(Process(HandledOtherwise, "p"))
    env.signal("p", "hear", "it")
    assert env.run("p") == ["other it"]


def logged(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def hidden(function: Any) -> Any:
    return lambda ctx, x: function(ctx, x)


async def decorated(ctx: Context, x: dt.date) -> int:
    return x.year


def test_decorated_functions_are_what_they_wrap(environment: Environment) -> None:
    flow = workflow(name="flow")(logged(decorated))
    assert environment(flow).run(Process(flow, "p", "2020-01-01")) == 2020
    other = workflow(name="flow")(hidden(decorated))
    with pytest.raises(TypeError, match="returned a coroutine"):
        environment(other).run(Process(other, "p", "2020-01-01"))
