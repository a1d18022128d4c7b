"""Decision tasks as tables: taken, answered, refused, failed, handed back, timed out; and every cause of a refusal."""

import pytest
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import Limits
from pyworkflow.engine.machine import Draft, apply, decisions
from pyworkflow.exceptions import UnknownDecisionException, UnknownProcessException

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
    fresh,
    show,
    start,
    table,
    take,
    timer,
)

SIGNAL = msg.Signal(name="s")
COMPLETE = rec.ProcessCompleted()
MARK = rec.MarkerRecorded(name="m")
RELEASE = msg.ReleaseDecision(run="r1", started=2)
HELD = [start(), take()]
CLOSING = [COMPLETE, rec.ProcessFailed(), rec.ProcessCanceled(), rec.ProcessContinued()]
TOO_LATE = {"error": UnknownDecisionException}

# fmt: off
TASKS = [
    Case("take", [start()], take(identity="me"), ["decision_started identity=me"], {"d": None}, reply=2,
         head={"decision.state": "started", "decision.started": 2, "decision.by": None}),
    Case("take with a timeout", [start(decision_timeout=9.0)], (1.0, take()), ["decision_started"],
         {"d": None, "alarm": "alarm @10"}, reply=2, head={"decision.by": 10.0}),
    Case("take what is held", HELD, take(), **TOO_LATE),
    Case("take what is idle", [*HELD, answer()], take(), **TOO_LATE),
    Case("take another run's", [start()], take("r0"), **TOO_LATE),
    Case("take what is closed", [start(), msg.Terminate()], take(), **TOO_LATE),
    Case("take what is blocked", [*HELD, fail(attempts=1)], take(), **TOO_LATE),
    Case("take from nobody", [], take(), error=UnknownProcessException),
    Case("answer nothing", HELD, answer(), ["decision_completed"],
         head={"decision.state": "idle", "decision.started": 0, "processed": 2}),
    Case("answer with another token", HELD, answer(MARK, started=1), **TOO_LATE),
    Case("answer another run's", HELD, answer(MARK, run="r0"), **TOO_LATE),
    Case("answer twice", [*HELD, answer()], answer(MARK), **TOO_LATE),
    Case("answer what nobody took", [start()], answer(MARK), **TOO_LATE),
    Case("answer what nobody took with no token", [start()], answer(MARK, started=0), **TOO_LATE),
    Case("answer a closed process", [*HELD, msg.Terminate()], answer(MARK), **TOO_LATE),
    Case("answer with the token of the last decision", [*HELD, SIGNAL, answer(), take()], answer(MARK), **TOO_LATE),
    Case("what happened meanwhile makes another one follow", [*HELD, SIGNAL], (4.0, answer(MARK)),
         ["marker_recorded name=m"], {"d": D(4)}, head={"decision.again": False, "processed": 2}),
    Case("release", HELD, (1.0, RELEASE), ["decision_released"], {"d": D(1)}, head={"decision.state": "scheduled"}),
    Case("release for a while", HELD, (1.0, msg.ReleaseDecision(run="r1", started=2, delay=5.0)),
         ["decision_released"], {"d": D(6)}),
    Case("release with another token", HELD, msg.ReleaseDecision(run="r1", started=1), **TOO_LATE),
    Case("fail, the first time", HELD, (1.0, fail(details=Raw(b"1"))), ["decision_failed reason=bug details=1"],
         {"d": D(2)}, head={"decision.attempts": 1, "decision.started": 0}),
    Case("fail with another token", HELD, fail(started=1), **TOO_LATE),
    Case("fail too often", HELD, fail(attempts=1), ["decision_failed reason=bug", "process_blocked reason=bug"],
         head={"status": "blocked", "decision.state": "idle", "decision.again": True, "decision.attempts": 0}),
    Case("an answer forgets the failures", [*HELD, fail(), take(), SIGNAL, answer(started=4)], WAKE,
         head={"decision.attempts": 0}),
    Case("a timeout", [start(decision_timeout=9.0), take()], (9.0, WAKE), ["decision_timed_out"],
         {"d": D(9), "alarm": None}, head={"decision.state": "scheduled", "decision.by": None}),
    Case("just before the timeout", [start(decision_timeout=9.0), take()], (8.9, answer(MARK)),
         ["marker_recorded name=m"], {}, head={"alarm": 9.0}),
    Case("an answer at the timeout", [start(decision_timeout=9.0), take()], (9.0, answer(MARK)),
         ["decision_timed_out"], {"d": D(9), "alarm": None}, **TOO_LATE),
    Case("a priority stays", [start(priority=-3), take()], RELEASE, ["decision_released"], {"d": "decision/c @0 !-3"}),
]
# fmt: on

REFUSED = "decision_refused cause={} decision=<{}>".format
A = "activity_scheduled id={} activity=A version=1 category=w".format
UNHANDLED = "UNHANDLED_DECISION"
# fmt: off
CAUSES = [
    Case("an unknown activity type", HELD, answer(activity(), MARK, refused={0: "ACTIVITY_TYPE_DOES_NOT_EXIST"}),
         [REFUSED("ACTIVITY_TYPE_DOES_NOT_EXIST", A("a")), "marker_recorded name=m"], {"d": D(0)},
         head={"activities": {}, "decision.refusals": 1}),
    Case("an activity's id twice in one answer", HELD, answer(activity(), activity()),
         [A("a"), REFUSED("ACTIVITY_ID_ALREADY_IN_USE", A("a"))], {"a:3": "activity/w @0", "d": D(0)}),
    Case("an activity's id that is open", [*HELD, answer(activity()), SIGNAL, take()], answer(activity(), started=5),
         [REFUSED("ACTIVITY_ID_ALREADY_IN_USE", A("a"))], {"d": D(0)}, head={"len activities": 1}),
    Case("an activity's id that is free again", [*HELD, answer(activity()), begin(), done(), take()],
         answer(activity(), started=6), [A("a")], {"a:7": "activity/w @0"}),
    Case("too many activities", HELD, answer(activity(), activity("b")),
         [A("a"), REFUSED("OPEN_ACTIVITIES_LIMIT_EXCEEDED", A("b"))], {"a:3": "activity/w @0", "d": D(0)},
         limits=Limits(activities=1)),
    Case("cancel an unknown activity", HELD, answer(rec.ActivityCancelRequested(id="z")),
         [REFUSED("ACTIVITY_ID_UNKNOWN", "activity_cancel_requested id=z")], {"d": D(0)}),
    Case("a timer's id twice", HELD, answer(timer(), timer(delay=9.0)),
         ["timer_started id=t delay=5.0", REFUSED("TIMER_ID_ALREADY_IN_USE", "timer_started id=t delay=9.0")],
         {"d": D(0), "alarm": "alarm @5"}, head={"timers.t.due": 5.0}),
    Case("too many timers", HELD, answer(timer(), timer("u")),
         ["timer_started id=t delay=5.0", REFUSED("OPEN_TIMERS_LIMIT_EXCEEDED", "timer_started id=u delay=5.0")],
         {"d": D(0), "alarm": "alarm @5"}, limits=Limits(timers=1)),
    Case("cancel an unknown timer", HELD, answer(rec.TimerCanceled(id="z")),
         [REFUSED("TIMER_ID_UNKNOWN", "timer_canceled id=z")], {"d": D(0)}),
    Case("too many children", HELD, answer(child(), child("l")),
         ["child_initiated process=k workflow=K version=1 child_policy=ABANDON category=c",
          REFUSED("OPEN_CHILDREN_LIMIT_EXCEEDED",
                  "child_initiated process=l workflow=K version=1 child_policy=ABANDON category=c")],
         {"l:r1:3": "letter @0", "d": D(0)}, limits=Limits(children=1)),
    Case("a refused decision does not stop the next one", HELD, answer(rec.TimerCanceled(id="z"), activity()),
         [REFUSED("TIMER_ID_UNKNOWN", "timer_canceled id=z"), A("a")], {"a:4": "activity/w @0", "d": D(0)}),
    Case("a close after a refused decision", HELD, answer(rec.TimerCanceled(id="z"), COMPLETE),
         [REFUSED("TIMER_ID_UNKNOWN", "timer_canceled id=z"), REFUSED(UNHANDLED, "process_completed")], {"d": D(0)},
         head={"status": "running", "decision.refusals": 1}),
    *(Case(f"{type(close).__name__} that has not seen a signal", [*HELD, SIGNAL], answer(MARK, close),
           ["marker_recorded name=m", REFUSED(UNHANDLED, f"{type(close).__struct_config__.tag}")], {"d": D(0)},
           head={"status": "running", "decision.refusals": 0}) for close in CLOSING),
    *(Case(f"{type(close).__name__} that has seen everything", [start(), SIGNAL, take()], answer(close, started=3),
           [type(close).__struct_config__.tag]) for close in CLOSING[:3]),
    Case("a close beside what its own answer brings", [*HELD, answer(activity()), SIGNAL, take()],
         answer(rec.ActivityCancelRequested(id="a"), COMPLETE, started=5),
         ["activity_cancel_requested id=a", "activity_canceled scheduled=3", "process_completed"],
         {"a:3": None}),
]
# fmt: on


@pytest.mark.parametrize(**table(TASKS))
def test_decision_tasks(case):
    case.check()


@pytest.mark.parametrize(**table(CAUSES))
def test_causes_of_refusals(case):
    case.check()


@pytest.mark.parametrize("news", [
    SIGNAL,
    msg.RequestCancel(),
    done(),
    (5.0, WAKE),
    msg.ChildStarted(run="r1", initiated=5),
    msg.ChildClosed(run="r1", initiated=5, status="completed"),
    msg.Undelivered(run="r1", initiated=5, cause="WORKFLOW_ALREADY_RUNNING"),
    msg.Delivered(run="r1", initiated=6),
    msg.Undelivered(run="r1", initiated=6, cause="UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION"),
])  # fmt: skip
def test_whatever_happens_meanwhile_must_be_seen_before_a_close(news):
    sent = rec.SignalInitiated(process="x", name="s")
    process = Machine()
    process.say(*HELD, answer(activity(), timer(), child(), sent), begin())
    process.say(msg.Signal(name="first"), take())
    held = process.head.decision.started
    process.say(news if not isinstance(news, msg.EndActivity) else done(3, 7))
    said = process.say(answer(COMPLETE, started=held))
    assert said.events == [REFUSED(UNHANDLED, "process_completed")]
    assert process.head.decision.state == "scheduled"
    process.say(take())
    assert process.say(answer(COMPLETE, started=process.head.decision.started)).events == ["process_completed"]


def rounds(process: Machine, say) -> list[float]:
    """How long after each of many answers alike the next decision is due."""
    waits: list[float] = []
    while process.head.status == "running":
        process.say((process.now + 1000.0, take()))
        said = process.say(say(process.head.decision.started))
        assert said.error is None and len(waits) < 50
        waits += [float(place.split("@")[1]) - process.now for key, place in said.tasks.items() if key == "d"]
    return waits


def test_a_decider_that_keeps_failing_is_asked_ever_less_and_then_blocked():
    process = Machine()
    process.say(start())
    assert rounds(process, lambda started: fail(started, attempts=9)) == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [text for _, _, text in process.seen[-2:]] == ["decision_failed reason=bug", "process_blocked reason=bug"]
    process.say(msg.Resume())
    assert rounds(process, lambda started: fail(started, attempts=2)) == [1]


NO_TIMER = rec.TimerCanceled(id="y")


@pytest.mark.parametrize("decided", [[MARK, NO_TIMER], [NO_TIMER], [NO_TIMER, COMPLETE]])
def test_a_decider_whose_answers_are_always_refused_is_asked_ever_less_and_then_blocked(decided):
    process = Machine()
    process.say(start())
    assert rounds(process, lambda started: answer(*decided, started=started)) == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert process.seen[-1][2].startswith("process_blocked reason=10 answers in a row were refused: ")
    process.say(msg.Resume())
    assert process.head.decision.state == "scheduled"


def test_one_good_answer_forgives_the_refused_ones():
    process = Machine()
    process.say(start(), SIGNAL)
    for _ in range(3):
        process.say(take())
        process.say(answer(rec.TimerCanceled(id="y"), started=process.head.decision.started))
    assert process.head.decision.refusals == 3
    process.say(take())
    process.say(answer(started=process.head.decision.started))
    assert process.head.decision.refusals == 0


def test_closes_that_have_not_seen_everything_are_asked_again_at_once_however_often():
    process = Machine()
    process.say(start())
    for _ in range(50):
        process.say(take(), SIGNAL)
        assert process.say(answer(COMPLETE, started=process.head.decision.started)).tasks == {"d": D(0)}
    assert process.head.status == "running"


def test_a_decider_that_never_answers_is_asked_ever_less_and_then_blocked():
    process = Machine(Limits(timeouts=6))
    process.say(start(decision_timeout=9.0))
    waits = rounds(process, lambda started: (process.head.decision.by, WAKE))
    assert waits == [0, 1, 2, 4, 8]
    assert process.seen[-1][2] == "process_blocked reason=the decider did not answer in time, 6 times in a row"


def batch(process: Machine, *messages: msg.Message) -> tuple[list[str], dict[str, bool]]:
    """Several messages applied to one draft: what is written, and which tasks are left in or out."""
    draft = Draft(process.head, process.now, process.limits)
    for message in messages:
        apply(draft, fresh(message))
    return [show(record) for _, _, record in draft.written], {key: bool(task) for key, task in draft.tasks.items()}


def test_in_one_commit_an_activity_that_ends_first_must_be_seen():
    process = Machine()
    process.say(*HELD, answer(activity()), begin(), SIGNAL, take())
    events, tasks = batch(process, done(), answer(COMPLETE, started=6))
    assert events == ["activity_completed scheduled=3", REFUSED(UNHANDLED, "process_completed")]
    assert tasks == {"d": True}


def test_in_one_commit_an_activity_that_ends_after_the_close_is_too_late():
    process = Machine()
    process.say(*HELD, answer(activity()), begin(), SIGNAL, take())
    with pytest.raises(Exception, match="activity task p:r1:3:4 is not open"):
        batch(process, answer(COMPLETE, started=6), done())


def test_in_one_commit_what_comes_and_goes_is_never_stored():
    process = Machine()
    process.say(*HELD)
    events, tasks = batch(process, answer(activity()), begin(), done(), take())
    assert events == [A("a"), "activity_started scheduled=3", "activity_completed scheduled=3", "decision_started"]
    assert not any(tasks.values())


def test_every_decision_has_a_row_in_the_table():
    covered = {type(item) for item in (
        activity(), rec.ActivityCancelRequested(id="a"), timer(), rec.TimerCanceled(id="t"), MARK, child(),
        rec.SignalInitiated(process="x", name="s"), rec.CancelInitiated(process="x"), *CLOSING,
    )}  # fmt: skip
    assert covered == set(decisions.APPLY)
