"""`activity complete`, `fail` and `heartbeat`: a handed-off activity, answered for by its token."""

from __future__ import annotations

import pytest
from cli_driving import decide, hold_activity

from pyworkflow.activity import ActivityCompleted, ActivityFailed
from pyworkflow.backend import Backend
from pyworkflow.decision import CancelActivity
from pyworkflow.events import ActivityEvent


def ended(backend: Backend, id: str) -> object:
    (event,) = [event for event in backend.history(id) if isinstance(event, ActivityEvent)]
    return event.result


def test_complete(cli, backend: Backend) -> None:
    token = hold_activity(backend, "o1").token
    assert cli("activity", "complete", token, "-i", '{"parcel": 12}').stdout == "Completed.\n"
    assert ended(backend, "o1") == ActivityCompleted({"parcel": 12})


def test_fail(cli, backend: Backend) -> None:
    token = hold_activity(backend, "o1").token
    assert cli("activity", "fail", token, "--reason", "no address", "--details", "[1]").stdout == "Failed.\n"
    assert ended(backend, "o1") == ActivityFailed("no address", [1])


def test_a_failure_has_a_reason(cli, backend: Backend) -> None:
    assert "--reason" in cli("activity", "fail", hold_activity(backend, "o1").token, code=2).stderr


def test_heartbeat(cli, backend: Backend) -> None:
    token = hold_activity(backend, "o1").token
    assert cli("activity", "heartbeat", token, "-i", '"half"').stdout == "Go on.\n"
    assert backend.describe_process("o1").activities[0].heartbeat == "half"
    backend.signal_process("o1", "stop")
    decide(backend, CancelActivity("charge-1"))
    assert cli("activity", "heartbeat", token).stdout == "Its cancellation was requested.\n"
    assert cli.json("activity", "heartbeat", token) == {"cancel_requested": True}


@pytest.mark.parametrize("words", [["complete"], ["fail", "--reason", "x"], ["heartbeat"]])
def test_a_token_that_is_not_open_gives_3(cli, backend: Backend, words: list[str]) -> None:
    token = hold_activity(backend, "o1").token
    cli("activity", "complete", token)
    for stale in (token, "o1:0000:3:4", "nobody:0000:3:4"):
        assert cli("activity", words[0], stale, *words[1:], code=3).stderr.startswith("Error: ")


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c:d", "\x1b[31m:1:2:3"])
def test_what_is_no_token(cli, token: str) -> None:
    result = cli("activity", "complete", token, code=3)
    assert result.stderr.startswith("Error: ")
    assert "\x1b" not in result.stderr
