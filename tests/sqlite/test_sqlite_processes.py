"""Many operating-system processes on one file: they share the work, wake one another, and survive a fork."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyworkflow import CompleteProcess, Manager, Process, ProcessCompleted, UnsupportedBackend
from pyworkflow.backend import open_backend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.testing.invariants import check

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backends'}"}
PATIENCE = 100.0
"""Seconds after which something that should have happened has not."""

WORKER = """
import sys
from pyworkflow import *

class StepActivity(Activity):
    def execute(self):
        return self.input + 1

class ThreeStepsWorkflow(DefaultWorkflow):
    activities = [StepActivity]

    def initiate(self, process):
        return ScheduleActivity(StepActivity, input=0)

    def respond_to_completed_activity(self, process, activity_execution, result):
        return CompleteProcess(result) if result == 3 else ScheduleActivity(StepActivity, input=result)

manager = Manager("sqlite:///" + sys.argv[1], [ThreeStepsWorkflow])
print("ready", flush=True)
Worker(manager, sys.argv[2], concurrency=4).run()
"""

CALL = """
import sys
from pyworkflow import *
from pyworkflow.backend import open_backend
from pyworkflow.backend.sqlite import SQLiteBackend
backend = SQLiteBackend(sys.argv[1])
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "shared.db")


@pytest.fixture
def workers(path: str) -> Iterator[list[subprocess.Popen[str]]]:
    started = [run("-c", WORKER, path, f"worker {number}") for number in range(4)]
    yield started
    for worker in started:
        worker.kill()
        worker.communicate()


def run(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)


def test_workers_share_a_file(path: str, workers: list[subprocess.Popen[str]]) -> None:
    backend = SQLiteBackend(path)
    manager = Manager(backend)
    assert all(worker.stdout is not None and worker.stdout.readline() == "ready\n" for worker in workers)
    ids = [manager.start_process(Process("ThreeSteps", f"p{number}")) for number in range(200)]
    for id in ids:
        assert manager.wait(id, PATIENCE) == ProcessCompleted(3)
    step = ["decision_started", "decision", "activity_started", "activity"]
    for id in ids:
        events = backend.history(id)
        assert [event.id for event in events] == list(range(1, 16))
        assert [event.type for event in events] == ["process_started", *step * 3, "decision_started", "decision"]
    assert {queue.kind for queue in backend.queues()} <= {"alarm"}
    check(backend.store)


def test_a_poll_wakes_up_for_what_another_process_starts(path: str) -> None:
    backend = SQLiteBackend(path)
    tasks: list[object] = []
    poll = threading.Thread(target=lambda: tasks.append(backend.poll_decision_task(timeout=10 * PATIENCE)), daemon=True)
    poll.start()
    starter = run("-c", CALL + "backend.start_process(Process('w', 'p'))", path)
    assert starter.wait(PATIENCE) == 0
    poll.join(PATIENCE)
    assert [task.process.id for task in tasks] == ["p"]  # type: ignore[attr-defined]


def test_a_wait_wakes_up_for_what_another_process_decides(path: str) -> None:
    backend = SQLiteBackend(path)
    backend.start_process(Process("w", "p"))
    results: list[object] = []
    waiter = threading.Thread(target=lambda: results.append(backend.wait_for_process("p", 10 * PATIENCE)), daemon=True)
    waiter.start()
    code = CALL + "backend.complete_decision_task(backend.poll_decision_task(), CompleteProcess('from afar'))"
    assert run("-c", code, path).wait(PATIENCE) == 0
    waiter.join(PATIENCE)
    assert results == [ProcessCompleted("from afar")]


def test_one_new_file_is_made_by_several_processes_at_once(path: str) -> None:
    code = "import sys; sys.stdin.read()\n" + CALL + "print(backend.start_process(Process('w', sys.argv[2])))"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", code, path, f"p{number}"],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number in range(6)
    ]  # fmt: skip
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.close()
    assert [maker.wait(PATIENCE) for maker in makers] == [0] * 6
    backend = SQLiteBackend(path)
    assert {process.id for process in backend.processes()} == {f"p{number}" for number in range(6)}
    check(backend.store)


def test_starts_of_several_processes_under_one_id(path: str) -> None:
    SQLiteBackend(path).close()
    code = CALL + (
        "won = Counter()\n"
        "for number in range(30):\n"
        "    try: backend.start_process(Process('w', f'p{number}', input=sys.argv[2])); won['started'] += 1\n"
        "    except ProcessAlreadyRunning: won['refused'] += 1\n"
        "print(won['started'], won['refused'])\n"
    )
    starters = [run("-c", "from collections import Counter\n" + code, path, str(number)) for number in range(3)]
    counts: Counter[str] = Counter()
    for starter in starters:
        started, refused = starter.communicate(timeout=PATIENCE)[0].split()
        counts.update(started=int(started), refused=int(refused))
    assert counts == {"started": 30, "refused": 60}
    backend = SQLiteBackend(path)
    assert all(len(backend.history(f"p{number}")) == 1 for number in range(30))


def test_a_database_without_workflows_can_be_left_as_it_is(path: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = Path(path).read_bytes()
    with pytest.raises(UnsupportedBackend, match="no workflows"):
        SQLiteBackend(path, create=False)
    with pytest.raises(UnsupportedBackend, match="no workflows"):
        open_backend(f"sqlite:///{path}", create=False)
    assert Path(path).read_bytes() == before
    assert not Path(f"{path}-wal").exists()


# -- forks ----------


def in_child(do: object) -> int:
    """Do something in a forked process; its exit code. It has a minute."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)
        do()  # type: ignore[operator]
        os._exit(0)
    finally:
        os._exit(1)


def test_a_fork_waits_for_a_thread_that_writes(path: str) -> None:
    backend = SQLiteBackend(path)
    backend.start_process(Process("w", "p"))
    inside, done = threading.Event(), threading.Event()

    def write() -> None:
        with backend.store.batch():
            inside.set()
            done.wait(PATIENCE)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert inside.wait(PATIENCE)
    threading.Timer(0.1, done.set).start()
    assert in_child(lambda: backend.signal_process("p", "from the child")) == 0
    writer.join(PATIENCE)
    backend.signal_process("p", "s")
    assert [event.type for event in backend.history("p")].count("signal") == 2
    check(backend.store)


def test_what_a_child_writes_outlives_the_parent_s_connection(path: str) -> None:
    backend = SQLiteBackend(path)
    backend.start_process(Process("w", "before"))
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            backend.start_process(Process("w", "first"))
            os.read(reader, 1)
            backend.start_process(Process("w", "second"))
            os._exit(0)
        finally:
            os._exit(1)
    backend.close()
    os.write(writer, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(reader)
    os.close(writer)
    again = SQLiteBackend(path)
    assert sorted(process.id or "" for process in again.processes()) == ["before", "first", "second"]
    again.close()


def test_parent_and_children_go_on_together(path: str) -> None:
    backend = SQLiteBackend(path)
    backend.start_process(Process("w", "p"))
    task = backend.poll_decision_task()
    assert task is not None

    def child() -> None:
        backend.signal_process("p", "from the child")
        backend.start_process(Process("w", "child"))
        backend.close()

    for _ in range(3):
        assert in_child(lambda: backend.signal_process("p", "again")) == 0
    assert in_child(child) == 0
    backend.complete_decision_task(task, CompleteProcess())
    assert [event.type for event in backend.history("p")].count("signal") == 4
    assert [event.type for event in backend.history("p")][-1] == "decision_refused"
    assert backend.process_by_id("child").status == "running"
    check(backend.store)
