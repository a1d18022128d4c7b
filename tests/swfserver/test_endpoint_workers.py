"""Workers and deciders without pyworkflow, each a program of its own: they join ours, or live on the endpoint alone."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import Activity, CompleteProcess, DecisionWorker, DefaultWorkflow, Manager, Process, ScheduleActivity
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow_swfserver import serving
from tests.servers import peers

from .support import client_of
from .test_endpoint_mixed import Sum

EXAMPLES = Path(__file__).parents[2] / "examples" / "swf"
KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
SECRETS = {"any": "any", "KEY": "secret"}
"""So all of them must sign what they ask for."""
PATIENCE = 180.0
LIBRARIES = ("simpleflow==0.36.0", "botoflow==0.8", "setuptools<81")
"""Frameworks for SWF, which want an environment of their own."""


def boto3() -> list[str]:
    return [sys.executable, str(EXAMPLES / "worker.py")]


def node() -> list[str]:
    with peers.needed():
        return [str(peers.node(EXAMPLES)), str(EXAMPLES / "worker.mjs")]


@pytest.mark.parametrize("worker", [boto3, node])
def test_a_program_works_for_our_decider(worker: object) -> None:
    command = worker()  # type: ignore[operator]
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=1.0, keys=SECRETS) as url:
        manager = Manager(backend, [Sum])
        ids = [manager.start_process(Process(Sum, input={"n": number})) for number in range(3)]
        deciders = DecisionWorker(manager)
        deciders.run(burst=True)
        work([*command, "default", "default", "3"], url)
        deciders.run(burst=True)
        assert [manager.result(id, 0) for id in ids] == [{"doubled": number * 2} for number in range(3)]


def work(command: list[str], url: str, **more: str) -> str:
    """Run a program to its end; what it says."""
    environment = {**os.environ, **KEYS, "AWS_DEFAULT_REGION": KEYS["AWS_REGION"], "AWS_ENDPOINT_URL_SWF": url, **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


TASKS = """
from simpleflow import activity

@activity.with_attributes(version="1.0", task_list="default")
def double(n):
    return {"doubled": n * 2}
"""


class TheirDouble(Activity):
    """Named as simpleflow finds it: the module and the function."""

    name = "shop_tasks.double"


class TheirSum(DefaultWorkflow):
    activities = [TheirDouble]

    def initiate(self, process: Process) -> Any:
        return ScheduleActivity(TheirDouble, input={"args": [], "kwargs": process.input})

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return CompleteProcess(result)


def test_simpleflow_works_for_our_decider(tmp_path: Path) -> None:
    with peers.needed():
        simpleflow = str(peers.python("swf", *LIBRARIES).with_name("simpleflow"))
    (tmp_path / "shop_tasks.py").write_text(TASKS)
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=1.0, keys=SECRETS) as url:
        manager = Manager(backend, [TheirSum])
        id = manager.start_process(Process(TheirSum, input={"n": 21}))
        deciders = DecisionWorker(manager)
        deciders.run(burst=True)
        command = [simpleflow, "worker.start", "-d", "default", "-t", "default", "--one-task"]
        work(command, url, PYTHONPATH=str(tmp_path))
        deciders.run(burst=True)
        assert manager.result(id, 0) == {"doubled": 42}


PROGRAM = """
from simpleflow import Workflow, activity, futures

@activity.with_attributes(version="1.0", task_list="sums")
def double(n):
    return n * 2

class Sums(Workflow):
    name, version, task_list = "sums", "1.0", "sums"

    def run(self, n):
        doubled = [self.submit(double, each) for each in range(n)]
        futures.wait(*doubled)
        return sum(each.result for each in doubled)
"""


def test_simpleflow_runs_unchanged(tmp_path: Path) -> None:
    """Its decider, its worker and its starter, each a process of its own."""
    with peers.needed():
        simpleflow = str(peers.python("swf", *LIBRARIES).with_name("simpleflow"))
    (tmp_path / "shop_flow.py").write_text(PROGRAM)
    alone = ["standalone", "--domain", "flow", "--nb-deciders", "1", "--nb-workers", "1", "--input", '{"args":[4]}']
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=1.0, keys=SECRETS) as url:
        swf = client_of(url)
        swf.register_domain(name="flow", workflowExecutionRetentionPeriodInDays="1")
        work([simpleflow, *alone, "shop_flow.Sums"], url, PYTHONPATH=str(tmp_path))
        about = {"domain": "flow", "startTimeFilter": {"oldestDate": 0}}
        (closed,) = swf.list_closed_workflow_executions(**about)["executionInfos"]
        history = swf.get_workflow_execution_history(domain="flow", execution=closed["execution"], reverseOrder=True)
        assert history["events"][0]["workflowExecutionCompletedEventAttributes"]["result"] == "12"


FLOW = """
import sys
import botocore.endpoint
from botocore.session import get_session

botocore.endpoint.Endpoint.timeout = 70  # botoflow, of 2018, looks there for what botocore keeps elsewhere now

from botoflow import (
    ActivityWorker, WorkflowDefinition, WorkflowWorker, activities, activity, execute, return_, workflow_starter
)

@activities(schedule_to_start_timeout=60, start_to_close_timeout=60)
class Numbers:
    @activity(version="1.0")
    def sum(self, x, y):
        return x + y

class Twice(WorkflowDefinition):
    @execute(version="1.0", execution_start_to_close_timeout=60)
    def run(self, x, y):
        first = yield Numbers.sum(x, y)
        second = yield Numbers.sum(first, 10)
        return_(second)

place = get_session(), "us-east-1", "flow", "list"
decider, worker = WorkflowWorker(*place, Twice), ActivityWorker(*place, Numbers())
with workflow_starter(*place) as starter:
    twice = Twice.run(x=3, y=4)
    for step in (decider, worker, decider, worker, decider):
        step.run_once()
    print(starter.wait_for_completion(twice, 1))
"""


def test_botoflow_runs_unchanged(tmp_path: Path) -> None:
    """Its decider, its worker and its starter. Only where it looks into botocore it is helped."""
    with peers.needed():
        python = str(peers.python("swf", *LIBRARIES))
    program = tmp_path / "flow.py"
    program.write_text(FLOW)
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=5.0, keys=SECRETS) as url:
        client_of(url).register_domain(name="flow", workflowExecutionRetentionPeriodInDays="1")
        assert work([python, str(program)], url).split()[-1] == "17"
