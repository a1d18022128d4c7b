"""Hostile input through every verb: a clear error and nothing changed, or stored and read again exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyworkflow import (
    ActivityCompleted,
    ActivityFailed,
    CancelActivity,
    CancelTimer,
    CompleteProcess,
    ContinueAsNew,
    Decision,
    FailProcess,
    InvalidName,
    PayloadError,
    Process,
    RecordMarker,
    RequestCancelProcess,
    ScheduleActivity,
    Signal,
    SignalProcess,
    StartChildProcess,
    Timer,
    UnknownActivityException,
    UnknownDecisionException,
    UnknownProcessException,
)
from pyworkflow.backend import Backend, ProcessFilter
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.task import ActivityTask, DecisionTask

ODD_NAMES = [
    *(
        "..%2fx",
        "..",
        ".",
        " ",
        "{tag}",
        "'; drop table run; --",
        '"',
        "%",
        "_",
        "*",
        "?",
        "\\",
        "<script>alert(1)<script>",
    ),
    *(
        "\u202egnp.exe",
        "\u200b",
        "é",
        "e\u0301",
        "名前",
        "🦄" * 64,
        "a" * 256,
        "NULL",
        "None",
        "0",
        "-1",
        "$(id)",
        "`id`",
    ),
]
BAD_NAMES = [
    "../x",
    "",
    "a" * 257,
    "a:b",
    "a/b",
    "a|b",
    "a\x00b",
    "a\nb",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\ud800",
    3,
    None,
    b"x",
    ["x"],
]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


BAD_PAYLOADS = [
    pytest.param(lambda: float("nan"), id="nan"),
    pytest.param(lambda: {"a": [float("inf")]}, id="infinity"),
    pytest.param(lambda: "x" * 5_000_000, id="5 MB"),
    pytest.param(lambda: nested(65), id="65 deep"),
    pytest.param(lambda: nested(100_000), id="100,000 deep"),
    pytest.param(cyclic, id="cyclic"),
    pytest.param(lambda: "\ud800", id="lone surrogate"),
    pytest.param(lambda: {"\udfff": 1}, id="lone surrogate as a key"),
    pytest.param(lambda: {(1, 2): 3}, id="tuple as a key"),
    pytest.param(lambda: object(), id="object"),
    pytest.param(lambda: print, id="function"),
    pytest.param(lambda: 1j, id="complex"),
]
GOOD_PAYLOADS: list[Any] = [
    *(None, True, 0, -1, 2**53 + 1, 9007199254740993, 2**70, 0.1, 1e308, 5e-324, -0.0, "", "\x00", "a\x00b", "\u2028"),
    *(
        "🦄",
        "</script>",
        "'; --",
        [],
        {},
        [[]],
        [{}],
        {"": ""},
        {"a": None},
        [None],
        nested(63),
        "x" * 200_000,
        "null",
        "NaN",
    ),
]


@pytest.fixture(params=["memory", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    made = MemoryBackend() if request.param == "memory" else SQLiteBackend(str(tmp_path / "hostile.db"))
    made.register_workflow("w")
    made.register_activity("a")
    yield made
    made.close()


def decision(backend: Backend) -> DecisionTask:
    task = backend.poll_decision_task()
    assert task is not None
    return task


def activity(backend: Backend, **options: Any) -> ActivityTask:
    backend.complete_decision_task(decision(backend), ScheduleActivity("a", **options))
    task = backend.poll_activity_task()
    assert task is not None
    return task


# -- payloads ----------

CARRIERS: dict[str, Callable[[Any], Decision]] = {
    "activity": lambda value: ScheduleActivity("a", input=value),
    "complete": CompleteProcess,
    "fail": lambda value: FailProcess("no", value),
    "continue": ContinueAsNew,
    "child": lambda value: StartChildProcess(Process("w", input=value)),
    "signal": lambda value: SignalProcess("p", "s", value),
    "cancel": lambda value: RequestCancelProcess("p", value),
    "timer": lambda value: Timer(1, value),
    "marker": lambda value: RecordMarker("m", value),
}


@pytest.mark.parametrize("make", BAD_PAYLOADS)
def test_a_bad_payload_is_refused_by_every_verb_and_changes_nothing(backend: Backend, make: Callable[[], Any]) -> None:
    value = make()
    with pytest.raises(PayloadError):
        backend.start_process(Process("w", "q", input=value))
    with pytest.raises(PayloadError):
        backend.start_process(Process("w", "q"), signal=Signal("s", value))
    assert backend.count_processes(ProcessFilter(status="all")) == 0
    backend.start_process(Process("w", "p"))
    for call in (
        lambda: backend.signal_process("p", "s", value),
        lambda: backend.cancel_process("p", value),
        lambda: backend.terminate_process("p", "r", value),
    ):
        with pytest.raises(PayloadError):
            call()
    task = activity(backend)
    for result in (ActivityCompleted(value), ActivityFailed("no", value)):
        with pytest.raises(PayloadError):
            backend.complete_activity_task(task, result)
    with pytest.raises(PayloadError):
        backend.heartbeat_activity_task(task, value)
    assert [event.type for event in backend.history("p")][-1] == "activity_started"
    backend.complete_activity_task(task)


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("make", BAD_PAYLOADS)
def test_a_bad_payload_in_a_decision_refuses_the_whole_answer(
    backend: Backend, carrier: Callable[[Any], Decision], make: Callable[[], Any]
) -> None:
    backend.start_process(Process("w", "p"))
    task = decision(backend)
    with pytest.raises(PayloadError):
        backend.complete_decision_task(task, [RecordMarker("first"), carrier(make())])
    assert [event.type for event in backend.history("p")] == ["process_started", "decision_started"]
    backend.complete_decision_task(task, CompleteProcess())


@pytest.mark.parametrize("value", GOOD_PAYLOADS, ids=lambda value: repr(value)[:20])
def test_a_good_payload_comes_back_as_it_was(backend: Backend, value: Any) -> None:
    backend.start_process(Process("w", "p", input=value))
    backend.signal_process("p", "s", {"value": value})
    assert decision_input(backend) == value
    task = backend.poll_activity_task()
    assert task is not None
    assert same(task.input, value)
    backend.heartbeat_activity_task(task, value)
    backend.complete_activity_task(task, ActivityCompleted(value))
    seen = decision(backend)
    assert same(seen.process.history[-2].result.result, value)  # type: ignore[attr-defined]
    backend.complete_decision_task(seen, CompleteProcess(value))
    assert same(backend.wait_for_process("p", 0).result, value)  # type: ignore[union-attr]


def decision_input(backend: Backend) -> Any:
    task = decision(backend)
    value = task.process.input
    backend.complete_decision_task(task, ScheduleActivity("a", input=value))
    return value


def same(one: Any, other: Any) -> bool:
    return bool(one == other) and type(one) is type(other)


# -- names ----------

NAMED: dict[str, Callable[[Backend, Any], Any]] = {
    "process": lambda backend, name: backend.start_process(Process("w", name)),
    "workflow": lambda backend, name: backend.start_process(Process(name, "q")),
    "tag": lambda backend, name: backend.start_process(Process("w", "q", tags=[name])),
    "category": lambda backend, name: backend.register_workflow("v", name),
    "workflow type": lambda backend, name: backend.register_workflow(name),
    "activity type": lambda backend, name: backend.register_activity(name),
    "version": lambda backend, name: backend.register_workflow("v", version=name),
    "signal": lambda backend, name: backend.signal_process("p", name),
    "signaled process": lambda backend, name: backend.signal_process(name, "s"),
    "polled category": lambda backend, name: backend.poll_activity_task(name),
}
DECIDED: dict[str, Callable[[Any], Decision]] = {
    "activity": lambda name: ScheduleActivity(name),
    "activity id": lambda name: ScheduleActivity("a", name),
    "category": lambda name: ScheduleActivity("a", category=name),
    "canceled activity": lambda name: CancelActivity(name),
    "timer": lambda name: Timer(1, id=name),
    "canceled timer": lambda name: CancelTimer(name),
    "marker": lambda name: RecordMarker(name),
    "signal": lambda name: SignalProcess("p", Signal(name)),
    "signaled process": lambda name: SignalProcess(name, "s"),
    "child": lambda name: StartChildProcess(Process("w", name)),
    "child's workflow": lambda name: StartChildProcess(Process(name, "c")),
}
OPTIONAL = {"process", "category", "version", "activity id", "timer", "child", "child's workflow"}
MAY_HOLD_A_RUN = {"signaled process"}


@pytest.mark.parametrize("what", NAMED)
@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:20])
def test_a_bad_name_is_refused_and_changes_nothing(backend: Backend, what: str, name: Any) -> None:
    if (name is None and what in OPTIONAL) or (name == "a:b" and what in MAY_HOLD_A_RUN):
        name = "a\x00b"
    backend.start_process(Process("w", "p"))
    with pytest.raises((InvalidName, AttributeError, TypeError)) as error:
        NAMED[what](backend, name)
    if isinstance(name, str):
        assert error.type is InvalidName
    assert backend.count_processes(ProcessFilter(status="all")) == 1
    assert [event.type for event in backend.history("p")] == ["process_started"]


@pytest.mark.parametrize("what", DECIDED)
@pytest.mark.parametrize(
    "name", [name for name in BAD_NAMES if isinstance(name, str)], ids=lambda name: repr(name)[:20]
)
def test_a_bad_name_in_a_decision_refuses_the_whole_answer(backend: Backend, what: str, name: str) -> None:
    if (not name and what in OPTIONAL) or (name == "a:b" and what in MAY_HOLD_A_RUN):
        name = "a\x00b"
    backend.start_process(Process("w", "p"))
    task = decision(backend)
    with pytest.raises(InvalidName):
        backend.complete_decision_task(task, [RecordMarker("first"), DECIDED[what](name)])
    assert [event.type for event in backend.history("p")] == ["process_started", "decision_started"]


@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: repr(name)[:20])
def test_an_odd_name_is_a_name_like_any_other(backend: Backend, name: str) -> None:
    backend.register_workflow(name, name)
    backend.register_activity(name, name)
    backend.start_process(Process("w", "bystander", tags=["other"]))
    backend.start_process(Process(name, name, tags=[name]))
    backend.signal_process(name, name)
    task = backend.poll_decision_task(name)
    assert task is not None
    assert task.process.id == name
    backend.complete_decision_task(task, [ScheduleActivity(name, name), RecordMarker(name), Timer(900, id=name)])
    work = backend.poll_activity_task(name)
    assert work is not None
    assert (work.activity, work.activity_execution.id) == (name, name)
    backend.complete_activity_task(work)
    for which in ({"tag": name}, {"workflow": name}, {"id": name}, {"id_prefix": name}):
        assert [process.id for process in backend.list_processes(ProcessFilter(**which)).processes] == [name]
    assert name in backend.describe_process(name).timers
    assert {queue.category for queue in backend.queues()} >= {name}
    backend.terminate_process(name)
    assert backend.process_by_id("bystander").status == "running"


# -- tokens, cursors, references ----------

BAD_TOKENS = [
    "",
    ":",
    "::",
    ":::",
    "p",
    "p:r",
    "p:r:1",
    "p:r:1:2:3",
    "p:r:x:y",
    "p:r:-1:2",
    "p:r:١:٢",
    "'; --:r:1:2",
    "p:\x00:1:2",
]


@pytest.mark.parametrize(
    "token", [*BAD_TOKENS, "p:r:1:2", "9" * 5_000, f"p:r:{'9' * 30}:2"], ids=lambda token: token[:16]
)
def test_a_made_up_token_opens_nothing(backend: Backend, token: str) -> None:
    backend.start_process(Process("w", "p"))
    task = ActivityTask.from_token(token)
    with pytest.raises(UnknownActivityException):
        backend.complete_activity_task(task)
    with pytest.raises(UnknownActivityException):
        backend.heartbeat_activity_task(task)
    with pytest.raises(UnknownActivityException):
        backend.release_task(task)
    with pytest.raises(UnknownDecisionException):
        backend.complete_decision_task(DecisionTask(Process("w", "p"), {"token": token}))
    assert [event.type for event in backend.history("p")] == ["process_started"]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10=", "é", "\x00", "WzEsMiwzXQ==", "x" * 100_000])
def test_a_made_up_cursor_is_refused(backend: Backend, cursor: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor"):
        backend.list_processes(ProcessFilter(), cursor=cursor)


@pytest.mark.parametrize("status", ["", "OPEN", "' or 1=1", "running "])
def test_a_made_up_status_is_refused(backend: Backend, status: str) -> None:
    with pytest.raises(ValueError, match="is no status"):
        backend.count_processes(ProcessFilter(status=status))


@pytest.mark.parametrize("id", ["nobody", "nobody:run", "p:nothing", "p:", "p:' or ''='"])
def test_an_unknown_process_is_an_error_of_its_own(backend: Backend, id: str) -> None:
    backend.start_process(Process("w", "p"))
    if id == "p:":
        assert backend.process_by_id(id).id == "p"
        return
    for ask in (
        *(backend.process_by_id, backend.describe_process, backend.history, backend.cancel_process),
        *(backend.terminate_process, backend.resume_process, lambda id: backend.wait_for_process(id, 0)),
        lambda id: backend.signal_process(id, "s"),
    ):
        with pytest.raises(UnknownProcessException):
            ask(id)


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), "1", None, True, [1]])
def test_a_bad_delay_is_refused(backend: Backend, delay: Any) -> None:
    backend.start_process(Process("w", "p"))
    with pytest.raises(ValueError, match="seconds"):
        backend.complete_decision_task(decision(backend), Timer(delay))


@pytest.mark.parametrize("priority", [2**31, -(2**31) - 1, 0.5, "1"])
def test_a_bad_priority_is_refused(backend: Backend, priority: Any) -> None:
    with pytest.raises(ValueError, match="int32"):
        backend.start_process(Process("w", "p"), priority=priority)
    backend.start_process(Process("w", "p"))
    with pytest.raises(ValueError, match="int32"):
        backend.complete_decision_task(decision(backend), ScheduleActivity("a", priority=priority))
