"""Workers without pyworkflow, each a program of its own, do the activities of a decider of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pyworkflow import DecisionWorker, Manager, Process
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
        environment = {**os.environ, **KEYS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL_SWF": url}
        done = subprocess.run(
            [*command, "default", "default", "3"], env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        deciders.run(burst=True)
        assert [manager.result(id, 0) for id in ids] == [{"doubled": number * 2} for number in range(3)]
