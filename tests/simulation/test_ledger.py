"""A ledger finds what is wrong with a history: a row a promise that is broken by its last event."""

from __future__ import annotations

import pytest

from pyworkflow.engine import records as rec
from pyworkflow.engine.codec import encode, seal, seed
from pyworkflow.testing.invariants import InvariantViolated, Ledger


def started(**options) -> rec.ProcessStarted:
    return rec.ProcessStarted(workflow="W", version="1", category="c", **options)


def scheduled(id: str = "a", **options) -> rec.ActivityScheduled:
    return rec.ActivityScheduled(id=id, activity="A", version="1", category="w", **options)


HOLD, NOTHING, SIGNAL = rec.DecisionStarted, rec.DecisionCompleted, rec.Signaled(name="s")
CHILD = rec.ChildInitiated(process="k", workflow="K", version="1", child_policy="ABANDON")
TIMER = rec.TimerStarted(id="t", delay=5.0)
STOP = rec.ProcessTerminated()
DONE = rec.ProcessCompleted()
REFUSED = rec.DecisionRefused(cause="TIMER_ID_UNKNOWN", decision=rec.TimerCanceled(id="t"))
HELD = [started(), HOLD()]
WORKING = [*HELD, scheduled(), rec.ActivityStarted(scheduled=3)]


def at(time: float, record: rec.Record) -> rec.Record:
    copy = record.__copy__()
    copy.time = time
    return copy


BAD = {
    "no start": (2, [SIGNAL]),
    "two starts": (2, [started(), started()]),
    "an event after the close": (2, [started(), STOP, SIGNAL]),
    "two closes": (2, [started(), STOP, STOP]),
    "time that goes back": (15, [at(5, started()), at(4, SIGNAL)]),
    "two decisions at once": (3, [*HELD, SIGNAL, HOLD()]),
    "the end of a decision that nobody holds": (3, [started(), rec.DecisionTimedOut()]),
    "a decision that nothing calls for": (4, [*HELD, NOTHING(), HOLD()]),
    "a decision while blocked": (4, [*HELD, rec.DecisionFailed(), rec.ProcessBlocked(), HOLD()]),
    "blocked while held": (4, [*HELD, rec.ProcessBlocked()]),
    "resumed and not blocked": (4, [started(), rec.ProcessResumed()]),
    "a close that has not seen a signal": (4, [*HELD, SIGNAL, DONE]),
    "a close after a refused decision": (17, [*HELD, REFUSED, DONE]),
    "decisions of nobody": (17, [started(), TIMER]),
    "half an answer later": (17, [*HELD, TIMER, at(1, scheduled())]),
    "a second answer": (17, [*HELD, NOTHING(), SIGNAL, scheduled()]),
    "an id twice": (5, [*HELD, scheduled(), scheduled()]),
    "an end without a schedule": (6, [started(), rec.ActivityCompleted(scheduled=1)]),
    "two ends": (6, [*WORKING, rec.ActivityCompleted(scheduled=3), rec.ActivityCompleted(scheduled=3)]),
    "an end that nobody started": (7, [*HELD, scheduled(), rec.ActivityCompleted(scheduled=3)]),
    "canceled and nobody asked": (7, [*HELD, scheduled(), SIGNAL, rec.ActivityCanceled(scheduled=3)]),
    "two holders": (7, [*WORKING, rec.ActivityStarted(scheduled=3)]),
    "handed back by nobody": (7, [*HELD, scheduled(), rec.ActivityReleased(scheduled=3)]),
    "a cancel request for nothing": (6, [*HELD, rec.ActivityCancelRequested(id="a")]),
    "a request twice": (9, [started(), *[rec.Signaled(name="s", request_id="q")] * 2]),
    "a cancel request twice": (9, [started(), *[rec.CancelRequested()] * 2]),
    "a timer that fires early": (11, [*HELD, TIMER, at(4, rec.TimerFired(started=3))]),
    "a timer that fires twice": (11, [*HELD, TIMER, *[at(5, rec.TimerFired(started=3))] * 2]),
    "a timer that was canceled": (11, [*HELD, TIMER, rec.TimerCanceled(id="t"), at(5, rec.TimerFired(started=3))]),
    "a timer twice": (11, [*HELD, TIMER, TIMER]),
    "a timer canceled twice": (11, [*HELD, TIMER, rec.TimerCanceled(id="t"), rec.TimerCanceled(id="t")]),
    "a timer that was forgotten": (14, [*HELD, TIMER, at(6, SIGNAL)]),
    "a decision that timed out early": (11, [started(decision_timeout=5.0), HOLD(), at(4, rec.DecisionTimedOut())]),
    "a decision that has no timeout": (11, [*HELD, rec.DecisionTimedOut()]),
    "an answer that came too late": (14, [started(decision_timeout=5.0), HOLD(), at(6, NOTHING())]),
    "a process that timed out early": (11, [started(timeout=5.0), at(4, rec.ProcessTimedOut())]),
    "a process that should have": (14, [started(timeout=5.0), at(6, SIGNAL)]),
    "an activity that nobody took, early": (11, [*HELD, scheduled(scheduled_timeout=5.0),
        at(4, rec.ActivityTimedOut(scheduled=3, timeout_type="SCHEDULE_TO_START"))]),
    "an activity that was taken too late": (14, [*HELD, scheduled(scheduled_timeout=5.0),
        at(6, rec.ActivityStarted(scheduled=3))]),
    "an activity that took too long": (14, [*HELD, scheduled(execution_timeout=5.0), rec.ActivityStarted(scheduled=3),
        at(6, rec.ActivityCompleted(scheduled=3))]),
    "an activity that was open too long": (14, [*HELD, scheduled(close_timeout=5.0), rec.ActivityStarted(scheduled=3),
        at(6, rec.ActivityCompleted(scheduled=3))]),
    "a child that starts twice": (18, [*HELD, CHILD, *[rec.ChildStarted(initiated=3)] * 2]),
    "a child that closes before it starts": (18, [*HELD, CHILD, rec.ChildClosed(initiated=3, status="completed")]),
    "an answer to no letter": (6, [*HELD, rec.SignalDelivered(initiated=2)]),
    "a refusal of no letter": (6, [*HELD, rec.DecisionRefused(initiated=2, cause="X")]),
    "the answer to another letter": (6, [*HELD, rec.CancelInitiated(process="x"), rec.SignalDelivered(initiated=3)]),
}  # fmt: skip


def tell(records: list[rec.Record]) -> Ledger:
    ledger, crc = Ledger("p", "r"), seed("p", "r")
    for record in records:
        sealed, crc = seal(encode(record), crc)
        ledger.tell(sealed)
    return ledger


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_found_at_its_last_event(name):
    invariant, records = BAD[name]
    tell(records[:-1])
    with pytest.raises(InvariantViolated, match=f"^invariant {invariant}: event {len(records)} of process 'p', run r "):
        tell(records)


def test_a_changed_event_breaks_the_chain():
    ledger = tell([started()])
    sealed, _ = seal(encode(SIGNAL), ledger.crc)
    with pytest.raises(InvariantViolated, match="invariant 1: event 2"):
        ledger.tell(sealed.replace(b'"s"', b'"x"'))
