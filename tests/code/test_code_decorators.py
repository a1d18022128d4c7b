"""Functions as activities and workflows: their type hints convert what goes in and comes out."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

import pyworkflow
from pyworkflow import (
    Activity,
    ActivityFailed,
    CodeWorkflow,
    Context,
    Manager,
    PayloadError,
    Process,
    ProcessFailed,
    SyncContext,
    Worker,
    activity,
    current_activity,
    query,
    signal,
    update,
    workflow,
)
from pyworkflow.code.convert import Shape

from .conftest import Environment


@dataclass
class Order:
    item: str
    price: Decimal
    at: dt.datetime
    id: uuid.UUID | None = None


@activity(execution_timeout=30, category="tills", version="2.0", name="Charge")
def charge(order: Order, cents: int = 5) -> Order:
    """Charges for an order."""
    assert isinstance(order, Order) and isinstance(order.price, Decimal)
    return Order(order.item, order.price + cents, order.at, uuid.UUID(int=7))


@activity
async def fetch(name: str) -> str:
    await asyncio.sleep(0)
    return f"{name} by {current_activity().idempotency_key.partition(':')[0]}"


NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


def test_a_function_becomes_an_activity_class() -> None:
    assert issubclass(charge, Activity) and charge.__name__ == "charge"
    assert (charge.name, charge.execution_timeout, charge.category, charge.version) == ("Charge", 30, "tills", "2.0")
    assert charge.__doc__ == "Charges for an order." and not charge.is_async and fetch.is_async
    assert charge.function(Order("tea", Decimal(1), NOW)).price == 6


def test_type_hints_convert_inputs_and_results(environment: Environment) -> None:
    @workflow(activities=[charge, fetch])
    async def flow(ctx: Context, order: Order, times: list[int]) -> Any:
        assert isinstance(order.at, dt.datetime)
        one = await ctx.call(charge, order)
        two = await ctx.call(charge, order=one, cents=times[0])
        assert isinstance(two, Order) and isinstance(two.at, dt.datetime) and two.id == uuid.UUID(int=7)
        return [two, await ctx.call(fetch, "it")]

    env = environment(flow)
    order = {"item": "tea", "price": "1.5", "at": "2030-01-01T00:00:00Z"}
    result, fetched = env.run(Process(flow, "p", {"order": order, "times": [10]}))
    assert (result["price"], result["item"], fetched) == ("16.5", "tea", "it by p")


def test_pydantic_models(environment: Environment) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Box(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        name: str
        sizes: list[int]

    def pack(box: Any) -> Any:
        return Box(name=box.name.upper(), sizes=[*box.sizes, 3])

    pack.__annotations__ = {"box": Box, "return": Box}
    packing = activity(pack)

    @workflow(activities=[packing])
    async def flow(ctx: Context) -> Any:
        box = await ctx.call(packing, Box(name="a", sizes=[1]))
        assert isinstance(box, Box)
        return box

    assert environment(flow).run(Process(flow)) == {"name": "A", "sizes": [1, 3]}


def test_an_input_that_does_not_fit(environment: Environment) -> None:
    @workflow(activities=[charge])
    async def flow(ctx: Context, x: int) -> Any:
        try:
            await ctx.call(charge, {"item": "tea"})
        except ActivityFailed as error:
            return [error.reason, error.non_retryable]

    env = environment(flow)
    reason, non_retryable = env.run(Process(flow, "p", 1))
    assert reason.startswith("charge(): order: Object missing required field") and non_retryable
    with pytest.raises(ProcessFailed) as failed:
        env.run(Process(flow, "q", "one"))
    assert failed.value.reason == "flow(): x: Expected `int`, got `str`"


def test_a_result_that_does_not_fit_is_raised_where_it_is_awaited(environment: Environment) -> None:
    @activity
    def lies() -> int:
        return "seven"  # type: ignore[return-value]

    @workflow(activities=[lies])
    async def flow(ctx: Context) -> str:
        try:
            await ctx.call(lies)
        except PayloadError as error:
            return str(error)
        return "?"

    assert environment(flow).run(Process(flow)) == "the result of lies(): Expected `int`, got `str`"


def test_a_call_that_does_not_fit_raises_at_once(environment: Environment) -> None:
    class Plain(Activity):
        def execute(self) -> Any:
            return self.input

    @workflow(activities=[charge, Plain])
    async def flow(ctx: Context) -> list[str]:
        told = []
        for args in ((charge,), (charge, 1, 2, 3), (Plain, 1, 2)):
            try:
                await ctx.call(*args)
            except TypeError as error:
                told.append(str(error))
        return [*told, await ctx.call(Plain, [7])]

    assert environment(flow).run(Process(flow)) == [
        "charge(): missing a required argument: 'order'",
        "charge(): too many positional arguments",
        "Plain takes one input, not 2 arguments",
        [7],
    ]


@pytest.mark.parametrize(
    ("function", "call", "input"),
    [
        (lambda: 0, ((), {}), None),
        (lambda x: 0, ((5,), {}), 5),
        (lambda x=3: 0, ((), {}), 3),
        (lambda x: 0, (([1, 2],), {}), [1, 2]),
        (lambda x, y=2: 0, ((5,), {}), {"x": 5}),
        (lambda x, y=2: 0, ((5,), {"y": 6}), {"x": 5, "y": 6}),
        (lambda x, **more: 0, ((5,), {"z": 6}), {"x": 5, "z": 6}),
    ],
)
def test_calls_become_inputs_and_back(function: Any, call: Any, input: Any) -> None:
    shape = Shape(function)
    args, kwargs = call
    assert shape.input_of(args, kwargs) == input
    bound, expected = shape.arguments(input), shape.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    expected.apply_defaults()
    assert bound == expected


def test_an_input_may_be_a_list_or_the_first_of_several() -> None:
    shape = Shape(lambda x, y=2: 0)
    assert shape.arguments([1, 5]).arguments == {"x": 1, "y": 5}
    assert shape.arguments(7).arguments == {"x": 7}
    with pytest.raises(PayloadError, match="cannot be called with the input"):
        shape.arguments({"z": 1})
    with pytest.raises(TypeError, match=r"it cannot have \*rest"):
        Shape(lambda *rest: 0).input_of((1, 2), {})


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: activity(7), "not of 7"),
        (lambda: activity(Order), "not of <class"),
        (lambda: activity(lambda x: x), "a lambda needs a name"),
        (lambda: activity(timeout=3)(len), "an activity has no timeout; it has auto_complete"),
        (lambda: workflow(7), "not of 7"),
        (lambda: workflow(colour="red")(len), "a workflow has no colour"),
        (lambda: signal("add"), r"write @signal\(name=…\)"),
        (lambda: query(7), r"@query\(name=…\)"),
        (lambda: Manager("memory://", [], [7]), "not of 7"),
        (lambda: current_activity(), "no activity is executed here"),
    ],
)
def test_wrong_uses_are_explained(make: Any, told: str) -> None:
    with pytest.raises((TypeError, RuntimeError), match=told):
        make()


def test_modules_and_decorators_share_their_names() -> None:
    import pyworkflow.activity
    import pyworkflow.signal
    import pyworkflow.workflow

    assert pyworkflow.activity.Activity is pyworkflow.Activity is Activity
    assert pyworkflow.signal.Signal is pyworkflow.Signal
    assert pyworkflow.workflow.Workflow is pyworkflow.Workflow
    assert issubclass(pyworkflow.activity(lambda x: x, name="x"), Activity)
    assert issubclass(pyworkflow.workflow(name="y")(len), CodeWorkflow)


def test_managers_and_decisions_take_functions() -> None:
    def plain(x: int) -> int:
        return x

    manager = Manager("memory://", [], [plain, charge])
    assert [it.name for it in manager.activities] == ["plain", "Charge"]
    assert pyworkflow.ScheduleActivity(plain).activity == "plain"
    again = manager.copy_with_backend("memory://")
    assert again.activities == manager.activities


@activity
def double(x: int) -> int:
    return 2 * x


@workflow(activities=[double])
async def calls_the_class(ctx: Context) -> int:
    return await double(1)  # type: ignore


@workflow(activities=[double])
def calls_it_plainly(ctx: SyncContext) -> Any:
    return double(1, 2, 3, y=4)  # type: ignore


@workflow(activities=[double])
async def hands_on_a_call(ctx: Context) -> int:
    return await ctx.call(double, ctx.call(double, 1))


@workflow(activities=[double])
async def hands_on_several(ctx: Context) -> int:
    return await ctx.call(double, {"all": [ctx.map(double, [1, 2])]})


@workflow(activities=[double])
async def returns_a_call(ctx: Context) -> Any:
    return ctx.call(double, 1)


@workflow(activities=[double])
def hands_on_what_is_not_there(ctx: SyncContext) -> Any:
    return ctx.call(double, ctx.call_async(double, 1))


@pytest.mark.parametrize(
    ("flow", "says"),
    [
        (calls_the_class, "double is an activity: workflow code asks for it with ctx.call(double, …), awaited"),
        (calls_it_plainly, "double is an activity: workflow code asks for it with ctx.call(double, …), awaited"),
        (hands_on_a_call, "Call is not JSON, but what comes of it: await it first"),
        (hands_on_several, "_GatheringFuture is not JSON, but what comes of it: await it first"),
        (returns_a_call, "the result of returns_a_call: the value cannot be stored as JSON: Call is not JSON, but"),
        (hands_on_what_is_not_there, "SyncCall is not JSON, but what comes of it: ctx.get_result(…) has that"),
    ],
)
def test_who_forgets_the_context_or_to_wait_is_told(flow: type[CodeWorkflow], says: str) -> None:
    manager = Manager("memory://", [flow])
    manager.start_process(Process(flow, "p"))
    Worker(manager, attempts=1).run(burst=True)
    blocked = manager.describe("p").blocked
    assert blocked is not None
    assert says in blocked[0]


def test_methods_keep_their_names() -> None:
    class Flow(CodeWorkflow):
        @signal
        def hear(self) -> None: ...

        @query(name="what")
        def look(self) -> None: ...

        @update
        def change(self) -> None: ...

        def run(self, ctx: SyncContext) -> None: ...

    class Inherits(Flow):
        pass

    from pyworkflow.code.decorators import handlers_of

    assert set(handlers_of(Inherits)) == {("signal", "hear"), ("query", "what"), ("update", "change")}


def test_names_that_the_library_needs() -> None:
    with pytest.raises(TypeError, match=r"Flow\.decide would hide .* @signal\(name='decide'\)"):

        class Flow(CodeWorkflow):
            @signal
            def decide(self, granted: bool) -> None: ...

    with pytest.raises(TypeError, match=r"Other\.ctx would hide"):

        class Other(CodeWorkflow):
            @signal
            def ctx(self, granted: bool) -> None: ...


def test_other_names_are_the_users(environment: Environment) -> None:
    class Flow(CodeWorkflow):
        shape, call, course, handlers = "round", 1, 2, 3

        @query
        def main(self) -> str:
            return self.shape

        async def run(self, ctx: Context) -> list[int]:
            return [self.call, self.course, self.handlers]

    env = environment(Flow)
    assert env.run(Process(Flow, "p")) == [1, 2, 3]
    assert env.manager.query("p", "main") == "round"


def test_run_must_be_written() -> None:
    with pytest.raises(NotImplementedError, match=r"CodeWorkflow must override run\(\)"):
        CodeWorkflow().decide(Process("Code", "p", run="1"))
