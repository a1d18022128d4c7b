"""Payloads as the texts that SWF keeps: JSON of at most 32,768 characters; larger ones are kept elsewhere.

Where more must be told than the value, it is in an envelope, `{"pyworkflow": {…}, "value": …}`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct

from pyworkflow.engine.codec import PAYLOAD_LIMIT, PayloadCodec, Payloads
from pyworkflow.exceptions import BackendUnavailable, PayloadError

TEXT_LIMIT = 32_768
HEARTBEAT_LIMIT = 2_048


class PayloadStore(Protocol):
    """Keeps payloads that are too large for SWF; what it was given must stay readable as long as the histories."""

    def put(self, data: bytes) -> str:
        """Keep it; the key that finds it again."""
        ...

    def get(self, key: str) -> bytes: ...


class Meta(Struct, omit_defaults=True):
    """What an envelope tells: the id of the request, the key under which the value is stored."""

    request: str = ""
    stored: str = ""


class Envelope(Struct, omit_defaults=True):
    pyworkflow: Meta
    value: Raw = Raw(b"null")


_encode = msgspec.json.encode
_envelopes = msgspec.json.Decoder(Envelope)
_MARK = '{"pyworkflow":'


class SwfTexts:
    """Values to SWF's texts and back. Raises PayloadError for what cannot be kept, before anything is sent.

    A text of another client that is not JSON is read as the string that it is.
    """

    def __init__(self, codec: PayloadCodec | None, store: PayloadStore | None, limit: int = PAYLOAD_LIMIT) -> None:
        self.payloads = Payloads(codec, limit)
        self.store = store

    def dump(self, value: Any) -> str | None:
        return self.wrap(value)

    def wrap(self, value: Any, request: str = "") -> str | None:
        """The text of a value, in an envelope where there is a request to be told."""
        inner = bytes(self.payloads.dump(value))
        mistakable = isinstance(value, dict) and "pyworkflow" in value
        if not request and not mistakable:
            text = inner.decode() if inner else None
        else:
            text = _encode(Envelope(Meta(request), Raw(inner or b"null"))).decode()
        if text is None or len(text) <= TEXT_LIMIT:
            return text
        return self._offload(inner, request, len(text))

    def _offload(self, inner: bytes, request: str, length: int) -> str:
        if self.store is None:
            raise PayloadError(
                f"the payload has {length:,} characters, Amazon SWF keeps {TEXT_LIMIT:,}: "
                "hand a payload_store to the backend, or store it elsewhere"
            )
        try:
            key = self.store.put(inner)
        except Exception as error:
            raise BackendUnavailable(f"a payload could not be stored: {error}") from error
        return _encode(Envelope(Meta(request, key))).decode()

    def load(self, text: str | None) -> Any:
        if not text:
            return None
        envelope = _envelope(text)
        if envelope is None:
            return self._value(text.encode())
        if not envelope.pyworkflow.stored:
            return self._value(bytes(envelope.value))
        if self.store is None:
            raise PayloadError("the payload is kept elsewhere: hand the payload_store that has it to the backend")
        try:
            stored = self.store.get(envelope.pyworkflow.stored)
        except Exception as error:
            raise BackendUnavailable(f"a stored payload could not be read: {error}") from error
        return self._value(stored)

    def _value(self, data: bytes) -> Any:
        try:
            return self.payloads.load(Raw(data))
        except PayloadError:
            if self.payloads.codec is not None and data.startswith(Payloads._MARK):
                raise
            return data.decode()

    @staticmethod
    def request(text: str | None) -> str:
        """The id of the request that a text came with, "" where it has none."""
        envelope = _envelope(text) if text else None
        return "" if envelope is None else envelope.pyworkflow.request

    def heartbeat(self, value: Any) -> str | None:
        """The text of a heartbeat's details, of which SWF keeps less."""
        text = self.dump(value)
        if text is not None and len(text) > HEARTBEAT_LIMIT:
            raise PayloadError(
                f"the details of a heartbeat have {len(text):,} characters, Amazon SWF keeps {HEARTBEAT_LIMIT:,}"
            )
        return text


def _envelope(text: str) -> Envelope | None:
    if not text.startswith(_MARK):
        return None
    try:
        return _envelopes.decode(text)
    except msgspec.DecodeError:
        return None


class S3Payloads:
    """A PayloadStore in a bucket of Amazon S3: objects named by the SHA-256 of what they hold, below `prefix`.

    The same payload is kept once. `client` makes or is a boto3 client of S3.
    """

    def __init__(self, bucket: str, prefix: str = "pyworkflow/", client: Any = None) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self._client = client

    @property
    def client(self) -> Any:
        if self._client is None:
            import boto3

            self._client = boto3.client("s3")
        return self._client

    def put(self, data: bytes) -> str:
        from hashlib import sha256

        key = self.prefix + sha256(data).hexdigest()
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType="application/json")
        return key

    def get(self, key: str) -> bytes:
        found: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found


class CallablePayloads:
    """A PayloadStore of two functions."""

    def __init__(self, put: Callable[[bytes], str], get: Callable[[str], bytes]) -> None:
        self.put = put
        self.get = get
