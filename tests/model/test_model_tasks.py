"""Results that may be raised, tasks, and an activity with its task and monitor."""

import copy
import pickle

import pytest

from pyworkflow.activity import (
    Activity,
    ActivityCanceled,
    ActivityCompleted,
    ActivityExecution,
    ActivityFailed,
    ActivityMonitor,
    ActivityResult,
    ActivityTimedOut,
)
from pyworkflow.process import (
    Process,
    ProcessCanceled,
    ProcessCompleted,
    ProcessContinued,
    ProcessFailed,
    ProcessResult,
    ProcessTerminated,
    ProcessTimedOut,
)
from pyworkflow.task import ActivityTask, DecisionTask


class MultiplicationActivity(Activity):
    pass


RAISABLE = [
    ActivityCanceled("d"),
    ActivityFailed("r", "d"),
    ActivityTimedOut("d", "HEARTBEAT"),
    ProcessCanceled("d"),
    ProcessFailed("r", "d"),
    ProcessTimedOut("d"),
    ProcessTerminated("r", "d", "EVENT_LIMIT_EXCEEDED"),
]


@pytest.mark.parametrize("value", RAISABLE, ids=repr)
def test_a_result_that_can_be_raised_keeps_everything_on_the_way(value):
    with pytest.raises(type(value)) as caught:
        raise value
    assert caught.value == value
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value)):  # activities may run in a process pool
        assert type(again) is type(value)
        assert vars(again) == vars(value)


@pytest.mark.parametrize("cls", [ActivityCompleted, ProcessCompleted, ProcessContinued])
def test_good_ends_cannot_be_raised(cls):
    assert not issubclass(cls, Exception)


def test_results_share_a_base():
    activity = (ActivityCompleted, ActivityCanceled, ActivityFailed, ActivityTimedOut)
    assert all(issubclass(cls, ActivityResult) for cls in activity)
    process = (ProcessCompleted, ProcessCanceled, ProcessFailed, ProcessTimedOut, ProcessTerminated, ProcessContinued)
    assert all(issubclass(cls, ProcessResult) for cls in process)


def test_a_tasks_parts_can_be_read_from_the_task():
    task = ActivityTask(ActivityExecution("A", "1", [2]), "p", {"token": "p:r:7:9", "heartbeat_timeout": 3})
    assert (task.activity, task.input, task.token, task.heartbeat_timeout) == ("A", [2], "p:r:7:9", 3)
    assert task.idempotency_key == "p:r:7"
    assert ActivityTask(ActivityExecution("A")).context == {}
    assert ActivityTask(ActivityExecution("A")).heartbeat_timeout is None


def test_a_task_can_be_made_from_its_token():
    task = ActivityTask.from_token("p:r:7:9")
    assert (task.token, task.process_id, task.idempotency_key) == ("p:r:7:9", "p", "p:r:7")
    assert DecisionTask(Process("A"), {"token": "x"}).token == "x"


def test_an_activity_reads_its_task_and_beats_through_its_monitor():
    beats = []
    task = ActivityTask(ActivityExecution("A", "1", [2]), "p", {"token": "p:r:7:9"})
    activity = MultiplicationActivity(task, ActivityMonitor(lambda *details: beats.append(details)))
    activity.heartbeat()
    activity.heartbeat("half")
    assert beats == [(), ("half",)]
    assert (activity.input, activity.task, activity.idempotency_key) == ([2], task, "p:r:7")


@pytest.mark.parametrize("monitor", [None, ActivityMonitor()])
def test_an_activity_that_nobody_listens_to_may_beat(monitor):
    activity = MultiplicationActivity(ActivityTask(ActivityExecution("A")), monitor)
    activity.heartbeat("half")
    assert activity.monitor is monitor


def test_an_activity_without_a_body_says_so():
    with pytest.raises(NotImplementedError, match="MultiplicationActivity must override execute"):
        MultiplicationActivity(ActivityTask(ActivityExecution("A"))).execute()
