"""The examples of workflows as code do what they say, also when every decision is computed twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from examples.code import agent, approval, polling, trip, words
from pyworkflow import Process, ProcessFailed, UpdateFailed
from pyworkflow.testing import WorkflowEnvironment

DAY = approval.DAY


def checked(*workflows: Any, **options: Any) -> WorkflowEnvironment:
    return WorkflowEnvironment(workflows, always_replay=True, **options)


def test_a_holiday_is_granted_after_reminders(capsys: pytest.CaptureFixture[str]) -> None:
    env = checked(approval.Holiday)
    id = env.start(Process(approval.Holiday, "h", approval.Request("Ada", 5)))
    env.advance(5 * DAY)
    assert env.manager.query(id, "state") == "waiting"
    env.signal(id, "answered", False)
    assert env.run(id) == "refused"
    told = capsys.readouterr().out.splitlines()
    assert told == ["to the boss: Ada wants 5 days"] * 3 + ["to Ada: your 5 days are refused"]
    with pytest.raises(UpdateFailed, match="it is refused already"):
        env.manager.update(id, "change", 3)


def test_a_holiday_that_nobody_cares_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(approval.Holiday).run(Process(approval.Holiday, "h", approval.Request("Bo", 1))) == "nobody answered"
    assert capsys.readouterr().out.count("to the boss") == 7


def test_words_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a", "the cat the"), ("b", "The dog"), ("c", "the end")):
        (tmp_path / name).write_text(text)
    words.main([str(tmp_path / name) for name in "abc"])
    assert capsys.readouterr().out.splitlines()[0].split() == ["4", "the"]
    with pytest.raises(ProcessFailed, match="No such file"):
        checked(words.words).run(Process(words.words, input=[str(tmp_path / "none")]))


def test_a_trip_is_booked_or_undone(capsys: pytest.CaptureFixture[str]) -> None:
    trip.main()
    assert capsys.readouterr().out.splitlines() == [
        "booked hotel",
        "booked train",
        "['ticket for hotel', 'ticket for train']",
        "booked hotel",
        "booked car",
        "canceled flight to Rome",
        "canceled car",
        "canceled hotel",
        "failed: ('activity book failed: no flight to Rome left', {'details': None, 'non_retryable': True})",
    ]


def test_a_job_is_watched_by_one_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    polling.farm.looks = 0
    polling.main()
    assert capsys.readouterr().out.splitlines() == ["44 [41, 42, 43, 44]", "scene 2 took 12 looks"]


@pytest.mark.parametrize(
    ("approval", "told"),
    [(True, "Done: sent 40 euros."), (False, "Done: the user does not want that."), (None, "answer")],
)
def test_an_agent_asks_before_it_acts(approval: bool | None, told: str) -> None:
    env = checked(agent.agent)
    id = env.start(Process(agent.agent, "a", {"task": "pay"}))
    env.run_until_idle()
    if approval is not None:
        env.signal(id, "approval", approval)
    assert told in env.run(id)
