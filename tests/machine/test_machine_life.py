"""A process's life as tables: started (once a request), signaled, asked to cancel, blocked, resumed."""

import pytest
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import Limits
from pyworkflow.engine.machine import step
from pyworkflow.exceptions import ProcessAlreadyRunning, UnknownProcessException

from .support import (
    WAKE,
    Case,
    D,
    Machine,
    activity,
    answer,
    begin,
    child,
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
STARTING = [
    Case("a start", [], start(), [STARTED], {"d": D(0)}, reply="r1", head={"status": "running", "alarm": None}),
    Case(
        "a start with everything",
        [],
        start(
            timeout=9.0, decision_timeout=3.0, priority=7, tags=["x"], input=Raw(b"[1]"), request_id="q",
            parent=rec.Parent("f", "fr", 3),
        ),
        [
            "process_started workflow=W version=1 input=[1] tags=['x'] parent=f:fr:3 timeout=9.0 decision_timeout=3.0 "
            "category=c priority=7 request_id=q"
        ],
        {"d": "decision/c @0 !7", "alarm": "alarm @9"},
        reply="r1",
        head={"by": 9.0, "alarm": 9.0, "started": 0.0},
    ),
    Case("the same request again is the same run", [start(request_id="q")], start("r2", request_id="q"), reply="r1"),
    Case("the same request after it closed", CLOSED, start("r2", request_id="q"), reply="r1"),
    Case(
        "the same request after another run closed",
        [*CLOSED, start("r2", request_id="z"), take("r2"), answer(COMPLETE, run="r2")],
        start("r3", request_id="q"),
        reply="r2",
    ),
    Case(
        "the same request after the process continued as new",
        [start(request_id="q"), take(), answer(rec.ProcessContinued())],
        start("r9", request_id="q"),
        reply="3c65bb37eeb8de63",
    ),
    Case("another request while it is open", [start()], start("r2", request_id="q"), error=ProcessAlreadyRunning),
    Case("no request id is another request", [start()], start("r2"), error=ProcessAlreadyRunning),
    Case("another one will do", [start()], start("r2", if_running="use_existing"), reply="r1"),
    Case("a request that another one did for", [start(), start("r2", request_id="q", if_running="use_existing"),
         msg.Terminate()], start("r3", request_id="q", if_running="use_existing"), reply="r1"),
    Case(
        "another one is terminated",
        [start()],
        start("r2", if_running="terminate_existing"),
        ["process_terminated reason=another run was started in its place", STARTED],
        {"d": D(0)},
        reply="r2",
        head={"run": "r2", "seq": 1, "version": 2},
    ),
    Case("a closed one starts again", CLOSED, start("r2"), [STARTED], {"d": D(0)}, reply="r2", head={"seq": 1}),
    Case(
        "one that timed out meanwhile starts again",
        [start(timeout=5.0), take(), answer(activity())],
        (5.0, start("r2")),
        ["process_timed_out", STARTED],
        {"a:3": None, "alarm": None, "d": D(5)},
        reply="r2",
    ),
    Case(
        "with a signal",
        [],
        start(signal=signal(request_id="q")),
        [STARTED, "signaled name=s request_id=q"],
        {"d": D(0)},
        reply="r1",
    ),
    Case(
        "with a signal for the one that is open",
        [start()],
        start("r2", if_running="use_existing", signal=signal()),
        ["signaled name=s"],
        reply="r1",
    ),
    Case("refused with its signal", [start()], start("r2", signal=signal()), error=ProcessAlreadyRunning),
    Case(
        "again with a signal that was recorded",
        [start(request_id="q", signal=signal(request_id="q")), msg.Terminate()],
        start("r2", request_id="q", signal=signal(request_id="q")),
        reply="r1",
    ),
]
# fmt: on

# fmt: off
MESSAGES = [
    Case("a signal wakes an idle process", WORKING, (7.0, signal(data=Raw(b"1"))), ["signaled name=s data=1"],
         {"d": D(7)}),
    Case("a signal before a decision", [start()], signal(), ["signaled name=s"]),
    Case("a signal during a decision", [start(), take()], signal(), ["signaled name=s"],
         head={"decision.again": True, "decision.state": "started"}),
    Case("a signal while blocked", BLOCKED, signal(), ["signaled name=s"], head={"decision.again": True}),
    Case("a signal twice", [start(), signal(request_id="q")], signal(request_id="q")),
    Case("two signals alike without request ids", [start(), signal()], signal(), ["signaled name=s"]),
    Case("a signal from a process", [start()], signal(sender="x"), ["signaled name=s sender=x"]),
    Case("a signal to this run", [start()], signal(run="r1"), ["signaled name=s"]),
    Case("a signal to another run", [start()], signal(run="r0"), error=UnknownProcessException),
    Case("a signal to a closed process", CLOSED, signal(), error=UnknownProcessException),
    Case("a signal to nobody", [], signal(), error=UnknownProcessException),
    Case("a signal again after the close", [start(), signal(request_id="q"), msg.Terminate()], signal(request_id="q")),
    Case("a signal again to the next run", [start(), signal(request_id="q"), take(), answer(rec.ProcessContinued())],
         signal(request_id="q")),
    Case("a signal forgotten after many", [start(), signal(request_id="q"), signal(request_id="z")],
         signal(request_id="q"), ["signaled name=s request_id=q"], limits=Limits(requests=1),
         head={"requests": ["q"]}),
    Case("a cancel request", WORKING, (7.0, msg.RequestCancel(details=Raw(b"1"), sender="x")),
         ["cancel_requested details=1 sender=x"], {"d": D(7)}, head={"cancel_requested": True}),
    Case("a cancel request twice", [start(), msg.RequestCancel()], msg.RequestCancel()),
    Case("a cancel request during a decision", [start(), take()], msg.RequestCancel(), ["cancel_requested"],
         head={"decision.again": True}),
    Case("a cancel request to a closed process", CLOSED, msg.RequestCancel(), error=UnknownProcessException),
    Case("a cancel request to another run", [start()], msg.RequestCancel(run="r0"), error=UnknownProcessException),
    Case("a cancel request for another's child", [start(parent=rec.Parent("f", "fr", 3))],
         msg.RequestCancel(parent=rec.Parent("f", "fr", 9)), error=UnknownProcessException),
    Case("a cancel request for this child", [start(parent=rec.Parent("f", "fr", 3))],
         msg.RequestCancel(parent=rec.Parent("f", "fr", 3)), ["cancel_requested"]),
    Case("nothing is due", HELD, WAKE),
    Case("nobody to wake", [], WAKE, error=UnknownProcessException),
]
# fmt: on

# fmt: off
BLOCKING = [
    Case("resume", BLOCKED, (7.0, msg.Resume()), ["process_resumed"], {"d": D(7)},
         head={"status": "running", "decision.attempts": 0}),
    Case("resume one that is not blocked", [start()], msg.Resume(), head={"status": "running"}),
    Case("resume a closed one", CLOSED, msg.Resume(), error=UnknownProcessException),
    Case("resume another run", BLOCKED, msg.Resume(run="r0"), error=UnknownProcessException),
    Case("blocked, its activities go on", [*HELD, signal(), take(), fail(6, attempts=1)], done(),
         ["activity_completed scheduled=3"], head={"decision.again": True, "decision.state": "idle"}),
    Case("blocked, its timers go on", [start(), take(), answer(timer()), signal(), take(), fail(5, attempts=1)],
         (5.0, WAKE), ["timer_fired started=3"], {"alarm": None}, head={"status": "blocked"}),
]
# fmt: on


@pytest.mark.parametrize(**table(STARTING))
def test_starting(case):
    case.check()


@pytest.mark.parametrize(**table(MESSAGES))
def test_messages_from_outside(case):
    case.check()


@pytest.mark.parametrize(**table(BLOCKING))
def test_blocked_processes(case):
    case.check()


def test_one_error_says_what_is_wrong_with_which_process():
    process = Machine()
    process.say(*CLOSED)
    assert str(process.say(signal()).error) == "process 'p' is closed: completed"
    assert str(process.say(signal(run="r0")).error) == "run r0 of process 'p' is not its current run"


def test_a_step_changes_nothing_but_its_draft():
    process = Machine()
    process.say(*HELD)
    before = process.head.copy()
    draft, _reply = step(process.head, signal(request_id="q"), 3.0)
    assert draft.head.seq > before.seq
    assert process.head == before


def test_times_never_go_back_with_the_clock():
    process = Machine()
    process.say((10.0, start(timeout=5.0)), (3.0, take()))
    assert process.head.time == 10.0
    process.say((2.0, answer(child(), timer("t", 1.0))))
    assert process.head.time == 10.0
    assert process.look("timers.t.due") == 11.0


def test_tasks_are_due_by_the_clock_even_when_it_went_back():
    process = Machine()
    process.say((10.0, start()), take(), answer())
    assert process.say((3.0, signal())).tasks == {"d": D(3)}


def test_a_cancel_request_that_comes_again_does_not_reach_the_next_run() -> None:
    """The letter of a process that asked may be delivered twice, and the process have closed in between."""
    process = Machine()
    asked = msg.RequestCancel(request_id="boss:r:5", sender="boss")
    process.say(start(), asked, msg.Terminate(), start(run="r2"))
    said = process.say(asked)
    assert (said.events, said.error) == ([], None)
    assert process.look("cancel_requested") is False
