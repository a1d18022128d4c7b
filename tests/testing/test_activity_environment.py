"""ActivityEnvironment: activities are executed alone, as a worker would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pyworkflow import Activity, ActivityCanceled, ActivityCompleted, ActivityFailed, activity, current_activity
from pyworkflow.testing import ActivityEnvironment


@dataclass
class Row:
    name: str


@activity
def shout(row: Row, times: int = 1) -> Row:
    assert isinstance(row, Row)
    return Row(row.name.upper() * times)


@activity
async def later(x: int) -> int:
    return x + 1


class Import(Activity):
    def execute(self) -> Any:
        for row in range(self.last_heartbeat or 0, self.input):
            self.heartbeat(row + 1)
        if self.input == 0:
            return ActivityFailed("nothing there")
        return ActivityCompleted({"attempt": self.attempt, "key": self.idempotency_key})


@activity(auto_complete=False)
def ask() -> str:
    return current_activity().task.token


def test_functions_and_classes() -> None:
    env = ActivityEnvironment()
    assert env.run(shout, Row("a"), times=2) == Row("AA")
    assert env.run(later, 1) == 2
    assert env.run(lambda_named, 3) == 3
    assert env.run(Import, 3) == {"attempt": 1, "key": "process:run:3"}
    assert env.heartbeats == [1, 2, 3]


def lambda_named(x: int) -> int:
    return x


def test_what_an_activity_ends_with_is_raised() -> None:
    with pytest.raises(ActivityFailed, match="nothing there"):
        ActivityEnvironment().run(Import, 0)
    with pytest.raises(ActivityFailed, match="Object missing required field"):
        ActivityEnvironment().run(shout, {})
    with pytest.raises(TypeError, match="too many positional"):
        ActivityEnvironment().run(later, 1, 2)


def test_a_retry_knows_of_the_attempts_before() -> None:
    env = ActivityEnvironment(attempt=3, last_heartbeat=2)
    assert env.run(Import, 4)["attempt"] == 3
    assert env.heartbeats == [3, 4]


def test_cancellation() -> None:
    env = ActivityEnvironment(cancel_after=2)
    with pytest.raises(ActivityCanceled):
        env.run(Import, 10)
    assert env.heartbeats == [1, 2, 3]
    env = ActivityEnvironment()
    env.cancel()
    with pytest.raises(ActivityCanceled):
        env.run(Import, 10)
    assert len(env.heartbeats) == 1


def test_hand_off() -> None:
    env = ActivityEnvironment()
    assert env.run(ask) is None
    assert env.token
