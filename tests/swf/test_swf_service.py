"""The way to SWF: requests as its model wants them, its faults as our errors, types, payloads, clients."""

from __future__ import annotations

import threading
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from botocore.stub import Stubber

from pyworkflow import open_backend
from pyworkflow.activity import ActivityCompleted, ActivityFailed
from pyworkflow.backend import Wanted
from pyworkflow.backend.amazonswf import AmazonSWFBackend, CallablePayloads, S3Payloads, SwfFault
from pyworkflow.decision import CompleteProcess, ContinueAsNew, ScheduleActivity
from pyworkflow.exceptions import (
    BackendUnavailable,
    PayloadError,
    UnknownProcessException,
    UnknownTypeException,
    UnsupportedBackend,
    WorkflowError,
)
from pyworkflow.process import Process
from pyworkflow_amazonswf.types import LONGEST_RUN
from pyworkflow_swf import FOREVER

from .inside import fault
from .support import Desk, desk, desk_with

__all__ = ["desk", "desk_with"]

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


def client(**config: Any) -> Any:
    return boto3.client("swf", config=Config(read_timeout=70, retries={"max_attempts": 0}, **config), **KEYS)


@pytest.fixture(scope="module")
def real() -> Any:
    """boto3's own client, which checks what it is asked for."""
    return client()


def backend(client: Any, **options: Any) -> AmazonSWFBackend:
    return AmazonSWFBackend(domain="d", client=client, **options)


# -- faults ----------


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        ("UnknownResourceFault", "Unknown execution", UnknownProcessException),
        ("UnknownResourceFault", "Unknown domain: d", UnsupportedBackend),
        ("ThrottlingException", "Rate exceeded", BackendUnavailable),
        ("LimitExceededFault", "too many", BackendUnavailable),
        ("ExpiredTokenException", "expired", BackendUnavailable),
        ("InternalFailure", "", BackendUnavailable),
        ("500", "<html>", BackendUnavailable),
        ("OperationNotPermittedFault", "not authorized", UnsupportedBackend),
        ("UnrecognizedClientException", "bad key", UnsupportedBackend),
        ("SomethingNew", "what?", SwfFault),
    ],
)
def test_a_fault_is_the_error_that_says_it(real: Any, code: str, message: str, error: type[Exception]) -> None:
    with Stubber(real) as stubber:
        stubber.add_client_error("signal_workflow_execution", code, message)
        with pytest.raises(error):
            backend(real).signal_process("p", "s")


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (ReadTimeoutError(endpoint_url="u"), BackendUnavailable),
        (ConnectTimeoutError(endpoint_url="u"), BackendUnavailable),
        (NoCredentialsError(), UnsupportedBackend),
    ],
    ids=lambda value: type(value).__name__,
)
def test_trouble_on_the_way_is_told_from_trouble_with_keys(
    desk: Desk, trouble: Exception, error: type[Exception]
) -> None:
    def broken(**parameters: Any) -> Any:
        raise trouble

    desk.swf.do["signal_workflow_execution"] = broken
    with pytest.raises(error):
        desk.backend.signal_process("p", "s")


def test_a_throttled_poll_is_told_to_the_worker_and_the_next_one_polls_again(desk: Desk) -> None:
    desk.start()
    troubles = [fault("ThrottlingException", ValueError("Rate exceeded"), "Poll")]

    def throttled(**parameters: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return desk.swf.ask("poll_for_decision_task", **parameters)

    desk.swf.do["poll_for_decision_task"] = throttled
    with pytest.raises(BackendUnavailable, match="Rate exceeded"):
        desk.open()
    assert desk.open().process.id == "p"


# -- clients ----------


def test_a_client_that_hangs_up_too_early_is_refused() -> None:
    with pytest.raises(UnsupportedBackend, match="read_timeout=70"):
        backend(boto3.client("swf", **KEYS))


def test_polls_have_clients_that_wait_long_enough_and_connections_enough() -> None:
    service = AmazonSWFBackend("test", "test", "us-east-1").service
    polls, calls = service.client("polls").meta.config, service.client("calls").meta.config
    assert polls.read_timeout >= 70 and polls.max_pool_connections >= 50
    assert calls.read_timeout < 30
    assert polls.retries == {"mode": "standard", "total_max_attempts": 5}
    assert service.client("polls") is service.client("polls") is not service.client("calls")


def test_keys_sessions_and_addresses_are_boto3_s() -> None:
    session = boto3.session.Session(**KEYS)
    meta = AmazonSWFBackend(session=session, endpoint_url="http://localhost:1").service.client("calls").meta
    assert (meta.region_name, meta.endpoint_url) == ("us-east-1", "http://localhost:1")


def test_a_region_that_nobody_knows_is_that_of_the_first_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert AmazonSWFBackend("test", "test").service.client("calls").meta.region_name == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert AmazonSWFBackend("test", "test").service.client("calls").meta.region_name == "eu-central-1"


def test_a_region_that_is_none_is_said() -> None:
    with pytest.raises(UnsupportedBackend, match="cannot speak"):
        AmazonSWFBackend("test", "test", "not a region").process_by_id("p")


def test_a_url_names_domain_and_options() -> None:
    backend = open_backend("swf://shop?region=eu-central-1&endpoint_url=http://localhost:1&polls=2")
    assert isinstance(backend, AmazonSWFBackend)
    assert backend.service.domain == "shop"
    assert backend.service.client("calls").meta.endpoint_url == "http://localhost:1"


@pytest.mark.parametrize(
    "url", ["swf://", "swf://d/x", "swf://d?regoin=x", "swf://d?polls=many", "swf://d?ensure_domain=perhaps"]
)
def test_a_url_that_says_nothing_useful_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedBackend, match="swf://"):
        open_backend(url)


# -- domains and types ----------


def test_a_domain_is_made_where_it_is_asked_for_and_may_be_there(real: Any) -> None:
    with Stubber(real) as stubber:
        expected = {"name": "d", "workflowExecutionRetentionPeriodInDays": "30"}
        stubber.add_response("register_domain", {}, expected)
        stubber.add_client_error("register_domain", "DomainAlreadyExistsFault")
        for _ in range(2):
            backend(real, ensure_domain=True)
        stubber.assert_no_pending_responses()


def test_types_are_registered_once_and_timeouts_are_sent_with_each_start(desk: Desk) -> None:
    assert desk.swf.calls == []
    desk.start(timeout=77, decision_timeout=None)
    desk.backend.terminate_process("p")
    desk.start(timeout=77.5)
    assert [name for name, _ in desk.swf.calls].count("register_workflow_type") == 1
    first, second = desk.called("start_workflow_execution")
    assert (first["executionStartToCloseTimeout"], second["executionStartToCloseTimeout"]) == ("77", "78")
    assert first["taskStartToCloseTimeout"] == "60"


def test_a_type_that_others_registered_is_taken_and_a_deprecated_one_revived(desk: Desk) -> None:
    about = {"name": "W", "version": "1.0"}
    desk.swf.ask("register_workflow_type", domain="test", **about)
    desk.swf.ask("deprecate_workflow_type", domain="test", workflowType=about)
    desk.swf.ask("register_activity_type", domain="test", name="A", version="1.0")
    desk.start()
    assert desk.swf.status("workflow", "W") == "REGISTERED"


def test_a_type_that_somebody_else_revives_meanwhile_is_no_error(real: Any) -> None:
    about = {"name": "W", "version": "1.0"}
    info = {"workflowType": about, "status": "DEPRECATED", "creationDate": 0}
    with Stubber(real) as stubber:
        stubber.add_client_error("register_workflow_type", "TypeAlreadyExistsFault")
        stubber.add_response("describe_workflow_type", {"typeInfo": info, "configuration": {}})
        stubber.add_client_error("undeprecate_workflow_type", "TypeAlreadyExistsFault")
        stubber.add_response("start_workflow_execution", {"runId": "r"})
        it = backend(real)
        it.register_workflow("W")
        it.start_process(Process("W", "p"))
        stubber.assert_no_pending_responses()


def test_types_are_registered_by_one_of_several_threads(desk: Desk) -> None:
    desk.start()
    threads = [threading.Thread(target=desk.another().exchange, kwargs={"decisions": Wanted()}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert desk.swf.status("activity", "A") == "REGISTERED"


def test_a_start_that_swf_does_not_take_says_why(real: Any) -> None:
    for code, error in (("TypeDeprecatedFault", UnknownTypeException), ("DefaultUndefinedFault", ValueError)):
        with Stubber(real) as stubber:
            stubber.add_response("register_workflow_type", {})
            stubber.add_client_error("start_workflow_execution", code, "no")
            with pytest.raises(error):
                backend(real).start_process(Process("W", "p"))


def test_a_version_that_was_started_once_is_not_the_type_s_from_then_on(desk: Desk) -> None:
    desk.backend.start_process(Process("W", "old", version="0.9"))
    desk.backend.start_process(Process("Unknown", "other"))
    desk.start()
    started = [call["workflowType"] for call in desk.called("start_workflow_execution")]
    assert [(it["name"], it["version"]) for it in started] == [("W", "0.9"), ("Unknown", "1.0"), ("W", "1.0")]


@pytest.mark.parametrize("timeout", [None, 31_536_001])
def test_a_run_that_swf_would_close_is_refused_before_the_call(desk: Desk, timeout: float | None) -> None:
    with pytest.raises(ValueError, match="a year"):
        desk.backend.register_workflow("V", timeout=timeout)
    with pytest.raises(ValueError, match="a year"):
        desk.start(timeout=31_536_001)
    assert desk.called("start_workflow_execution") == []


@pytest.mark.parametrize("seconds", [LONGEST_RUN + 1, FOREVER])
def test_a_run_that_continues_ends_within_a_year(desk: Desk, seconds: float) -> None:
    desk.start()
    task = desk.open()
    before = len(desk.swf.calls)
    with pytest.raises(ValueError, match="after a year"):
        desk.backend.complete_decision_task(task, ContinueAsNew(timeout=seconds))
    assert len(desk.swf.calls) == before


def test_what_swf_cannot_do_is_said(desk: Desk) -> None:
    with pytest.raises(UnsupportedBackend, match="retention"):
        desk.backend.purge(0)
    with pytest.raises(UnsupportedBackend, match="connection"):
        desk.start(connection=object())


# -- payloads ----------


def test_what_is_too_large_is_refused_before_the_call(desk: Desk) -> None:
    with pytest.raises(PayloadError, match="payload_store"):
        desk.start(input="x" * 32_767)
    assert desk.called("start_workflow_execution") == []
    desk.start(input="x" * 32_766)
    desk.decide(ScheduleActivity("A", "a"))
    task = desk.take()
    with pytest.raises(PayloadError, match="2,048"):
        desk.backend.heartbeat_activity_task(task, "x" * 2_047)
    with pytest.raises(PayloadError):
        desk.backend.complete_activity_task(task, ActivityFailed("why", "x" * 40_000))


def test_what_is_too_large_is_kept_elsewhere_where_there_is_a_place(desk_with: Any) -> None:
    kept: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        key = str(len(kept))
        kept[key] = data
        return key

    desk = desk_with(payload_store=CallablePayloads(put, kept.__getitem__))
    desk.start(input="i" * 40_000, request_id="r")
    desk.start(input="i" * 40_000, request_id="r")
    desk.decide(ScheduleActivity("A", "a", input="a" * 40_000))
    task = desk.take()
    assert task.input == "a" * 40_000
    desk.backend.complete_activity_task(task, ActivityCompleted("r" * 100_000))
    assert desk.open().process.input == "i" * 40_000
    assert len(kept) == 4
    other = desk.another()
    with pytest.raises(PayloadError, match="payload_store"):
        other.process_by_id("p")


def test_a_payload_store_that_fails_is_trouble_that_passes(desk_with: Any) -> None:
    def fail(_: Any) -> Any:
        raise OSError("no route")

    with pytest.raises(BackendUnavailable, match="no route"):
        desk_with(payload_store=CallablePayloads(fail, fail)).start(input="x" * 40_000)


def test_payloads_are_kept_in_s3_by_what_they_are() -> None:
    s3 = boto3.client("s3", **KEYS)
    store = S3Payloads("bucket", "p/", s3)
    key = "p/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    with Stubber(s3) as stubber:
        expected = {"Bucket": "bucket", "Key": key, "Body": b"test", "ContentType": "application/json"}
        stubber.add_response("put_object", {}, expected)
        assert store.put(b"test") == key


class Reversed:
    """A PayloadCodec."""

    def encode(self, data: bytes) -> bytes:
        return data[::-1]

    def decode(self, data: bytes) -> bytes:
        return data[::-1]


def test_payloads_are_encrypted_where_there_is_a_codec(desk_with: Any) -> None:
    desk = desk_with(payload_codec=Reversed())
    desk.start(input={"secret": 1}, request_id="r")
    assert "secret" not in desk.called("start_workflow_execution")[0]["input"]
    desk.backend.signal_process("p", "s", [1])
    assert desk.backend.process_by_id("p").input == {"secret": 1}
    desk.decide(CompleteProcess("done"))
    assert desk.backend.wait_for_process("p", 0).result == "done"  # type: ignore[union-attr]


def test_every_error_is_of_our_tree() -> None:
    assert issubclass(SwfFault, WorkflowError)


def test_a_process_cannot_be_reset(desk: Desk) -> None:
    desk.start()
    with pytest.raises(UnsupportedBackend, match="reset"):
        desk.backend.reset_process("p")
