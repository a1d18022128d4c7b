"""The end of a run as tables: closed in each way, by decisions, users and limits, or continued as new."""

import pytest
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import Limits
from pyworkflow.exceptions import UnknownActivityException, UnknownProcessException

from .support import (
    WAKE,
    Case,
    D,
    activity,
    answer,
    begin,
    done,
    fail,
    start,
    table,
    take,
    timer,
)

COMPLETE = rec.ProcessCompleted(result=Raw(b"1"))
CLOSED = [start(request_id="q"), take(), answer(COMPLETE)]
STARTED = "process_started workflow=W version=1 category=c"
WORKING = [start(), take(), answer(activity())]
HELD = [*WORKING, begin()]
BLOCKED = [start(), take(), fail(attempts=1)]


def signal(name: str = "s", **options) -> msg.Signal:
    return msg.Signal(name=name, **options)


# fmt: off
CLOSING = [
    Case("terminate", HELD, (4.0, msg.Terminate(reason="why", details=Raw(b"1"))),
         ["process_terminated reason=why details=1"], {},
         head={"status": "terminated", "closed": 4.0, "activities": {}, "decision.state": "idle", "alarm": None}),
    Case("terminate with work in the queues", [start(timeout=9.0), take(), answer(activity(), activity("b"), timer())],
         msg.Terminate(), ["process_terminated"], {"a:3": None, "a:4": None, "alarm": None},
         head={"timers": {}, "by": None}),
    Case("terminate one that is held", [start(), take()], msg.Terminate(), ["process_terminated"], {}),
    Case("terminate one that is blocked", BLOCKED, msg.Terminate(), ["process_terminated"], {}),
    Case("terminate a closed one", CLOSED, msg.Terminate(), error=UnknownProcessException),
    Case("terminate another run", [start()], msg.Terminate(run="r0"), error=UnknownProcessException),
    Case("terminate another's child", [start()], msg.Terminate(parent=rec.Parent("f", "fr", 3)),
         error=UnknownProcessException, head={"status": "running"}),
    Case("terminate this child", [start(parent=rec.Parent("f", "fr", 3))],
         msg.Terminate(parent=rec.Parent("f", "fr", 3), cause="CHILD_POLICY_APPLIED"),
         ["process_terminated cause=CHILD_POLICY_APPLIED"],
         {"d": None, "l:r1:parent": "letter @0"}),
    Case("complete", [start(), take()], answer(COMPLETE), ["process_completed result=1"], {},
         head={"status": "completed", "closed": 0.0}),
    Case("complete with work in the queues", [start(), take(), answer(activity(), timer()), (5.0, WAKE), take()],
         answer(COMPLETE, started=6), ["process_completed result=1"], {"a:3": None},
         head={"status": "completed", "activities": {}}),
    Case("fail", [start(), take()], answer(rec.ProcessFailed(reason="r", details=Raw(b"2"))),
         ["process_failed reason=r details=2"], {}, head={"status": "failed"}),
    Case("cancel", [start(), take()], answer(rec.ProcessCanceled(details=Raw(b"3"))), ["process_canceled details=3"],
         {}, head={"status": "canceled"}),
    Case("too many events", [start(), take()], answer(rec.MarkerRecorded(name="m"), rec.MarkerRecorded(name="n")),
         ["marker_recorded name=m", "marker_recorded name=n", "process_terminated cause=EVENT_LIMIT_EXCEEDED"],
         {}, limits=Limits(events=4), head={"status": "terminated"}),
    Case("one event short of too many", [start(), take()], answer(rec.MarkerRecorded(name="m")),
         ["marker_recorded name=m"], limits=Limits(events=4), head={"status": "running"}),
    Case("a closing answer at the limit", [start(), take()], answer(COMPLETE), ["process_completed result=1"],
         {}, limits=Limits(events=3), head={"status": "completed"}),
]
# fmt: on

NEXT = "3c65bb37eeb8de63"
# fmt: off
CONTINUING = [
    Case(
        "continue as new, all as it was",
        [start(timeout=50.0, decision_timeout=9.0, priority=2, tags=["x"], input=Raw(b"1"), request_id="q",
               parent=rec.Parent("f", "fr", 3)), (1.0, take())],
        (2.0, answer(rec.ProcessContinued())),
        [
            f"process_continued run={NEXT}",
            "process_started workflow=W version=1 tags=['x'] parent=f:fr:3 timeout=50.0 decision_timeout=9.0 "
            "category=c priority=2 continued_from=r1",
        ],
        {"d": "decision/c @2 !2", "alarm": "alarm @52"},
        head={"run": NEXT, "seq": 1, "status": "running", "by": 52.0},
    ),
    Case(
        "continue as new with changes",
        [start(), take()],
        answer(rec.ProcessContinued(input=Raw(b"2"), version="2", tags=["y"], timeout=5.0, decision_timeout=4.0,
                                    category="e", priority=3)),
        [
            f"process_continued run={NEXT} input=2 version=2 tags=['y'] timeout=5.0 decision_timeout=4.0 category=e "
            "priority=3",
            "process_started workflow=W version=2 input=2 tags=['y'] timeout=5.0 decision_timeout=4.0 category=e "
            "priority=3 continued_from=r1",
        ],
        {"d": "decision/e @0 !3", "alarm": "alarm @5"},
    ),
    Case(
        "what the old run had is gone",
        [start(), take(), answer(activity(), timer()), (5.0, WAKE), take()],
        answer(rec.ProcessContinued(), started=6),
        [f"process_continued run={NEXT}", "process_started workflow=W version=1 category=c continued_from=r1"],
        {"a:3": None, "d": D(5)},
        head={"activities": {}, "timers": {}},
    ),
    Case(
        "and its tasks with it",
        [*HELD, signal(), take(), answer(rec.ProcessContinued(), started=6)],
        done(),
        error=UnknownActivityException,
    ),
]
# fmt: on


@pytest.mark.parametrize(**table(CLOSING))
def test_closing(case):
    case.check()


@pytest.mark.parametrize(**table(CONTINUING))
def test_continuing_as_new(case):
    case.check()
