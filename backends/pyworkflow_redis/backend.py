"""The backend that users name: `RedisBackend("redis://localhost")`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import UnsupportedBackend

from .address import Address
from .store import RedisStore

LONGEST_PATIENCE = 20.0


class RedisBackend(Engine):
    """A backend on Redis 6.2 or Valkey 8, or newer: one server, a cluster, or what Sentinels name.

    `shards` divides the processes, for a cluster; it is settled when the first backend opens. All keys begin with
    `prefix`. With `wait_replicas` that many replicas must confirm each commit. `unsafe` accepts servers that may forget
    what they acknowledged. For `patience` seconds a server that is away is tried again before BackendUnavailable is
    raised. `clock` takes the place of the server's, for tests. The other arguments are the Engine's.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379/0",
        *,
        shards: int | None = None,
        prefix: str = "pyworkflow",
        wait_replicas: int = 0,
        unsafe: bool = False,
        patience: float = 2.0,
        clock: Callable[[], float] | None = None,
        create: bool = True,
        **options: Any,
    ) -> None:
        given = {"shards": shards, "prefix": prefix, "wait_replicas": wait_replicas, "unsafe": unsafe}
        address = Address(url)
        settings = {**given, "patience": patience, **address.options}
        if not 0 <= settings["patience"] <= LONGEST_PATIENCE:
            raise UnsupportedBackend(f"patience is a number of seconds from 0 to {LONGEST_PATIENCE:.0f}")
        if settings["wait_replicas"] < 0:
            raise UnsupportedBackend(f"wait_replicas is a number of replicas, not {settings['wait_replicas']}")
        super().__init__(RedisStore(address, clock=clock, create=create, **settings), **options)

    @classmethod
    def from_url(cls, url: str, *, create: bool = True, **options: Any) -> RedisBackend:
        """The backend of a URL; what its query says of the backend counts more than the options."""
        return cls(url, create=create, **options)
