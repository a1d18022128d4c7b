"""`reset` and `fork`: by id, in bulk, and what cannot be gone back to."""

from __future__ import annotations

import json

import pytest
from cli_driving import decide

from pyworkflow.activity import ActivityCompleted
from pyworkflow.backend import Backend
from pyworkflow.decision import CompleteProcess, FailProcess, ScheduleActivity
from pyworkflow.events import ProcessResetEvent
from pyworkflow.process import Process


@pytest.fixture
def failed(backend: Backend) -> Backend:
    """Two processes that failed after an activity each."""
    for id in ("o1", "o2"):
        backend.start_process(Process("Order", id, tags=["shop"]))
        decide(backend, ScheduleActivity("Charge", "charge"))
        task = backend.poll_activity_task()
        assert task is not None
        backend.complete_activity_task(task, ActivityCompleted("charged"))
        decide(backend, FailProcess("a bug"))
    return backend


def test_one_goes_on_anew(cli, failed: Backend) -> None:
    assert cli("reset", "o1", "--reason", "mended").stdout == "Reset 1 process.\n"
    assert "mended" in cli("history", "o1").stdout
    decide(failed, CompleteProcess("well"))
    assert cli("result", "o1").stdout == '"well"\n'
    assert failed.describe_process("o2").process.status == "failed"


def test_from_a_given_event(cli, failed: Backend) -> None:
    cli("reset", "o1", "--to", "3")
    assert failed.poll_activity_task() is not None
    (reset,) = [event for event in failed.history("o1") if isinstance(event, ProcessResetEvent)]
    assert reset.event == 3


def test_all_that_match(cli, failed: Backend) -> None:
    filters = ("--workflow", "Order", "--status", "failed")
    assert "o1" in cli("reset", *filters, "--dry-run").stdout
    assert cli("reset", *filters, "-y").stdout == "Reset 2 processes.\n"
    assert failed.describe_process("o2").process.status == "running"


def test_one_that_cannot_does_not_keep_the_others(cli, failed: Backend) -> None:
    failed.start_process(Process("Order", "new"))
    ended = cli("reset", "new", "o1", "-o", "json", code=3)
    reports = {row["id"]: row["done"] for row in json.loads(ended.stdout)}
    assert reports == {"new": False, "o1": True}
    assert "nothing has been decided" in ended.stderr
    assert "there is no event 99" in cli("reset", "o2", "--to", "99", code=2).stderr


def test_a_fork(cli, failed: Backend) -> None:
    assert cli("fork", "o1", "o3").stdout == "o3\n"
    assert json.loads(cli("fork", "o1", "o4", "--step", "charge", "--result", '["other"]', "-o", "json").stdout) == {
        "id": "o4"
    }
    assert '["other"]' in cli("history", "o4").stdout.replace("\n", "")
    assert failed.describe_process("o1").process.status == "failed"
    assert "already running" in cli("fork", "o1", "o3", code=5).stderr
    cli("fork", "o1", "o5", "--to", "2", "--request-id", "r")
    cli("fork", "o1", "o5", "--to", "2", "--request-id", "r")


def test_what_does_not_go_together(cli, failed: Backend) -> None:
    assert "--to or --step" in cli("fork", "o1", "o3", "--to", "2", "--step", "charge", code=2).stderr
    assert "name the step" in cli("fork", "o1", "o3", "--result", "1", code=2).stderr
    assert "no activity with the id 'nope'" in cli("fork", "o1", "o3", "--step", "nope", code=2).stderr
    assert "there is no process 'nobody'" in cli("fork", "nobody", "o3", code=3).stderr
