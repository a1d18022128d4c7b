"""The backend that users name: `SQLiteBackend("orders.db")`, or `sqlite:///orders.db`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

from pyworkflow.engine.engine import Engine
from pyworkflow.exceptions import UnsupportedBackend

from .store import SQLiteStore


class SQLiteBackend(Engine):
    """A backend on a SQLite file, made when it is not there; it may be your application's own.

    `durability` is "full" (every acknowledged call survives a power cut) or "normal" (SQLite's synchronous=NORMAL: the
    last ones may be lost in a power cut, none when a process dies). `busy_timeout` (seconds) bounds the wait for other
    writers. Without `create`, a file in which there are no workflows yet is refused. The other arguments are the
    Engine's.
    """

    def __init__(
        self,
        path: str,
        *,
        durability: Literal["full", "normal"] = "full",
        busy_timeout: float = 30.0,
        create: bool = True,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        store = SQLiteStore(path, durability=durability, busy_timeout=busy_timeout, create=create, clock=clock)
        super().__init__(store, **options)

    @classmethod
    def from_url(cls, url: str, *, create: bool = True, **options: Any) -> SQLiteBackend:
        """The backend of `sqlite:///relative.db` or `sqlite:////absolute.db`, which may also say `?durability=normal`.

        What it says counts more than the options. A question mark in a name is `%3F`. Raises UnsupportedBackend.
        """
        quoted, _, query = url.removeprefix("sqlite:///").partition("?")
        path = unquote(quoted)
        if not url.startswith("sqlite:///") or not path:
            raise UnsupportedBackend(f"{url!r} names no file: write sqlite:///relative.db or sqlite:////absolute.db")
        said = _read(url, query)
        if not create and not os.path.exists(path):
            raise UnsupportedBackend(f"there is no file {path}")
        return cls(path, create=create, **{**options, **said})


OPTIONS: dict[str, Callable[[str], Any]] = {"durability": str, "busy_timeout": float, "cache_size": int}
"""What a URL may say, and how it is read."""


def _read(url: str, query: str) -> dict[str, Any]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given:
        if name not in OPTIONS:
            raise UnsupportedBackend(f"{url!r} has an unknown option {name!r}: there are {', '.join(OPTIONS)}")
    try:
        return {name: OPTIONS[name](value) for name, value in given.items()}
    except ValueError as error:
        raise UnsupportedBackend(f"{url!r} cannot be used: {error}") from error
