"""Tokens: what names one hand-out of a task, `process:run:scheduled:started` or `process:run:started`."""

from __future__ import annotations

import re

from ..exceptions import UnknownActivityException, UnknownDecisionException

_NAME = "([^:\ud800-\udfff]{1,256})"
_NUMBER = "([1-9][0-9]{0,8})"
_ACTIVITY = re.compile(f"{_NAME}:{_NAME}:{_NUMBER}:{_NUMBER}")
_DECISION = re.compile(f"{_NAME}:{_NAME}:{_NUMBER}")


def activity_token(token: object) -> tuple[str, str, int, int]:
    """Process, run, schedule and start of an activity task's token. Raises UnknownActivityException."""
    found = _ACTIVITY.fullmatch(token) if isinstance(token, str) else None
    if found is None:
        raise UnknownActivityException(f"{_short(token)} is not the token of an activity task")
    process, run, scheduled, started = found.groups()
    return process, run, int(scheduled), int(started)


def decision_token(token: object) -> tuple[str, str, int]:
    """Process, run and start of a decision task's token. Raises UnknownDecisionException."""
    found = _DECISION.fullmatch(token) if isinstance(token, str) else None
    if found is None:
        raise UnknownDecisionException(f"{_short(token)} is not the token of a decision task")
    process, run, started = found.groups()
    return process, run, int(started)


def _short(token: object) -> str:
    shown = repr(token)
    return shown if len(shown) <= 100 else f"{shown[:100]}…"
