"""The same errors everywhere: unknown ids, stale tokens, and questions that make no sense."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ..activity import ActivityExecution
from ..backend import ProcessFilter
from ..decision import CompleteProcess
from ..exceptions import InvalidName, UnknownActivityException, UnknownDecisionException, UnknownProcessException
from ..process import Process
from ..task import ActivityTask, DecisionTask
from .backend_bench import BackendBench

VERBS = [
    "signal_process",
    "cancel_process",
    "terminate_process",
    "resume_process",
    "process_by_id",
    "describe_process",
    "history",
    "wait_for_process",
]
TOKENS = [
    "",
    "p",
    "p:r",
    "p:r:1",
    "p:r:1:2",
    "p:r:1:2:3",
    "p:r:x:2",
    "p:r:-1:2",
    "::1:2",
    "p:r:1:" + "9" * 5_000,
    "p:\ud800:1:2",
]


class Unknowns(BackendBench):
    """What is not there, or not any more."""

    def say(self, verb: str, ref: Any) -> None:
        more = {"signal_process": ("s",), "wait_for_process": (0,)}.get(verb, ())
        getattr(self.backend, verb)(ref, *more)

    @pytest.mark.parametrize("verb", VERBS)
    def test_an_unknown_process_is_unknown_to_every_verb(self, verb: str) -> None:
        self.start("p")
        for ref in (
            "unknown",
            "P",
            "p ",
            "unknown:run",
            "p:run",
            Process("W", "unknown"),
            Process("W", "p", run="run"),
        ):
            with pytest.raises(UnknownProcessException):
                self.say(verb, ref)
        assert self.types() == ["process_started"]

    @pytest.mark.parametrize("verb", VERBS)
    def test_what_can_be_no_id_is_said_to_be_none(self, verb: str) -> None:
        for ref in ("", "a/b", "a|b", "a\0", "x" * 257, "\ud800", 5, None, b"p", Process("W"), Process("W", "a:b")):
            with pytest.raises(InvalidName):
                self.say(verb, ref)

    @pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:20].encode("unicode_escape").decode())
    def test_a_token_that_was_never_given_is_no_task(self, token: str) -> None:
        self.start("p")
        self.open_decision()
        activity = ActivityTask(ActivityExecution("A"), "p", {"token": token})
        decision = DecisionTask(Process("W", "p"), {"token": token})
        self.refused(
            UnknownActivityException,
            lambda: self.backend.complete_activity_task(activity),
            lambda: self.backend.heartbeat_activity_task(activity),
            lambda: self.backend.release_task(activity),
        )
        self.refused(
            UnknownDecisionException,
            lambda: self.backend.complete_decision_task(decision, CompleteProcess()),
            lambda: self.backend.fail_decision_task(decision, "why"),
            lambda: self.backend.release_task(decision),
        )
        assert self.types() == ["process_started", "decision_started"]

    def test_a_token_that_names_other_events_is_no_task(self) -> None:
        task = self.begin()
        process, run, scheduled, started = task.token.split(":")
        for one, two in (
            ("0", started),
            ("1", "1"),
            (scheduled, scheduled),
            (scheduled, "99"),
            (started, scheduled),
            ("99", started),
        ):
            forged = ActivityTask.from_token(f"{process}:{run}:{one}:{two}")
            self.refused(
                UnknownActivityException,
                partial(self.backend.complete_activity_task, forged),
                partial(self.backend.heartbeat_activity_task, forged),
                partial(self.backend.release_task, forged),
            )
        self.backend.complete_activity_task(task)

    def test_a_task_without_a_token_is_no_task(self) -> None:
        with pytest.raises(UnknownActivityException):
            self.backend.complete_activity_task(ActivityTask(ActivityExecution("A"), "p"))
        with pytest.raises(UnknownDecisionException):
            self.backend.complete_decision_task(DecisionTask(Process("W", "p")))

    def test_tokens_of_purged_processes_are_stale(self) -> None:
        task = self.begin()
        self.backend.terminate_process("p")
        self.settle()
        assert self.backend.purge(self.clock.now + 1) == 1
        for say in (
            self.backend.complete_activity_task,
            self.backend.heartbeat_activity_task,
            self.backend.release_task,
        ):
            with pytest.raises(UnknownActivityException):
                say(task)

    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "é", "W10=", "WzEsMl0=", "eyJhIjoxfQ=="])
    def test_what_is_no_cursor_is_said_to_be_none(self, cursor: str) -> None:
        self.start()
        with pytest.raises(ValueError, match="cursor"):
            self.backend.list_processes(ProcessFilter(), 10, cursor)

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_page_has_at_least_one_place(self, limit: int) -> None:
        self.start()
        with pytest.raises(ValueError):
            self.backend.list_processes(ProcessFilter(), limit)

    @pytest.mark.parametrize("status", ["", "Running", "unknown", "open "])
    def test_what_is_no_status_is_said_to_be_none(self, status: str) -> None:
        with pytest.raises(ValueError, match="status"):
            self.backend.list_processes(ProcessFilter(status=status))
        with pytest.raises(ValueError, match="status"):
            self.backend.count_processes(ProcessFilter(status=status))

    @pytest.mark.parametrize(("skip", "limit"), [(-1, None), (0, -1), (-5, 3)])
    def test_a_history_has_no_negative_part(self, skip: int, limit: int | None) -> None:
        self.start()
        with pytest.raises(ValueError):
            self.backend.history("p", skip, limit)
