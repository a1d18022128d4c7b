"""Which errors of code fail its process, and in which words."""

from __future__ import annotations

from ..activity import ActivityResult
from ..decision import FailProcess
from ..exceptions import DecisionRefused
from ..process import ProcessFailed, ProcessResult
from ..workflow.answers import outcome_words

PAYS = (ActivityResult, ProcessResult, DecisionRefused, TimeoutError)
"""The errors that fail a process. Any other is a bug: the process waits until it is mended."""


def failure_of(error: BaseException) -> FailProcess:
    """The decision that fails a process for an error."""
    of = getattr(error, "of", None)
    if isinstance(error, ActivityResult):
        what = f"activity {of} {outcome_words(error)}" if of else outcome_words(error)
        return FailProcess(what, getattr(error, "details", None))
    if isinstance(error, ProcessFailed) and of is None:
        return FailProcess(error.reason, error.details)
    if isinstance(error, ProcessResult):
        reason = getattr(error, "reason", None)
        words = {"timedout": "timed out", "canceled": "was canceled", "terminated": "was terminated"}
        what = f"child {of} {words.get(error.type, error.type)}"
        return FailProcess(f"{what}: {reason}" if reason else what, getattr(error, "details", None))
    return FailProcess(str(error) or type(error).__name__)


def first_of(group: BaseException) -> BaseException:
    """The first error of a group, which may hold groups."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
