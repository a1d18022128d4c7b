"""Processes in memory whose histories hold every kind of event, to be written in SWF's words and read again."""

from __future__ import annotations

from collections.abc import Iterator

from pyworkflow.activity import ActivityCanceled, ActivityCompleted, ActivityFailed
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.decision import (
    CancelActivity,
    CancelProcess,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    SignalProcess,
    StartChildProcess,
    Timer,
)
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.testing import VirtualClock

CLOSES = [CompleteProcess([1]), FailProcess("why", {"n": 1}), CancelProcess("d"), ContinueAsNew([2], tags=["t"])]


class Scene:
    """A backend in memory with a process "p", which decides in category "parents"."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.backend = MemoryBackend(self.clock)
        self.backend.register_workflow("W")
        self.backend.register_activity("A", "default", None, None, None)
        self.start("p", "parents")

    def start(self, id: str, category: str) -> None:
        self.backend.start_process(Process("W", id, {"n": 1}, ["t"]), category=category, timeout=1000)

    def decide(self, *decisions: Decision, category: str = "parents") -> None:
        task = self.backend.poll_decision_task(category)
        assert task is not None
        self.backend.complete_decision_task(task, decisions)
        self.backend.exchange()

    def wake(self) -> None:
        self.backend.signal_process("p", Signal("s", [1]))


def activities(scene: Scene) -> None:
    wanted = [ScheduleActivity("A", str(number), input=number, priority=number) for number in range(5)]
    scene.decide(*wanted, ScheduleActivity("A", "t", "never", scheduled_timeout=3))
    tasks = [scene.backend.poll_activity_task() for _ in range(5)]
    ends = [ActivityCompleted({"n": 1}), ActivityFailed("why", "d"), ActivityCanceled("d"), None, ActivityCompleted()]
    for task, end in zip(tasks, ends, strict=True):
        assert task is not None
        if end is not None:
            scene.backend.complete_activity_task(task, end)
    scene.clock.advance(4)
    scene.decide(CancelActivity("1"), CancelActivity("unknown"), ScheduleActivity("B", "b"), Timer(0, id="again"))
    scene.decide(ScheduleActivity("A", "x"), ScheduleActivity("A", "x"), CancelActivity("x"))


def timers(scene: Scene) -> None:
    scene.decide(Timer(5, {"a": 1}, id="a"), Timer(6, id="b"), CancelTimer("b"), CancelTimer("c"), Timer(1, id="a"))
    scene.clock.advance(7)
    scene.decide(RecordMarker("m", {"n": 1}), RecordMarker("n"))


def families(scene: Scene) -> None:
    ids = ["c1", "c2", "c3", "c4", "c5", "c6"]
    scene.decide(*(StartChildProcess(Process("W", id, 1, ["t"]), category=id, timeout=50) for id in ids))
    scene.decide(StartChildProcess(Process("W", "c1"), "TERMINATE", category="c1"))
    ends = [CompleteProcess(1), FailProcess("why", 2), CancelProcess(3)]
    for id, end in zip(ids, ends, strict=False):
        scene.decide(end, category=id)
    scene.backend.terminate_process("c4", "why")
    scene.decide(SignalProcess("c5", "hello", [1]), RequestCancelProcess("c6"), SignalProcess("nobody", "hello"))
    scene.decide(RequestCancelProcess("nobody"), Timer(20, id="t"))
    for _ in range(4):
        scene.clock.advance(20)
        scene.backend.exchange()


def unanswered(scene: Scene) -> None:
    scene.backend.cancel_process("p")
    task = scene.backend.poll_decision_task("parents")
    scene.clock.advance(61)
    scene.decide()
    scene.wake()
    task = scene.backend.poll_decision_task("parents")
    assert task is not None
    scene.wake()
    scene.backend.complete_decision_task(task, [RecordMarker("m"), CompleteProcess()])


def terminated(scene: Scene) -> None:
    scene.decide()
    scene.backend.terminate_process("p", "why", {"n": 1})


def timed_out(scene: Scene) -> None:
    scene.clock.advance(1001)
    scene.backend.exchange()


SCENES = [activities, timers, families, unanswered, terminated, timed_out]


def played() -> Iterator[tuple[str, Scene]]:
    """Each scene after it was played, by its name."""
    for play in SCENES:
        scene = Scene()
        play(scene)
        yield play.__name__, scene
    for close in CLOSES:
        scene = Scene()
        scene.decide(close)
        yield close.type, scene
