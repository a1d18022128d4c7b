"""Signatures: is a request signed by somebody who has one of the server's keys (AWS Signature Version 4)?"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from .faults import unsigned

SKEW = dt.timedelta(minutes=5)
_FORM = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/(\d{8})/([\w-]+)/([\w-]+)/aws4_request,\s*"
    r"SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})\s*"
)


class Signatures:
    """`keys` are secrets by access key id; without any every request is accepted, but for those of web pages.

    A browser sends `Origin` with what a page posts, and may be told by the page's own server that this is it.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._keys = dict(keys)

    def check(self, path: str, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> None:
        """Raises Fault where a request is not signed, or not by one of the keys, or not now. Header names are lower."""
        if not self._keys:
            if "origin" in headers:
                raise unsigned("AccessDeniedException", "web pages are served with keys only")
            return
        if "authorization" not in headers:
            raise unsigned("MissingAuthenticationTokenException", "Missing Authentication Token")
        found = _FORM.fullmatch(headers["authorization"])
        if found is None:
            raise unsigned("IncompleteSignatureException", "the Authorization header is not of AWS4-HMAC-SHA256")
        key, date, region, service, signed, signature = found.groups()
        if key not in self._keys:
            raise unsigned("UnrecognizedClientException", "The security token included in the request is invalid.")
        time = headers.get("x-amz-date", "")
        self._check_time(time, date, now)
        names = signed.split(";")
        if not {"host", "x-amz-date", "x-amz-target"} <= {*names} or any(name not in headers for name in names):
            raise _mismatch()
        content = headers.get("x-amz-content-sha256")
        if content is not None and content != hashlib.sha256(body).hexdigest():
            raise _mismatch()
        request = AWSRequest("POST", f"http://{headers['host']}{path}", {name: headers[name] for name in names}, body)
        request.context["timestamp"] = time
        auth = SigV4Auth(Credentials(key, self._keys[key]), service, region)
        expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        if not hmac.compare_digest(expected, signature):
            raise _mismatch()

    def _check_time(self, time: str, date: str, now: dt.datetime) -> None:
        try:
            signed_at = dt.datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        except ValueError:
            raise unsigned("IncompleteSignatureException", "X-Amz-Date is missing or no date") from None
        if abs(now - signed_at) > SKEW or not time.startswith(date):
            raise unsigned("InvalidSignatureException", f"Signature expired: {time} is not now ({now:%Y%m%dT%H%M%SZ})")


def _mismatch() -> Exception:
    return unsigned(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )
