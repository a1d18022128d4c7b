"""A worker that is stopped between two decisions hands back those that it took and did not begin."""

from __future__ import annotations

import time

from pyworkflow import CompleteProcess, DecisionWorker, Manager, Process, Workflow
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.worker.running import QUICK


class StopsWorkflow(Workflow):
    """Stops the worker that asks it, and is too slow to be asked on the way."""

    worker: DecisionWorker

    def decide(self, process: Process) -> CompleteProcess:
        self.worker.stop()
        time.sleep(2 * QUICK)
        return CompleteProcess()


def test_a_stopped_worker_holds_no_decisions_back():
    manager = Manager(MemoryBackend(), workflows=[StopsWorkflow])
    processes = [manager.start_process(Process(StopsWorkflow)) for _ in range(3)]
    StopsWorkflow.worker = DecisionWorker(manager, concurrency=3)
    for completed in (1, 2, 3):
        StopsWorkflow.worker.run()
        shown = [manager.describe(process) for process in processes]
        assert [it.process.status for it in shown].count("completed") == completed
        assert "started" not in [it.decision for it in shown]
