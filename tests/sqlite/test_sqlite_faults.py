"""A full disk, I/O errors, processes killed at every system call: what was acknowledged stays, the rest never was."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pyworkflow import BackendUnavailable, CompleteProcess, Process, ScheduleActivity
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.testing.invariants import check

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'backends'}"}
SHARES = 4
CALLS = "pwrite64,write,fdatasync,fsync,ftruncate,unlink,openat,fcntl,mmap"

OPERATIONS = ("start", "signal", "decide", "act", "terminate")
# Each in a process of its own, which can be killed by itself: strace counts the calls of each.
VICTIMS = """
import json, os, sys
from pyworkflow import *
from pyworkflow.backend.sqlite import SQLiteBackend
def start(b): return b.start_process(Process("w", "new", input=[1] * 50), request_id="new")
def signal(b): return b.signal_process("old", "s", request_id="new") or "signaled"
def decide(b): return b.complete_decision_task(b.poll_decision_task(), ScheduleActivity("a", "new")) or "decided"
def act(b): return b.complete_activity_task(b.poll_activity_task(), ActivityCompleted("x" * 5000)) or "acted"
def terminate(b): return b.terminate_process("doomed") or "terminated"
victims = {}
for operation in (start, signal, decide, act, terminate):
    if not (pid := os.fork()):
        os.dup2(os.open(f"{operation.__name__}.said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
        backend = SQLiteBackend(f"{operation.__name__}.db")
        backend.register_workflow("w"); backend.register_activity("a")
        print(operation(backend), flush=True)
        os._exit(0)
    victims[operation.__name__] = pid
print(json.dumps({name: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for name, pid in victims.items()}))
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "faults.db")


def opened(path: str) -> SQLiteBackend:
    backend = SQLiteBackend(path)
    backend.register_workflow("w")
    backend.register_activity("a")
    return backend


def test_a_full_file_system_is_said_and_nothing_is_half_written(path: str) -> None:
    backend = opened(path)
    backend.start_process(Process("w", "old"))
    pages = sqlite3.connect(path).execute("PRAGMA page_count").fetchone()[0]
    backend.store._connection.db.execute(f"PRAGMA max_page_count = {pages + 5}")  # type: ignore[attr-defined]
    with pytest.raises(BackendUnavailable, match="full"):
        for number in range(1_000):
            backend.start_process(Process("w", f"p{number}", input="x" * 5_000))
    started = {process.id for process in backend.processes()}
    with pytest.raises(BackendUnavailable):
        backend.signal_process("old", "s", "x" * 100_000)
    check(backend.store)
    backend.store._connection.db.execute("PRAGMA max_page_count = 1000000")  # type: ignore[attr-defined]
    backend.signal_process("old", "s")
    backend.start_process(Process("w", "new"))
    assert {process.id for process in backend.processes()} == started | {"new"}
    check(backend.store)


def test_a_write_that_fails_is_said_and_can_be_repeated(path: str) -> None:
    code = (
        "import resource, signal, sys\nfrom pyworkflow import *\nfrom pyworkflow.backend.sqlite import SQLiteBackend\n"
        "backend = SQLiteBackend(sys.argv[1]); backend.start_process(Process('w', 'before'))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))\n"
        "try:\n    for n in range(100): backend.start_process(Process('w', f'p{n}', input='x' * 5000))\n"
        "except BackendUnavailable as error: print('unavailable:', error)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
        "backend.start_process(Process('w', 'after'))\nprint(sorted(p.id for p in backend.processes())[:2])\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, path], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert "unavailable:" in ran.stdout, ran.stderr
    assert "['after', 'before']" in ran.stdout
    check(opened(path).store)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_process_killed_at_any_system_call(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each share has the first calls that are its own, and every one so many after these."""
    if shutil.which("strace") is None:
        assert not os.environ.get("CI"), "strace is missing: install it for the kill tests"
        pytest.skip("strace is not installed: the kill tests cannot run")
    monkeypatch.chdir(tmp_path)
    prepare("base.db")
    when, survived, kills = first, 0, dict.fromkeys(OPERATIONS, 0)
    while survived < 2:
        for operation in OPERATIONS:
            for suffix in ("", "-wal", "-shm"):
                place = f"{operation}.db{suffix}"
                shutil.copyfile(f"base.db{suffix}", place) if os.path.exists(f"base.db{suffix}") else clear(place)
        codes = run_and_kill(when)
        for operation, code in codes.items():
            kills[operation] += code == -signal.SIGKILL
            verify(f"{operation}.db", operation, Path(f"{operation}.said").read_text())
        survived += not any(codes.values())
        when += SHARES
    assert min(kills.values()) * SHARES > 8


def prepare(path: str) -> None:
    backend = opened(path)
    for id in ("old", "doomed"):
        backend.start_process(Process("w", id))
    task = backend.poll_decision_task()
    assert task is not None
    backend.complete_decision_task(task, ScheduleActivity("a", "first", scheduled_timeout=86_400))
    backend.close()


def clear(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def run_and_kill(when: int) -> dict[str, int]:
    """Run all operations, each killed at the `when`th system call that touches its file; how each process ended."""
    files = [f"{operation}.db{suffix}" for operation in OPERATIONS for suffix in ("", "-wal", "-shm")]
    ran = subprocess.run(
        [
            *("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}"),
            *[word for file in files for word in ("-P", os.path.abspath(file))],
            *("-e", f"inject={CALLS}:signal=SIGKILL:when={when}"),
            *(sys.executable, "-c", VICTIMS),
        ],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    codes: dict[str, int] = json.loads(ran.stdout)
    assert set(codes.values()) <= {0, -signal.SIGKILL}, ran.stderr
    return codes


def verify(path: str, operation: str, said: str) -> None:
    backend = opened(path)
    check(backend.store)
    types = [event.type for event in backend.history("old")]
    if operation == "start" and said:
        assert backend.process_by_id("new").input == [1] * 50
    if operation == "signal" and said:
        assert types.count("signal") == 1
    if operation == "terminate" and said:
        assert backend.process_by_id("doomed").status == "terminated"
    for repeat in range(2):
        backend.start_process(Process("w", "new", input=[1] * 50), request_id="new")
        backend.signal_process("old", "s", request_id="new")
        assert [event.type for event in backend.history("old")].count("signal") == 1, repeat
    check(backend.store)
    backend.close()


WRITER = """
import sys
from pyworkflow import *
from pyworkflow.backend.sqlite import SQLiteBackend
backend = SQLiteBackend(sys.argv[1])
for number in range(100_000):
    id = f"{sys.argv[2]}-{number}"
    backend.start_process(Process("w", id, input=number), request_id=id)
    backend.signal_process(id, "s", number, request_id=id)
    print(id, flush=True)
"""


def test_writers_killed_in_a_loop_lose_nothing_that_was_acknowledged(path: str) -> None:
    acknowledged: list[str] = []
    for turn in range(6):
        with_names = [f"{turn}.{who}" for who in range(3)]
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, path, name], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
            )
            for name in with_names
        ]
        for writer in writers:
            assert writer.stdout is not None
            acknowledged.append(writer.stdout.readline().strip())
        time.sleep(0.05 * turn)
        for writer in writers:
            writer.kill()
            out, _ = writer.communicate()
            acknowledged += [line for line in out.splitlines(keepends=True) if line.endswith("\n")]
    backend = opened(path)
    check(backend.store)
    for id in (line.strip() for line in acknowledged):
        assert [event.type for event in backend.history(id)] == ["process_started", "signal"]


def test_a_stopped_zombie_changes_nothing_when_it_goes_on(path: str) -> None:
    backend = opened(path)
    backend.start_process(Process("w", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    backend.complete_decision_task(task, ScheduleActivity("a", "x", execution_timeout=0.3))
    code = (
        "import os, signal, sys\nfrom pyworkflow import *\nfrom pyworkflow.backend.sqlite import SQLiteBackend\n"
        "backend = SQLiteBackend(sys.argv[1]); task = backend.poll_activity_task()\n"
        "print(task.token, flush=True); os.kill(os.getpid(), signal.SIGSTOP)\n"
        "try: backend.complete_activity_task(task, ActivityCompleted('zombie'))\n"
        "except UnknownActivityException: print('refused')\n"
    )
    zombie = subprocess.Popen([sys.executable, "-c", code, path], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True)
    assert zombie.stdout is not None
    token = zombie.stdout.readline().strip()
    assert token.startswith("p:")
    _, status = os.waitpid(zombie.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    decision = backend.poll_decision_task(timeout=60)
    assert decision is not None
    assert decision.process.history[-2].result.timeout_type == "START_TO_CLOSE"  # type: ignore[attr-defined]
    zombie.send_signal(signal.SIGCONT)
    assert zombie.communicate(timeout=60)[0] == "refused\n"
    backend.complete_decision_task(decision, CompleteProcess())
    assert [event.type for event in backend.history("p")].count("activity") == 1
    check(backend.store)
