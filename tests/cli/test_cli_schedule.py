"""`pyworkflow schedule`: created, shown, paused, triggered and deleted, with a worker in between."""

from __future__ import annotations

from datetime import datetime
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
    assert cli("schedule", "trigger", "daily").stdout == "Triggered daily.\n"
    cli("-A", app, "worker", "--burst")
    row = cli.json("schedule", "describe", "daily")
    assert (row["started"], row["failed"], row["running"], row["paused"]) == (1, 0, [], False)
    assert row["next"].endswith(":30:00+00:00")
    assert [it["workflow"] for it in cli.json("list", "--status", "completed", "--tag", "x")] == ["report"]
    due = datetime.fromisoformat(row["next"]).astimezone()
    assert f"{due:%Y-%m-%d %H:%M:%S}  " in cli("schedule", "list").stdout
    told = cli("schedule", "describe", "daily").stdout
    assert f"{due:%Y-%m-%d %H:%M:%S}\n" in told
    assert row["next"] not in told
    assert cli("schedule", "pause", "daily", "--note", "holidays").stdout == "Paused daily.\n"
    cli("-A", app, "worker", "--burst")
    (row,) = cli.json("schedule", "list")
    assert (row["paused"], row["note"], row["next"]) == (True, "holidays", None)
    assert "holidays" in cli("schedule", "describe", "daily").stdout
    assert "paused" in cli("schedule", "list").stdout
    assert cli("schedule", "resume", "daily").stdout == "Resumed daily.\n"
    assert cli("schedule", "delete", "daily").stdout == "Deleted daily.\n"
    assert cli.json("schedule", "list") == []
    for words in (["trigger", "daily"], ["describe", "daily"], ["pause", "nope"], ["delete", "nope"]):
        told = f"Error: there is no schedule {words[1]!r}: `pyworkflow schedule list` has all\n"
        assert cli("schedule", *words, code=3).stderr == told


def test_what_makes_no_sense(cli: Any, app: str) -> None:
    cli("-A", app, "worker", "--burst")
    assert "either cron or every" in cli("schedule", "create", "x", "report", code=2).output
    assert "no cron expression" in cli("schedule", "create", "x", "report", "--cron", "soon", code=2).output
    cli("schedule", "create", "x", "report", "--every", "15m")
    assert cli.json("schedule", "describe", "x")["every"] == 900
    again = cli("schedule", "create", "x", "report", "--every", "15m", code=5).stderr
    assert again.startswith(
        "Error: there is a schedule 'x' already: take another id, or `pyworkflow schedule delete x`"
    )
