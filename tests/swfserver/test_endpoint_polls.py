"""Long polls: who waits gets what comes, who has gone gets nothing, and nobody costs a thread."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from pyworkflow import Process
from pyworkflow.backend import Backend
from pyworkflow.backend.memory import MemoryBackend
from pyworkflow.backend.sqlite import SQLiteBackend
from pyworkflow.exceptions import BackendUnavailable
from pyworkflow_blinker.wrapper import Wrapper
from pyworkflow_swfserver import histories, serving

from .support import Shop, complete, decision, raw

PATIENCE = 30.0


class Watched(Wrapper):
    """A backend that tells for which lists the server's thread waits."""

    lists: tuple[str, ...] = ()

    def exchange(self, *args: Any, decisions: Any = None, interrupt: Any = None, **wanted: Any) -> Any:
        if interrupt is not None:
            self.lists = decisions.categories
        return self.backend.exchange(*args, decisions=decisions, interrupt=interrupt, **wanted)

    def waits_for(self, *lists: str) -> None:
        """Return when it does."""
        until(lambda: self.lists == tuple(f"~shop~{list}" for list in sorted(lists)))


@pytest.fixture(params=["memory", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Watched]:
    inner: Backend = MemoryBackend() if request.param == "memory" else SQLiteBackend(str(tmp_path / "work.db"))
    yield Watched(inner)
    inner.close()


@pytest.fixture
def patient(backend: Watched) -> Iterator[str]:
    """A server whose polls wait for longer than a test."""
    with serving(backend, long_poll=10 * PATIENCE) as url:
        Shop(url).open()
        yield url


def request(list: str = "deciders", operation: str = "PollForDecisionTask") -> bytes:
    body = json.dumps({"domain": "shop", "taskList": {"name": list}}).encode()
    head = f"POST / HTTP/1.1\r\nHost: swf\r\nX-Amz-Target: S.{operation}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def poll(url: str, list: str = "deciders") -> socket.socket:
    """A socket on which a poll has begun."""
    host, port = urlsplit(url).netloc.split(":")
    sent = socket.create_connection((host, int(port)), timeout=PATIENCE)
    sent.sendall(request(list))
    return sent


def answer(sent: socket.socket) -> dict[str, Any]:
    data = b""
    while chunk := sent.recv(65_536):
        data += chunk
    sent.close()
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"Connection: close" in head
    found: dict[str, Any] = json.loads(body)
    return found


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def settled(url: str) -> None:
    """Return when the server has noticed what happened to its connections before this call."""
    for _ in range(2):
        raw(url, "S.ListDomains", {"registrationStatus": "REGISTERED"})


def test_a_poll_without_a_task_is_empty(url: str) -> None:
    shop = Shop(url).open()
    task = shop.poll()
    task.pop("ResponseMetadata")
    assert task == {"startedEventId": 0, "previousStartedEventId": 0}
    assert "taskToken" not in shop.swf.poll_for_activity_task(domain="shop", taskList={"name": "work"})


@pytest.fixture
def url(backend: Watched) -> Iterator[str]:
    with serving(backend, long_poll=0.2) as url:
        yield url


def test_a_poll_gets_what_comes_while_it_waits(patient: str, backend: Watched) -> None:
    waits = poll(patient)
    backend.waits_for("deciders")
    Shop(patient).start()
    assert answer(waits)["workflowExecution"]["workflowId"] == "o"
    backend.waits_for()


def test_a_task_that_was_there_names_who_took_it(url: str) -> None:
    shop = Shop(url).open()
    shop.start()
    task = shop.poll(identity="me")
    assert task["events"][-1]["decisionTaskStartedEventAttributes"] == {"scheduledEventId": 2, "identity": "me"}


def test_each_task_goes_to_one_poll_and_each_poll_gets_one(patient: str) -> None:
    shop = Shop(patient)
    polls = [poll(patient, f"list-{number % 3}") for number in range(12)]
    for number in range(12):
        shop.start(str(number), taskList={"name": f"list-{number % 3}"})
    ids = [answer(each)["workflowExecution"]["workflowId"] for each in polls]
    assert sorted(ids, key=int) == [str(number) for number in range(12)]


def test_a_client_that_went_away_gets_no_task(patient: str, backend: Watched) -> None:
    gone = [poll(patient) for _ in range(5)]
    stays = poll(patient)
    backend.waits_for("deciders")
    for each in gone:
        each.close()
    settled(patient)
    run = Shop(patient).start()
    assert answer(stays)["workflowExecution"]["runId"] == run
    assert [event.type for event in backend.history("~shop~o")] == ["process_started", "decision_started"]


def test_a_client_that_is_killed_gets_no_task(patient: str, backend: Watched) -> None:
    """Its socket is reset instead of closed."""
    dies = poll(patient)
    backend.waits_for("deciders")
    dies.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    dies.close()
    backend.waits_for()
    Shop(patient).start()
    assert [event.type for event in backend.history("~shop~o")] == ["process_started"]


def test_a_task_that_nobody_is_left_for_is_handed_back(patient: str, backend: Watched) -> None:
    """The client goes while its task is being taken."""
    dies = poll(patient, "rare")
    backend.waits_for("rare")
    exchange = backend.backend.exchange

    def slow(*args: Any, **wanted: Any) -> Any:
        got = exchange(*args, **wanted)
        if got.decisions and dies.fileno() != -1:
            dies.close()
            settled(patient)
        return got

    backend.backend.exchange = slow  # type: ignore[method-assign]
    backend.waits_for("rare")
    again = poll(patient, "other")  # The thread comes by the new way of asking.
    backend.waits_for("other", "rare")
    shop = Shop(patient)
    shop.start(taskList={"name": "rare"})
    until(lambda: "decision_released" in [event.type for event in backend.history("~shop~o")])
    assert shop.poll("rare")["workflowExecution"]["workflowId"] == "o"
    again.close()


@pytest.mark.parametrize("waits", [False, True])
def test_a_task_that_could_not_be_told_is_handed_back(
    patient: str, backend: Watched, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    """Its history cannot be read just now."""

    def fails(*args: Any) -> Any:
        raise BackendUnavailable("not now")

    shop = Shop(patient)
    if not waits:
        shop.start()
    with monkeypatch.context() as patch:
        patch.setattr(backend, "history", fails)
        waiting = poll(patient)
        if waits:
            backend.waits_for("deciders")
            shop.start()
        assert b" 503 " in waiting.recv(100)
    until(lambda: "decision_released" in [event.type for event in backend.history("~shop~o")])
    until(lambda: shop.poll().get("taskToken"))


def test_hundreds_who_wait_cost_no_threads(patient: str, backend: Watched) -> None:
    shop = Shop(patient)
    before = threading.active_count()
    polls = [poll(patient) for _ in range(300)]
    settled(patient)
    assert threading.active_count() <= before + 9  # as many as call the backend, however many wait
    for number in range(20):
        shop.start(str(number))
    got: list[str] = []
    while len(got) < 20:
        ready, _, _ = select.select(polls, [], [], PATIENCE)
        assert ready
        got += [answer(each)["workflowExecution"]["workflowId"] for each in ready]
        polls = [each for each in polls if each not in ready]
    assert len({*got}) == 20
    for each in polls:
        each.close()


def test_timers_fire_though_nobody_calls(patient: str, backend: Watched) -> None:
    shop = Shop(patient)
    shop.start()
    shop.answer(decision("StartTimer", timerId="t", startToFireTimeout="1"))
    until(lambda: "timer" in [event.type for event in backend.history("~shop~o")])


def test_stopping_lets_everybody_go(backend: Watched) -> None:
    with serving(backend, long_poll=10 * PATIENCE) as url:
        Shop(url).open()
        polls = [poll(url) for _ in range(20)]
        backend.waits_for("deciders")
        settled(url)
    assert [answer(each) for each in polls] == [{"startedEventId": 0, "previousStartedEventId": 0}] * 20


def test_a_server_that_has_stopped_leaves_no_threads(backend: Watched) -> None:
    with serving(backend) as url:
        Shop(url).open()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("swf")])


def test_one_who_never_finishes_asking_keeps_nobody(patient: str) -> None:
    host, port = urlsplit(patient).netloc.split(":")
    slow = socket.create_connection((host, int(port)), timeout=PATIENCE)
    slow.sendall(request()[:40])
    assert Shop(patient).start()
    slow.close()


def test_what_is_not_http_is_refused(patient: str) -> None:
    host, port = urlsplit(patient).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as strange:
        strange.sendall(b"\x16\x03\x01\x02\x00\r\n\r\n")
        assert strange.recv(1_000).startswith(b"HTTP/1.1 400 ")


# -- pages of a decision task ----------


def long_history(shop: Shop) -> str:
    run = shop.start()
    shop.answer(*(decision("RecordMarker", markerName=str(number)) for number in range(20)))
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    return run


def test_a_decision_task_comes_in_pages(url: str) -> None:
    shop = Shop(url).open()
    long_history(shop)
    page = shop.poll(maximumPageSize=10)
    token, events = page["taskToken"], page["events"]
    while "nextPageToken" in page:
        shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="meanwhile")
        page = shop.poll(maximumPageSize=10, nextPageToken=page["nextPageToken"])
        assert page["taskToken"] == token
        events += page["events"]
    assert [event["eventId"] for event in events] == list(range(1, page["startedEventId"] + 1))
    assert events[-1]["eventType"] == "DecisionTaskStarted"
    shop.swf.respond_decision_task_completed(taskToken=token, decisions=[])


def test_a_decision_task_may_come_in_reverse_or_from_the_last_decision_on(url: str) -> None:
    shop = Shop(url).open()
    long_history(shop)
    task = shop.poll(reverseOrder=True, maximumPageSize=7)
    ids = [event["eventId"] for event in task["events"]]
    assert ids == list(range(task["startedEventId"], task["startedEventId"] - 7, -1))
    shop.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[])
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    task = shop.poll(startAtPreviousStartedEvent=True)
    assert task["events"][0]["eventId"] == task["previousStartedEventId"]
    assert task["events"][-1]["eventId"] == task["startedEventId"]


def test_a_history_comes_in_pages_both_ways(url: str) -> None:
    shop = Shop(url).open()
    run = long_history(shop)
    execution = {"domain": "shop", "execution": {"workflowId": "o", "runId": run}}
    for reverse in (False, True):
        ids: list[int] = []
        page: dict[str, Any] = {"nextPageToken": ""}
        while "nextPageToken" in page:
            more = {"nextPageToken": page["nextPageToken"]} if page["nextPageToken"] else {}
            page = shop.swf.get_workflow_execution_history(**execution, maximumPageSize=9, reverseOrder=reverse, **more)
            ids += [event["eventId"] for event in page["events"]]
        assert ids == sorted(ids, reverse=reverse) and len(ids) == len({*ids}) > 20


def test_only_what_is_new_is_read_for_the_next_poll(url: str, backend: Watched, monkeypatch: Any) -> None:
    shop = Shop(url).open()
    long_history(shop)
    shop.answer()
    read: list[int] = []
    history = backend.history

    def counted(process: Any, skip: int = 0, limit: int | None = None) -> Any:
        found = history(process, skip, limit)
        if "~o" in str(process):
            read.append(len(found))
        return found

    monkeypatch.setattr(backend, "history", counted)
    shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s")
    assert len(shop.poll()["events"]) > 25
    assert sum(read) <= 4, "what is new, and the event before it"


def test_of_histories_there_is_no_room_for_those_read_last_are_kept(
    url: str, backend: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "KEPT_BYTES", 50_000)
    shop = Shop(url).open()
    runs = {id: shop.start(id, input=json.dumps("x" * 20_000)) for id in "abcd"}
    begun: list[str] = []
    describe = backend.describe_process
    monkeypatch.setattr(backend, "describe_process", lambda id: begun.append(str(id)) or describe(id))
    for id in "abacacdb":
        shop.events(runs[id], id)
    assert [each.partition(":")[0].removeprefix("~shop~") for each in begun] == [*"abcdb"]


# -- beside pyworkflow's own ----------


def test_the_bare_domain_is_the_backend_itself(url: str, backend: Watched) -> None:
    backend.start_process(Process("Order", "native", {"n": 1}))
    shop = Shop(url, "default")
    task = shop.poll("default")
    assert task["workflowExecution"]["workflowId"] == "native"
    assert task["events"][0]["workflowExecutionStartedEventAttributes"]["input"] == '{"n":1}'
    shop.swf.respond_decision_task_completed(taskToken=task["taskToken"], decisions=[complete(result="[1,2]")])
    result = backend.wait_for_process("native", 0)
    assert result is not None
    assert result.result == [1, 2]  # type: ignore[attr-defined]
