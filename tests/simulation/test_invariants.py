"""The invariants find stores whose heads, tasks and relatives do not follow from the histories."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from pyworkflow.backend.memory import MemoryBackend, MemoryStore
from pyworkflow.decision import ScheduleActivity, SignalProcess, StartChildProcess, Timer
from pyworkflow.engine.codec import seal, seed
from pyworkflow.engine.store import Row, Task
from pyworkflow.process import Process
from pyworkflow.testing import VirtualClock
from pyworkflow.testing.invariants import Inspector, InvariantViolated, check


@pytest.fixture
def backend() -> MemoryBackend:
    """A process with an activity that waits, a timer, a child, and a letter on its way; and one that is closed."""
    backend = MemoryBackend(VirtualClock())
    backend.register_workflow("W", "c")
    backend.register_activity("A", "a")
    backend.start_process(Process("W", "p"))
    task = backend.poll_decision_task("c")
    backend.complete_decision_task(
        task,
        [ScheduleActivity("A", "x"), Timer(5, id="t"), StartChildProcess(Process("W", "k"), "TERMINATE"),
         SignalProcess("nobody", "s")],
    )  # fmt: skip
    backend.exchange()
    backend.start_process(Process("W", "z"))
    backend.terminate_process("z")
    return backend


def head(change: bytes, to: bytes, process: str = "p") -> Callable[[MemoryStore], None]:
    def spoil(store: MemoryStore) -> None:
        run = store._runs[process, store._current[process]]
        body = run.row.head[9:]
        assert change in body
        run.row = Row(run.row.stamp, seal(body.replace(change, to, 1), seed(process))[0])

    return spoil


def task(key: str, process: str = "p", **changes) -> Callable[[MemoryStore], None]:
    def spoil(store: MemoryStore) -> None:
        old = store._tasks[process][key]
        if not changes:
            del store._tasks[process][key]
        else:
            store._tasks[process][key] = msgspec.structs.replace(old, **changes)

    return spoil


def extra(process: str, key: str, body: bytes = b"") -> Callable[[MemoryStore], None]:
    def spoil(store: MemoryStore) -> None:
        store._tasks[process][key] = Task(process, key, "decision/c", 0.0, 0, body)

    return spoil


def letter_of(store: MemoryStore, process: str) -> str:
    return next(key for key in store._tasks[process] if key.startswith("l:"))


def no_letter(store: MemoryStore) -> None:
    del store._tasks["p"][letter_of(store, "p")]


def misplaced_letter(store: MemoryStore) -> None:
    task(letter_of(store, "p"), queue="decision/c")(store)


def lost_event(store: MemoryStore) -> None:
    store._runs["p", store._current["p"]].events.pop()


def changed_event(store: MemoryStore) -> None:
    events = store._runs["p", store._current["p"]].events
    events[2] = events[2].replace(b'"id":"x"', b'"id":"y"')


def lost_run(store: MemoryStore) -> None:
    del store._runs["k", store._current.pop("k")]


def lost_row(store: MemoryStore) -> None:
    del store._current["k"]


def other_stamp(store: MemoryStore) -> None:
    run = store._runs["p", store._current["p"]]
    run.row = Row(run.row.stamp + "0", run.row.head)


def other_summary(store: MemoryStore) -> None:
    store._runs["p", store._current["p"]].summary.status = "completed"


WORK = seal(b'{"run":"x"}')[0]
SPOILED = {
    "an activity's task is gone": (14, task("a:3")),
    "an activity's task is on another queue": (14, task("a:3", queue="activity/b")),
    "an activity's task has another body": (14, task("a:3", body=seal(b'{"run":"x","scheduled":3,"id":"x",'
                                                                      b'"activity":"A","version":"1.0"}')[0])),
    "an activity's task has another priority": (14, task("a:3", priority=1)),
    "the alarm is gone": (14, task("alarm")),
    "the alarm's task is too early": (14, task("alarm", due=1.0)),
    "the decision's task is gone": (14, task("d")),
    "the child's decision is gone": (14, task("d", "k")),
    "there is a task of a closed process": (14, extra("z", "d", WORK)),
    "there is a second task for an activity": (14, extra("p", "a:9", WORK)),
    "a letter is gone": (14, no_letter),
    "a letter is on another queue": (13, misplaced_letter),
    "the last event is gone": (1, lost_event),
    "an event was changed": (1, changed_event),
    "an open process is gone": (10, lost_run),
    "a process has no current run": (14, lost_row),
    "the stamp is another one": (14, other_stamp),
    "it is listed as closed": (14, other_summary),
    "the head knows of another timer": (14, head(b'"timers":{"t":', b'"timers":{"u":')),
    "the head has forgotten the activity": (14, head(b'"activities":{"3":', b'"activities":{"4":')),
    "the head has another status": (14, head(b'"status":"terminated"', b'"status":"completed"', "z")),
    "the alarm is later than a deadline": (14, head(b'"alarm":189', b'"alarm":199')),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILED)
def test_a_store_that_does_not_follow_from_its_histories_is_found(backend, name):
    invariant, spoil = SPOILED[name]
    inspector = Inspector(backend.store)
    inspector.check()
    spoil(backend.store)
    with pytest.raises(InvariantViolated, match=f"^invariant {invariant}: "):
        inspector.check()


def test_a_child_that_vanished_is_missed(backend):
    backend.exchange()
    store = backend.store
    del store._runs["k", store._current.pop("k")]
    with pytest.raises(InvariantViolated, match="invariant 18: process 'p' waits for its child 'k', which is gone"):
        check(store)


def test_a_child_whose_parent_closed_must_hear_of_it(backend):
    backend.exchange()
    store = backend.store
    parent = store._runs["p", store._current["p"]]
    backend.terminate_process("p", child_policy="ABANDON")
    check(store)
    body = parent.events[-1][9:]
    crc = int(parent.events[-2][1:9], 16)
    parent.events[-1] = seal(body.replace(b"}", b',"cause":"EVENT_LIMIT_EXCEEDED"}'), crc)[0]
    head(b'"crc":', b'"crc":%d,"x":' % int(parent.events[-1][1:9], 16))(store)
    parent.row = Row(f"{parent.row.stamp[:-8]}{parent.events[-1][1:9].decode()}", parent.row.head)
    with pytest.raises(InvariantViolated, match=r"invariant 18: child 'k' of process 'p'.* in spite of the policy"):
        check(store)
