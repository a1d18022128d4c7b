"""The servers that are killed, and what each may forget: a new one is a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Protocol

from ..servers import postgres, redis

EVERYSEC_LOSES = 2.0


class Killable(Protocol):
    """A server of our own."""

    @property
    def url(self) -> str: ...
    def kill(self) -> None: ...
    def start(self) -> None: ...


class Kind(NamedTuple):
    """`may_lose` is of how many seconds before its death a server may forget what it acknowledged."""

    open: Callable[[], AbstractContextManager[Killable]]
    may_lose: float = 0.0


@contextmanager
def _postgres() -> Iterator[Killable]:
    server = postgres.Server(postgres.binaries(), postgres.DURABLE)
    try:
        server.start()
        yield server
    finally:
        server.remove()


KINDS = {
    "postgres": Kind(_postgres),
    "redis-always": Kind(lambda: redis.running(redis.ALWAYS)),
    "redis-everysec": Kind(lambda: redis.running(redis.DURABLE), EVERYSEC_LOSES),
}
