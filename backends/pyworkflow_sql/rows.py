"""Rows of the tables `run` and `task`, made of what the engine hands in and read into it."""

from __future__ import annotations

import json
from typing import Any

from pyworkflow.engine.store import Commit, Summary, Task

SUMMARY = "id, run, workflow, status, started, closed, parent, tags, version"
BEGUN = "id, run, stamp, head, workflow, version, status, started, closed, parent, tags"
TASK = "process, key, queue, due, priority, body"


def summary(row: tuple[Any, ...]) -> Summary:
    """The summary of a row of SUMMARY."""
    id, run, workflow, status, started, closed, parent, tags, version = row
    return Summary(id, run, workflow, status, started, closed, parent, json.loads(tags), version)


def begun(commit: Commit) -> tuple[Any, ...]:
    """The columns BEGUN of a run that a commit begins."""
    new = commit.summary
    assert new is not None
    tags = json.dumps(new.tags)
    rest = (new.workflow, new.version, new.status, new.started, new.closed, new.parent, tags)
    return (commit.process, commit.run, commit.stamp, commit.head, *rest)


def task(task: Task) -> tuple[Any, ...]:
    """The columns TASK of a task."""
    return (task.process, task.key, task.queue, task.due, task.priority, task.body)


def identity(task: Task) -> tuple[Any, ...]:
    """What tells a claimed task from one that took its place."""
    return (task.process, task.key, task.queue, task.due, task.body)
