"""The backend that users name: `PostgresBackend("postgresql://host/orders")`, or that URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import UnsupportedBackend

from .store import PostgresStore


class PostgresBackend(Engine):
    """A backend in a database of a Postgres server, in a schema of its own, made when it is not there.

    `url` is libpq's: `postgresql://user@host:5432/database?sslmode=require`. `listen=False` is for poolers that hand
    out connections by transaction. `pool_size` is how many connections this process may have beside the one that
    listens; `connect_timeout` (seconds) bounds the wait for one. `clock` replaces the server's time, in tests. The
    other arguments are the Engine's.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "pyworkflow",
        listen: bool = True,
        pool_size: int = 10,
        connect_timeout: float = 10.0,
        create: bool = True,
        clock: Callable[[], float] | None = None,
        **options: Any,
    ) -> None:
        store = PostgresStore(
            url,
            schema=schema,
            listen=listen,
            pool_size=pool_size,
            connect_timeout=connect_timeout,
            create=create,
            clock=clock,
        )
        super().__init__(store, **options)

    @classmethod
    def from_url(cls, url: str, *, create: bool = True, **options: Any) -> PostgresBackend:
        """The backend of a libpq URL, which may also say `?schema=orders&listen=off`. Raises UnsupportedBackend."""
        base, _, query = url.partition("?")
        given = [part.partition("=") for part in query.split("&") if part]
        own = {name: value for name, _, value in given if name in ("schema", "listen")}
        rest = "&".join("".join(part) for part in given if part[0] not in own)
        if "listen" in own:
            options.setdefault("listen", _switch(own["listen"]))
        if "schema" in own:
            options.setdefault("schema", own["schema"])
        return cls(f"{base}?{rest}", create=create, **options)


def _switch(value: str) -> bool:
    if value not in ("on", "off"):
        raise UnsupportedBackend(f"listen is on or off, not {value!r}")
    return value == "on"
