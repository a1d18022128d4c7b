"""What workflows as code cost: a step beside that of a plain decider, long lives, replay from the start, fan-outs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from pyworkflow import Activity, CodeWorkflow, Context, Manager, Process, Worker

from .report import Row
from .workloads import NoOp, Sequential


class Ticks(Activity):
    """Notes the processor's time."""

    times: list[float] = []

    def execute(self) -> None:
        self.times.append(time.process_time())


class TickingCode(CodeWorkflow):
    """As many ticks as its input says, one after the other."""

    activities = [Ticks]

    async def run(self, ctx: Context, steps: int) -> None:
        for _ in range(steps):
            await ctx.call(Ticks)


class SequentialCode(CodeWorkflow):
    """As many steps as its input says, one after the other."""

    activities = [NoOp]

    async def run(self, ctx: Context, steps: int) -> int:
        for step in range(steps):
            await ctx.call(NoOp, step)
        return steps


class WideCode(CodeWorkflow):
    """As many steps as its input says, side by side."""

    activities = [NoOp]

    async def run(self, ctx: Context, width: int) -> int:
        return len(await ctx.map(NoOp, range(width)))


WORKFLOWS = [Sequential, SequentialCode, TickingCode, WideCode]


def measure_code(runs: int, row: Row) -> None:
    """The rows of this module. Times are of the processor: what else runs on the machine does not count."""

    def median(call: Callable[[], float]) -> float:
        return statistics.median(call() for _ in range(runs))

    ratio = median(lambda: step("memory://", SequentialCode) / step("memory://", Sequential))
    row("code: a step, over that of a decider", ratio, "x", "<= 1.2")
    growth = median(lambda: late_over_early("memory://"))
    row("code: step 5,000 over step 100", growth, "x", "<= 1.2")
    value = median(cold_replay)
    row("code: replay of 10,000 events", value, "ms", "<= 150")
    value = median(lambda: wide(8_000) / wide(1_000) / 8)
    row("code: a gather of 8,000 over eight of 1,000", value, "x", "<= 1.2")


def step(url: str, workflow: Any, steps: int = 1_000) -> float:
    """Milliseconds a step of one process alone."""
    return run(Manager(url, WORKFLOWS), Process(workflow, "p", steps), 1) * 1000 / steps


def run(manager: Manager, process: Process, concurrency: int) -> float:
    """Seconds of the processor for a process from its start to its end."""
    manager.start_process(process)
    worker = Worker(manager, concurrency=concurrency)
    begun = time.process_time()
    worker.run(burst=True)
    seconds = time.process_time() - begun
    manager.result(process, 0)
    return seconds


def late_over_early(url: str, steps: int = 5_100, width: int = 200) -> float:
    """How long the steps around the 5,000th take, as a multiple of those around the 100th."""
    Ticks.times.clear()
    run(Manager(url, WORKFLOWS), Process(TickingCode, "p", steps), 1)
    late, early = (Ticks.times[at + width // 2 - 1] - Ticks.times[at - width // 2] for at in (5_000, 100))
    return late / early


def cold_replay(steps: int = 2_500) -> float:
    """Milliseconds for the replay of 10,000 events from the start, without I/O."""
    manager = Manager("memory://", WORKFLOWS)
    process = Process(SequentialCode, "p", steps)
    run(manager, process, 1)
    read = manager.process_by_id("p")
    read.history.pop()  # It closed; the decision before that is what is computed.
    assert len(read.history) >= 4 * steps
    begun = time.process_time()
    decisions = SequentialCode().decide(read)
    milliseconds = (time.process_time() - begun) * 1000
    assert [decision.type for decision in decisions] == ["complete_process"]
    return milliseconds


def wide(width: int) -> float:
    """Seconds for a process of so many activities side by side."""
    return run(Manager("memory://", WORKFLOWS), Process(WideCode, "p", width), 200)
