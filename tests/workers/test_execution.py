"""How activities are executed: in threads, on an event loop, in processes, handed off; and what comes of each."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from pyworkflow import (
    Context,
    DefaultWorkflow,
    Manager,
    Process,
    SyncContext,
    UnknownActivityException,
    Worker,
    workflow,
)
from pyworkflow.activity import Activity

from . import acts


def outcome(manager: Manager, activity: type[Activity], input: Any = None) -> dict[str, Any]:
    id = manager.start_process(Process(acts.One, input=[activity.name, input]))
    result: dict[str, Any] = manager.result(id, 60)
    return result


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it did not come to that within a minute"
        time.sleep(0.01)


def test_a_plain_activity(manager: Manager, run: Any) -> None:
    run()
    assert outcome(manager, acts.Echo, {"a": [1]}) == {"type": "completed", "result": "{'a': [1]}"}


def test_an_async_activity_runs_on_the_event_loop(manager: Manager, run: Any) -> None:
    run()
    assert outcome(manager, acts.EchoAsync, 3)["result"] == "[3, 'activities']"


def test_an_activity_in_a_process(manager: Manager, run: Any) -> None:
    run()
    pid, input = eval_list(outcome(manager, acts.InProcess, 5)["result"])
    assert pid != os.getpid()
    assert input == 5


def eval_list(text: str) -> list[int]:
    return [int(part) for part in text.strip("[]").split(",")]


def test_a_process_that_dies_fails_its_activity_alone(manager: Manager, run: Any) -> None:
    run()
    assert "exit code 7" in outcome(manager, acts.Dies)["reason"]
    assert outcome(manager, acts.InProcess, 1)["type"] == "completed"


@pytest.mark.parametrize("activity", [acts.UntilCanceled, acts.InProcessUntilCanceled, acts.AsyncUntilCanceled])
def test_cancellation_is_told_to_a_running_activity(manager: Manager, run: Any, activity: type[Activity]) -> None:
    run(heartbeat=activity is acts.AsyncUntilCanceled)
    id = manager.start_process(Process(acts.One, input=[activity.name, None]))
    eventually(lambda: any(event.type == "activity_started" for event in manager.history(id)))
    manager.cancel_process(id)
    assert manager.result(id, 60)["type"] == "canceled"


def test_a_hand_off_is_completed_by_its_token(manager: Manager, run: Any) -> None:
    run()
    id = manager.start_process(Process(acts.One, input=["HandOff", None]))
    eventually(lambda: bool(acts.seen))
    assert not manager.heartbeat(acts.seen[0], {"still": "here"})
    manager.complete_task(acts.seen[0], {"by": "hand"})
    assert manager.result(id, 60)["result"] == "{'by': 'hand'}"
    with pytest.raises(UnknownActivityException):
        manager.complete_task(acts.seen[0], "again")


@pytest.mark.parametrize(("activity", "says"), [(acts.TooLarge, "300,002 bytes"), (acts.NotJson, "nan")])
def test_a_result_that_cannot_be_stored_fails_the_activity(
    manager: Manager, run: Any, activity: type[Activity], says: str
) -> None:
    run()
    assert says in outcome(manager, activity)["reason"]


def test_an_exception_is_a_failure_with_its_traceback(manager: Manager, run: Any) -> None:
    run()
    failed = outcome(manager, acts.Raises)
    assert failed["reason"] == "'no such thing'"
    assert "raise KeyError" in failed["details"]
    assert failed["details"].splitlines()[1].startswith(f'  File "{acts.__file__}"'), "its own lines, none of ours"


async def waits(ctx: Context) -> None:
    await asyncio.gather(breaks())


async def breaks() -> None:
    raise KeyError("broken")


def sleeps(ctx: SyncContext) -> None:
    ctx.map(breaks, [1 / 0])


@pytest.mark.parametrize("function", [waits, sleeps])
def test_a_failure_of_code_is_told_from_its_own_first_line_on(function: Any) -> None:
    manager = Manager("memory://", [workflow(function)])
    manager.start_process(Process(function, "p"))
    Worker(manager).run(burst=True)
    failed = next(event for event in manager.history("p") if event.type == "decision_failed")
    assert failed.details.splitlines()[1].startswith(f'  File "{__file__}"'), failed.details
    assert "pyworkflow/code" not in failed.details


def test_a_failure_without_any_line_of_the_authors_is_told_whole() -> None:
    manager = Manager("memory://", [type("Bare", (DefaultWorkflow,), {})])
    manager.start_process(Process("Bare", "p"))
    Worker(manager).run(burst=True)
    failed = next(event for event in manager.history("p") if event.type == "decision_failed")
    assert "default.py" in failed.details


def test_a_slow_activity_delays_no_other(manager: Manager, run: Any) -> None:
    run(concurrency=2)
    slow = manager.start_process(Process(acts.One, input=["Waits", None]))
    assert acts.begun.acquire(timeout=60)
    assert outcome(manager, acts.Echo, 1)["type"] == "completed"
    assert manager.describe(slow).process.status == "running"
    acts.gate.set()
    assert manager.result(slow, 60)["result"] == "waited"


def test_concurrency_bounds_what_runs_at_once(manager: Manager, run: Any) -> None:
    run(concurrency=3)
    id = manager.start_process(Process(acts.Many, input=["Waits"] * 5))
    for _ in range(3):
        assert acts.begun.acquire(timeout=60)
    assert not acts.begun.acquire(timeout=0.3)
    states = [activity.state for activity in manager.describe(id).activities]
    assert sorted(states) == ["scheduled"] * 2 + ["started"] * 3
    acts.gate.set()
    assert manager.result(id, 60) is None


def test_automatic_heartbeats_keep_a_quiet_activity_alive(manager: Manager, run: Any) -> None:
    run(heartbeat=True)
    assert outcome(manager, acts.Quiet)["type"] == "completed"


def test_without_them_it_times_out_and_is_told_so(manager: Manager, run: Any, caplog: pytest.LogCaptureFixture) -> None:
    run()
    timed_out = outcome(manager, acts.Quiet)
    assert (timed_out["type"], timed_out["timeout_type"]) == ("timedout", "HEARTBEAT")
    eventually(lambda: any("too late" in record.message for record in caplog.records))


def test_a_step_does_one_task_where_it_is_called(manager: Manager) -> None:
    worker = Worker(manager)
    id = manager.start_process(Process(acts.One, input=["EchoAsync", 1]))
    done = [worker.step() for _ in range(4)]
    assert done[-1] is False
    assert manager.result(id, 0)["type"] == "completed"
