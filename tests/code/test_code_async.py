"""Async code: what asyncio offers works as it does elsewhere, and the history has what was asked for."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from pyworkflow import (
    ActivityCanceled,
    ActivityFailed,
    CodeWorkflow,
    Context,
    DecisionRefused,
    NotAllowedInWorkflow,
    PayloadError,
    Process,
    ProcessCanceled,
    ProcessFailed,
    ProcessTimedOut,
    activity,
    workflow,
)
from pyworkflow.events import DecisionEvent

from .conftest import Environment

DAY = 86_400


@activity
def double(x: int) -> int:
    return x * 2


@activity
def fail(reason: str) -> None:
    raise ActivityFailed(reason, {"at": 1})


@activity(execution_timeout=3 * DAY, auto_complete=False)
def never() -> None:
    """Somebody else completes it."""


def decided(history: Any) -> list[tuple[str, str]]:
    """The decisions of a history: type, and id or name."""
    return [
        (event.decision.type, getattr(event.decision, "id", None) or getattr(event.decision, "name", ""))
        for event in history
        if isinstance(event, DecisionEvent)
    ]


def run(environment: Environment, function: Any, input: Any = None, **options: Any) -> Any:
    """Run a function as a process to its end; its result."""
    flow = workflow(activities=[double, fail, never], name="Flow")(function)
    return environment(flow, **options).run(Process(flow, "p", input))


def test_calls_one_after_the_other(environment: Environment) -> None:
    async def flow(ctx: Context, x: int) -> int:
        x = await ctx.call(double, x)
        return await ctx.call("double", x)

    assert run(environment, flow, 3) == 12


def test_calls_have_readable_ids(environment: Environment) -> None:
    @workflow(activities=[double])
    async def flow(ctx: Context) -> list[int]:
        async def inner(x: int) -> int:
            return await ctx.call(double, await ctx.call(double, x))

        await ctx.sleep(1)
        return await asyncio.gather(inner(1), inner(10), ctx.call(double, 100))

    env = environment(flow)
    assert env.run(Process(flow, "p")) == [4, 40, 200]
    assert decided(env.history("p")) == [
        ("timer", "1-timer"),
        ("schedule_activity", "2-double"),
        ("schedule_activity", "3.1-double"),
        ("schedule_activity", "4.1-double"),
        ("schedule_activity", "3.2-double"),
        ("schedule_activity", "4.2-double"),
        ("complete_process", ""),
    ]


def test_a_call_begins_before_it_is_awaited(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[int]:
        first, second = ctx.call(double, 1), ctx.call(double, 2)
        return [await second, await first]

    assert run(environment, flow) == [4, 2]


def test_gather_with_failures(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        results = await asyncio.gather(ctx.call(double, 1), ctx.call(fail, "no"), return_exceptions=True)
        return [results[0], results[1].reason, results[1].details]

    assert run(environment, flow) == [2, "no", {"at": 1}]


def test_task_group(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            one, two = group.create_task(ctx.call(double, 1)), group.create_task(ctx.call(double, 2))
        failures: list[Any] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(ctx.call(never))
                group.create_task(ctx.call(fail, "no"))
        except* ActivityFailed as error:
            failures = [each.reason for each in error.exceptions if isinstance(each, ActivityFailed)]
        return [one.result(), two.result(), failures]

    assert run(environment, flow) == [2, 4, ["no"]]


def test_wait_and_as_completed(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        async def after(seconds: float, x: int) -> int:
            await asyncio.sleep(seconds)
            return x

        tasks = [asyncio.create_task(after(n, n)) for n in (3, 1, 2)]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = [task.result() for task in done]
        rest = [await each for each in asyncio.as_completed([after(2, 20), after(1, 10)])]
        return [first, len(pending), rest, sorted(task.result() for task in pending)]

    assert run(environment, flow) == [[1], 2, [10, 20], [2, 3]]


def test_what_gather_and_map_return_is_in_order_in_a_set(environment: Environment) -> None:
    """Sets order by hashes, which are addresses of memory where nothing is done about it."""
    others = asyncio.new_event_loop()
    clutter: list[Any] = []

    async def flow(ctx: Context) -> list[int]:
        clutter.append([asyncio.Future(loop=others) for _ in range(len(clutter) % 7)])
        maps: list[Any] = [ctx.map(double, [n]) for n in range(12)]
        maps += [asyncio.gather(ctx.call(double, n)) for n in range(12, 24)]
        numbers = [hash(each) for each in maps]
        assert numbers == list(range(numbers[0], numbers[0] + 24))
        done, _ = await asyncio.wait(maps)
        return [await ctx.call(double, future.result()[0]) for future in done]

    assert run(environment, flow) is not None
    others.close()


def test_as_completed_imported_by_its_name_is_refused_what_it_would_mix(environment: Environment) -> None:
    original: Any = asyncio.tasks.as_completed

    async def flow(ctx: Context) -> list[Any]:
        left = ctx.sleep(1)
        with pytest.raises(NotAllowedInWorkflow, match=r"asyncio\.as_completed"):
            list(original([left]))
        left.close()
        tasks = [asyncio.create_task(ctx.sleep(n)) for n in (2, 1)]
        return [await each for each in original(tasks)]

    assert run(environment, flow) == [None, None]


def test_timeouts(environment: Environment) -> None:
    @workflow(activities=[never])
    async def flow(ctx: Context) -> list[Any]:
        told = []
        try:
            async with asyncio.timeout(5):
                await ctx.call(never)
        except TimeoutError:
            told.append(ctx.now().timestamp())
        try:
            await asyncio.wait_for(ctx.call(never), 5)
        except TimeoutError:
            told.append(ctx.now().timestamp())
        async with asyncio.timeout(5):
            told.append(await ctx.call("double", 1))
        return told

    env = environment(flow, activities=[double])
    begun = env.now.timestamp()
    assert env.run(Process(flow, "p")) == [begun + 5, begun + 10, 2]
    told = decided(env.history("p"))
    assert ("cancel_activity", "1-never") in told or ("cancel_activity", "2-never") in told
    assert sum(type == "cancel_timer" for type, _ in told) == 1


def test_what_is_taken_back_at_once_is_never_asked_for(environment: Environment) -> None:
    @workflow(activities=[double])
    async def flow(ctx: Context) -> int:
        call = ctx.call(double, 1)
        call.cancel()
        async with asyncio.timeout(10):
            pass
        return 7

    env = environment(flow)
    assert env.run(Process(flow, "p")) == 7
    assert decided(env.history("p")) == [("complete_process", "")]


def test_a_long_sleep_takes_no_time(environment: Environment) -> None:
    @workflow
    async def flow(ctx: Context) -> str:
        begun = ctx.now()
        for _ in range(3):
            await asyncio.sleep(30 * DAY)
        return str(ctx.now() - begun)

    assert environment(flow).run(Process(flow)) == "90 days, 0:00:00"


def test_queues_locks_and_events(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        lock, event, got = asyncio.Lock(), asyncio.Event(), []

        async def produce() -> None:
            for x in range(3):
                await queue.put(await ctx.call(double, x))
            event.set()

        async def consume() -> None:
            for _ in range(3):
                async with lock:
                    got.append(await queue.get())

        producer = asyncio.create_task(produce())
        await asyncio.gather(consume(), event.wait())
        await producer
        return got

    assert run(environment, flow) == [0, 2, 4]


def test_map(environment: Environment) -> None:
    @activity
    def add(x: int, y: int = 100) -> int:
        return x + y

    @workflow(activities=[add, double])
    async def flow(ctx: Context) -> list[Any]:
        return [await ctx.map(double, range(4)), await ctx.map(add, [(1, 2), (3, 4), 5]), await ctx.map(double, [])]

    env = environment(flow)
    assert env.run(Process(flow)) == [[0, 2, 4, 6], [3, 7, 105], []]


def test_a_failure_ends_the_process(environment: Environment) -> None:
    async def flow(ctx: Context) -> None:
        await ctx.call(fail, "no money")

    with pytest.raises(ProcessFailed) as failed:
        run(environment, flow)
    assert failed.value.reason == "activity fail failed: no money"
    assert failed.value.details == {"at": 1}


def test_several_failures_end_the_process(environment: Environment) -> None:
    async def flow(ctx: Context) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(ctx.call(fail, "one"))
            group.create_task(ctx.call(fail, "two"))

    with pytest.raises(ProcessFailed, match="one"):
        run(environment, flow)


def test_code_may_fail_a_process_itself(environment: Environment) -> None:
    class TooDear(Exception):
        pass

    @workflow(failures=(TooDear,))
    async def flow(ctx: Context, how: str) -> None:
        if how == "itself":
            raise ProcessFailed("it says so", {"why": 1})
        if how == "timeout":
            async with asyncio.timeout(1):
                await asyncio.sleep(10)
        raise TooDear("10 euros")

    env = environment(flow)
    reasons = []
    for how in ("itself", "timeout", "dear"):
        with pytest.raises(ProcessFailed) as failed:
            env.run(Process(flow, input=how))
        reasons.append((failed.value.reason, failed.value.details))
    assert reasons == [("it says so", {"why": 1}), ("TimeoutError", None), ("10 euros", None)]


def test_a_bug_is_no_failure(environment: Environment) -> None:
    async def flow(ctx: Context) -> None:
        await ctx.call(double, 1)
        {}["nothing"]  # type: ignore[index]

    with pytest.raises(KeyError):
        run(environment, flow)


def test_cancellation_is_told_once_and_cleanup_may_call(environment: Environment) -> None:
    @workflow(activities=[double, never])
    async def flow(ctx: Context) -> None:
        try:
            await ctx.call(never)
        except asyncio.CancelledError:
            await ctx.call(double, 1)
            await asyncio.sleep(10)
            raise

    env = environment(flow)
    id = env.start(Process(flow, "p"))
    env.run_until_idle()
    env.cancel(id, "never mind")
    with pytest.raises(ProcessCanceled) as canceled:
        env.run(id)
    assert canceled.value.details == "never mind"
    assert ("cancel_activity", "1-never") in decided(env.history(id))
    assert ("schedule_activity", "2-double") in decided(env.history(id))


def test_a_shielded_call_survives_cancellation(environment: Environment) -> None:
    @workflow(activities=[never])
    async def flow(ctx: Context) -> Any:
        call = ctx.call(never)
        try:
            await asyncio.shield(call)
        except asyncio.CancelledError:
            return [await call, ctx.cancel_requested]

    env = environment(flow)
    id = env.start(Process(flow, "p"))
    env.run_until_idle()
    env.cancel(id)
    env.run_until_idle()
    env.manager.complete_task(str(env.manager.describe(id).activities[0].token), 5)
    assert env.run(id) == [5, True]


def test_a_process_that_is_canceled_before_it_began(environment: Environment) -> None:
    async def flow(ctx: Context) -> None:
        await ctx.call(never)

    it = workflow(activities=[never])(flow)
    env = environment(it)
    env.cancel(env.start(Process(it, "p")), "too late")
    with pytest.raises(ProcessCanceled, match="too late"):
        env.run("p")
    assert decided(env.history("p")) == [("cancel_process", "")]


def test_an_activity_that_cancels_itself(environment: Environment) -> None:
    async def flow(ctx: Context) -> Any:
        try:
            await ctx.call(double, 1)
        except ActivityCanceled as canceled:
            return canceled.details

    assert run(environment, flow, activity_fakes={"double": ActivityCanceled("had enough")}) == "had enough"


def test_what_cannot_be_stored_is_refused_where_it_is_asked_for(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        told: list[Any] = []
        try:
            await ctx.call(double, object())
        except PayloadError as error:
            told.append("not JSON" in str(error) or "cannot be stored" in str(error))
        told.append(await ctx.call(double, 2))
        return told

    assert run(environment, flow) == [True, 4]


def test_an_unknown_activity_is_refused_where_it_is_asked_for(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        try:
            await ctx.call("unheard-of", 1)
        except DecisionRefused as error:
            return [error.cause, await ctx.call(double, 2)]
        return []

    assert run(environment, flow) == ["ACTIVITY_TYPE_DOES_NOT_EXIST", 4]


def test_inputs_are_as_they_were_when_it_was_called(environment: Environment) -> None:
    async def flow(ctx: Context) -> list[Any]:
        numbers = [1]
        first = ctx.call("same", numbers)
        numbers.append(2)
        return [await first, await ctx.call("same", numbers)]

    assert run(environment, flow, activities=[activity(lambda x: x, name="same")]) == [[1], [1, 2]]


def test_results_may_be_changed(environment: Environment) -> None:
    async def flow(ctx: Context) -> Any:
        result = await ctx.call("parts")
        result["list"].append(3)
        await asyncio.sleep(1)
        result["list"].append(4)
        return result

    it = workflow(flow, name="Flow")
    parts = activity(lambda: {"list": [1, 2]}, name="parts")
    assert environment(it, activities=[parts]).run(Process(it)) == {"list": [1, 2, 3, 4]}


def test_the_time_is_that_of_the_decision(environment: Environment) -> None:
    @workflow(activities=[double])
    async def flow(ctx: Context) -> list[str]:
        times = [ctx.now().isoformat()]
        await asyncio.sleep(60)
        times += [ctx.now().isoformat(), str(asyncio.get_running_loop().time())]
        return times

    env = environment(flow, now=dt.datetime(2031, 1, 1, tzinfo=dt.UTC))
    begun = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    later = begun + dt.timedelta(minutes=1)
    assert env.run(Process(flow)) == [begun.isoformat(), later.isoformat(), str(later.timestamp())]


def test_a_process_that_waits_for_nothing_that_comes(environment: Environment) -> None:
    class Waits(CodeWorkflow):
        timeout = DAY

        async def run(self, ctx: Context) -> None:
            await ctx.wait_signal("never")

    with pytest.raises(ProcessTimedOut):
        environment(Waits).run(Process(Waits))
