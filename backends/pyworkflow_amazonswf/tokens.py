"""Tokens and names: `process:run:started:token of SWF's`, whose colons are escaped, and `process` or `process:run`."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from pyworkflow.engine.codec import check_name
from pyworkflow.exceptions import UnknownActivityException, UnknownDecisionException
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask

_TOKEN = re.compile("([^:\ud800-\udfff]{1,256}):([^:\ud800-\udfff]{1,64}):([0-9]{1,9}):([!-9;-~]{1,3072})")


def token(workflow_id: str, run_id: str, started: int, task_token: str) -> str:
    """Our token of a task: what comes before its last colon names the hand-out."""
    return f"{workflow_id}:{run_id}:{started}:{quote(task_token, safe='=+/')}"


def read_token(task: ActivityTask | DecisionTask) -> tuple[str, str, int, str]:
    """Process, run, start and SWF's token. Raises UnknownActivityException, UnknownDecisionException."""
    given = task.context.get("token")
    found = _TOKEN.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        kind = "an activity" if isinstance(task, ActivityTask) else "a decision"
        error = UnknownActivityException if isinstance(task, ActivityTask) else UnknownDecisionException
        shown = repr(given)
        raise error(f"{shown if len(shown) < 100 else shown[:100] + '…'} is not the token of {kind} task")
    process, run, started, quoted = found.groups()
    return process, run, int(started), unquote(quoted)


def target(process_or_id: Process | str) -> tuple[str, str | None]:
    """The process and the run, None for the current one. Raises InvalidName. SWF's run ids may hold any character."""
    if isinstance(process_or_id, Process):
        id, run = process_or_id.id, process_or_id.run
    else:
        id, _, run = process_or_id.partition(":") if isinstance(process_or_id, str) else (process_or_id, "", "")
    return check_name("a process's id", id), run or None


def described(id: str, run: str | None) -> str:
    """For messages."""
    return f"run {run} of process {id!r}" if run else f"process {id!r}"
