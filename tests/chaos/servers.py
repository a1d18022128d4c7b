"""The servers that are killed, and what each may forget: a new one is a row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
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


class _Cluster:
    """Of its nodes one is killed at a time, in turn."""

    def __init__(self, nodes: Sequence[redis.RunningServer]) -> None:
        self.url = f"{redis.url_of(nodes)}?shards=16"
        self._next = cycle(nodes)
        self._down: redis.RunningServer | None = None

    def kill(self) -> None:
        self._down = next(self._next)
        self._down.kill()

    def start(self) -> None:
        if self._down is not None:
            self._down.start()


@contextmanager
def _cluster() -> Iterator[Killable]:
    with redis.cluster_nodes(3) as nodes:
        yield _Cluster(nodes)


KINDS = {
    "postgres": Kind(_postgres),
    "redis-always": Kind(lambda: redis.running(redis.ALWAYS)),
    "redis-everysec": Kind(lambda: redis.running(redis.DURABLE), EVERYSEC_LOSES),
    "redis-cluster": Kind(_cluster, EVERYSEC_LOSES),
}
