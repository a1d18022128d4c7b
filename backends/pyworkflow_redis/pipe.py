"""Calls on their way: they are written to all servers at once, and then the answers of each are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import redis
from hiredis import pack_command
from redis import exceptions as errors

from .scripts import Script

Word: TypeAlias = "bytes | str | int"

FAILURES = (errors.RedisError, errors.RedisClusterException)
"""All that the driver raises by itself."""


class Call:
    """A command for the server that keeps `key`. Sent twice, it must do what it does once.

    A `hint` may fail, and nobody hears of it.
    """

    hint = False

    def __init__(self, key: bytes, *words: Word) -> None:
        self.key = key
        self.words = words
        self.text: str | None = None

    @classmethod
    def script(cls, script: Script, keys: Sequence[bytes], *arguments: Word) -> Call:
        call = cls(keys[0], "EVALSHA", script.digest, len(keys), *keys, *arguments)
        call.text = script.text
        return call

    def spell_out(self) -> None:
        """Send the script itself from now on: the server does not know it, or has forgotten it."""
        assert self.text is not None
        self.words = ("EVAL", self.text, *self.words[2:])


def packed(words: Sequence[Word]) -> bytes:
    """A command as it is sent. Numbers are written here: hiredis crashes where Ctrl-C comes while it does that."""
    texts = tuple([b"%d" % word if isinstance(word, int) else word for word in words])
    command: bytes = pack_command(texts)  # type: ignore[arg-type]  # Its stub: one word.
    return command


class Pipe:
    """A connection to one server, taken from its pool for some calls. `answers` are replies and errors, as they come.

    Where the connection breaks, each call that has no answer yet has the driver's error for one.
    """

    def __init__(self, client: redis.Redis, calls: Sequence[tuple[Word, ...]]) -> None:
        self.answers: list[Any] = []
        self._pool = client.connection_pool
        self._calls = calls
        self._connection: Any = None

    def write(self) -> None:
        try:
            self._connection = self._pool.get_connection()
            self._connection.send_packed_command([b"".join([packed(words) for words in self._calls])])
        except FAILURES as error:
            self._broken(error)

    def read(self) -> None:
        while len(self.answers) < len(self._calls):
            try:
                self.answers.append(self._connection.read_response())
            except errors.ResponseError as error:
                self.answers.append(error)
            except FAILURES as error:
                self._broken(error)

    def _broken(self, error: Exception) -> None:
        self.answers += [error] * (len(self._calls) - len(self.answers))
        if self._connection is not None:
            self._connection.disconnect()

    def close(self) -> None:
        """Give the connection back; what is still on its way in it is nobody's any more."""
        if self._connection is not None:
            if len(self.answers) < len(self._calls):
                self._connection.disconnect()
            self._pool.release(self._connection)


def exchange(pipes: Sequence[Pipe]) -> None:
    """Send the calls of each and wait for all answers."""
    try:
        for pipe in pipes:
            pipe.write()
        for pipe in pipes:
            pipe.read()
    finally:
        for pipe in pipes:
            pipe.close()
