"""Logging: every record of a worker carries process_id, run, activity and worker."""

from __future__ import annotations

import logging
from collections.abc import Iterable, MutableMapping
from math import inf
from typing import Any

from ..activity import Activity
from ..defaults import ACTIVITY_EXECUTION_TIMEOUT
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


def warn_of_endless(activities: Iterable[type[Activity]], log: WorkerLog) -> None:
    """Name the activities that nobody would miss for very long if this worker died at them."""
    names = sorted({each.name for each in activities if _patience(each) >= ACTIVITY_EXECUTION_TIMEOUT})
    if names:
        log.warning(
            "if this worker were killed at one of these, their processes would not hear of it for a year: %s. "
            "Set their execution_timeout, or a heartbeat_timeout.",
            ", ".join(names),
        )


def _patience(activity: type[Activity]) -> float:
    limits = (activity.execution_timeout, activity.heartbeat_timeout, activity.close_timeout)
    return min([limit for limit in limits if limit is not None], default=inf)


def fields(task: ActivityTask | DecisionTask) -> dict[str, str]:
    """What a record about a task says of it."""
    process, run = task.token.split(":")[:2]
    activity = task.activity if isinstance(task, ActivityTask) else ""
    return {"process_id": process, "run": run, "activity": activity}
