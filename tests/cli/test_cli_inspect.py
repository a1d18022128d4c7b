"""`describe`, `history`, `watch` and `result`."""

from __future__ import annotations

import json

import pytest
from cli_driving import block, complete, decide, fail, finish, hold_activity, start

from pyworkflow.activity import ActivityFailed
from pyworkflow.backend import Backend
from pyworkflow.cli.rows import EVENT_FIELDS
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from pyworkflow.process import Process

# -- describe ----------


def test_describe_shows_what_is_pending(cli, backend: Backend) -> None:
    task = hold_activity(backend, "o1")
    backend.heartbeat_activity_task(task, {"done": 3})
    backend.signal_process("o1", "hurry")
    decide(backend, Timer(3_600, id="chase"), StartChildProcess(Process("Child", "child-1")))
    backend.cancel_process("o1")
    output = cli("describe", "o1").stdout
    for shown in ("running", '"item": "tea"', "charge-1", "Charge", task.token, '{"done": 3}', "chase", "child-1"):
        assert shown in output
    row = cli.json("describe", "o1")
    assert (row["id"], row["workflow"], row["status"], row["cancel_requested"]) == ("o1", "Order", "running", True)
    assert row["input"] == {"item": "tea"}
    assert row["children"] == ["child-1"]
    assert [timer["id"] for timer in row["timers"]] == ["chase"]
    (activity,) = row["activities"]
    assert (activity["token"], activity["state"], activity["heartbeat"]) == (task.token, "started", {"done": 3})
    assert row["outcome"] is None
    assert row["events"] == len(backend.history("o1"))


def test_describe_a_closed_process(cli, backend: Backend) -> None:
    complete(backend, "o1", {"total": 3})
    output = cli("describe", "o1").stdout
    assert "status    completed" in output
    assert '"total": 3' in output
    assert "decision" not in output
    assert cli.json("describe", "o1")["outcome"] == {"type": "completed", "result": {"total": 3}}


def test_describe_a_failed_process(cli, backend: Backend) -> None:
    fail(backend, "o1", "no stock", {"left": 0})
    assert "failed: no stock" in cli("describe", "o1").stdout
    outcome = cli.json("describe", "o1")["outcome"]
    assert outcome == {"type": "failed", "reason": "no stock", "details": {"left": 0}}


@pytest.mark.parametrize(
    ("how", "says"),
    [("canceled", "canceled"), ("timedout", "timedout"), ("terminated", "terminated: enough")],
)
def test_describe_uses_the_words_of_list(cli, backend: Backend, how: str, says: str) -> None:
    end(backend, how)
    assert f"\nstatus    {says}\n" in cli("describe", "o1").stdout


def test_describe_a_blocked_process(cli, backend: Backend) -> None:
    block(backend, "o1", 'Traceback:\n  File "x.py", line 1\nRuntimeError: \x1b[31mno way')
    output = cli("describe", "o1").stdout
    assert "blocked" in output
    assert "RuntimeError: no way" in output
    assert '\n  File "x.py", line 1\n' in output
    assert "\x1b" not in output
    assert cli.json("describe", "o1")["blocked"]["reason"] == "RuntimeError: no way"


def test_describe_a_given_run(cli, backend: Backend) -> None:
    complete(backend, "o1", 1)
    first = cli.json("describe", "o1")["run"]
    complete(backend, "o1", 2)
    assert cli.json("describe", "o1")["outcome"]["result"] == 2
    assert cli.json("describe", f"o1:{first}")["outcome"]["result"] == 1


# -- history ----------


def test_history(cli, backend: Backend) -> None:
    finish(backend, hold_activity(backend, "o1"), {"paid": True})
    rows = cli.json("history", "o1")
    assert all(tuple(row) == EVENT_FIELDS for row in rows)
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    assert [(row["type"], row["what"], row["subject"]) for row in rows] == [
        ("process_started", None, None),
        ("decision_started", None, None),
        ("decision", "schedule_activity", "Charge"),
        ("activity_started", None, "Charge"),
        ("activity", "completed", "Charge"),
        ("decision_started", None, None),
        ("decision", "complete_process", None),
    ]
    assert rows[4]["data"] == {"result": {"paid": True}, "input": {"item": "tea"}, "id": "charge-1"}
    assert rows[6]["data"] == {"result": {"paid": True}}
    lines = cli("history", "o1").stdout.splitlines()
    assert lines[0].split() == ["#", "TIME", "EVENT", "WHAT", "OF", "DATA"]
    assert "schedule activity  Charge" in lines[3]
    assert '"paid": true' in lines[5]


def test_history_tells_every_kind_of_event(cli, backend: Backend) -> None:
    start(backend, "other")
    backend.terminate_process("other")
    backend.poll_decision_task()
    task = hold_activity(backend, "o1")
    backend.complete_activity_task(task, ActivityFailed("declined", {"code": 51}))
    backend.signal_process("o1", "add_item", {"item": "cup"})
    decide(
        backend,
        Timer(0, {"a": 1}, id="now"),
        Timer(60, id="later"),
        CancelTimer("later"),
        CancelTimer("never"),
        RecordMarker("note", [1]),
        ScheduleActivity("Charge", "charge-2"),
        CancelActivity("charge-2"),
        SignalProcess("other", "hello", {"b": 2}),
        RequestCancelProcess("nobody"),
        StartChildProcess(Process("Child", "child-1", {"c": 3})),
    )
    backend.cancel_process("o1", "enough")
    decide(backend, CancelProcess("as you wish"))
    told = {(row["type"], row["what"], row["subject"]): row["data"] for row in cli.json("history", "o1")}
    assert told["activity", "failed", "Charge"]["reason"] == "declined"
    assert told["signal", None, "add_item"] == {"data": {"item": "cup"}}
    assert told["decision", "timer", "now"]["data"] == {"a": 1}
    assert told["decision", "cancel_timer", "later"] is None
    assert told["decision_refused", "cancel_timer", "never"] == {"cause": "TIMER_ID_UNKNOWN"}
    assert told["decision", "record_marker", "note"] == {"details": [1]}
    assert told["decision", "cancel_activity", "charge-2"] is None
    assert told["activity", "canceled", "Charge"]["id"] == "charge-2"
    assert told["decision", "signal_process", "other"] == {"data": {"b": 2}, "signal": "hello"}
    assert told["decision", "request_cancel_process", "nobody"] is None
    assert told["decision", "start_child_process", "child-1"]["input"] == {"c": 3}
    assert told["cancel_requested", None, None] == {"details": "enough"}
    assert told["decision", "cancel_process", None] == {"details": "as you wish"}
    assert "declined" in cli("history", "o1").stdout


def test_following_a_history_over_its_runs(cli, backend: Backend, spawn) -> None:
    start(backend, "o1")
    following = spawn("history", "o1", "-f", "-o", "jsonl")
    first = json.loads(following.stdout.readline())
    assert first["type"] == "process_started"
    decide(backend, ContinueAsNew())
    assert json.loads(following.stdout.readline())["type"] == "decision_started"
    assert json.loads(following.stdout.readline())["what"] == "continue_as_new"
    second = json.loads(following.stdout.readline())
    assert (second["type"], second["id"]) == ("process_started", 1)
    assert second["run"] != first["run"]
    decide(backend, CompleteProcess())
    rest = [json.loads(line) for line in following.communicate(timeout=60)[0].splitlines()]
    assert rest[-1]["what"] == "complete_process"
    assert following.returncode == 0


def test_following_a_closed_process_ends(cli, backend: Backend) -> None:
    complete(backend, "o1")
    assert cli.json("history", "o1", "-f") == cli.json("history", "o1")
    followed = cli("history", "o1", "-f").stdout.splitlines()
    assert len(followed) == len(cli("history", "o1").stdout.splitlines())
    assert "complete process" in followed[-1]


def test_a_run_is_followed_alone(cli, backend: Backend) -> None:
    start(backend, "o1")
    first = cli.json("describe", "o1")["run"]
    decide(backend, ContinueAsNew())
    rows = cli.json("history", f"o1:{first}", "-f")
    assert {row["run"] for row in rows} == {first}
    assert rows[-1]["what"] == "continue_as_new"


# -- result and watch ----------


def test_result_is_json(cli, backend: Backend) -> None:
    complete(backend, "o1", {"total": 3, "name": "\x9bü"})
    output = cli("result", "o1").stdout
    assert "\x9b" not in output
    assert "ü" in output
    assert json.loads(output) == {"total": 3, "name": "\x9bü"}
    row = cli.json("result", "o1")
    assert row == {
        "id": "o1",
        "status": "completed",
        "result": {"total": 3, "name": "\x9bü"},
        "reason": None,
        "details": None,
    }


def test_result_of_nothing_is_null(cli, backend: Backend) -> None:
    complete(backend, "o1")
    assert cli("result", "o1").stdout == "null\n"


def test_result_over_runs(cli, backend: Backend) -> None:
    start(backend, "o1")
    decide(backend, ContinueAsNew())
    decide(backend, CompleteProcess("second"))
    assert cli("result", "o1").stdout == '"second"\n'


def end(backend: Backend, how: str) -> None:
    if how == "failed":
        fail(backend, "o1", "no stock", {"left": 0})
    elif how == "timedout":
        backend.start_process(Process("Order", "o1"), timeout=0.01)
        while backend.describe_process("o1").closed is None:
            backend.poll_decision_task(timeout=0.1)
    else:
        start(backend, "o1")
        if how == "canceled":
            decide(backend, CancelProcess("why not"))
        else:
            backend.terminate_process("o1", "enough")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("failed", "failed: no stock"),
        ("canceled", "was canceled"),
        ("timedout", "timed out"),
        ("terminated", "was terminated: enough"),
    ],
)
def test_what_did_not_complete_gives_4(cli, backend: Backend, how: str, says: str) -> None:
    end(backend, how)
    result = cli("result", "o1", code=4)
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: process o1 {says}\n")
    assert cli.json("result", "o1", code=4)["status"] == how
    watched = cli("watch", "o1", code=4)
    assert "process started" in watched.stdout
    assert says in watched.stderr


@pytest.mark.parametrize("timeout", ["0", "0.05"])
def test_a_wait_that_times_out_gives_124(cli, backend: Backend, timeout: str) -> None:
    start(backend, "o1")
    assert "still open" in cli("result", "o1", "--timeout", timeout, code=124).stderr


def test_watch_ends_with_the_result(cli, backend: Backend) -> None:
    complete(backend, "o1", {"total": 3})
    result = cli("watch", "o1")
    assert "complete process" in result.stdout
    assert result.stdout.endswith('{\n  "total": 3\n}\n')
    assert result.stderr == "process o1 completed:\n"


@pytest.mark.parametrize("command", ["describe", "history", "watch", "result"])
def test_what_is_not_there_gives_3(cli, command: str) -> None:
    result = cli(command, "nobody", code=3)
    assert (result.stdout, result.stderr) == ("", "Error: there is no process 'nobody'\n")
