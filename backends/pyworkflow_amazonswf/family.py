"""Children whose parent closes: pyworkflow's policy is each child's own, where SWF has one for all that a run has.

So SWF is told ABANDON, ours stands in a child's `control`, and whoever closes a parent applies it to what it leaves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from pyworkflow.exceptions import UnknownProcessException, WorkflowError

from . import words
from .news import News
from .run import Child, Run
from .runs import Runs
from .service import Service

logger = logging.getLogger("pyworkflow.amazonswf")


class Family:
    """Ends runs, and says to their children what their policies are."""

    def __init__(self, service: Service, runs: Runs, news: News) -> None:
        self._service = service
        self._runs = runs
        self._news = news

    def terminate(self, id: str, run_id: str | None, known: Run | None, **about: Any) -> None:
        """Terminate a run; what is `known` of it says which children it leaves. Raises UnknownProcessException."""
        left = list(known.children.values()) if known is not None and about.get("childPolicy") is None else []
        self._service.tell("terminate_workflow_execution", id, run_id, **about)
        if run_id is not None:
            self._news.ended(id, run_id)
        self._leave(id, left)

    def answered(self, id: str, run_id: str, decisions: Sequence[dict[str, Any]]) -> None:
        """An answer asked for the end of a run: if that has come, its children are told."""
        asked = any(words.policy_of(_control(each)) is not None for each in decisions)
        try:
            run = self._runs.known(id, run_id)
            if asked or any(child.policy != "ABANDON" for child in run.children.values()):
                run = self._runs.now(id, run_id)
                self._leave(id, [] if run.result is None else run.children.values())
        except WorkflowError as error:  # What was said to SWF has happened.
            logger.warning("process %r closed, and its children could not be looked for: %s", id, error)

    def _leave(self, parent: str, children: Iterable[Child]) -> None:
        for child in children:
            if child.policy != "ABANDON":
                try:
                    self._apply(child)
                except UnknownProcessException:
                    """It has ended, too."""
                except WorkflowError as error:
                    logger.warning("child %r of process %r, which closed, goes on: %s", child.id, parent, error)

    def _apply(self, child: Child) -> None:
        if child.run is None:  # By its id alone another process might be meant, whose start came first.
            logger.warning("child %r goes on: its parent closed before it heard that it runs", child.id)
        elif child.policy == "REQUEST_CANCEL":
            self._service.tell("request_cancel_workflow_execution", child.id, child.run)
        else:
            known: Run | None = None
            with suppress(WorkflowError):
                known = self._runs.now(child.id, child.run)
            self.terminate(child.id, child.run, known, reason=words.POLICY)


def _control(decision: dict[str, Any]) -> str | None:
    control: str | None = decision.get("startChildWorkflowExecutionDecisionAttributes", {}).get("control")
    return control
