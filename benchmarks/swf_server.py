"""The endpoint for SWF's clients beside moto's server: one script, by a client that waits for nothing."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .report import Row

EXECUTIONS = 300
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/swf/aws4_request, SignedHeaders=host;x-amz-date, Signature=0"
"""moto reads the service from it; nobody checks it."""
TYPE = {"name": "Order", "version": "1"}
LONG = {"defaultTaskStartToCloseTimeout": "3600", "defaultTaskList": {"name": "list"}}
ACTIVITY = {f"defaultTask{name}Timeout": "3600" for name in ("Heartbeat", "ScheduleToStart", "ScheduleToClose")}


class Client:
    """Asks the server at a port of this machine, one connection a call as the endpoint wants it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.calls = 0

    def __call__(self, operation: str, **about: Any) -> Any:
        self.calls += 1
        headers = {"X-Amz-Target": f"SimpleWorkflowService.{operation}", "Authorization": SIGNED}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/", json.dumps(about), headers)
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        if reply.status != 200:
            raise RuntimeError(f"{operation}: {text.decode()}")
        return json.loads(text) if text else None


def script(port: int) -> float:
    """Requests a second: executions of one activity each, from start to end."""
    ask = Client(port)
    ask("RegisterDomain", name="bench", workflowExecutionRetentionPeriodInDays="1")
    workflow = {**LONG, "defaultExecutionStartToCloseTimeout": "3600", "defaultChildPolicy": "ABANDON"}
    ask("RegisterWorkflowType", domain="bench", **TYPE, **workflow)
    ask("RegisterActivityType", domain="bench", **TYPE, **LONG, **ACTIVITY)
    begun, before = time.perf_counter(), ask.calls
    for number in range(EXECUTIONS):
        _execution(ask, str(number))
    return (ask.calls - before) / (time.perf_counter() - begun)


def _execution(ask: Client, id: str) -> None:
    there: dict[str, Any] = {"domain": "bench", "taskList": {"name": "list"}}
    about = {"activityType": TYPE, "activityId": "a", "input": "hello"}
    schedule = {"decisionType": "ScheduleActivityTask", "scheduleActivityTaskDecisionAttributes": about}
    done = {"completeWorkflowExecutionDecisionAttributes": {"result": "ok"}}
    complete = {"decisionType": "CompleteWorkflowExecution", **done}
    ask("StartWorkflowExecution", domain="bench", workflowId=id, workflowType=TYPE, input='{"a":1}')
    token = ask("PollForDecisionTask", **there)["taskToken"]
    ask("RespondDecisionTaskCompleted", taskToken=token, decisions=[schedule])
    token = ask("PollForActivityTask", **there)["taskToken"]
    ask("RespondActivityTaskCompleted", taskToken=token, result="done")
    token = ask("PollForDecisionTask", **there)["taskToken"]
    ask("RespondDecisionTaskCompleted", taskToken=token, decisions=[complete])


@contextmanager
def running(command: Callable[[int], list[str]]) -> Iterator[int]:
    """The port of a server that lives as long as the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    programs = Path(sys.executable).parent
    server = subprocess.Popen([programs / command(port)[0], *command(port)[1:]], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError("a server did not start")


def endpoint(url: str) -> Callable[[int], list[str]]:
    return lambda port: ["pyworkflow", "-b", url, "swf-server", "--port", str(port), "--log-level", "warning"]


def moto(port: int) -> list[str]:
    return ["moto_server", "-p", str(port)]


def measure_swf_server(file: str, row: Row) -> None:
    """Over memory, over a SQLite file, and moto."""
    figures = {}
    for name, command in (("memory", endpoint("memory://")), ("SQLite FULL", endpoint(file)), ("moto", moto)):
        with running(command) as port:
            figures[name] = script(port)
    over = figures["memory"] / figures["moto"]
    row("SWF endpoint over memory", figures["memory"], "requests/s", "see ratio")
    row("  over moto's server", over, "x", ">= 5")
    row("SWF endpoint over SQLite FULL", figures["SQLite FULL"], "requests/s", "")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        measure_swf_server(f"sqlite:///{os.path.join(folder, 'bench.db')}", lambda *row: print(*row))
