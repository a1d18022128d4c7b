"""WorkflowEnvironment: processes run to their end in virtual time, with real activities and with fakes."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityTimedOut,
    CompleteProcess,
    ContinueAsNew,
    DefaultWorkflow,
    FailProcess,
    PayloadError,
    Process,
    ProcessFailed,
    ProcessTimedOut,
    ScheduleActivity,
    StartChildProcess,
    TimedOutException,
    Timer,
    UnknownTypeException,
    Workflow,
)
from pyworkflow.events import ActivityEvent, SignalEvent
from pyworkflow.testing import WorkflowEnvironment

DAY = 86_400.0


class DoubleActivity(Activity):
    heartbeat_timeout = 10

    def execute(self) -> Any:
        return self.input * 2


class HandedOffActivity(Activity):
    auto_complete = False
    execution_timeout = 7 * DAY

    def execute(self) -> None:
        pass


class AsyncActivity(Activity):
    async def execute(self) -> Any:
        await asyncio.sleep(0)
        return "async"


class OneActivityWorkflow(DefaultWorkflow):
    """Does the activity that its input names, with the rest of its input; completes with its result."""

    activities = [DoubleActivity, HandedOffActivity, AsyncActivity]

    def initiate(self, process: Process) -> Any:
        name, value = process.input
        return ScheduleActivity(name, input=value)

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result)


class ReminderWorkflow(DefaultWorkflow):
    """Waits thirty days, or for a signal."""

    def initiate(self, process: Process) -> Any:
        return Timer(30 * DAY)

    def respond_to_timer(self, process: Process, timer: Timer) -> Any:
        return CompleteProcess("timer")

    def respond_to_signal(self, process: Process, signal: Any) -> Any:
        return CompleteProcess([signal.name, signal.data])


class WaitingWorkflow(Workflow):
    timeout = DAY

    def decide(self, process: Process) -> Any:
        return None


def one(name: str, value: Any = None) -> Process:
    return Process(OneActivityWorkflow, "p", [name, value])


def env_with(**fakes: Any) -> WorkflowEnvironment:
    return WorkflowEnvironment([OneActivityWorkflow], activity_fakes=fakes)


# -- running ----------


def test_a_process_runs_to_its_result() -> None:
    env = WorkflowEnvironment([OneActivityWorkflow])
    assert env.run(one("Double", 21)) == 42
    assert [event.type for event in env.history("p")].count("activity") == 1


def test_thirty_days_pass_at_once() -> None:
    env = WorkflowEnvironment([ReminderWorkflow], now=dt.datetime(2024, 2, 1, tzinfo=dt.UTC))
    assert env.run(Process(ReminderWorkflow)) == "timer"
    assert env.now == dt.datetime(2024, 3, 2, tzinfo=dt.UTC)


def test_an_async_activity_runs_too() -> None:
    env = WorkflowEnvironment([OneActivityWorkflow])
    assert env.run(one("Async")) == "async"
    env.close()


def test_a_started_process_can_be_run_by_its_id() -> None:
    env = WorkflowEnvironment([OneActivityWorkflow])
    id = env.start(one("Double", 1), priority=5)
    assert [event.type for event in env.history(id)] == ["process_started"]
    assert env.run(id) == env.run(env.manager.process_by_id(id)) == 2


def test_a_process_that_does_not_complete_raises_how_it_ended() -> None:
    class FailingWorkflow(Workflow):
        def decide(self, process: Process) -> Any:
            return FailProcess("because", 1)

    with pytest.raises(ProcessFailed) as caught:
        WorkflowEnvironment([FailingWorkflow]).run(Process(FailingWorkflow))
    assert caught.value == ProcessFailed("because", 1)


def test_a_process_is_followed_over_its_runs() -> None:
    class CountingWorkflow(Workflow):
        def decide(self, process: Process) -> Any:
            return ContinueAsNew(process.input + 1) if process.input < 5 else CompleteProcess(process.input)

    assert WorkflowEnvironment([CountingWorkflow]).run(Process(CountingWorkflow, input=0)) == 5


def test_children_run_in_whatever_category() -> None:
    class ParentWorkflow(DefaultWorkflow):
        def initiate(self, process: Process) -> Any:
            return StartChildProcess(one("Double", 4).copy_with_id("child"), category="elsewhere")

        def respond_to_child_process(self, process: Process, id: str, *about: Any) -> Any:
            return CompleteProcess([id, about[1].result])

    env = WorkflowEnvironment([ParentWorkflow, OneActivityWorkflow])
    assert env.run(Process(ParentWorkflow)) == ["child", 8]


def test_a_type_that_was_not_given_is_said() -> None:
    class ParentWorkflow(DefaultWorkflow):
        def initiate(self, process: Process) -> Any:
            return StartChildProcess(Process("Nobody", "child"))

    with pytest.raises(UnknownTypeException, match="workflow 'Nobody'"):
        WorkflowEnvironment([ParentWorkflow]).run(Process(ParentWorkflow))


def test_a_process_that_waits_for_ever_ends_with_its_timeout() -> None:
    env = WorkflowEnvironment([WaitingWorkflow])
    began = env.clock.now
    with pytest.raises(ProcessTimedOut):
        env.run(Process(WaitingWorkflow))
    assert env.clock.now == began + DAY


def test_a_run_can_be_bounded() -> None:
    env = WorkflowEnvironment([ReminderWorkflow])
    began = env.clock.now
    with pytest.raises(TimedOutException, match="'p' is still open"):
        env.run(Process(ReminderWorkflow, "p"), within=DAY)
    assert env.clock.now == began + DAY
    assert env.run("p", within=29 * DAY) == "timer"


def test_it_is_said_when_nothing_will_ever_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WaitingWorkflow, "timeout", None)
    with pytest.raises(TimedOutException, match="waits for a signal"):
        WorkflowEnvironment([WaitingWorkflow]).run(Process(WaitingWorkflow))


def test_a_workflow_that_goes_round_in_a_circle_is_caught() -> None:
    class RoundWorkflow(Workflow):
        def decide(self, process: Process) -> Any:
            return ContinueAsNew()

    env = WorkflowEnvironment([RoundWorkflow], max_steps=20)
    with pytest.raises(TimedOutException, match="20 tasks"):
        env.run(Process(RoundWorkflow))
    with pytest.raises(TimedOutException, match="20 tasks"):
        env.run_until_idle()


# -- errors of deciders ----------


def test_what_a_decider_raises_is_raised() -> None:
    class WrongWorkflow(Workflow):
        def decide(self, process: Process) -> Any:
            raise LookupError("no such thing")

    env = WorkflowEnvironment([WrongWorkflow])
    env.start(Process(WrongWorkflow, "p"))
    with pytest.raises(LookupError, match="no such thing"):
        env.run_until_idle()
    assert env.history("p")[-1].type == "decision_failed"


@pytest.mark.parametrize(("answer", "error"), [("nonsense", TypeError), (CompleteProcess(float("nan")), PayloadError)])
def test_answers_that_cannot_be_recorded_are_raised(answer: Any, error: type[Exception]) -> None:
    class WrongWorkflow(Workflow):
        def decide(self, process: Process) -> Any:
            return answer

    with pytest.raises(error):
        WorkflowEnvironment([WrongWorkflow]).run(Process(WrongWorkflow))


# -- fakes ----------


@pytest.mark.parametrize("fake", ["value", None, [1], {"a": 1}, ActivityCompleted("done")], ids=repr)
def test_a_fake_may_be_a_result(fake: Any) -> None:
    expected = fake.result if isinstance(fake, ActivityCompleted) else fake
    assert env_with(Double=fake).run(one("Double", 1)) == expected


def test_a_fake_may_be_a_function_of_the_input() -> None:
    async def later(value: int) -> int:
        await asyncio.sleep(0)
        return value + 2

    assert env_with(Double=lambda value: value + 1).run(one("Double", 1)) == 2
    assert env_with(Double=later).run(one("Double", 1)) == 3
    assert env_with(HandedOff=lambda value: "not handed off").run(one("HandedOff")) == "not handed off"


@pytest.mark.parametrize(
    ("fake", "result"),
    [
        (ActivityFailed("why", 1), ActivityFailed("why", 1)),
        (ActivityCanceled("d"), ActivityCanceled("d")),
        (ActivityTimedOut("d"), ActivityTimedOut("d")),
        (ActivityFailed("why"), ActivityFailed("why")),
    ],
    ids=repr,
)
def test_a_fake_may_be_an_end(fake: Any, result: Any) -> None:
    env = env_with(Double=fake)
    with pytest.raises(ProcessFailed):
        env.run(one("Double", 1))
    assert [event.result for event in env.history("p") if isinstance(event, ActivityEvent)] == [result]


def test_a_fake_may_be_an_exception() -> None:
    with pytest.raises(ProcessFailed, match="card declined"):
        env_with(Double=ConnectionError("card declined")).run(one("Double", 1))


def test_a_fake_may_be_another_activity() -> None:
    class Tripling(Activity):
        def execute(self) -> Any:
            return self.input * 3

    assert env_with(Double=Tripling).run(one("Double", 2)) == 6


def test_fakes_can_be_changed_on_the_way() -> None:
    env = env_with(Double=1)
    assert env.run(one("Double", 5)) == 1
    env.activity_fakes["Double"] = 2
    assert env.run(one("Double", 5)) == 2
    del env.activity_fakes["Double"]
    assert env.run(one("Double", 5)) == 10


def test_a_fake_that_nothing_uses_is_a_mistake() -> None:
    with pytest.raises(UnknownTypeException, match="Dubble"):
        env_with(Dubble=1).run(one("Double", 5))


# -- time ----------


def test_an_activity_that_takes_too_long_times_out() -> None:
    class SlowWorkflow(OneActivityWorkflow):
        def respond_to_interrupted_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
            return CompleteProcess([result.timeout_type, result.details])

    env = WorkflowEnvironment([SlowWorkflow])

    class Slow(Activity):
        def execute(self) -> str:
            for row in range(3):
                self.heartbeat({"row": row})
                env.clock.advance(9)
            env.clock.advance(1)
            return "too late"

    env.activity_fakes["Double"] = Slow
    assert env.run(Process(SlowWorkflow, input=["Double", 1])) == ["HEARTBEAT", {"row": 2}]


def test_what_is_due_on_the_way_happens_at_its_time() -> None:
    class TimersWorkflow(DefaultWorkflow):
        def initiate(self, process: Process) -> Any:
            return [Timer(delay, delay) for delay in (3.0, 1.0, 2.0)]

    env = WorkflowEnvironment([TimersWorkflow])
    began = env.clock.now
    id = env.start(Process(TimersWorkflow))
    env.advance(2.5)
    fired = [
        (event.timer.data, event.datetime.timestamp() - began) for event in env.history(id) if event.type == "timer"
    ]  # type: ignore[attr-defined]
    assert fired == [(1.0, 1.0), (2.0, 2.0)]
    assert env.clock.now == began + 2.5
    env.advance(0.5)
    assert [event.type for event in env.history(id)].count("timer") == 3


def test_running_until_idle_does_not_move_the_clock() -> None:
    env = WorkflowEnvironment([ReminderWorkflow])
    began = env.clock.now
    env.start(Process(ReminderWorkflow, "p"))
    env.run_until_idle()
    assert env.clock.now == began
    assert [event.type for event in env.history("p")][-1] == "decision"


def test_a_signal_arrives_in_the_middle() -> None:
    env = WorkflowEnvironment([ReminderWorkflow])
    id = env.start(Process(ReminderWorkflow))
    env.advance(10 * DAY)
    env.signal(id, "now", {"n": 1})
    assert env.run(id) == ["now", {"n": 1}]
    assert env.history(id)[-1].datetime == env.now


def test_a_process_can_be_canceled_in_the_middle() -> None:
    env = WorkflowEnvironment([ReminderWorkflow])
    id = env.start(Process(ReminderWorkflow))
    env.advance(DAY)
    env.cancel(id, "enough")
    env.run_until_idle()
    assert env.manager.process_by_id(id).status == "canceled"


def test_what_is_handed_off_is_completed_from_outside() -> None:
    env = WorkflowEnvironment([OneActivityWorkflow])
    env.start(one("HandedOff"))
    env.advance(3 * DAY)
    (activity,) = env.manager.describe("p").activities
    assert activity.token
    env.manager.complete_task(activity.token, "by hand")
    assert env.run("p") == "by hand"


def test_what_is_handed_off_and_forgotten_times_out() -> None:
    env = WorkflowEnvironment([OneActivityWorkflow])
    began = env.clock.now
    with pytest.raises(ProcessFailed, match="timed out"):
        env.run(one("HandedOff"))
    assert env.clock.now == began + 7 * DAY


def test_a_fake_may_answer_differently_each_time() -> None:
    class RetryWorkflow(OneActivityWorkflow):
        def respond_to_interrupted_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
            return Timer(60)

        def respond_to_timer(self, process: Process, timer: Timer) -> Any:
            return self.initiate(process)

    answers = [ActivityFailed("first"), ActivityFailed("second"), "third"]
    env = WorkflowEnvironment([RetryWorkflow], activity_fakes={"Double": lambda value: answers.pop(0)})
    began = env.clock.now
    assert env.run(Process(RetryWorkflow, input=["Double", 1])) == "third"
    assert env.clock.now == began + 120


def test_a_decider_that_changes_what_happened_is_caught() -> None:
    class Careless(Workflow):
        def decide(self, process: Process) -> Any:
            signals = [event.signal for event in process.history if isinstance(event, SignalEvent)]
            if signals:
                signals[0].data["seen"] = True
                return CompleteProcess()
            return None

    env = WorkflowEnvironment([Careless])
    id = env.start(Process(Careless))
    env.manager.signal_process(id, "go", {"seen": False})
    with pytest.raises(RuntimeError, match="the decider of Careless changed an event's data"):
        env.run(id)
