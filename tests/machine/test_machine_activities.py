"""Activities as tables: scheduled, taken, kept alive, handed back, ended, timed out in each of four ways, stale."""

import pytest
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.head import ActivityWork
from pyworkflow.exceptions import UnknownActivityException

from .support import WAKE, Case, D, Machine, activity, answer, beat, begin, done, end, start, table, take

WORK = ActivityWork("r1", 3, "a", "A", "1")
TIMES = {"scheduled_timeout": 5.0, "execution_timeout": 20.0, "heartbeat_timeout": 4.0, "close_timeout": 12.0}
HELD = [start(), take()]
WAITING = [*HELD, answer(activity())]
WORKING = [*WAITING, begin()]
TIMED = [*HELD, answer(activity(**TIMES))]
RUNNING = [*TIMED, (1.0, begin())]
CANCEL = rec.ActivityCancelRequested(id="a")
CANCELING = [*WORKING, msg.Signal(name="s"), take(), answer(CANCEL, started=6)]
TOO_LATE = {"error": UnknownActivityException}


def release(scheduled: int = 3, started: int = 4, **options) -> msg.ReleaseActivity:
    return msg.ReleaseActivity(run="r1", scheduled=scheduled, started=started, work=WORK, **options)


def only(**times: float) -> list:
    """An activity that a worker has since 1 s, with only these timeouts."""
    return [*HELD, answer(activity(**times)), (1.0, begin())]


SCHEDULED = "activity_scheduled id=a activity=A version=1 category=w"
# fmt: off
TASKS = [
    Case("schedule", HELD, answer(activity(priority=7, input=Raw(b"[1]"))),
         [f"{SCHEDULED} input=[1] priority=7"], {"a:3": "activity/w @0 !7"}, head={"len activities": 1}),
    Case("schedule with timeouts", HELD, (1.0, answer(activity(**TIMES))),
         [f"{SCHEDULED} scheduled_timeout=5.0 execution_timeout=20.0 heartbeat_timeout=4.0 close_timeout=12.0"],
         {"a:3": "activity/w @1", "alarm": "alarm @6"},
         head={"activities.3.by": 6.0, "activities.3.close_by": 13.0, "activities.3.beat_by": None}),
    Case("take", TIMED, (1.0, begin()), ["activity_started scheduled=3"], {"a:3": None}, reply=4,
         head={"activities.3.by": 21.0, "activities.3.beat_by": 5.0, "activities.3.close_by": 12.0, "alarm": 5.0}),
    Case("take what is held", WORKING, begin(), **TOO_LATE),
    Case("take what was not scheduled", WAITING, begin(2), **TOO_LATE),
    Case("take another run's", WAITING, begin(run="r0"), **TOO_LATE),
    Case("take a closed process's", [*WAITING, msg.Terminate()], begin(), **TOO_LATE),
    Case("complete", WORKING, (2.0, done(result=Raw(b"1"))), ["activity_completed scheduled=3 result=1"], {"d": D(2)},
         head={"activities": {}}),
    Case("fail", WORKING, end(rec.ActivityFailed, reason="r", details=Raw(b"1")),
         ["activity_failed scheduled=3 reason=r details=1"], {"d": D(0)}, head={"activities": {}}),
    Case("cancel", WORKING, end(rec.ActivityCanceled, details=Raw(b"1")),
         ["activity_canceled scheduled=3 details=1"], {"d": D(0)}, head={"activities": {}}),
    Case("complete twice", [*WORKING, done()], done(), **TOO_LATE),
    Case("complete with another token", WORKING, done(started=3), **TOO_LATE),
    Case("complete what nobody took", WAITING, done(started=0), **TOO_LATE),
    Case("complete another run's", WORKING, msg.EndActivity(run="r0", started=4,
         end=rec.ActivityCompleted(scheduled=3)), **TOO_LATE),
    Case("complete a closed process's", [*WORKING, msg.Terminate()], done(), **TOO_LATE),
    Case("complete with the token of an earlier start", [*WORKING, release(), begin()], done(started=4), **TOO_LATE),
    Case("complete with the new token", [*WORKING, release(), begin()], done(started=6),
         ["activity_completed scheduled=3"], {"d": D(0)}),
    Case("complete while a decider is at it", [*WORKING, msg.Signal(name="s"), take()], done(),
         ["activity_completed scheduled=3"], head={"decision.again": True}),
    Case("release", RUNNING, (2.0, release(priority=7, scheduled_timeout=5.0, delay=3.0)),
         ["activity_released scheduled=3 delay=3.0"], {"a:3": "activity/w @5 !7"},
         head={"activities.3.by": 10.0, "activities.3.beat_by": None, "activities.3.started": 0,
               "activities.3.close_by": 12.0}),
    Case("release with another token", WORKING, release(started=2), **TOO_LATE),
    Case("release twice", [*WORKING, release()], release(), **TOO_LATE),
    Case("release one that is to be canceled", CANCELING, release(),
         ["activity_released scheduled=3", "activity_canceled scheduled=3"], {"d": D(0)}, head={"activities": {}}),
    Case("cancel one that waits", [*WAITING, msg.Signal(name="s"), take()], answer(CANCEL, started=5),
         ["activity_cancel_requested id=a", "activity_canceled scheduled=3"], {"a:3": None, "d": D(0)},
         head={"activities": {}}),
    Case("cancel one that is held", [*WORKING, msg.Signal(name="s"), take()], answer(CANCEL, started=6),
         ["activity_cancel_requested id=a"], head={"activities.3.cancel": True}),
    Case("one that is to be canceled may complete", CANCELING, done(), ["activity_completed scheduled=3"], {"d": D(0)}),
    Case("a heartbeat", RUNNING, (4.0, beat(details=Raw(b"1"))), reply=False,
         head={"activities.3.beat_by": 8.0, "activities.3.details": Raw(b"1"), "alarm": 5.0}),
    Case("a heartbeat without details keeps the last", [*RUNNING, beat(details=Raw(b"1"))], beat(), reply=False,
         head={"activities.3.details": Raw(b"1")}),
    Case("a heartbeat hears of the cancel request", CANCELING, beat(), reply=True),
    Case("a heartbeat with another token", WORKING, beat(started=3), **TOO_LATE),
    Case("a heartbeat after the end", [*WORKING, done()], beat(), **TOO_LATE),
    Case("a heartbeat of a closed process's", [*WORKING, msg.Terminate()], beat(), **TOO_LATE),
]
# fmt: on


def timed_out(kind: str, details: str = "") -> str:
    return f"activity_timed_out scheduled=3 timeout_type={kind}{details}"


# fmt: off
DEADLINES = [
    Case("nobody takes it", TIMED, (5.0, WAKE), [timed_out("SCHEDULE_TO_START")],
         {"a:3": None, "alarm": None, "d": D(5)}, head={"activities": {}}),
    Case("taken a moment too late", TIMED, (5.0, begin()), [timed_out("SCHEDULE_TO_START")],
         {"a:3": None, "alarm": None, "d": D(5)}, **TOO_LATE),
    Case("taken a moment before", TIMED, (4.9, begin()), ["activity_started scheduled=3"], {"a:3": None}, reply=4),
    Case("no heartbeat", RUNNING, (5.0, WAKE), [timed_out("HEARTBEAT")], {"alarm": None, "d": D(5)}),
    Case("a heartbeat too late", RUNNING, (5.0, beat()), [timed_out("HEARTBEAT")], {"alarm": None, "d": D(5)},
         **TOO_LATE),
    Case("no further heartbeat", [*RUNNING, (2.0, beat(details=Raw(b"1"))), (5.0, WAKE)], (6.0, WAKE),
         [timed_out("HEARTBEAT", " details=1")], {"alarm": None, "d": D(6)}),
    Case("an alarm before the heartbeat moved it", [*RUNNING, (2.0, beat())], (5.0, WAKE), [], {"alarm": "alarm @6"}),
    Case("executed for too long", only(execution_timeout=3.0), (4.0, WAKE), [timed_out("START_TO_CLOSE")],
         {"alarm": None, "d": D(4)}),
    Case("completed a moment too late", only(execution_timeout=3.0), (4.0, done()), [timed_out("START_TO_CLOSE")],
         {"alarm": None, "d": D(4)}, **TOO_LATE),
    Case("completed a moment before", only(execution_timeout=3.0), (3.9, done()), ["activity_completed scheduled=3"],
         {"d": D(3.9)}, head={"alarm": 4.0}),
    Case("open for too long, held", only(close_timeout=3.0), (3.0, WAKE), [timed_out("SCHEDULE_TO_CLOSE")],
         {"alarm": None, "d": D(3)}),
    Case("open for too long, waiting", [*HELD, answer(activity(close_timeout=3.0))], (3.0, WAKE),
         [timed_out("SCHEDULE_TO_CLOSE")], {"a:3": None, "alarm": None, "d": D(3)}),
    Case("open for too long, handed back", [*only(close_timeout=3.0), release()], (3.0, WAKE),
         [timed_out("SCHEDULE_TO_CLOSE")], {"a:3": None, "alarm": None, "d": D(3)}),
    Case("the first of two deadlines counts", only(execution_timeout=9.0, close_timeout=3.0), (50.0, WAKE),
         [timed_out("SCHEDULE_TO_CLOSE")], {"alarm": None, "d": D(50)}),
    Case("handed back and nobody takes it", [*RUNNING, (2.0, release(scheduled_timeout=5.0))], (7.0, WAKE),
         [timed_out("SCHEDULE_TO_START")], {"a:3": None, "alarm": None, "d": D(7)}),
    Case("no timeouts at all", WORKING, (1e9, WAKE), []),
    Case("details of a heartbeat are not those of a wait", [*RUNNING, beat(details=Raw(b"1")),
         (2.0, release(scheduled_timeout=5.0))], (7.0, WAKE), [timed_out("SCHEDULE_TO_START")],
         {"a:3": None, "alarm": None, "d": D(7)}),
]
# fmt: on


@pytest.mark.parametrize(**table(TASKS))
def test_activity_tasks(case):
    case.check()


@pytest.mark.parametrize(**table(DEADLINES))
def test_activity_deadlines(case):
    case.check()


def test_a_token_is_never_used_again():
    process = Machine()
    process.say(*WAITING)
    tokens = [process.say(begin()).reply]
    for _ in range(20):
        process.say(release(started=tokens[-1]))
        tokens.append(process.say(begin()).reply)
    assert tokens == sorted(set(tokens))
    for token in tokens[:-1]:
        assert isinstance(process.say(done(started=token)).error, UnknownActivityException)
    assert process.say(done(started=tokens[-1])).error is None


def test_many_open_activities_are_told_apart_by_their_ids():
    process = Machine()
    process.say(*HELD, answer(*(activity(f"a{number}") for number in range(40))))
    process.say(*(begin(3 + number) for number in range(40)), msg.Signal(name="s"), take())
    cancel = [rec.ActivityCancelRequested(id=f"a{number}") for number in (39, 0, 40)]
    said = process.say(answer(*cancel, activity("a7"), activity("b"), started=process.head.decision.started))
    causes = [line.split()[1] if "refused" in line else line.split()[0] for line in said.events]
    assert causes == ["activity_cancel_requested", "activity_cancel_requested", "cause=ACTIVITY_ID_UNKNOWN",
                      "cause=ACTIVITY_ID_ALREADY_IN_USE", "activity_scheduled"]  # fmt: skip
    assert [seq for seq, state in process.head.activities.items() if state.cancel] == [3, 42]
