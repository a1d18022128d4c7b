"""Signatures: with keys, only who signs with one of them is served; without keys, only this machine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from pyworkflow.backend.memory import MemoryBackend
from pyworkflow_swfserver import Server, serving
from pyworkflow_swfserver.faults import Fault
from pyworkflow_swfserver.signing import Signatures

from .support import Shop, client_of, raw

NOW = dt.datetime(2026, 11, 26, 12, 0, 0, tzinfo=dt.UTC)
BODY = b'{"registrationStatus":"REGISTERED"}'
SECRETS = {"KEY": "secret", "OTHER": "other secret"}


@pytest.fixture
def guarded() -> Iterator[str]:
    with serving(MemoryBackend(), keys=SECRETS, long_poll=0.2) as url:
        yield url


def signed(key: str = "KEY", secret: str = "secret", when: dt.datetime = NOW, **more: str) -> dict[str, str]:
    """The headers of a request that was signed then."""
    headers = {"Host": "swf", "X-Amz-Target": "S.ListDomains", **more}
    request = AWSRequest("POST", "http://swf/", headers, BODY)
    request.context["timestamp"] = f"{when:%Y%m%dT%H%M%SZ}"
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    auth = SigV4Auth(Credentials(key, secret), "swf", "eu-west-1")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    auth._inject_signature_to_request(request, auth.signature(text, request))
    return {name.lower(): value for name, value in request.headers.items()}


def check(headers: dict[str, str], body: bytes = BODY, path: str = "/") -> str | None:
    """The kind of fault, None where there is none."""
    try:
        Signatures(SECRETS).check(path, headers, body, NOW)
    except Fault as fault:
        return fault.kind.rpartition("#")[2]
    return None


def test_who_has_a_key_is_served(guarded: str) -> None:
    assert Shop(guarded).open().start()
    other = client_of(guarded, aws_access_key_id="OTHER", aws_secret_access_key="other secret")
    assert other.list_domains(registrationStatus="REGISTERED")["domainInfos"]


@pytest.mark.parametrize(("key", "secret"), [("KEY", "wrong"), ("NOBODY", "secret"), ("KEY", "other secret")])
def test_who_has_none_is_not(guarded: str, key: str, secret: str) -> None:
    swf = client_of(guarded, aws_access_key_id=key, aws_secret_access_key=secret)
    with pytest.raises(ClientError) as caught:
        swf.list_domains(registrationStatus="REGISTERED")
    wanted = "UnrecognizedClientException" if key == "NOBODY" else "InvalidSignatureException"
    assert caught.value.response["Error"]["Code"] == wanted


def test_who_does_not_sign_is_not(guarded: str) -> None:
    status, found = raw(guarded, "SimpleWorkflowService.ListDomains", BODY)
    assert (status, found["__type"]) == (400, "com.amazon.coral.service#MissingAuthenticationTokenException")


def test_a_signature_is_of_this_request_and_of_now() -> None:
    assert check(signed()) is None
    assert check(signed("OTHER", "other secret")) is None
    assert check(signed(), b'{"registrationStatus":"DEPRECATED"}') == "InvalidSignatureException"
    assert check({**signed(), "x-amz-target": "S.DeprecateDomain"}) == "InvalidSignatureException"
    assert check({**signed(), "host": "elsewhere"}) == "InvalidSignatureException"
    assert check(signed(), path="/elsewhere") == "InvalidSignatureException"


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24])
def test_an_old_signature_is_none(minutes: int) -> None:
    assert check(signed(when=NOW + dt.timedelta(minutes=minutes))) == "InvalidSignatureException"


def test_a_signature_must_cover_what_matters() -> None:
    headers = signed()
    without = headers["authorization"].replace(";x-amz-target", "")
    assert check({**headers, "authorization": without}) == "InvalidSignatureException"
    assert check({**headers, "x-amz-date": ""}) == "IncompleteSignatureException"
    assert check({**headers, "authorization": "Basic a2V5"}) == "IncompleteSignatureException"


def test_a_hash_that_is_said_must_be_right() -> None:
    import hashlib

    right = signed(**{"X-Amz-Content-SHA256": hashlib.sha256(BODY).hexdigest()})
    assert check(right) is None
    wrong: Any = signed(**{"X-Amz-Content-SHA256": "0" * 64})
    assert check(wrong) == "InvalidSignatureException"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
def test_without_keys_others_are_not_served(host: str) -> None:
    with pytest.raises(ValueError, match="can be reached by others"):
        Server(MemoryBackend(), host=host)
    Server(MemoryBackend(), host=host, keys=SECRETS)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_without_keys_this_machine_is_served(host: str) -> None:
    Server(MemoryBackend(), host=host)
