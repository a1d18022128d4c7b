"""How workers live: bursts, shutdown, errors of backends and deciders, unknown types, logging."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    ActivityWorker,
    BackendUnavailable,
    DecisionWorker,
    Manager,
    Process,
    Worker,
    WorkerThread,
)
from pyworkflow.backend import Wanted
from pyworkflow.backend.memory import MemoryBackend

from . import acts
from .test_execution import eventually

ROOT = Path(__file__).parents[2]


def test_a_burst_ends_when_nothing_is_left_and_can_be_run_again(manager: Manager) -> None:
    worker = Worker(manager, concurrency=4)
    for _ in range(2):
        ids = [manager.start_process(Process(acts.Many, input=["Echo"] * 5)) for _ in range(10)]
        worker.run(burst=True)
        assert [manager.result(id, 0) for id in ids] == [None] * 10


def test_whether_it_was_a_signal_is_of_the_last_run(manager: Manager) -> None:
    class Ends(Activity):
        def execute(self) -> None:
            worker._on_signal()

    manager.register_activity(Ends)
    worker = Worker(manager)
    manager.start_process(Process(acts.One, input=["Ends", None]))
    worker.run()
    assert worker.signaled
    worker.run(burst=True)
    assert not worker.signaled


def test_a_worker_that_was_stopped_before_it_ran_does_not_run(manager: Manager) -> None:
    worker = Worker(manager)
    worker.stop()
    id = manager.start_process(Process(acts.One, input=["Echo", 1]))
    worker.run()
    assert manager.describe(id).events == 1
    worker.run(burst=True)
    assert manager.result(id, 0)["type"] == "completed"


def test_a_hand_off_makes_room_for_the_next_one(manager: Manager, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyworkflow.worker.worker.LONG_POLL", 600.0)
    run()
    id = manager.start_process(Process(acts.Many, input=["HandOff"] * 3))
    eventually(lambda: len(acts.seen) == 3)
    for token in acts.seen:
        manager.complete_task(token)
    assert manager.result(id, 60) is None


def test_workers_of_one_kind_leave_the_other_alone(manager: Manager) -> None:
    id = manager.start_process(Process(acts.One, input=["Echo", 1]))
    ActivityWorker(manager).run(burst=True)
    assert [event.type for event in manager.history(id)] == ["process_started"]
    DecisionWorker(manager).run(burst=True)
    assert [activity.state for activity in manager.describe(id).activities] == ["scheduled"]
    assert not ActivityWorker(manager, category="other").step()
    assert ActivityWorker(manager, category=["other", "default"]).step()


def test_a_stopped_worker_waits_for_what_runs_and_hands_back_what_waits(manager: Manager) -> None:
    worker = ActivityWorker(manager, concurrency=2)
    id = manager.start_process(Process(acts.Many, input=["Waits"] * 3))
    DecisionWorker(manager).run(burst=True)
    thread = threading.Thread(target=worker.run)
    thread.start()
    for _ in range(2):
        assert acts.begun.acquire(timeout=60)
    worker.stop()
    time.sleep(0.1)
    assert thread.is_alive()
    acts.gate.set()
    thread.join(60)
    assert not thread.is_alive()
    ended = [event for event in manager.history(id) if event.type == "activity"]
    assert len(ended) == 2
    assert [activity.state for activity in manager.describe(id).activities] == ["scheduled"]


def test_shutdown_does_not_wait_for_ever(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(manager, shutdown_timeout=0.2)
    manager.start_process(Process(acts.One, input=["Waits", None]))
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert acts.begun.acquire(timeout=60)
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert any("still running at shutdown" in record.message for record in caplog.records)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_worker_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    url = f"sqlite:///{tmp_path}/signal.db"
    manager = Manager(url, [acts.One])
    id = manager.start_process(Process(acts.One, input=["Quiet", str(tmp_path / "begun")]))
    code = (
        "import sys, tests.workers.acts as acts; from pyworkflow import *\n"
        "Worker(Manager(sys.argv[1], [acts.One]), heartbeat=True).run(); print('ended well')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, url], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backends'}"},
    ) as child:  # fmt: skip
        eventually((tmp_path / "begun").exists)
        child.send_signal(number)
        out, _ = child.communicate(timeout=60)
    assert (out, child.returncode) == ("ended well\n", 0)
    assert [event.result.type for event in manager.history(id) if event.type == "activity"] == ["completed"]


def test_a_poll_loop_survives_its_backend(manager: Manager, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange, failures = manager.backend.exchange, iter([BackendUnavailable("away"), OSError("worse"), None])

    def flaky(*args: Any, **options: Any) -> Any:
        if (error := next(failures, None)) is not None:
            raise error
        return exchange(*args, **options)

    monkeypatch.setattr(manager.backend, "exchange", flaky)
    run()
    assert manager.result(manager.start_process(Process(acts.One, input=["Echo", 1])), 60)["type"] == "completed"


def test_what_was_finished_while_the_backend_was_away_is_handed_in_later(
    manager: Manager, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, lost = manager.backend.exchange, []

    def lossy(finished: Any = (), **options: Any) -> Any:
        if finished and len(lost) < 3:
            lost.append(exchange(finished))
            raise BackendUnavailable("the reply was lost")
        return exchange(finished, **options)

    monkeypatch.setattr(manager.backend, "exchange", lossy)
    run()
    id = manager.start_process(Process(acts.Many, input=["Echo"]))
    assert manager.result(id, 60) is None
    assert len(lost) == 3


def test_a_decider_that_raises_blocks_its_process_until_it_is_resumed(
    manager: Manager, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    acts.Stubborn.broken = True
    run(attempts=2)
    id = manager.start_process(Process(acts.Stubborn))
    eventually(lambda: manager.describe(id).process.status == "blocked")
    blocked = manager.describe(id).blocked
    assert blocked is not None
    assert blocked[0] == "RuntimeError: not today"
    assert "in decide" in blocked[1]
    acts.Stubborn.broken = False
    manager.resume_process(id)
    assert manager.result(id, 60) == "today"
    assert any("not today" in record.message for record in caplog.records)


def test_decisions_that_cannot_be_stored_are_the_deciders_failure(manager: Manager, run: Any) -> None:
    run(attempts=1)
    id = manager.start_process(Process(acts.TooMuch))
    eventually(lambda: any(event.type == "decision_failed" for event in manager.history(id)))
    reason = next(event.reason for event in manager.history(id) if event.type == "decision_failed")
    assert "300,002 bytes" in reason


def test_unknown_types_are_left_to_others_and_said(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Manager(manager.backend)
    id = manager.start_process(Process(acts.One, input=["Echo", 1]))
    assert not DecisionWorker(stranger, category="default").step()
    assert "workflow 'One', version 1.0, is unknown" in caplog.text
    eventually(DecisionWorker(manager).step)
    assert not ActivityWorker(stranger, category="default").step()
    assert "activity 'Echo', version 1.0, is unknown" in caplog.text
    assert [event.type for event in manager.history(id)] == ["process_started", "decision_started", "decision"]
    eventually(ActivityWorker(manager).step)


class OfAllTypes(MemoryBackend):
    """Cannot choose what it hands out, as Amazon SWF cannot."""

    def exchange(self, finished: Any = (), *, decisions: Any = None, activities: Any = None, **how: Any) -> Any:
        wanted = [each and Wanted(each.categories, each.limit) for each in (decisions, activities)]
        return super().exchange(finished, decisions=wanted[0], activities=wanted[1], **how)


def test_unknown_types_are_handed_back_where_a_backend_cannot_choose(caplog: pytest.LogCaptureFixture) -> None:
    manager = Manager(OfAllTypes(), [acts.One])
    stranger = Manager(manager.backend)
    id = manager.start_process(Process(acts.One, input=["Echo", 1]))
    DecisionWorker(stranger, category="default").step()
    assert [event.type for event in manager.history(id)][-1] == "decision_released"
    assert "workflow 'One'" in caplog.text
    eventually(DecisionWorker(manager).step)
    ActivityWorker(stranger, category="default").step()
    assert [event.type for event in manager.history(id)][-1] == "activity_released"
    assert "activity 'Echo'" in caplog.text
    eventually(ActivityWorker(manager).step)


def test_a_failure_of_an_activity_is_a_line_in_the_log(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "pyworkflow.worker")
    manager.start_process(Process(acts.One, "the-process", input=["Raises", None]))
    Worker(manager).run(burst=True)
    said, more = [record for record in caplog.records if getattr(record, "activity", "") == "Raises"]
    assert (said.levelname, said.getMessage()) == ("WARNING", "activity failed: KeyError: 'no such thing'")
    assert said.process_id == "the-process"  # type: ignore[attr-defined]
    assert (more.levelname, more.getMessage()[:9]) == ("DEBUG", "Traceback")


def test_records_say_what_they_are_about(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    manager.start_process(Process(acts.One, "the-process", input=["NotJson", 1]))
    Worker(manager, "the-worker").run(burst=True)
    record = next(record for record in caplog.records if "cannot be recorded" in record.message)
    assert record.levelno == logging.ERROR
    said = {name: getattr(record, name) for name in ("process_id", "activity", "worker")}
    assert said == {"process_id": "the-process", "activity": "NotJson", "worker": "the-worker"}
    assert record.run == manager.process_by_id("the-process").run  # type: ignore[attr-defined]


def test_a_worker_thread_steps_until_it_is_joined(manager: Manager) -> None:
    threads = [WorkerThread(kind(manager), None, 0.01) for kind in (ActivityWorker, DecisionWorker)]
    for thread in threads:
        thread.start()
    assert manager.result(manager.start_process(Process(acts.One, input=["Echo", 1])), 60)["type"] == "completed"
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_activities_that_nobody_would_miss_are_named(manager: Manager, caplog: pytest.LogCaptureFixture) -> None:
    class Hurried(Activity):
        execution_timeout = 30

    class Beating(Activity):
        heartbeat_timeout = 30

    class Endless(Activity):
        pass

    class Handed(Activity):
        execution_timeout = heartbeat_timeout = None  # type: ignore[assignment]

    manager = Manager(manager.backend, activities=[Hurried, Beating, Endless, Handed])
    DecisionWorker(manager).run(burst=True)
    assert not caplog.records
    Worker(manager).run(burst=True)
    (record,) = caplog.records
    assert "would not hear of it for a year: Endless, Handed." in record.message
    assert record.worker  # type: ignore[attr-defined]
