"""The one JSON codec: payloads that users hand in, and records sealed with a format version and a checksum."""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Raw

from ..exceptions import CorruptRecord, InvalidName, NewerRecord, PayloadError

T = TypeVar("T")

NOTHING = Raw()
"""The payload of None. It is this one object: msgspec leaves a field out where it is its default."""

FORMAT = b"1"
SEAL = 9
_SEAL = FORMAT + b"%08x"

PAYLOAD_LIMIT = 256 * 1024
NESTING_LIMIT = 64
NAME_LIMIT = 256
_NOT_IN_NAMES = re.compile(r"[:/|\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class PayloadCodec(Protocol):
    """Turns payloads into other bytes and back, to encrypt or compress them; what it made must stay readable."""

    def encode(self, data: bytes) -> bytes: ...

    def decode(self, data: bytes) -> bytes: ...


def _foreign(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_foreign)
_DECODER = msgspec.json.Decoder()
encode = msgspec.json.Encoder().encode


class Payloads:
    """Values to JSON bytes and back. What cannot be stored is refused here, before anything is written."""

    _MARK = b'"pyworkflow-codec:'

    def __init__(self, codec: PayloadCodec | None = None, limit: int = PAYLOAD_LIMIT) -> None:
        self.codec = codec
        self.limit = limit

    def dump(self, value: Any) -> Raw:
        """The payload of a value; none for None. Raises PayloadError."""
        if value is None:
            return NOTHING
        data = _json(value)
        if len(data) > self.limit:
            raise PayloadError(f"the payload has {len(data):,} bytes, the limit is {self.limit:,}: store it elsewhere")
        if self.codec is None:
            return Raw(data)
        return Raw(self._MARK + base64.b64encode(self.codec.encode(data)) + b'"')

    def load(self, raw: Raw) -> Any:
        """The value of a payload. Raises PayloadError where the codec cannot decode it."""
        if not raw:
            return None
        try:
            return _DECODER.decode(raw if self.codec is None else self._decoded(self.codec, bytes(raw)))
        except Exception as error:
            raise PayloadError(f"a stored payload cannot be decoded: {error}") from error

    def _decoded(self, codec: PayloadCodec, data: bytes) -> bytes:
        """What was encoded, by a codec if its mark says so."""
        if not data.startswith(self._MARK):
            return data
        return codec.decode(base64.b64decode(data[len(self._MARK) : -1]))


def _json(value: Any) -> bytes:
    try:
        data = _ENCODER.encode(value)
        if b"\n" in data:  # Of a msgspec.Raw; records are lines.
            data = msgspec.json.format(data, indent=-1)
        deep = len(data) > NESTING_LIMIT and data.count(b"[") + data.count(b"{") > NESTING_LIMIT
        if deep or b"null" in data:
            _inspect(msgspec.to_builtins(value, enc_hook=_foreign))
    except PayloadError:
        raise
    except RecursionError:
        raise PayloadError(f"the value is nested more than {NESTING_LIMIT} deep") from None
    except Exception as error:
        raise PayloadError(f"the value cannot be stored as JSON: {error}") from None
    return data


def _inspect(value: Any) -> None:
    """Refuse what JSON would spoil (NaN, infinity) and what nests too deeply."""
    level, depth = [value], 0
    while level:
        if depth > NESTING_LIMIT:
            raise PayloadError(f"the value is nested more than {NESTING_LIMIT} deep")
        inner: list[Any] = []
        for item in level:
            if isinstance(item, float) and not math.isfinite(item):
                raise PayloadError(f"{item} is not a JSON number")
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list | tuple):
                inner.extend(item)
        level, depth = inner, depth + 1


def seed(*names: str) -> int:
    """Where the checksums of a process's or a run's records begin, so that none can pass for another's."""
    return zlib.crc32(":".join(names).encode())


def seal(body: bytes, previous: int = 0) -> tuple[bytes, int]:
    """A record's stored form, and its checksum, which covers that of the record before."""
    checksum = zlib.crc32(body, previous)
    return _SEAL % checksum + body, checksum


def unseal(sealed: bytes, what: str, previous: int = 0) -> tuple[bytes, int]:
    """What was sealed, and its checksum. Raises CorruptRecord, naming `what`."""
    if sealed[:1] != FORMAT:
        raise NewerRecord(f"{what} has the format {sealed[:1]!r}, this version of pyworkflow reads {FORMAT!r}")
    body = sealed[SEAL:]
    checksum = zlib.crc32(body, previous)
    if sealed[1:SEAL] != b"%08x" % checksum:
        raise CorruptRecord(f"{what} does not match its checksum: the stored data was changed or damaged")
    return body, checksum


def decode(decoder: msgspec.json.Decoder[T], body: bytes, what: str) -> T:
    """What was encoded. Raises NewerRecord, naming `what`."""
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise NewerRecord(f"{what} cannot be read, a newer pyworkflow may have written it: {error}") from None


def unseal_last(sealed: Sequence[bytes], what: str, first: int) -> tuple[bytes, int]:
    """The body and checksum of the last of some consecutive records, checked against the one before it, or `first`."""
    previous = int(sealed[-2][1:SEAL], 16) if len(sealed) > 1 else first
    return unseal(sealed[-1], what, previous)


def check_name(what: str, name: object) -> str:
    """A name as SWF allows it: 1 to 256 characters, none of `:` `/` `|`, no control characters. Raises InvalidName."""
    if not isinstance(name, str):
        raise InvalidName(f"{what} must be a string, not {type(name).__name__}")
    if not 1 <= len(name) <= NAME_LIMIT:
        raise InvalidName(f"{what} must have 1 to {NAME_LIMIT} characters, not {len(name)}")
    if (bad := _NOT_IN_NAMES.search(name)) is not None:
        raise InvalidName(f"{what} must not contain {bad[0]!r}: {name!r}")
    return name
