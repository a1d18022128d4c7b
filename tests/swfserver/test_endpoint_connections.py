"""Connections: a request however it is sent, one reply, and no more of either."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow_swfserver import connection, serving

from .support import Shop, raw
from .test_endpoint_polls import PATIENCE, until

LIST = {"registrationStatus": "REGISTERED"}


def request(operation: str, body: Any, *headers: str, method: str = "POST") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = f"Content-Length: {len(data)}"
    head = [f"{method} / HTTP/1.1", "Host: swf", f"X-Amz-Target: S.{operation}", *headers, length, "", ""]
    return "\r\n".join(head).encode() + data


def register(name: str, *headers: str, junk: int = 0) -> bytes:
    about = {"name": name, "workflowExecutionRetentionPeriodInDays": "1", "junk": "x" * junk}
    return request("RegisterDomain", about, *headers)


def connect(url: str) -> socket.socket:
    host, port = urlsplit(url).netloc.split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def said(url: str, *parts: bytes) -> bytes:
    """What comes back, to the end of the connection."""
    with connect(url) as sent:
        sent.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sent.sendall(part)
        return b"".join(iter(lambda: sent.recv(65_536), b""))


def domains(url: str) -> list[str]:
    return [each["name"] for each in raw(url, "S.ListDomains", LIST)[1]["domainInfos"]]


def test_of_two_requests_at_once_the_first_is_answered(url: str) -> None:
    reply = said(url, register("first") + register("second"))
    assert reply.startswith(b"HTTP/1.1 200 OK") and reply.count(b"HTTP/1.1") == 1
    assert domains(url) == ["default", "first"]


@pytest.mark.parametrize("after", [b"junk", b"POST"])
def test_what_follows_the_end_is_passed_over(url: str, after: bytes) -> None:
    reply = said(url, register("d", "Connection: close") + after)
    assert reply.startswith(b"HTTP/1.1 200 OK") and reply.count(b"HTTP/1.1") == 1


def test_what_is_refused_for_its_size_is_not_done(url: str) -> None:
    reply = said(url, register("large", junk=1_000_001))
    assert reply.startswith(b"HTTP/1.1 413 ") and reply.count(b"HTTP/1.1") == 1
    assert domains(url) == ["default"]


def test_who_sends_far_too_much_hears_that(url: str) -> None:
    status, found = raw(url, "S.DescribeDomain", b"x" * 8_000_000)
    assert (status, found["__type"]) == (413, "com.amazon.coral.service#RequestEntityTooLargeException")


@pytest.mark.parametrize("headers", [["X: " + "y" * 5_000_000], [f"X-{number}: 1" for number in range(150)]])
def test_headers_have_an_end(url: str, headers: list[str]) -> None:
    assert said(url, register("d", *headers)).startswith(b"HTTP/1.1 413 ")
    assert domains(url) == ["default"]


def test_a_request_may_come_byte_by_byte(url: str) -> None:
    data = request("ListDomains", LIST)
    reply = said(url, *(data[place : place + 1] for place in range(len(data))))
    assert reply.startswith(b"HTTP/1.1 200 OK")


def test_a_path_in_pieces_is_one_path() -> None:
    asked = connection.Connection(None, set())  # type: ignore[arg-type]
    for piece in (b"POST /a", b"/b", b"?c HTTP/1.1\r\n"):
        asked._parser.feed_data(piece)
    assert asked._path == "/a/b?c"


def test_a_body_may_come_in_chunks(url: str) -> None:
    head = "POST / HTTP/1.1\r\nHost: swf\r\nX-Amz-Target: S.ListDomains\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = json.dumps(LIST)
    halves = [body[:9], body[9:], ""]
    chunks = "".join(f"{len(half):x}\r\n{half}\r\n" for half in halves)
    assert said(url, (head + chunks).encode()).startswith(b"HTTP/1.1 200 OK")


def test_who_asks_whether_to_send_the_body_is_told_to(url: str) -> None:
    """As curl does with large ones."""
    data = request("ListDomains", LIST, "Expect: 100-continue")
    cut = data.index(b"\r\n\r\n") + 4
    with connect(url) as sent:
        sent.sendall(data[:cut])
        assert sent.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sent.sendall(data[cut:])
        assert sent.recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS", "HEAD"])
def test_only_what_is_posted_is_done(url: str, method: str) -> None:
    reply = said(url, request("ListDomains", LIST, method=method))
    assert reply.startswith(b"HTTP/1.1 405 ")
    assert reply.endswith(b"\r\n\r\n") == (method == "HEAD")


def test_another_protocol_is_not_spoken(url: str) -> None:
    reply = said(url, register("d", "Connection: Upgrade", "Upgrade: h2c"))
    assert reply.startswith(b"HTTP/1.1 400 ") and b"Upgrade" in reply
    assert domains(url) == ["default"]


def test_web_pages_are_not_served_without_keys(url: str) -> None:
    """A page's own server may say that this address is its own: then a browser lets the page read what it posts."""
    reply = said(url, register("d", "Origin: http://elsewhere.example:4567"))
    assert reply.startswith(b"HTTP/1.1 403 ")
    assert domains(url) == ["default"]


def test_who_waits_is_asked_whether_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a machine that lost its power is noticed while it waits."""
    found: list[int] = []
    made = connection.Connection.connection_made

    def told(self: connection.Connection, transport: Any) -> None:
        made(self, transport)
        known = transport.get_extra_info("socket")
        found.append(known.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        found.append(known.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))

    monkeypatch.setattr(connection.Connection, "connection_made", told)
    with serving(MemoryBackend()) as url:
        assert domains(url) == ["default"]
    assert found == [1, 10]


def test_one_who_does_not_finish_or_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[int] = []
    end = connection.Connection.connection_lost

    def told(self: connection.Connection, error: Exception | None) -> None:
        lost.append(self.transport.get_extra_info("peername")[1])
        end(self, error)

    monkeypatch.setattr(connection, "PATIENCE", 0.2)
    monkeypatch.setattr(connection.Connection, "connection_lost", told)
    with serving(MemoryBackend()) as url:
        shop = Shop(url).open()
        run = shop.start()
        for _ in range(200):
            shop.swf.signal_workflow_execution(domain="shop", workflowId="o", signalName="s", input="x" * 32_000)
        with connect(url) as slow, connect(url) as deaf:
            slow.sendall(request("ListDomains", LIST)[:40])
            execution = {"workflowId": "o", "runId": run}
            history = {"domain": "shop", "execution": execution, "maximumPageSize": 1_000}
            deaf.sendall(request("GetWorkflowExecutionHistory", history))
            until(lambda: {each.getsockname()[1] for each in (slow, deaf)} <= {*lost})
