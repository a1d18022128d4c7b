"""A connection that asks in libpq's own terms: statements prepared once, values and rows in binary.

Psycopg's cursors take longer to send most of our statements than the server takes to execute them. They guess what a
value is; here each placeholder says it, as in `%s::float8` or `%b::text[]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
Asked = tuple[bytes, Sequence[Any]]
"""A statement and its values."""

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

    def dumped(self, values: Sequence[Any]) -> list[bytes | None]:
        return [None if value is None else dump(value) for dump, value in zip(self.dumps, values, strict=True)]


class Wire(psycopg.Connection[Any]):
    """Beside all that a psycopg.Connection can do: `ask`, and `ask_at_once`. Nothing is prepared where
    `prepare_threshold` is None. `undone`: of what was asked at once last nothing was done, as the server said, or
    because it was not sent."""

    undone = True

    def __init__(self, pgconn: PGconn, row_factory: Any = tuple_row) -> None:
        super().__init__(pgconn, row_factory)
        self._known: dict[bytes, _Known] = {}
        self._loader = Transformer(self)

    def read(self, answer: PGresult) -> list[tuple[Any, ...]]:
        """The rows of an answer, [] for one without."""
        self._loader.set_pgresult(answer)
        rows = self._loader.load_rows(0, answer.ntuples, tuple)
        self._loader.set_pgresult(None)  # An idle connection keeps nothing in memory.
        return rows

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """What is interrupted in the middle leaves a connection of which nobody knows where it stands: it is closed."""
        try:
            yield
        except psycopg.Error:
            raise
        except BaseException:
            self.close()
            raise

    def ask(self, statement: bytes, values: Sequence[Any] = ()) -> PGresult:
        """The server's answer. Raises psycopg's errors."""
        with self._whole():
            known = self._know(statement)
            self._send(known, known.dumped(values))
            return self._answer()

    def is_live(self) -> bool:
        """Has the server not hung up, as far as has been heard?"""
        try:
            self.pgconn.consume_input()
        except psycopg.OperationalError:
            return False
        return not self.closed

    def ask_at_once(self, *asked: Asked) -> list[PGresult]:
        """The answers to several statements that are sent together; where one fails those after it are not executed.
        Raises psycopg's errors."""
        self.undone = True
        with self._whole():
            known = [self._know(statement) for statement, _ in asked]
            given = [each.dumped(values) for each, (_, values) in zip(known, asked, strict=True)]
            self.undone = False
            self.pgconn.enter_pipeline_mode()
            for each, dumped in zip(known, given, strict=True):
                self._send(each, dumped)
            self.pgconn.pipeline_sync()
            answers = self._answers()
            if not self.closed:
                self.pgconn.exit_pipeline_mode()
        self.undone = answers[0].status in _FAILED
        return [_good(answer) for answer in answers]

    def _send(self, known: _Known, given: list[bytes | None]) -> None:
        if known.name:
            self.pgconn.send_query_prepared(known.name, given, known.formats, BINARY)
        else:
            self.pgconn.send_query_params(known.text, given, known.oids, known.formats, BINARY)

    def _know(self, statement: bytes) -> _Known:
        return self._known.get(statement) or self._learn(statement)

    def _learn(self, statement: bytes) -> _Known:
        known = _read(statement)
        if known.oids and self.prepare_threshold is not None:
            known = known._replace(name=b"pyworkflow_%d" % len(self._known))
            self.pgconn.send_prepare(known.name, known.text, known.oids)
            self._answer()
        self._known[statement] = known
        return known

    def _answer(self) -> PGresult:
        return _good(self.wait(generators.execute(self.pgconn))[-1])

    def _answers(self) -> list[PGresult]:
        """All up to the end of what was sent at once, or to where the server ended the connection and said why."""
        answers: list[PGresult] = []
        while True:
            try:
                answer = self.wait(generators.execute(self.pgconn))[-1]
            except psycopg.Error:
                if any(answer.status in _FAILED for answer in answers):
                    return answers
                raise
            if answer.status == ExecStatus.PIPELINE_SYNC:
                return answers
            answers.append(answer)


def _good(answer: PGresult) -> PGresult:
    if answer.status in _FAILED:
        raise error_from_result(answer)
    return answer


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
