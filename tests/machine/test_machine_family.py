"""Other processes as tables: children, signals and cancel requests sent as letters, and the answers to them."""

import pytest
from msgspec import Raw

from pyworkflow.engine import messages as msg
from pyworkflow.engine import records as rec
from pyworkflow.engine.machine import step

from .support import WAKE, Case, D, Machine, answer, child, fail, show, start, table, take

HELD = [start(), take()]
SIGNAL = rec.SignalInitiated(process="x", name="s", run="xr", data=Raw(b"1"))
CANCEL = rec.CancelInitiated(process="x", run="xr", details=Raw(b"1"))
CHILD = [*HELD, answer(child(child_policy="TERMINATE"))]
NEWS = msg.ChildStarted(run="r1", initiated=3, child_run="k1")
RUNNING = [*CHILD, NEWS]
SENT = [*HELD, answer(SIGNAL, CANCEL)]
CHILD_CLOSED = msg.ChildClosed(run="r1", initiated=3, status="completed", payload=Raw(b"1"))
IN_USE = msg.Undelivered(run="r1", initiated=3, cause="WORKFLOW_ALREADY_RUNNING")
UNKNOWN = msg.Undelivered(run="r1", initiated=3, cause="UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION")
STOP = msg.Terminate()
L = "letter @{:g}".format

# fmt: off
ROWS = [
    Case("a child starts", CHILD, (2.0, NEWS), ["child_started initiated=3 run=k1"], {"d": D(2), "l:r1:3": None},
         head={"children.3.running": True}),
    Case("a child's start is told twice", RUNNING, NEWS),
    Case("a child's start is told to the next run", [*HELD, answer(child(), rec.ProcessContinued())], NEWS),
    Case("a child cannot start", CHILD, (2.0, IN_USE), ["decision_refused cause=WORKFLOW_ALREADY_RUNNING initiated=3"],
         {"d": D(2), "l:r1:3": None}, head={"children": {}}),
    Case("a child that has started cannot fail to", RUNNING, IN_USE),
    Case("a child that could not start must not start", [*CHILD, IN_USE], NEWS, [], {"l:r1:policy:r1:3": L(0)}),
    Case("a child that could not start is told so once", [*CHILD, IN_USE, NEWS], NEWS),
    Case("a child closes", RUNNING, (2.0, CHILD_CLOSED), ["child_closed initiated=3 status=completed payload=1"], {},
         head={"children": {}}),
    Case("a child closes and wakes its parent", [*RUNNING, take(), answer(started=5)], (2.0, CHILD_CLOSED),
         ["child_closed initiated=3 status=completed payload=1"], {"d": D(2)}),
    Case("a child closes before its start is told", CHILD, (2.0, CHILD_CLOSED),
         ["child_started initiated=3", "child_closed initiated=3 status=completed payload=1"],
         {"d": D(2), "l:r1:3": None}),
    Case("a child's start is told after its close", [*CHILD, CHILD_CLOSED], NEWS),
    Case("a child closes twice", [*RUNNING, CHILD_CLOSED], CHILD_CLOSED),
    Case("a child closes for a closed parent", [*RUNNING, STOP], CHILD_CLOSED),
    Case("another run's child closes", RUNNING, msg.ChildClosed(run="r0", initiated=3, status="failed")),
    Case("a signal arrived", SENT, (2.0, msg.Delivered(run="r1", initiated=3)), ["signal_delivered initiated=3"],
         {"d": D(2), "l:r1:3": None}, head={"letters": {4: "cancel"}}),
    Case("a cancel request arrived", SENT, msg.Delivered(run="r1", initiated=4), ["cancel_delivered initiated=4"],
         {"d": D(0), "l:r1:4": None}, head={"letters": {3: "signal"}}),
    Case("a letter arrived twice", [*SENT, msg.Delivered(run="r1", initiated=3)], msg.Delivered(run="r1", initiated=3)),
    Case("a letter arrived for another run", SENT, msg.Delivered(run="r0", initiated=3)),
    Case("a letter arrived for a closed process", [*SENT, STOP], msg.Delivered(run="r1", initiated=3)),
    Case("a letter did not arrive", SENT, UNKNOWN,
         ["decision_refused cause=UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION initiated=3"], {"d": D(0), "l:r1:3": None}),
    Case("a letter did not arrive after it did", [*SENT, msg.Delivered(run="r1", initiated=3)], UNKNOWN),
    Case("news while a decider is at it", [*SENT, msg.Signal(name="s"), take()], msg.Delivered(run="r1", initiated=3),
         ["signal_delivered initiated=3"], {"l:r1:3": None}, head={"decision.again": True}),
]
# fmt: on


@pytest.mark.parametrize(**table(ROWS))
def test_news_of_others(case):
    case.check()


def test_a_child_is_started_by_a_letter_with_all_that_was_decided():
    process = Machine()
    wanted = child(input=Raw(b"1"), tags=["x"], timeout=9.0, decision_timeout=3.0, priority=2)
    said = process.say(start(), take(), (4.0, answer(wanted)))
    assert said.events == [show(wanted)]
    assert said.tasks == {"l:r1:3": L(4)}
    letter = said.letters["l:r1:3"]
    assert (letter.to, letter.sender, letter.sender_run, letter.initiated, letter.sent) == ("k", "p", "r1", 3, 4.0)
    draft, _ = step(None, letter.message, 4.0)
    assert [show(record) for _, _, record in draft.written] == [
        "process_started workflow=K version=1 input=1 tags=['x'] parent=p:r1:3 timeout=9.0 decision_timeout=3.0 "
        "category=c priority=2 request_id=p:r1:3"
    ]


def test_a_signal_is_sent_by_a_letter():
    process = Machine()
    said = process.say(*HELD, answer(SIGNAL))
    assert said.events == ["signal_initiated process=x name=s run=xr data=1"]
    letter = said.letters["l:r1:3"]
    assert (letter.to, letter.initiated) == ("x", 3)
    assert letter.message == msg.Signal(run="xr", name="s", data=Raw(b"1"), request_id="p:r1:3", sender="p")


def test_a_cancel_request_is_sent_by_a_letter():
    process = Machine()
    said = process.say(*HELD, answer(CANCEL))
    assert said.events == ["cancel_initiated process=x run=xr details=1"]
    assert said.letters["l:r1:3"].message == msg.RequestCancel(
        run="xr", details=Raw(b"1"), request_id="p:r1:3", sender="p"
    )


PARENT = rec.Parent("p", "r1", 3)
POLICIES = {
    "TERMINATE": msg.Terminate(cause="CHILD_POLICY_APPLIED", parent=PARENT),
    "REQUEST_CANCEL": msg.RequestCancel(sender="p", parent=PARENT),
    "ABANDON": None,
}
CLOSES = {
    "complete": answer(rec.ProcessCompleted(), started=5),
    "fail": answer(rec.ProcessFailed(), started=5),
    "cancel": answer(rec.ProcessCanceled(), started=5),
    "continue": answer(rec.ProcessContinued(), started=5),
    "terminate": STOP,
    "time out": (99.0, WAKE),
}


def policy_letter(said) -> msg.Letter | None:
    return next((letter for key, letter in said.letters.items() if ":policy:" in key), None)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("close", CLOSES)
def test_whatever_closes_a_process_its_children_hear_what_their_policy_says(close, policy):
    process = Machine()
    process.say(start(timeout=99.0), take(), answer(child(child_policy=policy)), NEWS, take())
    letter = policy_letter(process.say(CLOSES[close]))
    assert (letter and letter.message) == POLICIES[policy]
    assert letter is None or (letter.to, letter.initiated) == ("k", 0)


@pytest.mark.parametrize("override", POLICIES)
def test_terminate_overrides_the_policies(override):
    process = Machine()
    process.say(*RUNNING)
    letter = policy_letter(process.say(msg.Terminate(child_policy=override)))
    assert (letter and letter.message) == POLICIES[override]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("override", ["", *POLICIES])
def test_a_child_that_starts_after_its_parent_closed_hears_it_then(policy, override):
    process = Machine()
    process.say(*HELD, answer(child(child_policy=policy)), msg.Terminate(child_policy=override))
    said = process.say((3.0, NEWS))
    letter = policy_letter(said)
    assert (letter and letter.message) == POLICIES[override or policy]
    assert said.events == []
    assert process.say(NEWS).letters == {}


def test_a_child_that_starts_after_its_parent_went_on_hears_it_then():
    process = Machine()
    process.say(*HELD, answer(child(child_policy="TERMINATE"), rec.ProcessContinued()))
    letter = policy_letter(process.say(NEWS))
    assert letter is not None
    assert letter.message == POLICIES["TERMINATE"]
    assert process.head.status == "running"


RESULTS = {
    "completed": (answer(rec.ProcessCompleted(result=Raw(b"1"))), "", b"1"),
    "failed": (answer(rec.ProcessFailed(reason="r", details=Raw(b"2"))), "r", b"2"),
    "canceled": (answer(rec.ProcessCanceled(details=Raw(b"3"))), "", b"3"),
    "terminated": (msg.Terminate(reason="r", details=Raw(b"4")), "r", b"4"),
    "timedout": ((99.0, WAKE), "", b""),
}


@pytest.mark.parametrize("status", RESULTS)
def test_a_parent_is_told_how_its_child_closed(status):
    close, reason, payload = RESULTS[status]
    process = Machine()
    said = process.say(start(timeout=99.0, parent=rec.Parent("f", "fr", 7)), take(), close)
    letter = said.letters["l:r1:parent"]
    assert (letter.to, letter.initiated) == ("f", 0)
    assert letter.message == msg.ChildClosed(
        run="fr",
        initiated=7,
        status=status,
        reason=reason,
        payload=Raw(payload) if payload else letter.message.payload,
        cause="OPERATOR_INITIATED" if status == "terminated" else "",
    )
    assert bytes(letter.message.payload) == payload


def test_a_parent_is_not_told_that_its_child_goes_on():
    process = Machine()
    said = process.say(start(parent=rec.Parent("f", "fr", 7)), take(), answer(rec.ProcessContinued()))
    assert said.letters == {}
    assert process.head.parent == rec.Parent("f", "fr", 7)


def test_a_blocked_process_still_hears_of_its_children():
    process = Machine()
    process.say(*RUNNING, take(), fail(5, attempts=1))
    assert process.say(CHILD_CLOSED).events == ["child_closed initiated=3 status=completed payload=1"]
    assert process.head.decision.again
