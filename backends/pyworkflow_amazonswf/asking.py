"""Before a decider is asked: what pyworkflow answers in its place, to pause, to block, or because nothing is new."""

from __future__ import annotations

from typing import Any

from pyworkflow.engine.head import Limits

from . import words
from .run import Run

LONGEST_PAUSE = 60
LIMITS = Limits()


def backoff(failures: int) -> int:
    """Seconds to wait after so many failures in a row: none, then 1, 2, 4 … up to a minute."""
    return min(2 ** min(failures - 1, 10), LONGEST_PAUSE) if failures > 0 else 0


def instead_of_asking(run: Run) -> list[dict[str, Any]] | None:
    """The answer that needs no decider; None when it is to be asked.

    A decider whose answers are refused, or that does not answer, would be asked at once again by SWF, and fill its
    history up to SWF's limit of 25,000 events: it is asked ever later, and at last not any more.
    """
    passed = [words.marker(words.PASSED)]
    again = _activities_again(run)
    if run.blocked is not None or run.waiting:
        return passed + again
    if (why := _hopeless(run)) is not None:
        return [*passed, words.marker(words.BLOCKED, run.texts.dump({"reason": why, "details": None})), *again]
    pause = max(backoff(run.refusals - 1), backoff(run.timeouts - 1))
    if pause and not run.waited:
        return [*passed, words.timer(words.WAIT, pause), *again]
    news = run.part is not None or run.news()
    if again:
        return [*passed, *again, *([words.timer(words.MORE, 0)] if news else [])]
    return None if news else passed


def _hopeless(run: Run) -> str | None:
    if run.refusals >= LIMITS.refusals:
        return f"{run.refusals} answers in a row were refused: {run.cause}"
    if run.timeouts >= LIMITS.timeouts:
        return f"the decider did not answer in time, {run.timeouts} times in a row"
    return None


def _activities_again(run: Run) -> list[dict[str, Any]]:
    """Activities that were handed back: scheduled again when they are due, by a timer where that is later."""
    decisions = []
    for back in run.handed_back.values():
        if back.due:
            attributes = {"scheduleActivityTaskDecisionAttributes": back.attributes}
            decisions.append({"decisionType": "ScheduleActivityTask", **attributes})
        elif not back.timing:
            decisions.append(words.timer(f"{words.AGAIN}.{back.scheduled}", back.delay))
    return decisions
