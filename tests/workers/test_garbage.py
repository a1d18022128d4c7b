"""What a worker is done with is freed at once: nobody has to search for rings."""

from __future__ import annotations

import gc

from pyworkflow import Activity, CompleteProcess, DefaultWorkflow, Manager, Process, Worker


class Step(Activity):
    execution_timeout = 60

    def execute(self) -> int:
        return 1


class Short(DefaultWorkflow):
    activities = [Step]

    def initiate(self, process: Process) -> type[Activity]:
        return Step

    def respond_to_completed_activity(self, process: Process, activity_execution: object, result: object) -> object:
        return CompleteProcess(result)


def work(manager: Manager, count: int) -> None:
    for _ in range(count):
        manager.start_process(Process(Short))
    Worker(manager, concurrency=10).run(burst=True)


def test_steps_leave_no_rings() -> None:
    manager = Manager("memory://", [Short])
    work(manager, 10)
    gc.collect()
    gc.disable()
    try:
        work(manager, 500)
        assert gc.collect() < 500
    finally:
        gc.enable()
