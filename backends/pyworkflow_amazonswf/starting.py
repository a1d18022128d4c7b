"""Starting, signaling, canceling and ending processes: one request of ours, one or two of SWF's."""

from __future__ import annotations

import time
from typing import Any

from pyworkflow.backend.model import IfRunning
from pyworkflow.engine import messages as msg
from pyworkflow.engine.translate import Translator, policy, priority
from pyworkflow.exceptions import (
    BackendUnavailable,
    ProcessAlreadyRunning,
    UnknownProcessException,
    UnknownTypeException,
    WorkflowError,
)
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow.values import fresh_id

from . import words
from .answers import cut
from .family import Family
from .lists import CLOSED, OPEN
from .news import News
from .payloads import SwfTexts
from .questions import Questions
from .run import Run
from .service import Service, SwfFault
from .tokens import target
from .types import SwfTypes, execution_timeout, task_timeout

PATIENCE = 5.0
"""Seconds in which SWF's lists show what was started."""


class Requests:
    """What users say to processes. SWF knows no ids of requests: ours travel in envelopes and are looked for there."""

    def __init__(
        self,
        service: Service,
        types: SwfTypes,
        texts: SwfTexts,
        translator: Translator,
        questions: Questions,
        news: News,
        family: Family,
    ) -> None:
        self.service = service
        self.types = types
        self.texts = texts
        self.translator = translator
        self.questions = questions
        self.news = news
        self.family = family

    # -- starting ----------

    def start(
        self,
        process: Process,
        request_id: str | None,
        if_running: IfRunning,
        signal: Signal | None,
        timeout: float | None,
        decision_timeout: float | None,
        category: str | None,
        rank: int,
    ) -> str:
        start = self.translator.start(
            process, request_id, if_running, signal, timeout, decision_timeout, category, rank
        )
        parameters = self._parameters(start, process.input)
        self.types.ensure()
        self.types.ensure_workflow(start.workflow, start.version)
        if not (start.request_id and self._began(start.process, start.request_id, CLOSED)):
            self._start(start, parameters)
        if signal is not None:
            self.signal(start.process, signal, None, start.request_id or None)
        return start.process

    def _parameters(self, start: msg.Start, input: Any) -> dict[str, Any]:
        return {
            "workflowId": start.process,
            "workflowType": {"name": start.workflow, "version": start.version},
            "taskList": {"name": start.category},
            "taskPriority": str(priority(start.priority)),
            "input": self.texts.wrap(input, start.request_id),
            "executionStartToCloseTimeout": execution_timeout(start.timeout),
            "taskStartToCloseTimeout": task_timeout(start.decision_timeout),
            "tagList": start.tags or None,
            "childPolicy": "ABANDON",
        }

    def _start(self, start: msg.Start, parameters: dict[str, Any]) -> None:
        """Start it, or come to terms with the one that is there."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                run = self.service.call("start_workflow_execution", **parameters)["runId"]
                return self.questions.remember(start.process, run)
            except SwfFault as error:
                if error.code != "WorkflowExecutionAlreadyStartedFault":
                    raise _not_started(error) from error
            if start.request_id and self._began(start.process, start.request_id, OPEN):
                return None
            if start.if_running == "use_existing":
                return None
            if start.if_running == "fail":
                found = self.questions.lists.newest(start.process, OPEN)
                raise ProcessAlreadyRunning(start.process, "unknown" if found is None else found.run)
            self._replace(start.process)
            if time.monotonic() > end:
                raise BackendUnavailable(f"process {start.process!r} is started again and again by others")

    def _replace(self, id: str) -> None:
        try:
            self.terminate(id, "replaced by a new start", None, None)
        except UnknownProcessException:
            """It has ended in the meantime."""

    def _began(self, id: str, request: str, which: str) -> bool:
        """Did this request start the process that is listed there?"""
        found = self.questions.lists.newest(id, which)
        return found is not None and self.questions.runs.now(id, found.run).request == request

    # -- what is said to open processes ----------

    def signal(self, ref: Process | str, signal: Signal | str, data: Any, request_id: str | None) -> None:
        id, run = target(ref)
        message = self.translator.signal("", signal, data, request_id)
        words.check(message.name)
        value = signal.data if isinstance(signal, Signal) else Signal(signal, data).data
        # A fresh id where none is given: boto3 repeats a call whose reply was lost.
        self._signal(id, run, message.name, self.texts.wrap(value, message.request_id or fresh_id()))

    def _signal(self, id: str, run: str | None, name: str, text: str | None) -> None:
        self.service.tell("signal_workflow_execution", id, run, signalName=name, input=text)

    def cancel(self, ref: Process | str, details: Any) -> None:
        id, run = target(ref)
        if details is not None:
            self._signal(id, run, words.CANCEL, self.texts.dump(details))
        self.service.tell("request_cancel_workflow_execution", id, run)

    def terminate(self, ref: Process | str, reason: str | None, details: Any, child_policy: str | None) -> None:
        id, run = target(ref)
        if child_policy is not None:
            policy(child_policy)
        text = self.texts.dump(details)
        about = {"reason": cut(reason), "details": text, "childPolicy": child_policy}
        known = self._open(id, run) if child_policy is None or self.news.wanted else None
        self.family.terminate(id, run if known is None else known.run, known, **about)

    def _open(self, id: str, run: str | None) -> Run | None:
        """What is known of an open process. None where it cannot be read, or where SWF's lists do not have it yet."""
        try:
            found = self.questions.run(id, run)
        except WorkflowError:
            return None
        return found if found.result is None else None

    def resume(self, ref: Process | str) -> None:
        id, run = target(ref)
        self._signal(id, run, words.RESUME, "{}")


def _not_started(error: SwfFault) -> Exception:
    if error.code in ("UnknownResourceFault", "TypeDeprecatedFault"):
        return UnknownTypeException(f"Amazon SWF cannot start it: {error}")
    return ValueError(f"Amazon SWF does not take it: {error}")
