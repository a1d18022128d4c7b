"""Reset: a run that begins with the history of another, record by record."""

from typing import Any

import pytest

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import Head, Limits
from pyworkflow.engine.machine import Draft, apply
from pyworkflow.engine.machine.reset import MovedOn, check_cut, held_at
from pyworkflow.exceptions import CannotReset

T = 1_000.0


def start(**more: Any) -> rec.ProcessStarted:
    return rec.ProcessStarted(workflow="W", version="1", category="c", time=T, **more)


def scheduled(id: str = "a", **more: Any) -> rec.ActivityScheduled:
    return rec.ActivityScheduled(id=id, activity="A", version="1", category="w", time=T, **more)


def fork(records: list[rec.Record], now: float = T + 100, **more: Any) -> Draft:
    """Another process that goes on with these."""
    draft = Draft(None, now, Limits())
    message = msg.Reset(run="n", process="q", source="p", source_run="r", records=records, **more)
    assert apply(draft, message) == "n"
    return draft


DECIDING = [start(), rec.DecisionStarted(time=T)]
OPEN: list[tuple[str, list[rec.Record], dict[str, Any]]] = [
    ("an activity that waits", [scheduled()], {"activities": ["a"]}),
    ("one that was taken", [scheduled(), rec.ActivityStarted(scheduled=3)], {"activities": ["a"]}),
    (
        "one that was handed back",
        [scheduled(), rec.ActivityStarted(scheduled=3), rec.ActivityReleased(scheduled=3)],
        {"activities": ["a"]},
    ),
    *(
        (f"one that is over: {end.__name__}", [scheduled(), rec.ActivityStarted(scheduled=3), end(scheduled=3)], {})
        for end in (rec.ActivityCompleted, rec.ActivityFailed, rec.ActivityCanceled, rec.ActivityTimedOut)
    ),
    ("a timer", [rec.TimerStarted(id="t", delay=1e6, time=T)], {"timers": ["t"]}),
    ("a canceled timer", [rec.TimerStarted(id="t", delay=1e6), rec.TimerCanceled(id="t")], {}),
    ("a timer that fired", [rec.TimerStarted(id="t", delay=1), rec.TimerFired(started=3)], {}),
    ("a signal that arrived", [rec.SignalInitiated(process="x", name="s"), rec.SignalDelivered(initiated=3)], {}),
    ("a cancel request that arrived", [rec.CancelInitiated(process="x"), rec.CancelDelivered(initiated=3)], {}),
    (
        "a signal that could not",
        [rec.SignalInitiated(process="x", name="s"), rec.DecisionRefused(initiated=3, cause="X")],
        {},
    ),
    (
        "a child that is over",
        [
            rec.ChildInitiated(process="k", workflow="K", version="1", child_policy="ABANDON"),
            rec.ChildStarted(initiated=3),
            rec.ChildClosed(initiated=3, status="completed"),
        ],
        {},
    ),
    ("a request for cancellation", [rec.DecisionCompleted(), rec.CancelRequested()], {"cancel_requested": True}),
    ("a block", [rec.DecisionFailed(), rec.ProcessBlocked()], {"status": "running"}),
]


@pytest.mark.parametrize(("records", "open"), [row[1:] for row in OPEN], ids=[row[0] for row in OPEN])
def test_what_is_open_is_told_from_the_records(records: list[rec.Record], open: dict[str, Any]) -> None:
    head = fork([*DECIDING, *records]).head
    assert [state.id for state in head.activities.values()] == open.get("activities", [])
    assert [state.started for state in head.activities.values()] == [0] * len(head.activities)
    assert list(head.timers) == open.get("timers", [])
    assert (head.children, head.letters) == ({}, {})
    assert head.cancel_requested == open.get("cancel_requested", False)
    assert (head.status, head.decision.state) == ("running", "scheduled")


CHILD = rec.ChildInitiated(process="k", workflow="K", version="1", child_policy="ABANDON")


@pytest.mark.parametrize(
    "records",
    [[CHILD], [CHILD, rec.ChildStarted(initiated=3)], [rec.SignalInitiated(process="x", name="s")],
     [rec.CancelInitiated(process="x")]],
)  # fmt: skip
def test_news_of_other_processes_must_not_be_awaited(records: list[rec.Record]) -> None:
    with pytest.raises(CannotReset, match=r"the news of other processes are awaited \(events 3\)"):
        fork([*DECIDING, *records])


def test_records_are_taken_over_as_they_are() -> None:
    draft = fork([*DECIDING, scheduled()], reason="why")
    assert [(run, seq) for run, seq, _ in draft.written] == [("n", number) for number in range(1, 5)]
    assert [record.time for _, _, record in draft.written] == [T, T, T, T + 100]
    reset = draft.written[-1][2]
    assert reset == rec.ProcessReset(process="p", run="r", event=3, reason="why", time=T + 100)
    assert set(draft.tasks) == {"a:3", "d"}
    assert draft.archived is None


def test_times_do_not_go_back_where_the_other_clock_is_behind() -> None:
    draft = fork([*DECIDING, scheduled()], now=T - 50)
    assert draft.written[-1][2].time == T


def test_a_decision_that_was_held_is_released() -> None:
    draft = fork(list(DECIDING))
    assert [type(record) for _, _, record in draft.written[2:]] == [rec.ProcessReset, rec.DecisionReleased]
    assert draft.head.processed == 0


def test_the_last_decision_that_was_answered_is_remembered() -> None:
    assert fork([*DECIDING, scheduled()]).head.processed == 2
    assert fork([*DECIDING, rec.DecisionFailed(), rec.DecisionStarted()]).head.processed == 0


def test_a_process_that_went_on_must_be_read_again() -> None:
    message = msg.Reset(run="n", process="p", source="p", source_run="r", records=list(DECIDING), seen=("r", 4))
    for head in (Head("p", "r", "W", "1", seq=5), Head("p", "r", "W", "1", seq=5, status="completed")):
        with pytest.raises(MovedOn):
            apply(Draft(head, T, Limits()), message)


def test_the_last_requests_are_remembered_in_their_order() -> None:
    def signals(first: int, last: int) -> list[rec.Signaled]:
        return [rec.Signaled(name="s", request_id=str(number), time=T) for number in range(first, last)]

    draft = Draft(None, T, Limits(requests=5))
    records = [*DECIDING, *signals(0, 8)]
    apply(draft, msg.Reset(run="n", process="q", source="p", source_run="r", records=records, signals=signals(8, 10)))
    assert draft.head.requests == ["5", "6", "7", "8", "9"]


def test_a_run_must_have_room_to_go_on() -> None:
    records = [*DECIDING, *(rec.Signaled(name="s") for _ in range(50))]
    message = msg.Reset(run="n", process="q", source="p", source_run="r", records=records)
    with pytest.raises(CannotReset, match="52 events are too many"):
        apply(Draft(None, T, Limits(events=150)), message)
    apply(Draft(None, T, Limits(events=153)), message)


def test_the_parent_is_that_of_a_run_that_was_open() -> None:
    parent = rec.Parent("boss", "b", 3)
    for status, expected in (("running", parent), ("completed", None)):
        head = Head("p", "r", "W", "1", seq=5, parent=parent, status=status)  # type: ignore[arg-type]
        draft = Draft(head, T, Limits())
        apply(draft, msg.Reset(
            run="n", process="p", source="p", source_run="r", records=[start(parent=parent)], seen=("r", 5)
        ))  # fmt: skip
        assert draft.head.parent == draft.written[-2][2].parent == expected  # type: ignore[attr-defined]
        assert not any(key.startswith("l:") for key in draft.tasks), "the parent waits for the new run"


HISTORY = [
    start(),  # 1
    rec.DecisionStarted(),
    rec.Signaled(name="s"),
    scheduled(),
    rec.ActivityCancelRequested(id="a"),  # 5
    rec.ActivityCanceled(scheduled=4),
    rec.DecisionRefused(cause="X", decision=scheduled()),
    rec.DecisionStarted(),
    rec.DecisionTimedOut(),
    rec.DecisionStarted(),  # 10
    rec.DecisionCompleted(),
    rec.DecisionStarted(),
    rec.ProcessCompleted(),
]


def test_where_a_history_can_be_cut() -> None:
    def can(to: int) -> bool:
        try:
            check_cut(HISTORY, to)
        except CannotReset:
            return False
        return True

    assert [to for to in range(-1, 15) if can(to)] == [1, 2, 3, 7, 8, 9, 10, 11, 12]
    assert [held_at(HISTORY, to) for to in range(14)] == [0, 0, 2, 2, 0, 0, 0, 0, 8, 0, 10, 0, 12, 0]
