"""Histories as documents: exported, replayed by the command line, and those of former releases followed for ever."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pyworkflow import CodeWorkflow, Manager, NotDeterministic, Process, UnreadableHistory
from pyworkflow.cli import main
from pyworkflow.exported import export, load
from pyworkflow.testing import WorkflowEnvironment

from .kept import workflows

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def written() -> dict[str, Any]:
    """The documents of processes that do everything."""
    env = WorkflowEnvironment(workflows)
    env.start(Process("AllOfIt", "all", 1, ["a-tag"]))
    env.start(Process("plainly", "plain", 3))
    env.advance(15)
    for text in ("one", "two"):
        env.signal("all", "note", text)
    env.signal("all", "$update.renote", {"id": "an-update", "input": "three"})
    env.signal("plain", "name", {"x": [1, None, 2.5]})
    env.advance(10)
    env.cancel("all", {"why": "enough"})
    env.advance(1)
    env.signal("all", "name", "Ada")
    env.run("all")
    env.run("plain")
    return {id: json.loads(json.dumps(env.manager.export(id))) for id in ("all", "plain")}


def test_documents_are_read_as_they_were_written() -> None:
    for document in written().values():
        process = load(json.dumps(document))
        assert export(process, process.history) == document
        assert process.tags == document["process"]["tags"]


def test_histories_of_all_releases_are_followed() -> None:
    assert {path.name for path in HISTORIES} >= {"0.2.0-all.json", "0.2.0-plain.json"}
    manager = Manager("memory://", workflows)
    for path in HISTORIES:
        process = load(path.read_bytes())
        assert process.history[-1].decision.type == "complete_process"  # type: ignore[attr-defined]
        assert manager.check(process), path.name


def test_the_kept_histories_have_everything() -> None:
    kinds = {
        event["decision"]["type"] if event["type"] == "decision" else event["type"]
        for path in HISTORIES
        for event in json.loads(path.read_text())["events"]
    }
    assert kinds >= {
        *("schedule_activity", "cancel_timer", "timer", "record_marker", "start_child_process", "signal_process"),
        *("complete_process", "activity", "child_process", "child_process_started", "signal", "cancel_requested"),
        *("decision_refused", "decision_completed"),
    }


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "this is no exported history: JSONDecodeError"),
        ("[]", "this is no exported history"),
        ({"format": "pyworkflow-history", "version": 2}, "version 2; this version of pyworkflow reads"),
        ({"format": "pyworkflow-history", "version": 1, "events": [{"type": "?"}]}, "KeyError: '\\?'"),
    ],
)
def test_what_is_no_history(document: Any, told: str) -> None:
    with pytest.raises(UnreadableHistory, match=told):
        load(document)


# -- the command line ----------

APP = """
from pyworkflow import Activity, CodeWorkflow, Manager, Process, Worker, Workflow, CompleteProcess, activity

@activity
def double(x: int) -> int:
    return x * 2

class Sell(CodeWorkflow):
    activities = [double]

    async def run(self, ctx, x):
        return await ctx.call(double, await ctx.call(double, x))

class Old(Workflow):
    def decide(self, process):
        return CompleteProcess()

app = [Sell, Old]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shop with an open and a closed process; calling it runs a command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "shop_before.py").write_text(APP)
    (tmp_path / "shop_other.py").write_text(APP.replace("await ctx.call(double, x)", "await ctx.call(double, x + 1)"))
    (tmp_path / "shop_after.py").write_text(APP.replace("await ctx.call(double, x)", "x"))

    def run(*words: str, code: int = 0) -> Any:
        environment = {"PYWORKFLOW_BACKEND": "sqlite:///shop.db", "PYWORKFLOW_APP": None, "COLUMNS": "100"}
        ran = CliRunner(env=environment).invoke(main, words)
        assert ran.exit_code == code, ran.output
        return ran

    run("-A", "shop_before:app", "start", "Sell", "--id", "closed", "-i", "1")
    run("-A", "shop_before:app", "start", "Old", "--id", "old")
    run("-A", "shop_before:app", "worker", "--burst")
    run("-A", "shop_before:app", "start", "Sell", "--id", "open", "-i", "1")
    return run


def test_export_and_replay(shop: Any, tmp_path: Path) -> None:
    (tmp_path / "closed.json").write_text(shop("history", "closed", "--export").stdout)
    rows = json.loads(shop("replay", "-A", "shop_before:app", "closed.json", "-o", "json").stdout)
    assert [(row["file"], row["id"], row["outcome"]) for row in rows] == [("closed.json", "closed", "follows")]
    told = shop("replay", "-A", "shop_after:app", "closed.json", code=1).output
    assert "history: schedule_activity double 2-double" in told and "differs" in told
    (tmp_path / "bad.json").write_text("{}")
    assert "no exported history" in shop("replay", "-A", "shop_after:app", "bad.json", code=1).output
    assert "which workflows?" in shop("replay", "closed.json", code=2).output


def test_check(shop: Any) -> None:
    told = shop("check", "-A", "shop_after:app").output
    assert "follows" in told and "Sell" in told
    rows = json.loads(shop("check", "-A", "shop_before:app", "--since", "1d", "-o", "json").stdout)
    assert {(row["id"], row["outcome"]) for row in rows} == {
        ("open", "follows"),
        ("closed", "follows"),
        ("old", "no code"),
    }
    told = shop("check", "-A", "shop_after:app", "--since", "1d", code=1).output
    assert "1 of 3 histories are not followed" in told
    assert "follows" in shop("check", "-A", "shop_other:app", "--since", "1d").output
    told = shop("check", "-A", "shop_other:app", "--since", "1d", "--inputs", code=1).output
    assert "history: schedule_activity double 1-double with 1" in told


def test_a_manager_checks_what_it_knows() -> None:
    class Other(CodeWorkflow):
        async def run(self, ctx: Any, x: int) -> int:
            return x

    Other.name = "plainly"
    manager = Manager("memory://", [Other])
    with pytest.raises(NotDeterministic, match=r"code: +complete_process"):
        manager.check(load(HISTORIES[-1].read_bytes()))
