"""Logging: every record of a worker carries process_id, run, activity and worker."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from ..task import ActivityTask, DecisionTask

logger = logging.getLogger("pyworkflow.worker")
# Not "process": logging has the operating-system process's id there, and refuses to overwrite it.
FIELDS = ("process_id", "run", "activity", "worker")


class WorkerLog(logging.LoggerAdapter[logging.Logger]):
    """A logger whose records have the attributes process_id, run, activity and worker ("" where there is none)."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        kwargs["extra"] = {**dict.fromkeys(FIELDS, ""), **(self.extra or {}), **kwargs.get("extra", {})}
        return msg, kwargs


def worker_log(base: logging.Logger | None, worker: str) -> WorkerLog:
    return WorkerLog(base or logger, {"worker": worker})


def fields(task: ActivityTask | DecisionTask) -> dict[str, str]:
    """What a record about a task says of it."""
    process, run = task.token.split(":")[:2]
    activity = task.activity if isinstance(task, ActivityTask) else ""
    return {"process_id": process, "run": run, "activity": activity}
