"""A connection that asks in libpq's own terms: statements prepared once, values and rows in binary.

Psycopg's cursors take longer to send most of our statements than the server takes to execute them. They guess what a
value is; here each placeholder says it, as in `%s::float8` or `%b::text[]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import Any, NamedTuple

import psycopg
from psycopg import generators
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import tuple_row

Dump = Callable[[Any], bytes]

BINARY = 1
_PLACEHOLDER = re.compile(rb"%%|%[sb]::(\w+(?:\[\])?)")
_FAILED = {ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE, ExecStatus.NONFATAL_ERROR}
_LENGTH = Struct("!i").pack
_ARRAY = Struct("!iiIii").pack  # Dimensions, whether there are nulls, the elements' type, how many, the first's number.
_NULL = _LENGTH(-1)


class _Type(NamedTuple):
    """One of Postgres: its number, that of arrays of it, and how a value is sent."""

    oid: int
    array: int
    dump: Dump


_TYPES: Mapping[str, _Type] = {
    "text": _Type(25, 1009, str.encode),
    "bytea": _Type(17, 1001, bytes),
    "float8": _Type(701, 1022, Struct("!d").pack),
    "int4": _Type(23, 1007, Struct("!i").pack),
    "int8": _Type(20, 1016, Struct("!q").pack),
}


class _Known(NamedTuple):
    """A statement as the server gets it, by its name where it is prepared."""

    text: bytes
    oids: list[int]
    dumps: list[Dump]
    formats: list[int]
    name: bytes = b""


class Wire(psycopg.Connection[Any]):
    """Beside all that a psycopg.Connection can do: `ask`. Nothing is prepared where `prepare_threshold` is None."""

    def __init__(self, pgconn: PGconn, row_factory: Any = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self._known: dict[bytes, _Known] = {}
        self._loader = Transformer(self)

    def rows(self, statement: bytes, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement returns, [] for one that returns nothing. Raises psycopg's errors."""
        result = self.ask(statement, values)
        self._loader.set_pgresult(result)
        return self._loader.load_rows(0, result.ntuples, tuple)

    def ask(self, statement: bytes, values: Sequence[Any] = ()) -> PGresult:
        """The server's answer. Raises psycopg's errors."""
        known = self._known.get(statement) or self._learn(statement)
        given = [None if value is None else dump(value) for dump, value in zip(known.dumps, values, strict=True)]
        if known.name:
            self.pgconn.send_query_prepared(known.name, given, known.formats, BINARY)
        else:
            self.pgconn.send_query_params(known.text, given, known.oids, known.formats, BINARY)
        return self._answer()

    def _learn(self, statement: bytes) -> _Known:
        known = _read(statement)
        if known.oids and self.prepare_threshold is not None:
            known = known._replace(name=b"pyworkflow_%d" % len(self._known))
            self.pgconn.send_prepare(known.name, known.text, known.oids)
            self._answer()
        self._known[statement] = known
        return known

    def _answer(self) -> PGresult:
        result: PGresult = self.wait(generators.execute(self.pgconn))[-1]
        if result.status in _FAILED:
            raise error_from_result(result)
        return result


def _read(statement: bytes) -> _Known:
    """A statement with its placeholders counted."""
    oids: list[int] = []
    dumps: list[Dump] = []

    def number(found: re.Match[bytes]) -> bytes:
        if found[1] is None:
            return b"%"
        oid, dump = _type(found[1].decode())
        oids.append(oid)
        dumps.append(dump)
        return b"$%d" % len(oids)

    text = _PLACEHOLDER.sub(number, statement)
    return _Known(text, oids, dumps, [BINARY] * len(oids))


def _type(name: str) -> tuple[int, Dump]:
    type = _TYPES[name.removesuffix("[]")]
    return (type.array, _array(type)) if name.endswith("[]") else (type.oid, type.dump)


def _array(type: _Type) -> Dump:
    """How a list, whose items may be None, is sent as an array."""
    oid, _, dump = type

    def dumped(items: Sequence[Any]) -> bytes:
        parts: list[bytes] = [_ARRAY(1, None in items, oid, len(items), 1)]
        for item in items:
            if item is None:
                parts.append(_NULL)
            else:
                data = dump(item)
                parts += (_LENGTH(len(data)), data)
        return b"".join(parts)

    return dumped
