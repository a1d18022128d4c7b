"""What is signalled with what, to whom, and when; tests/backends/test_blinker.py counts the signals of everything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import (
    Activity,
    ActivityCanceled,
    ActivityCompleted,
    ActivityExecution,
    ActivityFailed,
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    DefaultWorkflow,
    FailProcess,
    Manager,
    Process,
    ProcessCompleted,
    RecordMarker,
    ScheduleActivity,
    StartChildProcess,
    Timer,
    Worker,
)
from pyworkflow.backend import Backend, Finished, Wanted
from pyworkflow.backend.blinker import BlinkerBackend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.exceptions import UnknownActivityException, UnsupportedBackend
from pyworkflow.testing import VirtualClock

ALL = [name for name in dir(BlinkerBackend) if name.startswith("on_")]
PATIENCE = 20.0


class Ears:
    """Hears all signals of one backend: their names and keywords, in order."""

    def __init__(self, backend: Backend) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        for name in ALL:
            getattr(BlinkerBackend, name).connect(self.ear(name), sender=backend, weak=False)

    def ear(self, name: str) -> Callable[..., None]:
        return lambda sender, **keywords: self.heard.append((name, keywords))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.heard]

    def of(self, name: str) -> dict[str, Any]:
        """The keywords of the one signal of this name."""
        (keywords,) = [keywords for each, keywords in self.heard if each == name]
        return keywords


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def backend(clock: VirtualClock) -> Iterator[BlinkerBackend]:
    backend = BlinkerBackend(MemoryBackend(clock))
    register(backend)
    yield backend
    backend.close()


@pytest.fixture
def ears(backend: BlinkerBackend) -> Ears:
    return Ears(backend)


def register(backend: Backend) -> None:
    backend.register_workflow("W")
    backend.register_activity("A", "default", None, None, None)


def decide(backend: Backend, *decisions: Any) -> Any:
    task = backend.poll_decision_task()
    assert task is not None
    backend.complete_decision_task(task, decisions)
    return task


def begin(backend: Backend, **options: Any) -> Any:
    """A process whose activity "a" is in a worker's hands."""
    backend.start_process(Process("W", "p"))
    decide(backend, ScheduleActivity("A", "a", input=1, **options))
    return backend.poll_activity_task()


EXECUTION = ActivityExecution("A", "a", 1)


def test_a_start_and_a_childs(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p", input=[1]))
    process = ears.of("on_process_started")["process"]
    assert (process.id, process.input) == ("p", [1])
    assert set(ears.of("on_process_started")) == {"process", "process_id"}
    ears.heard.clear()
    decide(backend, StartChildProcess(Process("W", "c", tags=["t"])))
    backend.exchange()
    assert ears.of("on_process_started")["parent_process_id"] == "p"
    assert ears.of("on_process_started")["process_id"] == "c"
    heard = ears.of("on_child_process_started")
    assert (heard["process"].id, heard["child_process_id"], heard["workflow"], heard["tags"]) == ("p", "c", "W", ["t"])


def test_the_life_of_an_activity(backend: BlinkerBackend, ears: Ears) -> None:
    task = begin(backend)
    assert ears.of("on_activity_scheduled")["activity_execution"] == EXECUTION
    assert ears.of("on_activity_scheduled")["process"].id == "p"
    assert ears.of("on_activity_started") == {"activity_execution": EXECUTION, "process_id": "p"}
    backend.complete_activity_task(task, ActivityCompleted("done"))
    expected = {"activity_execution": EXECUTION, "process_id": "p", "result": "done"}
    assert ears.of("on_activity_completed") == expected
    assert ears.of("on_complete_activity_task") == {"task": task, "result": ActivityCompleted("done")}


@pytest.mark.parametrize(
    ("result", "signal", "keywords"),
    [
        (ActivityFailed("why", [1]), "on_activity_failed", {"reason": "why", "details": [1]}),
        (ActivityCanceled([2]), "on_activity_canceled", {"details": [2]}),
    ],
)
def test_other_ends(backend: BlinkerBackend, ears: Ears, result: Any, signal: str, keywords: Any) -> None:
    backend.complete_activity_task(begin(backend), result)
    assert ears.of(signal) == {"activity_execution": EXECUTION, "process_id": "p", **keywords}


def test_a_decision_that_cancels_an_activity(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    decide(backend, ScheduleActivity("A", "a"), CancelActivity("a"))
    heard = ears.of("on_activity_canceled")
    assert (heard.pop("process").id, heard) == ("p", {"activity_id": "a"})


def test_a_decision_that_asks_a_worker_to_cancel(backend: BlinkerBackend, ears: Ears) -> None:
    task = begin(backend)
    backend.signal_process("p", "go")
    decide(backend, CancelActivity("a"))
    assert ears.of("on_activity_cancel_requested")["activity_id"] == "a"
    assert "on_activity_canceled" not in ears.names
    backend.complete_activity_task(task, ActivityCanceled())
    assert set(ears.of("on_activity_canceled")) == {"activity_execution", "process_id", "details"}


def test_an_answer(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    timer = Timer(5, {"n": 1}, id="t")
    task = decide(backend, timer, RecordMarker("m", [1]), CancelTimer("t"))
    heard = ears.of("on_complete_decision_task")
    assert (heard["task"], list(heard["decisions"])) == (task, [timer, RecordMarker("m", [1]), CancelTimer("t")])
    assert ears.of("on_timer_started")["timer"] == timer
    assert ears.of("on_timer_canceled")["timer_id"] == "t"
    marker = ears.of("on_marker_recorded")
    assert (marker["process"].id, marker["name"], marker["details"]) == ("p", "m", [1])
    assert ears.names[-1] == "on_complete_decision_task"


@pytest.mark.parametrize(
    ("decision", "signal", "keywords"),
    [
        (CompleteProcess(3), "on_process_completed", {"process_id": "p", "result": 3}),
        (CancelProcess([4]), "on_process_canceled", {"process_id": "p", "details": [4]}),
        (FailProcess("r", [5]), "on_process_failed", {"process_id": "p", "reason": "r", "details": [5]}),
    ],
)
def test_the_end_of_a_process(backend: BlinkerBackend, ears: Ears, decision: Any, signal: str, keywords: Any) -> None:
    backend.start_process(Process("W", "p"))
    decide(backend, decision)
    heard = ears.of(signal)
    if signal != "on_process_canceled":
        assert heard.pop("process").status == signal.rpartition("_")[2]
    assert heard == keywords


def test_a_refused_close_is_no_end(backend: BlinkerBackend, ears: Ears) -> None:
    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task()
    assert task is not None
    backend.signal_process("p", "news", [1])
    backend.complete_decision_task(task, CompleteProcess())
    assert ears.of("on_process_signaled") == {"process_id": "p", "signal": "news", "data": [1]}
    assert ears.of("on_decision_refused")["cause"] == "UNHANDLED_DECISION"
    assert "on_process_completed" not in ears.names


def test_what_is_refused_is_not_signalled(backend: BlinkerBackend, ears: Ears) -> None:
    task = begin(backend)
    backend.complete_activity_task(task)
    ears.heard.clear()
    with pytest.raises(UnknownActivityException):
        backend.complete_activity_task(task)
    assert ears.names == []


def test_what_falls_due_is_signalled_once_whoever_polls(clock: VirtualClock, tmp_path: Path) -> None:
    backends = [BlinkerBackend(SQLiteBackend(str(tmp_path / "work.db"), clock=clock)) for _ in range(2)]
    ears = [Ears(backend) for backend in backends]
    for backend in backends:
        register(backend)
    begin(backends[0], execution_timeout=5)
    backends[0].signal_process("p", "go")
    decide(backends[0], Timer(6, id="t"), StartChildProcess(Process("W", "c")))
    clock.advance(5)
    for backend in backends * 2:
        backend.exchange()
        clock.advance(0.5)
    names = ears[0].names + ears[1].names
    for name in ("on_activity_timedout", "on_timer_fired", "on_child_process_started"):
        assert names.count(name) == 1, name
    assert names.count("on_process_started") == 2
    for backend in backends:
        backend.close()


def test_a_process_that_times_out_and_one_that_is_terminated(backend: BlinkerBackend, ears: Ears, clock: Any) -> None:
    backend.start_process(Process("W", "p"), timeout=5)
    backend.start_process(Process("W", "q"))
    clock.advance(5)
    backend.exchange()
    assert ears.of("on_process_timedout")["process"].id == "p"
    backend.terminate_process("q", "why", [1])
    heard = ears.of("on_process_terminated")
    assert (heard["process_id"], heard["reason"], heard["details"]) == ("q", "why", [1])


def test_a_process_that_is_blocked_and_resumed(backend: BlinkerBackend, ears: Ears, clock: Any) -> None:
    backend.start_process(Process("W", "p"), decision_timeout=1)
    for _ in range(20):  # Nobody answers, and nobody else says so.
        assert backend.poll_decision_task() is not None
        clock.advance(1)
        backend.exchange()
        clock.advance(60)
    heard = ears.of("on_process_blocked")
    assert heard["process"].status == "blocked"
    assert "did not answer in time" in heard["reason"]
    assert ears.names.count("on_decision_timedout") == 20
    backend.resume_process("p")
    assert ears.of("on_process_resumed")["process_id"] == "p"


def test_what_is_decided_on_the_way_is_signalled_once(backend: BlinkerBackend, ears: Ears) -> None:
    task = begin(backend)
    ears.heard.clear()
    backend.exchange(
        [Finished(task, ActivityCompleted())],
        decisions=Wanted(("default",), 1),
        decide=lambda task: [CompleteProcess(7)],
    )
    assert ears.names.count("on_process_completed") == ears.names.count("on_complete_decision_task") == 1
    assert ears.of("on_complete_decision_task")["decisions"] == [CompleteProcess(7)]


def test_an_answer_that_lost_a_race_is_not_signalled(backend: BlinkerBackend, ears: Ears) -> None:
    task = begin(backend)
    ears.heard.clear()

    def decide_late(task: Any) -> Any:
        backend.backend.signal_process("p", "faster")
        return [CompleteProcess(7)]

    got = backend.exchange([Finished(task, ActivityCompleted())], decisions=Wanted(("default",), 1), decide=decide_late)
    assert [each.process.id for each in got.decisions] == ["p"]
    assert "on_process_completed" not in ears.names
    assert "on_complete_decision_task" not in ears.names
    assert ears.names.count("on_activity_completed") == 1


def test_signals_do_not_wait_for_the_next_task(backend: BlinkerBackend) -> None:
    task, heard = begin(backend), threading.Event()

    def hear(sender: Any, **keywords: Any) -> None:
        heard.set()

    BlinkerBackend.on_complete_activity_task.connect(hear, sender=backend)
    work = threading.Thread(
        target=backend.exchange,
        args=([Finished(task, ActivityCompleted())],),
        kwargs={"activities": Wanted(("default",), 1), "timeout": PATIENCE, "interrupt": "me"},
    )
    work.start()
    assert heard.wait(PATIENCE / 2)
    assert work.is_alive()
    backend.interrupt_wait("me")
    work.join(PATIENCE)
    assert not work.is_alive()


def test_a_receiver_that_raises_is_logged_and_the_others_hear(
    backend: BlinkerBackend, ears: Ears, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(sender: Any, **keywords: Any) -> None:
        raise RuntimeError("out of order")

    async def strange(sender: Any, **keywords: Any) -> None: ...

    BlinkerBackend.on_process_started.connect(broken, sender=backend)
    BlinkerBackend.on_process_started.connect(strange, sender=backend)
    with caplog.at_level(logging.ERROR, "pyworkflow.blinker"):
        assert backend.start_process(Process("W", "p")) == "p"
    assert ears.names == ["on_process_started"]
    assert sorted(str(record.exc_info[1]).split()[-1] for record in caplog.records if record.exc_info) == [
        "called",
        "order",
    ]


def test_a_receiver_hears_one_sender_or_all() -> None:
    one, two = BlinkerBackend(MemoryBackend()), BlinkerBackend(MemoryBackend())
    heard: list[Any] = []

    def hear(sender: Any, process_id: str, **keywords: Any) -> None:
        heard.append((sender, process_id))

    def hear_all(sender: Any, process_id: str, **keywords: Any) -> None:
        heard.append(process_id)

    BlinkerBackend.on_process_started.connect(hear, sender=one)
    with BlinkerBackend.on_process_started.connected_to(hear_all):
        one.start_process(Process("W", "p"))
        two.start_process(Process("W", "q"))
    assert sorted(map(str, heard)) == sorted(map(str, ["p", "q", (one, "p")]))


def test_a_muted_signal_is_not_sent(backend: BlinkerBackend, ears: Ears) -> None:
    with BlinkerBackend.on_process_started.muted():
        backend.start_process(Process("W", "p"))
    assert ears.names == []


def test_a_receiver_may_use_the_backend(backend: BlinkerBackend) -> None:
    def follow(sender: BlinkerBackend, process_id: str, **keywords: Any) -> None:
        sender.start_process(Process("W", f"after {process_id}"))

    BlinkerBackend.on_process_completed.connect(follow, sender=backend)
    backend.start_process(Process("W", "p"))
    decide(backend, CompleteProcess())
    assert backend.process_by_id("after p").status == "running"


def test_nothing_of_the_backend_inside_is_hidden(tmp_path: Path) -> None:
    inner = SQLiteBackend(str(tmp_path / "work.db"))
    backend = BlinkerBackend(inner)
    assert backend.backend is inner
    assert backend.store is inner.store
    public = {name for name in dir(inner) if not name.startswith("_")}
    assert public <= {name for name in public if hasattr(backend, name)}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = backend.nonsense
    backend.close()


def test_a_backend_that_tells_nothing_is_refused() -> None:
    class Mute(MemoryBackend):
        watch = Backend.watch

    with pytest.raises(UnsupportedBackend, match="Mute does not tell what it writes"):
        BlinkerBackend(Mute())


class Step(Activity):
    def execute(self) -> Any:
        return self.input + 1


class Chain(DefaultWorkflow):
    activities = [Step]

    def initiate(self, process: Process) -> Any:
        return ScheduleActivity(Step, input=0)

    def respond_to_completed_activity(self, process: Process, activity_execution: Any, result: Any) -> Any:
        return ScheduleActivity(Step, input=result) if result < 10 else CompleteProcess(result)


def test_a_worker_at_work() -> None:
    backend = BlinkerBackend(MemoryBackend())
    ears = Ears(backend)
    manager = Manager(backend, [Chain])
    id = manager.start_process(Process(Chain))
    Worker(manager).run(burst=True)
    assert manager.wait(id) == ProcessCompleted(10)
    assert {name: ears.names.count(name) for name in set(ears.names)} == {
        "on_process_started": 1,
        "on_activity_scheduled": 10,
        "on_activity_started": 10,
        "on_activity_completed": 10,
        "on_complete_activity_task": 10,
        "on_complete_decision_task": 11,
        "on_process_completed": 1,
    }
