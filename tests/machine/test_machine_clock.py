"""Timers and deadlines as tables: fired in order, once, never early; the alarm that sees to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import deadlines
from pyworkflow.exceptions import UnknownProcessException

from .support import WAKE, Case, D, Machine, activity, answer, begin, start, table, take, timer

HELD = [start(), take()]
TIMER = [*HELD, answer(timer())]
SIGNAL = msg.Signal(name="s")

# fmt: off
TIMERS = [
    Case("start", HELD, (1.0, answer(timer(data=Raw(b"1")))), ["timer_started id=t delay=5.0 data=1"],
         {"alarm": "alarm @6"}, head={"timers.t.due": 6.0, "alarm": 6.0}),
    Case("fire", TIMER, (5.0, WAKE), ["timer_fired started=3"], {"alarm": None, "d": D(5)}, head={"timers": {}}),
    Case("late", TIMER, (99.0, WAKE), ["timer_fired started=3"], {"alarm": None, "d": D(99)}),
    Case("early", TIMER, (4.9, WAKE), [], {}, head={"len timers": 1}),
    Case("once", [*TIMER, (5.0, WAKE)], (6.0, WAKE), []),
    Case("fired by whatever comes first", TIMER, (5.0, SIGNAL), ["timer_fired started=3", "signaled name=s"],
         {"alarm": None, "d": D(5)}),
    Case("at once", HELD, answer(timer(delay=0.0)), ["timer_started id=t delay=0.0"], {"alarm": "alarm @0"}),
    Case("a later one keeps the alarm", [*TIMER, SIGNAL, take()], answer(timer("u", 9.0), started=5),
         ["timer_started id=u delay=9.0"], {}, head={"alarm": 5.0}),
    Case("an earlier one moves the alarm", [*TIMER, SIGNAL, take()], answer(timer("u", 2.0), started=5),
         ["timer_started id=u delay=2.0"], {"alarm": "alarm @2"}),
    Case("cancel", [*TIMER, SIGNAL, take()], answer(rec.TimerCanceled(id="t"), started=5), ["timer_canceled id=t"],
         head={"timers": {}}),
    Case("the alarm of a canceled one goes when it sounds", [*TIMER, SIGNAL, take(),
         answer(rec.TimerCanceled(id="t"), started=5)], (5.0, WAKE), [], {"alarm": None}),
    Case("the alarm moves to the next", [*HELD, answer(timer(), timer("u", 9.0))], (5.0, WAKE),
         ["timer_fired started=3"], {"alarm": "alarm @9", "d": D(5)}),
    Case("a canceled one does not fire in the same answer", HELD, answer(timer(), rec.TimerCanceled(id="t")),
         ["timer_started id=t delay=5.0", "timer_canceled id=t"], {"alarm": "alarm @5"}, head={"timers": {}}),
    Case("an id is free again", [*TIMER, (5.0, WAKE), take()], answer(timer(), started=5),
         ["timer_started id=t delay=5.0"], {"alarm": "alarm @10"}),
    Case("the process's own timeout", [start(timeout=9.0)], (9.0, WAKE), ["process_timed_out"],
         {"d": None, "alarm": None}, head={"status": "timedout", "closed": 9.0}),
    Case("not yet", [start(timeout=9.0)], (8.9, WAKE)),
    Case("a signal too late", [start(timeout=9.0)], (9.0, SIGNAL), ["process_timed_out"], {"d": None, "alarm": None},
         error=UnknownProcessException),
    Case("a child's timeout is told", [start(timeout=9.0, parent=rec.Parent("f", "fr", 3))], (9.0, WAKE),
         ["process_timed_out"], {"d": None, "alarm": None, "l:r1:parent": "letter @9"}),
]
# fmt: on

# fmt: off
ORDER = [
    Case("in the order of their time", [*HELD, answer(timer("a", 3.0), timer("b", 1.0), timer("c", 2.0))], (9.0, WAKE),
         ["timer_fired started=4", "timer_fired started=5", "timer_fired started=3"], {"alarm": None, "d": D(9)}),
    Case("none after the process's own", [start(timeout=2.0), take(), answer(timer("a", 3.0), timer("b", 1.0))],
         (9.0, WAKE), ["timer_fired started=4", "process_timed_out"], {"alarm": None}),
    Case("all kinds at once", [start(decision_timeout=1.5), take(), answer(timer("t", 4.0),
         activity("x", scheduled_timeout=3.0), activity("y", execution_timeout=1.0)), (0.5, begin(5)), (1.0, SIGNAL),
         take()], (9.0, WAKE),
         ["activity_timed_out scheduled=5 timeout_type=START_TO_CLOSE", "decision_timed_out",
          "activity_timed_out scheduled=4 timeout_type=SCHEDULE_TO_START", "timer_fired started=3"],
         {"a:4": None, "d": D(9), "alarm": None}),
]
# fmt: on


@pytest.mark.parametrize(**table(TIMERS))
def test_timers_and_timeouts(case):
    case.check()


@pytest.mark.parametrize(**table(ORDER))
def test_several_at_once(case):
    case.check()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.lists(st.floats(0, 150), min_size=1, max_size=8))
def test_however_often_somebody_looks_each_fires_once_and_never_early(delays, looks):
    process = Machine()
    process.say(*HELD, answer(*(timer(f"t{number}", delay) for number, delay in enumerate(delays))))
    fired = {}
    for time in [*sorted(looks), 200.0]:
        for line in process.say((time, WAKE)).events:
            number = int(line.removeprefix("timer_fired started=")) - 3
            assert number not in fired
            fired[number] = time
        due = [when for when, _, _ in deadlines(process.head)]
        assert process.head.alarm == (min(due) if due else None)
    assert fired.keys() == set(range(len(delays)))
    for number, time in fired.items():
        earlier = [look for look in looks if look < time]
        assert max(earlier, default=-1) < delays[number] <= time
