"""`pyworkflow schedule`: created, shown, paused, triggered and deleted, with a worker in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

APP = """
from pyworkflow import workflow
from pyworkflow.schedules import Scheduler

@workflow
async def report(ctx, name: str):
    return name

app = [report, Scheduler]
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "app_of_schedules.py").write_text(APP)
    return "app_of_schedules:app"


def test_the_life_of_a_schedule(cli: Any, app: str) -> None:
    cli("-A", app, "worker", "--burst")
    created = cli(
        "schedule", "create", "daily", "report", "--cron", "30 8 * * *", "-i", '"sales"', "--tag", "x", "--time-zone",
        "Europe/Berlin",
    )  # fmt: skip
    assert created.stdout == "daily\n"
    cli("schedule", "trigger", "daily")
    cli("-A", app, "worker", "--burst")
    row = cli.json("schedule", "describe", "daily")
    assert (row["started"], row["failed"], row["running"], row["paused"]) == (1, 0, [], False)
    assert row["next"].endswith(":30:00+00:00")
    assert [it["workflow"] for it in cli.json("list", "--status", "completed", "--tag", "x")] == ["report"]
    cli("schedule", "pause", "daily", "--note", "holidays")
    cli("-A", app, "worker", "--burst")
    (row,) = cli.json("schedule", "list")
    assert (row["paused"], row["note"], row["next"]) == (True, "holidays", None)
    assert "holidays" in cli("schedule", "describe", "daily").stdout
    assert "paused" in cli("schedule", "list").stdout
    cli("schedule", "resume", "daily")
    cli("schedule", "delete", "daily")
    assert cli.json("schedule", "list") == []
    cli("schedule", "trigger", "daily", code=3)


def test_what_makes_no_sense(cli: Any, app: str) -> None:
    cli("-A", app, "worker", "--burst")
    assert "either cron or every" in cli("schedule", "create", "x", "report", code=2).output
    assert "no cron expression" in cli("schedule", "create", "x", "report", "--cron", "soon", code=2).output
    cli("schedule", "create", "x", "report", "--every", "15m")
    assert cli.json("schedule", "describe", "x")["every"] == 900
    cli("schedule", "create", "x", "report", "--every", "15m", code=5)
