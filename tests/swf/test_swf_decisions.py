"""SWF's decisions beside ours: every type is there, says what SWF's model says, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest

from pyworkflow import decision as dec
from pyworkflow.process import Process
from pyworkflow.signal import Signal
from pyworkflow_swf import FOREVER, ForeignDecision, JsonTexts, read_decision, write_decision
from pyworkflow_swf.decisions import BY_KIND, ROWS, attributes_name

from .model import check, enum, members

TEXTS = JsonTexts()
SAMPLES: list[dec.Decision] = [
    dec.ScheduleActivity("A", "a", version="1.0"),
    dec.ScheduleActivity(
        "A", "a", "far", {"n": [1, None]}, version="7", priority=-9, scheduled_timeout=1, execution_timeout=2,
        heartbeat_timeout=3, close_timeout=FOREVER,
    ),
    dec.CancelActivity("a"),
    dec.CompleteProcess(),
    dec.CompleteProcess({"n": 1}),
    dec.FailProcess("why", [1]),
    dec.CancelProcess("d"),
    dec.ContinueAsNew(),
    dec.ContinueAsNew(1, version="2", tags=["t"], timeout=5, decision_timeout=FOREVER, category="far", priority=3),
    dec.ContinueAsNew(tags=[]),
    dec.RecordMarker("m", {"a": "ü😀"}),
    dec.Timer(5, id="t"),
    dec.Timer(0, [1], id="t"),
    dec.CancelTimer("t"),
    dec.SignalProcess("q", Signal("s", 0)),
    dec.SignalProcess("q:run", "s"),
    dec.RequestCancelProcess("q"),
    dec.RequestCancelProcess("q:run"),
    dec.StartChildProcess(Process("W", "c", version="1.0")),
    dec.StartChildProcess(
        Process("W", "c", {"n": 1}, ["t"], version="2"), "TERMINATE", timeout=5, decision_timeout=6, category="far",
        priority=2,
    ),
    ForeignDecision("ScheduleLambdaFunction", {"id": "l", "name": "f", "input": "{}"}),
]  # fmt: skip


def plain(value: Any) -> Any:
    """What a decision says, in full."""
    if isinstance(value, Process | Signal | dec.Decision):
        return {name: plain(each) for name, each in vars(value).items() if name != "history"}
    return value


def test_every_type_of_decision_has_a_row() -> None:
    assert {*BY_KIND, "ScheduleLambdaFunction"} == enum("DecisionType")
    own = {cls for cls in vars(dec).values() if isinstance(cls, type) and issubclass(cls, dec.Decision)}
    assert {row.cls for row in ROWS} == own - {dec.Decision}
    assert {row.kind for row in ROWS} == {write_decision(each, TEXTS)["decisionType"] for each in SAMPLES} - {
        "ScheduleLambdaFunction"
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.kind)
def test_every_field_is_one_of_swf_s(row: Any) -> None:
    there = members(members("Decision")[attributes_name(row.kind)].name)
    mapped = {field.theirs.split(".")[0] for field in row.fields.fields}
    assert mapped <= set(there)
    left = {"control", "lambdaRole"} | ({"childPolicy"} if row.kind.startswith("Continue") else set())
    assert set(there) - mapped <= left


@pytest.mark.parametrize("decision", SAMPLES, ids=lambda each: each.type)
def test_a_decision_is_one_of_swf_s_and_comes_back(decision: dec.Decision) -> None:
    written = write_decision(decision, TEXTS)
    check("Decision", written)
    back = read_decision(written, TEXTS)
    assert type(back) is type(decision)
    assert plain(back) == plain(decision)


def test_times_are_whole_seconds_and_never_early() -> None:
    written = write_decision(dec.Timer(0.25, id="t"), TEXTS)
    assert written["startTimerDecisionAttributes"]["startToFireTimeout"] == "1"
    written = write_decision(dec.ScheduleActivity("A", execution_timeout=1.5), TEXTS)
    assert written["scheduleActivityTaskDecisionAttributes"]["startToCloseTimeout"] == "2"
    with pytest.raises(ValueError, match="99,999,999"):
        write_decision(dec.Timer(1e8, id="t"), TEXTS)


def test_a_long_reason_is_cut() -> None:
    reason = write_decision(dec.FailProcess("x" * 300), TEXTS)["failWorkflowExecutionDecisionAttributes"]["reason"]
    assert len(reason) == 256 and reason.endswith("x…")


def test_what_others_wrote_is_readable() -> None:
    decision = {"decisionType": "CompleteWorkflowExecution"}
    assert read_decision(decision, TEXTS) == dec.CompleteProcess(None)
    decision["completeWorkflowExecutionDecisionAttributes"] = {"result": "plain text"}  # type: ignore[assignment]
    assert read_decision(decision, TEXTS) == dec.CompleteProcess("plain text")
