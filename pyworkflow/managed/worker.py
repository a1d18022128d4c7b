"""The module path of pyworkflow 0.1 for workers."""

from ..worker import ActivityWorker, DecisionWorker, WorkerThread

__all__ = ["ActivityWorker", "DecisionWorker", "WorkerThread"]
