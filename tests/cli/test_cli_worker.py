"""`worker`: what it serves, how it ends, and starting again when a file changes."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from cli_driving import start

from pyworkflow.backend import Backend
from pyworkflow.cli.logs import formatter
from pyworkflow.cli.reload import LOOK
from pyworkflow.process import ProcessCompleted

APP = """
import time
from pyworkflow.activity import Activity
from pyworkflow.decision import CompleteProcess
from pyworkflow.workflow import DefaultWorkflow

class Charge(Activity):
    def execute(self):
        print("charging", flush=True)
        time.sleep(self.input or 0)
        return "VERSION"

class Ship(Charge):
    category = "shipping"

class Order(DefaultWorkflow):
    activities = [Charge, Ship]
    def initiate(self, process):
        return Charge
    def respond_to_completed_activity(self, process, execution, result):
        return Ship if execution.activity == "Charge" else CompleteProcess(result)

class Broken(DefaultWorkflow):
    def initiate(self, process):
        raise RuntimeError("no \\x1b[31mway")

workflows = [Order, Broken]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with the app, which is current for the workers."""
    place = tmp_path / "shop"
    place.mkdir()
    write(place, "one")
    return place


def write(place: Path, version: str) -> None:
    (place / "app.py").write_text(APP.replace("VERSION", version))


def write_waiting(place: Path) -> str:
    """An app whose charges wait for a file `go`; its text."""
    waiting = "import pathlib\n        while not pathlib.Path('go').exists(): time.sleep(0.01)"
    app = (place / "app.py").read_text().replace("time.sleep(self.input or 0)", waiting)
    (place / "app.py").write_text(app)
    return app


@pytest.fixture
def work(spawn, shop: Path) -> Callable:  # type: ignore[type-arg]
    return lambda *words: spawn("-A", "app:workflows", "worker", *words, cwd=shop)


def follow(worker) -> tuple[list[str], Callable[[str], None]]:  # type: ignore[no-untyped-def]
    """The lines of a worker's log as they come, and a wait for one that contains a text."""
    lines: list[str] = []
    came = threading.Condition()

    def read() -> None:
        for line in worker.stderr:
            with came:
                lines.append(line)
                came.notify_all()

    threading.Thread(target=read, daemon=True).start()

    def until(text: str) -> None:
        with came:
            assert came.wait_for(lambda: any(text in line for line in lines), 60), lines
            lines[:] = lines[next(n for n, line in enumerate(lines) if text in line) + 1 :]

    return lines, until


def test_burst_does_all_there_is(work, backend: Backend) -> None:
    for number in range(3):
        start(backend, f"o{number}")
    worker = work("--burst", "-c", "4", "--name", "w1")
    _, log = worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert "Worker w1 serves all categories of app:workflows" in log
    assert [backend.wait_for_process(f"o{number}", 0) for number in range(3)] == [ProcessCompleted("one")] * 3


def run(worker) -> str:  # type: ignore[no-untyped-def]
    _, log = worker.communicate(timeout=60)
    assert worker.returncode == 0, log
    return str(log)


def test_kinds_and_categories(work, backend: Backend) -> None:
    start(backend, "o1")
    assert "ActivityWorker" in run(work("--burst", "--activities"))
    assert len(backend.history("o1")) == 1
    assert "DecisionWorker" in run(work("--burst", "--decisions"))
    assert [activity.state for activity in backend.describe_process("o1").activities] == ["scheduled"]
    assert "shipping" in run(work("--burst", "-Q", "shipping"))
    assert [activity.state for activity in backend.describe_process("o1").activities] == ["scheduled"]
    run(work("--burst", "-Q", "shipping", "-Q", "default", "--activities", "--decisions"))
    assert backend.wait_for_process("o1", 0) == ProcessCompleted("one")


def test_log_levels(work, backend: Backend) -> None:
    backend.start_process(_broken())
    assert run(work("--burst", "--log-level", "error", "--activities")) == ""


def test_a_decider_that_raises_is_logged(work, backend: Backend) -> None:
    backend.start_process(_broken())
    log = run(work("--burst"))
    assert "ERROR   b1: decider failed: RuntimeError" in log
    assert "app.py" in log
    assert "pyworkflow/worker" not in log
    assert "\n\n" not in log
    assert "\x1b" not in log


def test_a_log_for_programs(work, backend: Backend) -> None:
    backend.start_process(_broken())
    rows = [json.loads(line) for line in run(work("--burst", "--log-format", "json", "--name", "w1")).splitlines()]
    assert {row["worker"] for row in rows} == {"w1"}
    failed = next(row for row in rows if row["message"].startswith("decider failed: RuntimeError"))
    assert (failed["level"], failed["logger"], failed["process_id"]) == ("error", "pyworkflow.worker", "b1")
    assert failed["run"] == backend.describe_process("b1").process.run
    assert failed["activity"] is None
    assert datetime.fromisoformat(failed["time"]).tzinfo is not None


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("lost: it timed out", "o1 Charge: lost: it timed out"),
        ("handed back: 'Charge' is not one of ours", "o1: handed back: 'Charge' is not one of ours"),
        ("too late: task o1:ab:3:4 is not open", "Charge: too late: task o1:ab:3:4 is not open"),
        ("process 'o1': 'Charge' is gone", "process 'o1': 'Charge' is gone"),
    ],
)
def test_a_line_names_the_process_and_the_activity_once(message: str, shown: str) -> None:
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "process_id": "o1", "activity": "Charge"})
    assert formatter("text").format(record).split(" INFO    ")[1] == shown


def test_an_error_of_a_log_for_programs_has_its_traceback() -> None:
    try:
        raise KeyError("tea")
    except KeyError:
        record = logging.makeLogRecord({"msg": "no\n%s", "args": ("way",), "exc_info": sys.exc_info()})
    (line,) = formatter("json").format(record).splitlines()
    row = json.loads(line)
    assert (row["message"], row["process_id"]) == ("no\nway", None)
    assert row["exception"].endswith("KeyError: 'tea'")


def test_categories_in_which_there_is_nothing_to_do(work, backend: Backend) -> None:
    log = run(work("--burst", "-Q", "shippin", "-Q", "default"))
    assert (
        "-Q shippin: there is nothing to do for it: app:workflows has default, shipping. Did you mean 'shipping'?"
        in log
    )
    assert "WARNING -Q shipping:" in run(work("--burst", "-Q", "shipping", "--decisions"))
    assert "WARNING -Q" not in run(work("--burst", "-Q", "shipping"))


def test_a_worker_in_memory_is_told_that_nobody_reaches_it(work, backend: Backend) -> None:
    _, until = follow(work("-b", "memory://"))
    until("what others start does not reach it")
    assert "reach" not in run(work("-b", "memory://", "--burst"))


def _broken():  # type: ignore[no-untyped-def]
    from pyworkflow.process import Process

    return Process("Broken", "b1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_it_finish_what_runs(work, shop: Path, backend: Backend, number: int) -> None:
    write_waiting(shop)
    start(backend, "o1")
    worker = work()
    _, until = follow(worker)
    assert worker.stdout.readline() == "charging\n"
    worker.send_signal(number)
    until("INFO    stopping: 1 activity is still running; a second signal ends it at once")
    (shop / "go").touch()
    assert worker.wait(60) == 0
    types = [event.type for event in backend.history("o1")]
    assert types.count("activity") == 1


def test_a_worker_needs_an_app(cli) -> None:
    assert "-A module:attribute" in cli("worker", code=2).stderr


@pytest.mark.parametrize("words", [["-c", "0"], ["--log-level", "loud"], ["--shutdown-timeout", "x"], ["surplus"]])
def test_usage_errors(cli, words: list[str]) -> None:
    result = cli("worker", *words, code=2)
    assert "Usage:" in result.stderr
    assert words[0] in result.stderr


def test_reload(work, shop: Path, backend: Backend) -> None:
    worker = work("--reload")
    lines, until = follow(worker)
    until("serves")
    start(backend, "o1")
    assert backend.wait_for_process("o1", 60) == ProcessCompleted("one")
    write(shop, "second")
    until("starting again")
    until("serves")
    start(backend, "o2")
    assert backend.wait_for_process("o2", 60) == ProcessCompleted("second")
    (shop / "app.py").write_text("workflows = (")
    until("cannot be imported")
    until("waiting for a change")
    write(shop, "the third")
    until("serves")
    start(backend, "o3")
    assert backend.wait_for_process("o3", 60) == ProcessCompleted("the third")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert "Traceback" not in "".join(lines)


@pytest.mark.parametrize("first", ["signal", "change"])
def test_a_signal_ends_it_where_a_file_changes_while_it_stops(work, shop: Path, backend: Backend, first: str) -> None:
    app = write_waiting(shop)
    worker = work("--reload")
    _, until = follow(worker)
    until("serves")
    start(backend, "o1")
    assert worker.stdout.readline() == "charging\n"
    if first == "signal":
        worker.send_signal(signal.SIGTERM)
    (shop / "app.py").write_text(app + "\n")
    if first == "signal":
        time.sleep(3 * LOOK)  # Long enough for the change to be seen.
    else:
        until("starting again")
        worker.send_signal(signal.SIGTERM)
    (shop / "go").touch()
    assert worker.wait(60) == 0  # Executed anew, it would go on.


@pytest.mark.parametrize("end", ["", "1 / 0"])
def test_a_change_during_the_import_is_noticed(work, shop: Path, backend: Backend, end: str) -> None:
    now = (shop / "app.py").read_text()
    then = now.replace("one", "changed")
    (shop / "app.py").write_text(f"{now}\n__import__('pathlib').Path(__file__).write_text({then!r})\n{end}\n")
    worker = work("--reload")
    _, until = follow(worker)
    until("serves")
    if not end:
        until("starting again")
        until("serves")
    start(backend, "o2")
    assert backend.wait_for_process("o2", 60) == ProcessCompleted("changed")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


def test_interrupting_a_worker_that_waits_for_a_change(work, shop: Path) -> None:
    (shop / "app.py").write_text("1 / 0")
    worker = work("--reload")
    _, until = follow(worker)
    until("waiting for a change")
    worker.send_signal(signal.SIGINT)
    assert worker.wait(60) == 130
