"""Workers without pyworkflow, each a program of its own, do the activities of a decider of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import Activity, CompleteProcess, DecisionWorker, DefaultWorkflow, Manager, Process, ScheduleActivity
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow_swfserver import serving

from .test_endpoint_mixed import Sum

EXAMPLES = Path(__file__).parents[2] / "examples" / "swf"
KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_REGION": "us-east-1"}
PATIENCE = 60.0


def boto3() -> list[str]:
    return [sys.executable, str(EXAMPLES / "worker.py")]


def node() -> list[str]:
    found = shutil.which("node")
    if found is None or not (EXAMPLES / "node_modules").exists():
        pytest.skip("no node with the AWS SDK: install Node 20 or newer, and `npm install` in examples/swf")
    return [found, str(EXAMPLES / "worker.mjs")]


@pytest.mark.parametrize("worker", [boto3, node])
def test_a_program_works_for_our_decider(worker: object) -> None:
    command = worker()  # type: ignore[operator]
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=1.0) as url:
        manager = Manager(backend, [Sum])
        ids = [manager.start_process(Process(Sum, input={"n": number})) for number in range(3)]
        deciders = DecisionWorker(manager)
        deciders.run(burst=True)
        work([*command, "default", "default", "3"], url)
        deciders.run(burst=True)
        assert [manager.result(id, 0) for id in ids] == [{"doubled": number * 2} for number in range(3)]


def work(command: list[str], url: str, **more: str) -> None:
    """Run a worker to its end."""
    environment = {**os.environ, **KEYS, "AWS_DEFAULT_REGION": KEYS["AWS_REGION"], "AWS_ENDPOINT_URL_SWF": url, **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


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
    simpleflow = shutil.which("simpleflow")
    if simpleflow is None:
        pytest.skip("no simpleflow on PATH: pip install simpleflow, in an environment of its own")
    (tmp_path / "shop_tasks.py").write_text(TASKS)
    with closing(MemoryBackend()) as backend, serving(backend, long_poll=1.0) as url:
        manager = Manager(backend, [TheirSum])
        id = manager.start_process(Process(TheirSum, input={"n": 21}))
        deciders = DecisionWorker(manager)
        deciders.run(burst=True)
        command = [simpleflow, "worker.start", "-d", "default", "-t", "default", "--one-task"]
        work(command, url, PYTHONPATH=str(tmp_path))
        deciders.run(burst=True)
        assert manager.result(id, 0) == {"doubled": 42}
