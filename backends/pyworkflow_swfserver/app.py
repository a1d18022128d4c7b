"""From a request's target and body to the reply: what the AWS JSON 1.0 protocol says, whatever carries it."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from . import domains, executions, faults, tasks, visibility
from .endpoint import Endpoint
from .faults import Fault
from .model import model
from .polls import ACTIVITY, DECISION, Polls
from .signing import Signatures

LONG_POLL = 60.0
NOT_TOLD = 1.0
"""Seconds for which a task rests that could not be told to who had waited for it."""

Request = dict[str, Any]
Handler = Callable[[Endpoint, Request], Any]

HANDLERS: dict[str, Handler] = {
    **domains.OPERATIONS,
    **executions.OPERATIONS,
    **tasks.OPERATIONS,
    **visibility.OPERATIONS,
}
POLLS = {"PollForDecisionTask": DECISION, "PollForActivityTask": ACTIVITY}

logger = logging.getLogger("pyworkflow.swf")


class Reply(NamedTuple):
    """HTTP's status and body."""

    status: int
    body: bytes


class App:
    """Answers the requests of an endpoint's clients in an event loop, between `start` and `stop`.

    Calls of the backend run in threads; `long_poll` is how many seconds a poll waits, which costs none.
    """

    def __init__(self, endpoint: Endpoint, signatures: Signatures, long_poll: float = LONG_POLL) -> None:
        self.endpoint = endpoint
        self.polls = Polls(endpoint)
        self.long_poll = long_poll
        self._signatures = signatures
        self._model = model()

    def start(self) -> None:
        self._model.load()
        self.polls.start()

    async def stop(self) -> None:
        """Those who wait for tasks are let go with nothing."""
        await self.polls.stop()

    async def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The reply to a request; header names are lower. One who is canceled has been given no task."""
        try:
            self._signatures.check(path, headers, body, dt.datetime.now(dt.UTC))
            answer = await self._answer(headers.get("x-amz-target", "").rpartition(".")[2], body)
            return Reply(200, b"" if answer is None else msgspec.json.encode(answer))
        except Exception as error:
            return _refusal(error, "resource")

    async def _answer(self, operation: str, body: bytes) -> Any:
        request = self._model.read(operation, body or b"{}")
        if operation not in POLLS:
            return await self._run(HANDLERS[operation], request)
        if operation == "PollForDecisionTask" and request.get("nextPageToken"):
            return await self._run(tasks.next_decision_page, request)
        return await self._poll(operation, request)

    async def _poll(self, operation: str, request: Request) -> Any:
        kind, category = POLLS[operation], await self._run(_category, request)
        task = await self.polls.wait(kind, category, self.long_poll, request.get("identity"))
        if task is None:
            return tasks.NOBODY[operation]
        try:
            return await self._run(lambda endpoint, request: tasks.handed_out(endpoint, task, request), request)
        except asyncio.CancelledError:
            self.polls.hand_back(task)
            raise
        except Exception:  # It cannot be told what it is about: perhaps it can in a while, or elsewhere.
            self.polls.hand_back(task, NOT_TOLD)
            raise

    async def _run(self, handler: Handler, request: Request) -> Any:
        return await self.endpoint.call(lambda: _handled(handler, self.endpoint, request))


def _category(endpoint: Endpoint, request: Request) -> str:
    return endpoint.domain(request["domain"]).inside(request["taskList"]["name"])


def _handled(handler: Handler, endpoint: Endpoint, request: Request) -> Any:
    """What a handler returns; its errors as faults that say what the request was about."""
    try:
        return handler(endpoint, request)
    except Exception as error:
        raise faults.of(error, _resource(request)) or error from None


def _refusal(error: Exception, resource: str) -> Reply:
    fault = error if isinstance(error, Fault) else faults.of(error, resource)
    if fault is None:
        logger.error("a request could not be processed", exc_info=error)
        fault = faults.INTERNAL
    return Reply(fault.status, msgspec.json.encode(fault.body))


def _resource(request: Request) -> str:
    """What a request was about, in SWF's words."""
    execution = request.get("execution") or request
    if "workflowId" not in execution:
        return "token" if "taskToken" in request else "resource"
    about = f"workflowId={execution['workflowId']}"
    if execution.get("runId"):
        about += f", runId={execution['runId']}"
    return f"execution: WorkflowExecution=[{about}]"
