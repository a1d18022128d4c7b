"""Workers: they take tasks from a Manager's backend, run deciders and activities, and hand the results in."""

from .thread import WorkerThread
from .worker import ActivityWorker, DecisionWorker, Worker

__all__ = ["ActivityWorker", "DecisionWorker", "Worker", "WorkerThread"]
