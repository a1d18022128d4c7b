"""Plain code: it is run again with the results that are known, as in the seed's workflow as code."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import (
    ActivityFailed,
    CodeWorkflow,
    DecisionRefused,
    Manager,
    Process,
    ProcessCanceled,
    ProcessFailed,
    SyncContext,
    Worker,
    activity,
    signal,
    workflow,
)
from pyworkflow.events import DecisionEvent

from .conftest import Environment

runs: list[int] = []
executed: list[int] = []


def my_function(x: int) -> int:
    executed.append(x)
    return x + 3


class Main(CodeWorkflow):
    """The seed's example."""

    activities = [my_function]

    def run(self, ctx: SyncContext) -> int:
        runs.append(1)
        res = 0
        ctx.call_async(my_function, int(res))
        res = ctx.get_result()
        ctx.call_async(my_function, int(res))
        return ctx.get_result()


def test_two_calls_in_a_row_are_three_runs_and_each_function_once() -> None:
    runs.clear()
    executed.clear()
    manager = Manager("memory://", [Main])
    manager.start_process(Process(Main, "p"))
    Worker(manager).run(burst=True)
    assert manager.result("p", 0) == 6
    assert len(runs) == 3
    assert executed == [0, 3]


@activity
def double(x: int) -> int:
    return x * 2


@activity
def fail(reason: str) -> None:
    raise ActivityFailed(reason)


@activity
def total(parts: list[int]) -> int:
    return sum(parts)


@activity(execution_timeout=1_000_000, auto_complete=False)
def never() -> None:
    """Somebody else completes it."""


def run(environment: Environment, function: Any, input: Any = None) -> Any:
    flow = workflow(activities=[double, fail, total, never], name="Flow")(function)
    return environment(flow).run(Process(flow, "p", input))


def test_results_of_one_call_a_map_and_several_calls(environment: Environment) -> None:
    def flow(ctx: SyncContext, x: int) -> list[Any]:
        ctx.call_async(double, x)
        one = ctx.get_result()
        ctx.map(double, range(3))
        many = ctx.get_result()
        ctx.map(double, [10])
        short = ctx.get_result()
        ctx.call_async(double, 1)
        ctx.call_async(double, 2)
        several = ctx.get_result()
        call = ctx.call_async(double, 4)
        return [one, many, short, several, ctx.get_result(call), ctx.get_result([call, call]), ctx.get_result()]

    assert run(environment, flow, 5) == [10, [0, 2, 4], [20], [2, 4], 8, [8, 8], []]


def test_map_reduce(environment: Environment) -> None:
    def flow(ctx: SyncContext) -> list[Any]:
        ctx.map_reduce(double, range(4), total)
        later = ctx.map_reduce(double, range(3), total)
        first = ctx.get_result()
        broken = ctx.map_reduce(fail, ["a", "b"], total)
        return [first, ctx.get_result(later), ctx.get_result(broken, throw_except=False).reason]

    assert run(environment, flow) == [[12, 6], 6, "a"]


def test_failures_are_raised_or_returned(environment: Environment) -> None:
    def flow(ctx: SyncContext) -> list[Any]:
        calls = [ctx.call_async(double, 1), ctx.call_async(fail, "no")]
        results = ctx.get_result(calls, throw_except=False)
        try:
            ctx.get_result(calls)
        except ActivityFailed as error:
            return [results[0], results[1].reason, error.reason]
        return []

    assert run(environment, flow) == [2, "no", "no"]


def test_a_failure_ends_the_process(environment: Environment) -> None:
    def flow(ctx: SyncContext) -> None:
        ctx.call(fail, "no money")

    with pytest.raises(ProcessFailed) as failed:
        run(environment, flow)
    assert failed.value.reason == "activity fail failed: no money"


def test_waiting_for_any_for_all_and_not_at_all(environment: Environment) -> None:
    @workflow(activities=[double, never])
    def flow(ctx: SyncContext) -> list[Any]:
        calls = [ctx.call_async(never), ctx.call_async(double, 1), ctx.call_async(double, 2)]
        before = [len(part) for part in ctx.wait(calls, return_when="ALWAYS")]
        first, _ = ctx.wait(calls, return_when="ANY_COMPLETED")
        most, open = ctx.wait(calls, timeout=100)
        return [before, [call.id for call in first], [call.id for call in most], [call.id for call in open]]

    env = environment(flow)
    assert env.run(Process(flow, "p")) == [[0, 3], ["2-double"], ["2-double", "3-double"], ["1-never"]]


def test_timeouts(environment: Environment) -> None:
    @workflow(activities=[double, never])
    def flow(ctx: SyncContext) -> list[Any]:
        begun = ctx.now()
        call = ctx.call_async(never)
        try:
            ctx.get_result(call, timeout=60)
        except TimeoutError:
            gone = (ctx.now() - begun).total_seconds()
        quick = ctx.get_result(ctx.call_async(double, 1), timeout=60)
        ctx.sleep(1000)
        return [gone, quick, (ctx.now() - begun).total_seconds()]

    env = environment(flow)
    assert env.run(Process(flow, "p")) == [60, 2, 1060]
    told = [event.decision.type for event in env.history("p") if isinstance(event, DecisionEvent)]
    assert told.count("timer") == 3 and told.count("cancel_timer") == 1


def test_signals_and_conditions(environment: Environment) -> None:
    class Flow(CodeWorkflow):
        activities = [double]

        def __init__(self) -> None:
            self.notes: list[Any] = []

        @signal
        def note(self, data: Any) -> None:
            self.notes.append(data)

        def run(self, ctx: SyncContext) -> list[Any]:
            name = ctx.wait_signal("name")
            ctx.wait_condition(lambda: len(self.notes) > 1)
            try:
                ctx.wait_signal("name", timeout=10)
            except TimeoutError:
                self.notes.append("none")
            try:
                ctx.wait_condition(lambda: False, timeout=10)
            except TimeoutError:
                return [name, self.notes, ctx.call(double, 4)]
            return []

    env = environment(Flow)
    id = env.start(Process(Flow, "p"))
    env.signal(id, "note", 1)
    env.run_until_idle()
    env.signal(id, "name", "Ada")
    env.run_until_idle()
    env.signal(id, "note", 2)
    assert env.run(id) == ["Ada", [1, 2, "none"], 8]


def test_cancellation_is_raised_once_where_the_code_waits(environment: Environment) -> None:
    @workflow(activities=[double, never])
    def flow(ctx: SyncContext) -> Any:
        ctx.call(double, 1)
        try:
            ctx.call(never)
        except ProcessCanceled as canceled:
            ctx.call(double, 2)
            ctx.sleep(5)
            if canceled.details == "stop":
                raise
            return [canceled.details, ctx.cancel_requested]

    for why, ended in (("stop", None), ("turn back", ["turn back", True])):
        env = environment(flow)
        id = env.start(Process(flow, "p"))
        env.run_until_idle()
        env.cancel(id, why)
        if ended is None:
            with pytest.raises(ProcessCanceled, match="stop"):
                env.run(id)
        else:
            assert env.run(id) == ended


def test_children_and_messages(environment: Environment) -> None:
    @workflow
    def part(ctx: SyncContext, name: str) -> str:
        return f"{name} after {ctx.wait_signal('go')}"

    @workflow
    def flow(ctx: SyncContext) -> list[Any]:
        first, second = ctx.start_workflow(part, "a", id="a"), ctx.start_workflow(part, "b", id="b")
        ctx.sleep(1)
        ctx.signal("a", "go", 1)
        ctx.cancel_process("b")
        try:
            ctx.signal("nobody", "go")
        except DecisionRefused as error:
            cause = error.cause
        failed = ctx.get_result(second, throw_except=False)
        return [ctx.get_result(first), type(failed).__name__, cause]

    assert environment(flow, part).run(Process(flow, "p")) == [
        "a after 1", "ProcessCanceled", "UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION",
    ]  # fmt: skip


def test_a_finally_is_not_run_while_the_code_only_waits(environment: Environment) -> None:
    @workflow(activities=[double])
    def flow(ctx: SyncContext) -> int:
        try:
            return int(ctx.call(double, 1))
        finally:
            ctx.call(double, 2)

    env = environment(flow)
    assert env.run(Process(flow, "p")) == 2
    told = [event.decision for event in env.history("p") if isinstance(event, DecisionEvent)]
    assert [getattr(decision, "id", None) for decision in told] == ["1-double", "2-double", None]


def test_code_that_swallows_everything_does_not_get_away_with_it(environment: Environment) -> None:
    @workflow(activities=[double])
    def flow(ctx: SyncContext) -> int:
        try:
            return int(ctx.call(double, 1))
        except BaseException:
            return -1

    assert environment(flow).run(Process(flow, "p")) == 2


def test_continue_as_new(environment: Environment) -> None:
    @workflow
    def flow(ctx: SyncContext, left: int, done: int = 0) -> int:
        ctx.sleep(10)
        if left:
            ctx.continue_as_new(left - 1, done + 1)
        return done

    assert environment(flow).run(Process(flow, "p", {"left": 3})) == 3


def test_chance_time_and_steps_are_the_same_each_time(environment: Environment) -> None:
    @workflow(activities=[double])
    def flow(ctx: SyncContext) -> list[Any]:
        before = [
            ctx.random.random(),
            str(ctx.uuid4()),
            ctx.now().isoformat(),
            ctx.side_effect(lambda: object.__name__),
        ]
        seen.append(before)
        ctx.call(double, 1)
        ctx.sleep(9)
        return [*before, str(ctx.uuid4())]

    seen: list[Any] = []
    result = environment(flow).run(Process(flow, "p"))
    assert all(each == seen[0] for each in seen) and len(seen) >= 3
    assert result[:4] == seen[0] and result[1] != result[4]


def test_a_signal_handler_cannot_be_async(environment: Environment) -> None:
    class Flow(CodeWorkflow):
        @signal
        async def note(self) -> None: ...

        def run(self, ctx: SyncContext) -> None:
            ctx.wait_signal("x")

    env = environment(Flow)
    id = env.start(Process(Flow, "p"))
    env.signal(id, "note")
    with pytest.raises(TypeError, match=r"note is async, but .* make both so"):
        env.run(id)
