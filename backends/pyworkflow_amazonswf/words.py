"""pyworkflow's own words in SWF's histories: what SWF cannot say is said in markers, signals, timers and reasons.

Other clients see them under these names; our readers turn them into events, or leave them out.
"""

from __future__ import annotations

from typing import Any

from pyworkflow_swf.values import whole

OURS = "pyworkflow."

# Markers, the first decision of an answer that the backend gives in a decider's place, or beside it.
FAILED = OURS + "failed"
RELEASED = OURS + "released"
BLOCKED = OURS + "blocked"
PASSED = OURS + "passed"
"""A decision task that was none of the decider's business: what woke it is not to be seen."""
PART = OURS + "part"
"""A part of an answer that is too long for one; `done` of its decisions are there."""
WHOLE = OURS + "whole"

# Signals.
RESUME = OURS + "resume"
CANCEL = OURS + "cancel"
"""The details of the cancel request that follows; SWF's have none."""

# Timers.
MORE = OURS + "more"
"""Fires at once: there is more to be answered."""
WAIT = OURS + "wait"
"""Until it fires the decider is not asked."""
AGAIN = OURS + "again"
"""When it fires, or at once as the `control` of an activity: an activity that was handed back is scheduled again."""

POLICY = OURS + "policy"
"""With a policy behind it the `control` of a child, alone the reason of one that was terminated by its policy."""

HANDED_BACK = OURS + "released"
"""The reason of an activity that did not fail, but was handed back."""
TIMED_OUT = OURS + "timedout"
"""The reason of an activity that itself said that it had timed out, which SWF leaves to its clock."""


def check(name: str) -> None:
    """What users name must not look like ours. Raises ValueError."""
    if name.startswith(OURS):
        raise ValueError(f"{name!r} begins with {OURS!r}, which is kept for pyworkflow itself: use another name")


def policy(name: str) -> str:
    """The `control` of a child with this policy."""
    return f"{POLICY}.{name}"


def policy_of(control: str | None) -> str | None:
    """The policy that a child's `control` says, None for that of another client."""
    return control.removeprefix(f"{POLICY}.") if control is not None and control.startswith(f"{POLICY}.") else None


def marker(name: str, details: str | None = None) -> dict[str, Any]:
    """The decision that writes one of our words into a history."""
    attributes = {"markerName": name} if details is None else {"markerName": name, "details": details}
    return {"decisionType": "RecordMarker", "recordMarkerDecisionAttributes": attributes}


def timer(id: str, seconds: float) -> dict[str, Any]:
    """The decision that starts a timer of ours."""
    attributes = {"timerId": id, "startToFireTimeout": whole(seconds)}
    return {"decisionType": "StartTimer", "startTimerDecisionAttributes": attributes}
