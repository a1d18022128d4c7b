"""moto's imitation of Amazon SWF, as a real HTTP server in this process, in whose time tests can move.

Time is faked where moto reads it; what it does with it is its own. tests/swf/gaps.py lists what it cannot do.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from moto.server import ThreadedMotoServer
from moto.swf import models
from moto.swf.models import activity_task, decision_task, history_event, timeout, workflow_execution
from moto.swf.responses import SWFResponse

KEYS = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}
"""Such as moto takes: any."""
NAP = 0.02


class Timer:
    """moto's timers, which are threads that wait, on the clock of a test."""

    due: list[Timer] = []
    clock: Callable[[], float] = time.time

    def __init__(self, seconds: float, fire: Callable[..., None], args: tuple[Any, ...]) -> None:
        self.at = Timer.clock() + seconds
        self.fire = lambda: fire(*args)

    def start(self) -> None:
        Timer.due.append(self)

    def cancel(self) -> None:
        if self in Timer.due:
            Timer.due.remove(self)

    def is_alive(self) -> bool:
        return self in Timer.due

    @classmethod
    def fire_all(cls) -> None:
        for timer in sorted(cls.due, key=lambda timer: timer.at):
            if timer.at <= cls.clock():
                timer.cancel()
                timer.fire()


@contextmanager
def moto_server() -> Iterator[str]:
    """The URL of a server that lives as long as the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def at_the_time_of(clock: Callable[[], float], timeouts: bool = True) -> Iterator[None]:
    """Let moto's SWF live in a test's time, and begin with nothing.

    Without `timeouts` of tasks, where time is real: a heartbeat's counts before the activity has begun, and a closed
    activity's id cannot be used again.
    """
    ticks = itertools.count()
    process_timeouts = models.SWFBackend._process_timeouts

    def unix_time(value: datetime | None = None) -> float:
        return clock() if value is None else value.timestamp()

    def utcnow() -> datetime:
        """moto orders its tasks by this."""
        return datetime.fromtimestamp(clock() + next(ticks) * 1e-6, UTC)

    def settle(backend: models.SWFBackend) -> None:
        Timer.fire_all()
        process_timeouts(backend)

    modules = (activity_task, decision_task, history_event, timeout, workflow_execution)
    with ExitStack() as patches:
        for module in modules:
            patches.enter_context(mock.patch.object(module, "unix_time", unix_time))
        for module in (activity_task, decision_task):
            patches.enter_context(mock.patch.object(module, "utcnow", utcnow))
        patches.enter_context(mock.patch.object(models, "sleep", lambda seconds: time.sleep(NAP)))
        patches.enter_context(mock.patch.object(models.SWFBackend, "_process_timeouts", settle))
        patches.enter_context(mock.patch.object(workflow_execution, "ThreadingTimer", Timer))
        patches.enter_context(mock.patch.multiple(Timer, due=[], clock=staticmethod(clock)))
        patches.enter_context(mock.patch.object(SWFResponse, "call_action", one_by_one(SWFResponse.call_action)))
        patches.enter_context(mock.patch.object(SWFResponse, "_params", property(parameters)))
        for task in () if timeouts else (activity_task.ActivityTask, decision_task.DecisionTask):
            patches.enter_context(mock.patch.object(task, "first_timeout", lambda self: None))
        patches.callback(forget)
        yield


def one_by_one(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """moto's state is not made for threads: two polls at once get one task, and executions hang."""
    lock = threading.Lock()

    def locked(response: Any) -> Any:
        with lock:
            return call(response)

    return locked


def parameters(response: Any) -> Any:
    """moto falls over a filter by type that names no version, which SWF takes."""
    found = json.loads(response.body)
    if "typeFilter" in found:
        found["typeFilter"].setdefault("version", "")
    return found


def forget() -> None:
    """Let the server have no domains."""
    for account in models.swf_backends.values():
        for backend in account.values():
            backend.domains.clear()
