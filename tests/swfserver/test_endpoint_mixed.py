"""Workers of other libraries and pyworkflow's own on one process, and whole programs through the endpoint."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    CompleteProcess,
    DecisionWorker,
    DefaultWorkflow,
    Manager,
    Process,
    ScheduleActivity,
    Worker,
)
from pyworkflow.backend import Backend
from pyworkflow.backend.amazonswf import AmazonSWFBackend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow_swfserver import serving

from .support import ACTIVITY, KEYS, WORKFLOW, Shop, complete, decision, schedule


class Double(Activity):
    execution_timeout = 30

    def execute(self) -> Any:
        return {"doubled": self.input["n"] * 2}


class Sum(DefaultWorkflow):
    activities = [Double]

    def initiate(self, process: Process) -> Any:
        return ScheduleActivity(Double, input=process.input)

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result)


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = MemoryBackend()
    yield backend
    backend.close()


@pytest.fixture
def url(backend: Backend) -> Iterator[str]:
    with serving(backend, long_poll=2.0) as url:
        yield url


def test_a_worker_of_another_library_works_for_our_decider(url: str, backend: Backend) -> None:
    manager = Manager(backend, [Sum])
    id = manager.start_process(Process(Sum, input={"n": 21}))
    decider = Worker(manager, name="ours", concurrency=1)
    decider.executes = False
    decider.run(burst=True)
    shop = Shop(url, "default")
    task = shop.take("default")
    assert (task["activityType"]["name"], json.loads(task["input"])) == ("Double", {"n": 21})
    shop.swf.respond_activity_task_completed(taskToken=task["taskToken"], result='{"doubled":42}')
    decider.run(burst=True)
    assert manager.result(id) == {"doubled": 42}


def test_our_worker_works_for_a_decider_of_another_library(url: str, backend: Backend) -> None:
    shop = Shop(url, "default")
    shop.swf.register_workflow_type(domain="default", name="Theirs", version="1", **WORKFLOW)
    shop.swf.register_activity_type(domain="default", name="Double", version=Double.version, **ACTIVITY)
    run = shop.start("t", workflowType={"name": "Theirs", "version": "1"})
    double = {"name": "Double", "version": Double.version}
    shop.answer(schedule(activityType=double, taskList={"name": "default"}, input='{"n":4}'))
    Worker(Manager(backend, [], [Double])).run(burst=True)
    done = [event for event in shop.poll()["events"] if event["eventType"] == "ActivityTaskCompleted"]
    assert done[0]["activityTaskCompletedEventAttributes"]["result"] == '{"doubled":8}'
    assert shop.events(run, "t")


def test_json_with_spaces_reaches_our_decider_as_its_value(url: str, backend: Backend) -> None:
    """As Python's json.dumps writes it."""
    manager = Manager(backend, [Sum])
    shop = Shop(url, "default")
    shop.swf.register_workflow_type(domain="default", name="Sum", version=Sum.version, **WORKFLOW)
    about = {"workflowType": {"name": "Sum", "version": Sum.version}, "taskList": {"name": "default"}}
    shop.start("spaced", input=json.dumps({"n": 4, "of": ["é"]}), **about)
    decider = DecisionWorker(manager)
    decider.run(burst=True)
    task = shop.take("default")
    assert json.loads(task["input"]) == {"n": 4, "of": ["é"]}
    shop.swf.respond_activity_task_completed(taskToken=task["taskToken"], result=json.dumps({"doubled": 8}))
    decider.run(burst=True)
    assert manager.process_by_id("spaced").input == {"n": 4, "of": ["é"]}
    assert manager.result("spaced", 0) == {"doubled": 8}


def test_a_domain_of_its_own_keeps_every_space(url: str) -> None:
    shop = Shop(url).open()
    run = shop.start(input='{"n": 4}')
    started = shop.events(run)[0]["workflowExecutionStartedEventAttributes"]
    assert started["input"] == '{"n": 4}'


def test_a_program_of_pyworkflows_runs_through_it_unchanged(url: str) -> None:
    backend = AmazonSWFBackend(**_keys(), domain="sums", endpoint_url=url, ensure_domain=True)
    manager = Manager(backend, [Sum])
    ids = [manager.start_process(Process(Sum, f"sum-{number}", {"n": number})) for number in range(5)]
    worker = Worker(manager, concurrency=3)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert [manager.result(id, 60) for id in ids] == [{"doubled": number * 2} for number in range(5)]
    worker.stop()
    thread.join(60)
    manager.close()


def _keys() -> Any:
    return {
        "access_key_id": KEYS["aws_access_key_id"],
        "secret_access_key": KEYS["aws_secret_access_key"],
        "region": "us-east-1",
    }


def test_many_clients_do_each_task_once(url: str) -> None:
    """Three deciders and three workers on threads of their own, a hundred executions, each finished once."""
    shop = Shop(url).open()
    number, done = 60, threading.Semaphore(0)
    left = threading.Event()
    seen: list[str] = []

    def decide() -> None:
        mine = Shop(url)
        while not left.is_set():
            task = mine.poll()
            if not task.get("taskToken"):
                continue
            ended = [event for event in task["events"] if event["eventType"] == "ActivityTaskCompleted"]
            answer = complete(result="r") if ended else schedule(input=task["workflowExecution"]["workflowId"])
            mine.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[answer])
            if ended:
                done.release()

    def work() -> None:
        mine = Shop(url)
        while not left.is_set():
            task = mine.swf.poll_for_activity_task(domain="shop", taskList={"name": "work"})
            if task.get("taskToken"):
                seen.append(task["input"])
                mine.swf.respond_activity_task_completed(taskToken=task["taskToken"])

    threads = [threading.Thread(target=each) for each in [decide, work] * 3]
    for thread in threads:
        thread.start()
    for each in range(number):
        shop.start(str(each))
    for _ in range(number):
        assert done.acquire(timeout=60)
    left.set()
    for thread in threads:
        thread.join(60)
    assert sorted(seen, key=int) == [str(each) for each in range(number)]
    about = {"startTimeFilter": {"oldestDate": 0}, "closeStatusFilter": {"status": "COMPLETED"}}
    assert shop.swf.count_closed_workflow_executions(domain="shop", **about)["count"] == number


def test_an_answer_of_nothing_is_an_answer(url: str) -> None:
    shop = Shop(url).open()
    run = shop.start()
    shop.answer()
    assert shop.types(run)[-1] == "DecisionTaskCompleted"
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    shop.answer(decision("RecordMarker", markerName="m"), complete())
    assert shop.types(run)[-2:] == ["MarkerRecorded", "WorkflowExecutionCompleted"]
