"""The workloads: W1 many processes of sequential steps, W2 one wide process, W3 a long one, L one alone."""

from __future__ import annotations

import time
from typing import Any

from pyworkflow import (
    Activity,
    ActivityCompleted,
    ActivityWorker,
    CompleteProcess,
    DecisionWorker,
    Manager,
    Process,
    ScheduleActivity,
    Worker,
    Workflow,
)
from pyworkflow.events import ActivityEvent


class NoOp(Activity):
    """Gives back what it was given."""

    def execute(self) -> Any:
        return self.input


class Sequential(Workflow):
    """As many steps as its input says, one after the other."""

    activities = [NoOp]

    def decide(self, process: Process) -> Any:
        last = process.history[-2] if len(process.history) > 2 else None
        result = last.result if isinstance(last, ActivityEvent) else None
        step = result.result + 1 if isinstance(result, ActivityCompleted) else 0
        if step == process.input:
            return CompleteProcess(step)
        return ScheduleActivity(NoOp, id=str(step), input=step)


class Parallel(Workflow):
    """As many steps as its input says, all at once."""

    activities = [NoOp]

    def decide(self, process: Process) -> Any:
        unseen = process.unseen_events()
        if len(process.history) == 2:
            return [ScheduleActivity(NoOp, id=str(step), input=step) for step in range(process.input)]
        done = any(isinstance(event, ActivityEvent) for event in unseen) and not process.unfinished_activities()
        return CompleteProcess(process.input) if done else None


WORKFLOWS = [Sequential, Parallel]


def w1(url: str, concurrency: int, processes: int = 500, steps: int = 5) -> float:
    """Steps per second of `processes` × `steps` sequential no-op activities in one worker process."""
    manager = Manager(url, WORKFLOWS)
    for number in range(processes):
        manager.start_process(Process(Sequential, f"p{number}", input=steps))
    seconds = _work(manager, concurrency)
    assert manager.count(status="completed") == processes
    return processes * steps / seconds


def w2(url: str, width: int = 1_000) -> float:
    """Milliseconds for one process with `width` parallel activities."""
    manager = Manager(url, WORKFLOWS)
    id = manager.start_process(Process(Parallel, input=width))
    seconds = _work(manager, 50)
    assert manager.result(id, 0) == width
    return seconds * 1000


def w3(url: str, steps: int = 2_000) -> tuple[float, float]:
    """Seconds for one process of `steps` sequential activities; the last 200 as a multiple of the first 200."""
    manager = Manager(url, WORKFLOWS)
    id = manager.start_process(Process(Sequential, input=steps))
    seconds = _work(manager, 1)
    times = [event.datetime.timestamp() for event in manager.history(id) if isinstance(event, ActivityEvent)]
    assert len(times) == steps
    return seconds, (times[-1] - times[-201]) / (times[200] - times[0])


def latency(url: str, steps: int = 50) -> float:
    """Milliseconds a step of one process alone, decided and executed by one worker in this process."""
    manager = Manager(url, WORKFLOWS)
    manager.start_process(Process(Sequential, input=steps))
    return _work(manager, 1) * 1000 / steps


def _work(manager: Manager, concurrency: int) -> float:
    worker = Worker(manager, concurrency=concurrency)
    begun = time.perf_counter()
    worker.run(burst=True)
    return time.perf_counter() - begun


def serve(url: str, kind: str) -> None:
    """A worker of one kind in an operating-system process of its own, until it is told to stop."""
    worker = {"decisions": DecisionWorker, "activities": ActivityWorker}[kind]
    worker(Manager(url, WORKFLOWS)).run()


def latency_between_processes(url: str, steps: int = 50) -> float:
    """Milliseconds a step of one process alone, with decider and activities in two other operating-system processes."""
    import multiprocessing

    manager = Manager(url, WORKFLOWS)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=serve, args=(url, kind)) for kind in ("decisions", "activities")]
    for worker in workers:
        worker.start()
    try:
        manager.result(manager.start_process(Process(Sequential, input=1)), 60)
        begun = time.perf_counter()
        manager.result(manager.start_process(Process(Sequential, input=steps)), 60)
        return (time.perf_counter() - begun) * 1000 / steps
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()
