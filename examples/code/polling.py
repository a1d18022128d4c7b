"""Long polling: a job elsewhere is watched for hours. When a worker dies, the next one goes on from its heartbeat.

python3 -m examples.code.polling
"""

from __future__ import annotations

import asyncio

from pyworkflow import ActivityTimedOut, Context, Process, RetryPolicy, activity, current_activity, workflow
from pyworkflow.testing import ActivityEnvironment, WorkflowEnvironment


class Farm:
    """Stands for a service that takes its time."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.looks = 0

    async def progress(self, job: str) -> float:
        self.looks += 1
        await asyncio.sleep(0)
        return min(self.looks / self.steps, 1.0)


farm = Farm(5)


@activity(heartbeat_timeout=30, execution_timeout=6 * 3600, retry=RetryPolicy(initial_interval=5))
async def watch(job: str) -> int:
    """Looks until the job is done; how often it had to."""
    me = current_activity()
    looks = me.last_heartbeat or 0
    while await farm.progress(job) < 1.0:
        looks += 1
        me.heartbeat(looks)
        await asyncio.sleep(0.01)
    return int(looks)


@workflow(activities=[watch])
async def render(ctx: Context, job: str) -> str:
    """Waits for the job, however often its watcher is lost."""
    return f"{job} took {await ctx.call(watch, job)} looks"


def main() -> None:
    alone = ActivityEnvironment(attempt=2, last_heartbeat=40)
    print(alone.run(watch, "scene 1"), alone.heartbeats)
    lost = [ActivityTimedOut(7), 12]
    env = WorkflowEnvironment([render], activity_fakes={"watch": lambda job: lost.pop(0)})
    print(env.run(Process(render, input="scene 2")))


if __name__ == "__main__":
    main()
