"""The desk: SWF's tasks become a worker's, and what a worker is done with is said to SWF."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pyworkflow.activity as act
from pyworkflow.backend.model import Failed, Finished, Released
from pyworkflow.engine.checks import TIMEOUT_TYPES, one_of
from pyworkflow.engine.translate import reason_text, seconds
from pyworkflow.exceptions import (
    BackendUnavailable,
    CorruptRecord,
    PayloadError,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
    WorkflowError,
)
from pyworkflow.process import Process
from pyworkflow.task import ActivityTask, DecisionTask

from . import words
from .answers import Answers, closes, cut
from .asking import instead_of_asking
from .family import Family
from .news import News
from .payloads import SwfTexts
from .polls import PollAgain
from .runs import PAGE, Runs
from .service import Service, SwfFault, stale
from .tokens import read_token, token
from .types import SwfTypes

logger = logging.getLogger("pyworkflow.amazonswf")
Json = dict[str, Any]

LATER = Released(delay=5.0)
"""What becomes of a task whose payloads cannot be read just now."""


class Desk:
    """Takes tasks and hands in outcomes; nothing waits here but SWF's own long polls."""

    def __init__(
        self,
        service: Service,
        types: SwfTypes,
        texts: SwfTexts,
        runs: Runs,
        answers: Answers,
        news: News,
        family: Family,
    ) -> None:
        self.service = service
        self.types = types
        self.texts = texts
        self.runs = runs
        self.answers = answers
        self.news = news
        self.family = family

    # -- what workers get ----------

    def take(self, key: tuple[str, str], identity: str | None) -> ActivityTask | DecisionTask | None:
        """One task of a kind and category; None where SWF had none. Raises PollAgain."""
        kind, category = key
        about = {"taskList": {"name": category}, "identity": reason_text(identity)[:256] or None}
        if kind == "activity":
            return self._activity(self.service.poll("poll_for_activity_task", **about))
        return self._decision(
            self.service.poll("poll_for_decision_task", **about, maximumPageSize=PAGE, startAtPreviousStartedEvent=True)
        )

    def _activity(self, reply: Json) -> ActivityTask | None:
        if not reply.get("taskToken"):
            return None
        execution, kind = reply["workflowExecution"], reply["activityType"]
        input = self._input(reply)
        known = self.types.activity(kind["name"], kind["version"])
        id = execution["workflowId"]
        context = {
            "token": token(id, execution["runId"], reply["startedEventId"], reply["taskToken"]),
            "version": kind["version"],
            "heartbeat_timeout": None if known is None else known.heartbeat_timeout,
        }
        return ActivityTask(act.ActivityExecution(kind["name"], reply["activityId"], input), id, context)

    def _input(self, reply: Json) -> Any:
        """The input of an activity; one that cannot be read is said to have failed, or handed back."""
        try:
            return self.texts.load(reply.get("input"))
        except PayloadError as error:
            self._say("respond_activity_task_failed", reply["taskToken"], reason=cut(error))
            raise PollAgain from error
        except BackendUnavailable:
            operation, about = self._end(LATER)
            self._say(operation, reply["taskToken"], **about)
            raise

    def _decision(self, reply: Json) -> DecisionTask | None:
        if not reply.get("taskToken"):
            return None
        process, own = self._process(reply)
        if own is not None:
            self._say("respond_decision_task_completed", reply["taskToken"], decisions=own)
            raise PollAgain
        held = token(str(process.id), str(process.run), reply["startedEventId"], reply["taskToken"])
        return DecisionTask(process, {"token": held})

    def _process(self, reply: Json) -> tuple[Process, list[Json] | None]:
        """The process that a decision is about, and the answer that needs no decider."""
        execution, started = reply["workflowExecution"], reply["startedEventId"]
        process = Process(id=execution["workflowId"], run=execution["runId"])
        try:
            run = self.runs.until(str(process.id), str(process.run), started, reply.get("events") or [])
            own = instead_of_asking(run)
            self.news.taken(run, started, asked=own is None)
            return run.process(started if run.part is None else run.part[0]), own
        except (PayloadError, CorruptRecord) as error:
            return process, self._unreadable(error)
        except (
            BackendUnavailable
        ):  # What keeps large payloads may be back in a while; SWF itself hears nothing of this.
            with suppress(WorkflowError):
                decisions = self.answers.released(LATER)
                self._say("respond_decision_task_completed", reply["taskToken"], decisions=decisions)
            raise

    def _unreadable(self, error: Exception) -> list[Json]:
        """A history that cannot be read, for want of a codec for instance, blocks the process, visibly."""
        reason = f"{type(error).__name__}: {error}"
        logger.error("a history cannot be read, its process is blocked: %s", reason)
        told = self.texts.dump({"reason": reason, "details": None})
        return [words.marker(words.FAILED, told), words.marker(words.BLOCKED, told)]

    # -- what workers say ----------

    def hand_in(self, finished: Finished) -> None:
        """Say what came of a task. Raises UnknownActivityException, UnknownDecisionException, ValueError."""
        task, outcome = finished.task, finished.outcome
        process, run_id, started, task_token = read_token(task)
        if isinstance(task, DecisionTask):
            try:
                decisions = self._answer(process, run_id, outcome)
                self._say("respond_decision_task_completed", task_token, decisions=decisions)
            except SwfFault as error:
                what = f"decision task {process}:{run_id}:{started} is not open"
                raise stale(error, UnknownDecisionException, what) from error
            except UnknownProcessException as error:
                raise UnknownDecisionException(str(error)) from error
            if closes(decisions):
                self.news.ended(process, run_id, started)
                self.family.answered(process, run_id, decisions)
            return
        operation, about = self._end(outcome)
        try:
            self._say(operation, task_token, **about)
        except SwfFault as error:
            what = f"activity task {process}:{run_id}:{started} is not open"
            raise stale(error, UnknownActivityException, what) from error

    def heartbeat(self, task: ActivityTask, details: Any) -> bool:
        process, run_id, started, task_token = read_token(task)
        text = self.texts.heartbeat(details)
        try:
            reply = self._say("record_activity_task_heartbeat", task_token, details=text)
        except SwfFault as error:
            what = f"activity task {process}:{run_id}:{started} is not open"
            raise stale(error, UnknownActivityException, what) from error
        return bool(reply.get("cancelRequested"))

    def hand_back(self, task: ActivityTask | DecisionTask) -> None:
        self.hand_in(Finished(task, Released()))

    def _say(self, operation: str, task_token: str, **about: Any) -> Json:
        return self.service.answer(operation, taskToken=task_token, **about)

    def _answer(self, process: str, run_id: str, outcome: Any) -> list[Json]:
        match outcome:
            case Failed():
                return self.answers.failed(self.runs.known(process, run_id), outcome)
            case Released():
                return self.answers.released(outcome)
            case act.ActivityResult():
                raise ValueError(f"{outcome!r} is no answer to a decision task")
        return self.answers.decided(self.runs.known(process, run_id), outcome)

    def _end(self, outcome: Any) -> tuple[str, Json]:
        for cls, (operation, about) in _ENDS.items():
            if isinstance(outcome, cls):
                return operation, about(self.texts, outcome)
        raise ValueError(f"{outcome!r} is no result of an activity")


def _said_to_be_late(texts: SwfTexts, outcome: act.ActivityTimedOut) -> Json:
    kind = one_of("a timeout's type", outcome.timeout_type or "START_TO_CLOSE", TIMEOUT_TYPES)
    return {"reason": words.TIMED_OUT, "details": texts.dump([outcome.details, kind])}


_ENDS: dict[type[Any], tuple[str, Callable[[SwfTexts, Any], Json]]] = {
    act.ActivityCompleted: (
        "respond_activity_task_completed",
        lambda texts, it: {"result": texts.dump(it.result)},
    ),
    act.ActivityFailed: (
        "respond_activity_task_failed",
        lambda texts, it: {"reason": cut(it.reason), "details": texts.dump(it.details)},
    ),
    act.ActivityCanceled: (
        "respond_activity_task_canceled",
        lambda texts, it: {"details": texts.dump(it.details)},
    ),
    act.ActivityTimedOut: ("respond_activity_task_failed", _said_to_be_late),
    Released: (
        "respond_activity_task_failed",
        lambda texts, it: {
            "reason": words.HANDED_BACK,
            "details": texts.dump(seconds(it.delay, "a delay") or None),
        },
    ),
}
"""What is said to SWF of each outcome of an activity."""


def refusals(desk: Desk, finished: Sequence[Finished]) -> list[tuple[Finished, Exception]]:
    """Hand in what is finished; what cannot be, with the error that says why. Raises BackendUnavailable."""
    refused: list[tuple[Finished, Exception]] = []
    for item in finished:
        try:
            desk.hand_in(item)
        except SwfFault as error:
            refused.append((item, ValueError(f"Amazon SWF does not take it: {error}")))
        except (ValueError, UnknownActivityException, UnknownDecisionException) as error:
            refused.append((item, error))
    return refused
