"""Where a server is: a URL of one server, of a cluster's nodes or of Sentinels becomes a client, and options."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel

from pyworkflow.exceptions import UnsupportedBackend

from .server import Client

SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "redis+sentinel")
DEFAULTS = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0, "protocol": 2}
OPTIONS: dict[str, Callable[[str], Any]] = {
    "shards": int,
    "prefix": str,
    "wait_replicas": int,
    "patience": float,
    "unsafe": {"0": False, "1": True}.__getitem__,
}
"""What a URL may say of the backend itself; the driver gets the rest."""
FIXED = {"retry": Retry(NoBackoff(), 0), "decode_responses": False}
"""What the driver is told whatever a URL says: the store tries again by itself, and reads bytes."""


class Address:
    """What a URL says. Raises UnsupportedBackend for one that cannot be used."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise UnsupportedBackend(f"{url!r} is no address of Redis: it begins with {', '.join(SCHEMES)}")
        self.scheme = parts.scheme
        self.where = _without_password(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        try:
            self.options: dict[str, Any] = {name: _option(name, text) for name, text in query if name in OPTIONS}
            login, _, hosts = parts.netloc.rpartition("@")
            self._nodes = [_host(host, parts.scheme) for host in hosts.split(",")]
            self._path = [unquote(part) for part in parts.path.split("/") if part]
            self._driver = self._driver_options(parts.scheme, login, parts.path, query)
        except ValueError as error:
            raise UnsupportedBackend(f"{self.where}: {error}") from error
        if parts.scheme == "redis+sentinel" and not self._path:
            raise UnsupportedBackend(f"{self.where} names no service: write redis+sentinel://HOST:26379/SERVICE")

    def _driver_options(self, scheme: str, login: str, path: str, query: list[tuple[str, str]]) -> dict[str, Any]:
        """The driver's options, read by the driver itself from the URL of one server."""
        host, port = self._nodes[0]
        one = scheme if scheme in ("rediss", "unix") else "redis"
        rest = urlencode([(name, text) for name, text in query if name not in OPTIONS])
        place = "" if one == "unix" else f"{f'[{host}]' if ':' in host else host}:{port}"
        netloc = f"{login}@{place}" if login else place
        options = parse_url(f"{one}://{netloc}{path if scheme == one else ''}?{rest}")
        if unknown := options.keys() - _known(scheme, options.get("connection_class", redis.Connection)):
            raise ValueError(f"neither the backend nor redis-py has an option {', '.join(sorted(unknown))}")
        return {**DEFAULTS, **options, **FIXED}

    def connect(self) -> Client:
        """A client. That of a cluster is connected at once, the others when they are needed."""
        if self.scheme == "redis+cluster":
            options = {name: value for name, value in self._driver.items() if name not in ("host", "port", "db")}
            nodes = [ClusterNode(host, port) for host, port in self._nodes]
            return RedisCluster(startup_nodes=nodes, **options)
        if self.scheme == "redis+sentinel":
            return self._by_sentinel()
        pool = redis.ConnectionPool(**self._driver)
        return redis.Redis.from_pool(pool)

    def _by_sentinel(self) -> redis.Redis:
        options = {name: value for name, value in self._driver.items() if name not in ("host", "port")}
        password = options.pop("sentinel_password", None)
        db = int(self._path[1]) if len(self._path) > 1 else 0
        common = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout")}
        sentinel = Sentinel(self._nodes, sentinel_kwargs={**common, "password": password})
        client: redis.Redis = sentinel.master_for(self._path[0], **{**options, "db": db})
        return client


def _option(name: str, text: str) -> Any:
    try:
        return OPTIONS[name](text)
    except (ValueError, KeyError):
        raise ValueError(f"{name}={text} is not a value that {name} can have") from None


def _known(scheme: str, connection: type[redis.Connection]) -> set[str]:
    """What the driver can be told: a cluster's client passes over in silence what it does not know."""
    kinds: list[type] = [redis.ConnectionPool, *connection.__mro__[:-1]]
    if scheme in ("redis+cluster", "redis+sentinel"):
        kinds += [RedisCluster, redis.Redis]
    return {"sentinel_password", *(name for kind in kinds for name in signature(kind).parameters)}


def _host(text: str, scheme: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or port.endswith("]"):
        host, port = text, "26379" if scheme == "redis+sentinel" else "6379"
    return host.strip("[]") or "localhost", int(port)


def _without_password(url: str) -> str:
    """A URL that may be shown."""
    parts = urlsplit(url)
    login, separator, hosts = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{login.partition(':')[0]}{separator}{hosts}{parts.path}"
