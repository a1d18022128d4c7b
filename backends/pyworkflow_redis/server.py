"""The way to a server or a cluster: runs calls, again where that is safe, and says plainly what is wrong where not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar

import redis
from redis import exceptions as errors
from redis.cluster import RedisCluster

from pyworkflow.engine.server_clock import steady
from pyworkflow.exceptions import BackendUnavailable, UnsupportedBackend

from .pipe import FAILURES, Call, Pipe, Word, exchange

Client: TypeAlias = "redis.Redis | RedisCluster"
Answer = TypeVar("Answer")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
REPLICA_PATIENCE_MS = 1_000
REMEMBERED = 25.0
"""For so many seconds a script may be sent again: soon after that the server forgets what it answered (common.lua)."""


class ScriptRuns(errors.ResponseError):
    """The server does nothing but somebody's slow script."""


PASSING = (
    ScriptRuns,
    errors.ConnectionError,
    errors.TimeoutError,
    errors.ReadOnlyError,
    errors.TryAgainError,
    errors.ClusterDownError,
    errors.MasterDownError,
    errors.AskError,
    errors.MovedError,
    errors.SlotNotCoveredError,
    errors.RedisClusterException,
)
"""What may be over in a moment: a restart, a failover, a slot on its way."""

HINTS = {
    errors.OutOfMemoryError: "the server has no memory left (maxmemory)",
    errors.ReadOnlyError: "this is a replica, and no other server has become the primary",
    errors.BusyLoadingError: "the server is still loading its data",
    errors.ClusterDownError: "the cluster is down, or a part of its slots",
}


SAID = {
    "BUSY ": ScriptRuns,
    "ACL failure in script": errors.NoPermissionError,
    "The user executing the script can't": errors.NoPermissionError,
}
"""Beginnings of errors for which the driver has no kind."""

IN_SCRIPTS = {"-OOM ": errors.OutOfMemoryError, "-READONLY ": errors.ReadOnlyError}
"""What Redis 6.2 says of a script in the middle of a sentence, where later ones begin with it."""


class Server:
    """A connected server or cluster, called `where` in messages. `patience` is how long passing trouble is borne, in
    seconds; `replicas` is how many must have confirmed a commit."""

    def __init__(self, connect: Callable[[], Client], where: str, patience: float, replicas: int) -> None:
        self.where = where
        self._patience = patience
        self._replicas = replicas
        self._closed = False
        self._astray = False  # The last call ended in trouble: its node may have been replaced.
        with self.speaking():
            self.client = self.patiently(connect)

    def patiently(self, ask: Callable[[], Answer]) -> Answer:
        """What servers say that may be starting. Raises the driver's errors."""
        until, pause = time.monotonic() + self._patience, SHORTEST_PAUSE
        while True:
            try:
                return ask()
            except PASSING as error:
                if isinstance(error, errors.AuthenticationError) or time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def run(self, calls: Sequence[Call], then: Sequence[Call] = (), confirm: bool = False) -> list[Any]:
        """The answers. `then` are calls that come after all others.

        With `confirm` it waits for the replicas. Raises BackendUnavailable: then any of the calls may have happened.
        """
        answers: dict[Call, Any] = {}
        begun, pause = steady(), SHORTEST_PAUSE
        with self.speaking():
            if self._astray:
                self._look_around()
            while trouble := self._attempt([calls, then], answers, confirm):
                if isinstance(trouble, errors.NoScriptError):
                    continue
                self._astray = isinstance(trouble, PASSING)
                if not self._astray or steady() + pause > begun + self._patience:
                    raise trouble
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                self._look_around()
                if steady() > begun + REMEMBERED:
                    raise trouble
        return [answers[call] for call in calls]

    def ask(self, key: bytes, *words: Word) -> Any:
        """The answer to one command. Raises BackendUnavailable."""
        return self.run([Call(key, *words)])[0]

    def block(self, *lists: bytes, seconds: float) -> bytes | None:
        """Wait for an element of one of some lists, which are on one node, and take it; the list that had one.

        Raises the driver's errors: whoever blocks has time to ask again.
        """
        try:
            client = self.client_of(lists[0])
            timeout = client.connection_pool.connection_kwargs.get("socket_timeout") or 2 * seconds
            found: list[bytes] | None = client.execute_command("BLPOP", *lists, min(seconds, timeout / 2))
        except FAILURES:
            self._look_around()
            raise
        return None if found is None else found[0]

    def _attempt(self, stages: Sequence[Sequence[Call]], answers: dict[Call, Any], confirm: bool) -> Exception | None:
        """Send what has no answer yet; what went wrong with any of it."""
        if self._closed:
            raise BackendUnavailable(f"{self.where}: this backend is closed")
        if not isinstance(self.client, RedisCluster):  # One server does one after the other by itself.
            stages = [[call for stage in stages for call in stage]]
        try:
            for stage in stages:
                left = [call for call in stage if call not in answers]
                if left and (trouble := self._exchange(left, answers, confirm and stage is stages[0])):
                    return trouble
        except FAILURES as error:
            return error
        return None

    def _by_server(self, calls: Sequence[Call]) -> dict[redis.Redis, list[Call]]:
        groups: dict[redis.Redis, list[Call]] = {}
        for call in calls:
            groups.setdefault(self.client_of(call.key), []).append(call)
        return groups

    def client_of(self, key: bytes) -> redis.Redis:
        """The server that keeps a key."""
        if not isinstance(self.client, RedisCluster):
            return self.client
        node = self.client.get_node_from_key(key)
        return self.client.get_redis_connection(node)

    def _exchange(self, calls: Sequence[Call], answers: dict[Call, Any], confirm: bool) -> Exception | None:
        waits: list[tuple[Word, ...]] = []
        if confirm and self._replicas > 0:
            waits.append(("WAIT", self._replicas, REPLICA_PATIENCE_MS))
        groups = self._by_server(calls)
        pipes = [Pipe(client, [*(call.words for call in group), *waits]) for client, group in groups.items()]
        exchange(pipes)
        for pipe in pipes if waits else ():
            self._check_replicas(pipe.answers)
        sent = [call for group in groups.values() for call in group]
        return _settle(sent, [answer for pipe in pipes for answer in pipe.answers], answers)

    def _check_replicas(self, said: list[Any]) -> None:
        """Take the last answer of a server, which is on its replicas: what is done there counts when they have it."""
        confirmed = said.pop()
        done = [place for place, answer in enumerate(said) if not isinstance(answer, Exception)]
        if isinstance(confirmed, Exception):
            for place in done:
                said[place] = confirmed
        elif done and confirmed < self._replicas:
            raise BackendUnavailable(
                f"{self.where}: only {confirmed} of {self._replicas} replicas have confirmed; it is done, but a "
                "failover may undo it"
            )

    def _look_around(self) -> None:
        """Learn anew which node of a cluster keeps what."""
        self._astray = False
        if isinstance(self.client, RedisCluster):
            try:
                self.client.nodes_manager.initialize()
            except FAILURES:
                pass  # The next attempt says it.

    def primaries(self) -> list[redis.Redis]:
        """The servers that are written to."""
        if not isinstance(self.client, RedisCluster):
            return [self.client]
        return [self.client.get_redis_connection(node) for node in self.client.get_primaries()]

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """The driver's errors become those of the library."""
        try:
            yield
        except (errors.AuthenticationError, errors.NoPermissionError) as error:
            raise UnsupportedBackend(f"{self.where}: {error}") from error
        except FAILURES as error:
            hint = next((f"{hint}: " for kind, hint in HINTS.items() if isinstance(error, kind)), "")
            raise BackendUnavailable(f"{self.where}: {hint}{error}") from error

    def close(self) -> None:
        """Give up the connections that nobody uses just now."""
        self._closed = True
        clients: list[redis.Redis]
        if isinstance(self.client, RedisCluster):
            clients = [node.redis_connection for node in self.client.get_nodes() if node.redis_connection is not None]
        else:
            clients = [self.client]
        for client in clients:
            client.connection_pool.disconnect(inuse_connections=False)


def _settle(calls: Sequence[Call], said: Sequence[Any], answers: dict[Call, Any]) -> Exception | None:
    """Keep what is answered; what went wrong with the rest, or with one of it that may pass."""
    trouble: Exception | None = None
    for call, answer in zip(calls, said, strict=True):
        wrong = _named(answer) if isinstance(answer, Exception) else None
        if isinstance(wrong, errors.NoScriptError):
            call.spell_out()
        elif wrong is None or call.hint:
            answers[call] = answer
            continue
        trouble = trouble if isinstance(trouble, PASSING) else wrong
    return trouble


def _named(error: Exception) -> Exception:
    """An error as the kind that it is."""
    said = str(error)
    if not isinstance(error, errors.ResponseError):
        return error
    kinds = [kind for beginning, kind in SAID.items() if said.startswith(beginning)]
    if said.startswith("Error running script"):
        kinds += [kind for code, kind in (*IN_SCRIPTS.items(), *SAID.items()) if code in said]
    return kinds[0](said) if kinds else error
