"""Retry policies: run by the decider, with timers, the same for code, methods and rules."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import (
    Activity,
    ActivityCanceled,
    ActivityFailed,
    ActivityTimedOut,
    CancelActivity,
    CompleteProcess,
    Context,
    DefaultWorkflow,
    Process,
    ProcessFailed,
    RetryPolicy,
    RuleSetWorkflow,
    ScheduleActivity,
    SyncContext,
    Timer,
    activity,
    current_activity,
    rules,
    workflow,
)
from pyworkflow.events import ActivityEvent, DecisionEvent
from pyworkflow.testing import WorkflowEnvironment

from .conftest import Environment

POLICY = RetryPolicy(initial_interval=1, backoff_coefficient=3, maximum_interval=5, maximum_attempts=4)


def delays(policy: RetryPolicy, result: Any, attempts: int = 5) -> list[float | None]:
    return [policy.delay(attempt, result) for attempt in range(1, attempts + 1)]


def test_pauses() -> None:
    assert delays(POLICY, ActivityFailed("no")) == [1, 3, 5, None, None]
    assert delays(POLICY, ActivityTimedOut()) == [1, 3, 5, None, None]
    assert delays(POLICY, ActivityCanceled()) == [None] * 5
    assert RetryPolicy().delay(5_000, ActivityFailed("no")) == 100
    assert RetryPolicy(maximum_interval=7, backoff_coefficient=1).delay(3, ActivityFailed("no")) == 1


NAN, INF = float("nan"), float("inf")


def test_no_pause_is_longer_than_a_timer_can_be() -> None:
    year = 365 * 86_400
    assert delays(RetryPolicy(1, 2, INF), ActivityFailed("no"), 3) == [1, 2, 4]
    assert RetryPolicy(1, 2, INF).delay(60, ActivityFailed("no")) == year
    assert RetryPolicy(1, 2, INF).delay(5_000, ActivityFailed("no")) == year
    assert RetryPolicy(INF, 1, INF).delay(1, ActivityFailed("no")) == year
    assert POLICY.delay(1, ActivityFailed("no", next_retry_delay=1e30)) == year


def test_what_is_not_tried_again_may_be_one_thing() -> None:
    """A text was taken apart into its letters."""
    assert RetryPolicy(non_retryable="KeyError") == RetryPolicy(non_retryable=(KeyError,))
    assert RetryPolicy(non_retryable=KeyError) == RetryPolicy(non_retryable=("KeyError",))


@pytest.mark.parametrize(
    "bad",
    [
        *({"initial_interval": -1}, {"backoff_coefficient": 0.5}, {"maximum_attempts": -1}),
        *({"initial_interval": NAN}, {"maximum_interval": NAN}, {"backoff_coefficient": NAN}),
        *({"maximum_attempts": 2.5}, {"maximum_attempts": "3"}),
    ],
)
def test_policies_that_make_no_sense(bad: Any) -> None:
    with pytest.raises(ValueError, match="retry policy"):
        RetryPolicy(**bad)


def test_a_failure_may_say_whether_and_when() -> None:
    assert POLICY.delay(1, ActivityFailed("no", {"x": 1}, non_retryable=True)) is None
    assert POLICY.delay(1, ActivityFailed("no", next_retry_delay=77)) == 77
    assert ActivityFailed("no", [1], next_retry_delay=0).next_retry_delay == 0
    assert ActivityFailed("no", [1]).details == [1]
    assert ActivityFailed("no", [1], non_retryable=True).details == {"details": [1], "non_retryable": True}
    assert not ActivityFailed("no", {"non_retryable": "perhaps", "next_retry_delay": "soon"}).non_retryable
    assert ActivityFailed("no", {"next_retry_delay": "soon"}).next_retry_delay is None


class TooDear(ValueError):
    pass


@pytest.mark.parametrize("which", [TooDear, "TooDear", "10 euros\n  File of bills"])
def test_errors_that_are_not_tried_again(which: Any, environment: Environment) -> None:
    @activity(retry=RetryPolicy(non_retryable=(which,)))
    def pay(x: int) -> None:
        try:
            raise KeyError("inner")
        except KeyError:
            raise TooDear("10 euros\n  File of bills") from None

    @workflow(activities=[pay])
    async def flow(ctx: Context) -> None:
        await ctx.call(pay, 1)

    env = environment(flow)
    with pytest.raises(ProcessFailed):
        env.run(Process(flow, "p"))
    assert sum(isinstance(event, ActivityEvent) for event in env.history("p")) == 1


class Bank(Activity):
    """Works at its third attempt, and knows what was said before."""

    execution_timeout = 20
    heartbeat_timeout = 10
    retry = POLICY
    tries: list[Any] = []

    def execute(self) -> Any:
        self.tries.append((self.attempt, self.last_heartbeat, self.input))
        if self.attempt == 1:
            self.heartbeat({"row": 7})
            self.auto_complete = False  # type: ignore[misc]
            return None
        if self.attempt < 3:
            raise ConnectionError("busy")
        return f"paid {self.input['cents']}"


async def async_code(ctx: Context, order: Any) -> Any:
    return await ctx.call(Bank, order)


def plain_code(ctx: SyncContext, order: Any) -> Any:
    return ctx.call(Bank, order)


class Methods(DefaultWorkflow):
    activities = [Bank]

    def initiate(self, process: Process) -> Any:
        return ScheduleActivity(Bank, "pay", input=process.input, priority=7)

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result)


class Rules(RuleSetWorkflow):
    activities = [Bank]

    @rules.process_started
    def start(self, event: Any, process: Process) -> Any:
        return Bank

    @rules.completed_activity(Bank)
    def done(self, event: Any, process: Process) -> Any:
        return CompleteProcess(event.result.result)


STYLES = [workflow(activities=[Bank])(async_code), workflow(activities=[Bank])(plain_code), Methods, Rules]


@pytest.mark.parametrize("style", STYLES, ids=lambda it: it.name)
def test_all_styles_try_again_alike(style: Any, environment: Environment) -> None:
    Bank.tries.clear()
    env = environment(style)
    begun = env.clock.now
    assert env.run(Process(style, "p", {"cents": 100})) == "paid 100"
    order = {"cents": 100}
    assert Bank.tries == [(1, None, order), (2, {"row": 7}, order), (3, {"row": 7}, order)]
    assert env.clock.now - begun == 10 + 1 + 3
    scheduled = [it.decision for it in env.history("p") if isinstance(it, DecisionEvent)]
    assert [decision.type for decision in scheduled] == [
        "schedule_activity", "timer", "schedule_activity", "timer", "schedule_activity", "complete_process",
    ]  # fmt: skip
    assert len({decision.id for decision in scheduled if isinstance(decision, ScheduleActivity)}) == 1
    assert len({decision.priority for decision in scheduled if isinstance(decision, ScheduleActivity)}) == 1


@pytest.mark.parametrize("style", STYLES, ids=lambda it: it.name)
def test_the_last_failure_is_the_workflows(style: Any, environment: Environment) -> None:
    env = environment(style, activity_fakes={"Bank": ConnectionError("busy")})
    with pytest.raises(ProcessFailed) as failed:
        env.run(Process(style, "p", {"cents": 100}))
    assert failed.value.reason == "activity Bank failed: busy"
    assert sum(isinstance(event, ActivityEvent) for event in env.history("p")) == 4


def test_a_call_may_have_a_policy_of_its_own(environment: Environment) -> None:
    attempts = []

    @activity(retry=POLICY)
    def tell() -> None:
        attempts.append(current_activity().attempt)
        raise ActivityFailed("no", next_retry_delay=0)

    @workflow(activities=[tell])
    async def flow(ctx: Context) -> Any:
        try:
            await ctx.call(tell, retry=RetryPolicy(maximum_attempts=2))
        except ActivityFailed as error:
            return error.reason

    assert environment(flow).run(Process(flow, "p")) == "no"
    assert attempts == [1, 2]


def test_an_activity_between_two_attempts_is_unfinished_and_can_be_canceled() -> None:
    class Flow(DefaultWorkflow):
        activities = [Bank]

        def initiate(self, process: Process) -> Any:
            return ScheduleActivity(Bank, "pay")

        def respond_to_signal(self, process: Process, signal: Any) -> Any:
            if signal.name == "look":
                seen.append([execution.id for execution in process.unfinished_activities()])
                return None
            return [CancelActivity("pay"), Timer(100, id="later")]

        def respond_to_timer(self, process: Process, timer: Timer) -> Any:
            return CompleteProcess([timer.id, process.unfinished_activities() == []])

    seen: list[Any] = []
    env = WorkflowEnvironment([Flow], activity_fakes={"Bank": ConnectionError("busy")})
    env.start(Process(Flow, "p"))
    env.run_until_idle()
    env.signal("p", "look")
    env.run_until_idle()
    env.signal("p", "stop")
    assert env.run("p")[0] == "later"
    assert seen == [["pay"]]
    assert sum(isinstance(event, ActivityEvent) for event in env.history("p")) == 1


def test_a_canceled_call_is_not_tried_again(environment: Environment) -> None:
    import asyncio

    @activity(retry=RetryPolicy(initial_interval=50))
    def busy() -> None:
        raise ConnectionError("busy")

    @workflow(activities=[busy])
    async def flow(ctx: Context) -> Any:
        try:
            async with asyncio.timeout(10):
                await ctx.call(busy)
        except TimeoutError:
            await ctx.sleep(100)
            return "gave up"

    env = environment(flow)
    assert env.run(Process(flow, "p")) == "gave up"
    decisions = [event.decision.type for event in env.history("p") if isinstance(event, DecisionEvent)]
    assert decisions.count("schedule_activity") == 1 and decisions.count("cancel_timer") == 1


def test_a_call_may_do_without_the_policy_of_its_activity(environment: Environment) -> None:
    @activity(retry=RetryPolicy(0))
    def fails() -> None:
        raise ActivityFailed("no")

    @workflow(activities=[fails])
    async def flow(ctx: Context) -> str:
        try:
            await ctx.call(fails, retry=None)
        except ActivityFailed:
            return "tried once"
        return ""

    env = environment(flow)
    assert env.run(Process(flow, "p")) == "tried once"
    assert sum(isinstance(event, ActivityEvent) for event in env.history("p")) == 1
