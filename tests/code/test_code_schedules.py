"""Schedules: what is started when, what happens while the last one runs, and after an outage."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pyworkflow import Context, Process, ProcessAlreadyRunning, UnknownProcessException, workflow
from pyworkflow.schedules import Schedule, Scheduler, Schedules
from pyworkflow.testing import WorkflowEnvironment

from .conftest import Environment

HOUR, DAY = 3600.0, 86_400.0


@workflow
async def report(ctx: Context, seconds: float) -> str:
    if seconds < 0:
        {}["a bug"]  # type: ignore[index]
    await ctx.sleep(seconds)
    return str(ctx.now())


def of_memory(*workflows: Any) -> WorkflowEnvironment:
    return WorkflowEnvironment(workflows)


def started(env: Any) -> list[str]:
    """When reports were started, the oldest first."""
    events = [env.history(it.id)[0].datetime for it in env.manager.processes(report, status="all")]
    return [f"{time:%d %H:%M:%S}" for time in sorted(events)]


def schedule(environment: Environment, input: float = 1, **options: Any) -> tuple[Any, Schedules]:
    env = environment(report, Scheduler)
    schedules = Schedules(env.manager)
    schedules.create("daily", report, input, **options)
    env.run_until_idle()
    return env, schedules


def test_cron_in_a_time_zone(environment: Environment) -> None:
    env, schedules = schedule(environment, cron="30 8 * * MON-FRI", time_zone="Europe/Berlin")
    env.advance(7 * DAY)
    assert started(env) == [f"0{day} 07:30:00" for day in (1, 2, 3, 4, 7)]  # 2030-01-01 is a Tuesday.
    told = schedules.describe("daily")
    assert (told["started"], told["missed"], told["skipped"], told["running"]) == (5, 0, 0, [])
    assert told["next"] == "2030-01-08T07:30:00+00:00"


def test_intervals_keep_to_their_start(environment: Environment) -> None:
    env, _ = schedule(environment, every=HOUR)
    env.advance(3.5 * HOUR)
    assert started(env) == ["01 01:00:00", "01 02:00:00", "01 03:00:00"]


@pytest.mark.parametrize(
    ("overlap", "times"),
    [
        ("skip", ["01:00:00", "03:00:00", "05:00:00"]),
        ("allow", ["01:00:00", "02:00:00", "03:00:00", "04:00:00", "05:00:00"]),
        ("queue", ["01:00:00", "02:30:00", "04:00:00"]),
        ("cancel", ["01:00:00", "02:00:00", "03:00:00", "04:00:00", "05:00:00"]),
    ],
)
def test_overlaps(overlap: str, times: list[str], environment: Environment) -> None:
    env, schedules = schedule(environment, 1.5 * HOUR, every=HOUR, overlap=overlap)
    env.advance(5.25 * HOUR)
    assert started(env) == [f"01 {time}" for time in times]
    ends = [it.status for it in env.manager.processes(report, status="closed")]
    assert ("canceled" in ends) == (overlap == "cancel")
    assert len(schedules.describe("daily")["running"]) == (2 if overlap == "allow" else 1)


def test_an_outage(environment: Environment) -> None:
    env, schedules = schedule(environment, every=HOUR, catch_up=2 * HOUR)
    env.clock.advance(10.25 * HOUR)
    env.advance(0.5 * HOUR)
    assert started(env) == ["01 10:15:00"], "that of nine; that of ten fell into its second"
    told = schedules.describe("daily")
    assert (told["missed"], told["skipped"], told["last"]) == (8, 1, "2030-01-01T09:00:00+00:00")


def test_pause_resume_trigger_delete(environment: Environment) -> None:
    env, schedules = schedule(environment, every=HOUR)
    schedules.pause("daily", "holidays")
    env.advance(2.5 * HOUR)
    told = schedules.describe("daily")
    assert (told["paused"], told["note"], told["next"], started(env)) == (True, "holidays", None, [])
    schedules.trigger("daily")
    env.run_until_idle()
    assert started(env) == ["01 02:30:00"]
    schedules.resume("daily")
    env.advance(HOUR)
    assert started(env) == ["01 02:30:00", "01 03:00:00"]
    assert [it["id"] for it in schedules.list()] == ["daily"]
    with pytest.raises(ProcessAlreadyRunning):
        schedules.create("daily", report, every=1)
    schedules.delete("daily")
    env.advance(2 * HOUR)
    assert len(started(env)) == 2 and list(schedules.list()) == []
    with pytest.raises(UnknownProcessException):
        schedules.describe("daily")
    with pytest.raises(UnknownProcessException):
        schedules.pause("never-was")


def test_a_pause_without_a_note_and_one_that_a_new_run_hears_first(environment: Environment) -> None:
    env, schedules = schedule(environment, every=HOUR)
    schedules.pause("daily")
    env.advance(1.5 * HOUR)
    assert (schedules.describe("daily")["paused"], started(env)) == (True, [])
    progress = {"started": 7, "note": "old"}
    env.start(
        Process(Scheduler, "schedule-x", {"schedule": {"workflow": "report", "every": HOUR}, "progress": progress})
    )
    schedules.pause("x", "new")
    env.advance(1.5 * HOUR)
    told = schedules.describe("x")
    assert (told["paused"], told["note"], told["started"]) == (True, "new", 7)


@pytest.mark.parametrize("every", [1.1, 0.1 + 0.2 + 0.7, 3.3333333, 1e6 / 3])
def test_intervals_that_are_no_whole_seconds(every: float) -> None:
    start = after = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
    it = Schedule(workflow="x", every=every)
    for number in range(1, 1_000):
        before, after = after, it.next(start, after)
        assert after > before
        assert after == start + number * dt.timedelta(seconds=every)


@pytest.mark.parametrize("options", [{"cron": "0 0 1 1 *"}, {"every": 400 * DAY}])
def test_a_schedule_lives_on_for_years(options: Any) -> None:
    env, schedules = schedule(of_memory, **options)
    env.advance(3 * 400 * DAY + 1)
    assert len(started(env)) == 3
    assert schedules.describe("daily")["started"] == 3


@pytest.mark.parametrize(
    ("overlap", "starts", "skipped"), [("allow", 27, 0), ("cancel", 27, 0), ("skip", 9, 18), ("queue", 11, 15)]
)
def test_a_new_run_begins_although_something_always_runs(
    overlap: str, starts: int, skipped: int, monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> None:
    monkeypatch.setattr("pyworkflow.schedules.LONG", 25)
    env, schedules = schedule(environment, 2.5 * HOUR, every=HOUR, overlap=overlap)
    env.advance(27.25 * HOUR)
    runs = [env.history(f"schedule-daily:{it.run}") for it in env.manager.processes(Scheduler, status="continued")]
    assert len(runs) >= 3
    assert all(len(history) < 60 for history in runs)
    told = schedules.describe("daily")
    assert (told["started"], len(started(env)), told["skipped"], told["failed"]) == (starts, starts, skipped, 0)
    ends = [it.status for it in env.manager.processes(report, status="closed")]
    assert ends.count("canceled") == (26 if overlap == "cancel" else 0)


def test_a_schedule_lives_on_over_many_runs(monkeypatch: pytest.MonkeyPatch, environment: Environment) -> None:
    monkeypatch.setattr("pyworkflow.schedules.LONG", 40)
    env, schedules = schedule(environment, every=HOUR)
    env.advance(24.5 * HOUR)
    assert len(started(env)) == 24
    assert schedules.describe("daily")["started"] == 24
    assert len(list(env.manager.processes(Scheduler, status="continued"))) >= 2


def test_a_trigger_that_comes_before_anything_else(environment: Environment) -> None:
    env = environment(report, Scheduler)
    schedules = Schedules(env.manager)
    schedules.create("daily", report, 1, every=HOUR)
    schedules.trigger("daily")
    env.run_until_idle()
    assert len(started(env)) == 1


def test_before_anybody_has_decided(environment: Environment) -> None:
    env = environment(report, Scheduler)
    schedules = Schedules(env.manager)
    schedules.create("new", "report", cron="* * * * *")
    assert schedules.describe("new")["cron"] == "* * * * *"
    env.start(Process(report, "other", 1))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "either cron or every"),
        ({"cron": "* * * * *", "every": 5}, "either cron or every"),
        ({"cron": "61 * * * *"}, "'61 [*] [*] [*] [*]' is no cron expression"),
        ({"every": 0}, "1 or more, and at most ten years, not 0"),
        ({"every": 0.0000001}, "1 or more"),
        ({"every": float("nan")}, "not nan"),
        ({"every": float("inf")}, "at most ten years, not inf"),
        ({"every": 5, "overlap": "panic"}, "overlap is skip, queue, allow, cancel, not 'panic'"),
        ({"every": 5, "time_zone": "Mars/Base"}, "no time zone 'Mars/Base'"),
    ],
)
def test_what_makes_no_sense(fields: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Schedule(workflow="x", **fields).check()


def test_a_clock_that_is_set_forward() -> None:
    """The last Sunday of March, 2:30 does not exist in Berlin; the report comes all the same, and once."""
    daily = Schedule(workflow="x", cron="30 2 * * *", time_zone="Europe/Berlin")
    after = dt.datetime(2030, 3, 30, 12, tzinfo=dt.UTC)
    times = []
    for _ in range(3):
        after = daily.next(after, after)
        times.append(f"{after:%d %H:%M}")
    assert times == ["31 01:00", "01 00:30", "02 00:30"]


def test_a_schedule_with_a_long_id_starts_what_it_should(environment: Environment) -> None:
    env = environment(report, Scheduler)
    Schedules(env.manager).create("x" * 245, "report", 1, cron="* * * * *")
    Schedules(env.manager).trigger("x" * 245)
    env.run_until_idle()
    assert len(started(env)) == 1
