"""What a server must be before anything is kept on it, how a URL is read, and how the shards are settled."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pyworkflow import BackendUnavailable, UnsupportedBackend, open_backend
from pyworkflow.backend.redis import RedisBackend
from pyworkflow_redis.address import Address
from tests.servers.redis import RunningServer


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"appendonly": "no"}, "appendonly is no"),
        ({"appendfsync": "no"}, "appendfsync is no"),
        ({"maxmemory-policy": "allkeys-lru"}, "maxmemory-policy is allkeys-lru"),
        ({"maxmemory-policy": "volatile-ttl"}, "maxmemory-policy is volatile-ttl"),
    ],
)
def test_a_server_that_may_forget_is_refused_unless_it_is_wanted(
    server: RunningServer, settings: dict[str, str], message: str
) -> None:
    client = server.client()
    for name, value in settings.items():
        client.config_set(name, value)
    with pytest.raises(UnsupportedBackend, match=message):
        RedisBackend(server.url)
    backend = RedisBackend(server.url, unsafe=True)
    assert backend.info()["durable"] is False
    backend.close()
    open_backend(f"{server.url}?unsafe=1").close()


def test_a_durable_server_says_so(server: RunningServer) -> None:
    backend = RedisBackend(server.url, shards=3, prefix="shop")
    info = backend.info()
    backend.close()
    assert (info["durable"], info["appendfsync"], info["shards"], info["prefix"]) == (True, "everysec", 3, "shop")


def test_a_server_that_does_not_tell_is_taken_at_its_word_and_not_called_durable(server: RunningServer) -> None:
    """As managed services have it: CONFIG is not for everybody."""
    server.client().execute_command("ACL SETUSER guest on nopass ~* &* +@all -config")
    backend = RedisBackend(server.url.replace("unix://", "unix://guest:x@"))
    info = backend.info()
    backend.close()
    assert (info["durable"], info["appendfsync"], info["appendonly"]) == (None, None, True)


def test_the_number_of_shards_is_settled_once_a_prefix(server: RunningServer) -> None:
    RedisBackend(server.url, shards=4).close()
    with pytest.raises(UnsupportedBackend, match="divided into 4 shards, not 2"):
        RedisBackend(server.url, shards=2)
    for shards in (4, None):
        backend = RedisBackend(server.url, shards=shards)
        assert backend.info()["shards"] == 4
        backend.close()
    RedisBackend(server.url, shards=2, prefix="other").close()


def test_what_a_newer_version_wrote_is_refused(server: RunningServer) -> None:
    RedisBackend(server.url).close()
    server.client().hset("{pyworkflow:0}:meta", "format", 2)
    with pytest.raises(UnsupportedBackend, match="newer pyworkflow"):
        RedisBackend(server.url)


def test_nothing_is_made_where_it_is_not_wanted(server: RunningServer) -> None:
    with pytest.raises(UnsupportedBackend, match="nothing of pyworkflow"):
        open_backend(server.url, create=False)
    assert server.client().keys() == []
    open_backend(server.url).close()
    open_backend(server.url, create=False).close()


@pytest.mark.parametrize(
    "options",
    [{"shards": 0}, {"shards": 5000}, {"prefix": "{a}"}, {"prefix": ""}, {"patience": 21}, {"wait_replicas": -1}],
)
def test_options_that_cannot_be_leave_nothing_behind(server: RunningServer, options: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedBackend, match=next(iter(options))):
        RedisBackend(server.url, **options)
    assert server.client().keys() == []


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(BackendUnavailable, match=r"127\.0\.0\.1:1"):
        RedisBackend("redis://127.0.0.1:1", patience=0.1)
    with pytest.raises(BackendUnavailable):
        RedisBackend("redis+cluster://127.0.0.1:1,127.0.0.1:2?shards=2", patience=0.1)


def test_a_wrong_password_is_told_and_not_shown(server: RunningServer) -> None:
    server.client().config_set("requirepass", "right")
    with pytest.raises(UnsupportedBackend) as caught:
        RedisBackend(server.url.replace("unix://", "unix://:wrong@"))
    assert "wrong@" not in str(caught.value)
    RedisBackend(server.url.replace("unix://", "unix://:right@")).close()


# -- URLs ----------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", {"host": "localhost", "port": 6379}),
        ("redis://h:7/3", {"host": "h", "port": 7, "db": 3}),
        ("redis://u:p%40w@h", {"host": "h", "username": "u", "password": "p@w"}),
        ("redis://[::1]:7", {"host": "::1", "port": 7}),
        ("redis://h?socket_timeout=9&shards=4", {"host": "h", "socket_timeout": 9.0}),
        ("unix:///run/r.sock?db=2", {"path": "/run/r.sock", "db": 2}),
    ],
)
def test_urls_of_one_server(url: str, expected: dict[str, Any]) -> None:
    kwargs = Address(url).connect().connection_pool.connection_kwargs  # type: ignore[union-attr]
    assert {name: kwargs.get(name) for name in expected} == expected


def test_a_secure_url_has_a_secure_connection() -> None:
    import redis

    pool = Address("rediss://h").connect().connection_pool  # type: ignore[union-attr]
    assert issubclass(pool.connection_class, redis.SSLConnection)


def test_a_url_of_sentinels_names_a_service() -> None:
    client = Address("redis+sentinel://:pw@a:1,b/shop/2").connect()
    pool: Any = client.connection_pool  # type: ignore[union-attr]
    assert pool.service_name == "shop"
    assert (pool.connection_kwargs["db"], pool.connection_kwargs["password"]) == (2, "pw")
    places = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(place["host"], place["port"]) for place in places] == [("a", 1), ("b", 26379)]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("redis://h:port", "port"),
        ("redis://h?shards=x", "shards=x"),
        ("redis://h?unsafe=false", "unsafe=false"),
        ("redis://h?shard=2", "option shard"),
        ("redis+cluster://h?shard=2", "option shard"),
        ("redis+sentinel://h/shop?shard=2", "option shard"),
        ("redis+sentinel://h", "SERVICE"),
        ("http://h", "rediss"),
    ],
)
def test_urls_that_cannot_be(url: str, named: str) -> None:
    with pytest.raises(UnsupportedBackend, match=named):
        RedisBackend(url)


def test_options_of_a_url(server: RunningServer) -> None:
    backend = open_backend(f"{server.url}?shards=2&prefix=shop&decode_responses=true&unsafe=0")
    assert (backend.info()["shards"], backend.info()["prefix"]) == (2, "shop")
    backend.close()


def test_without_the_driver_the_door_says_what_to_install() -> None:
    code = "import sys; sys.modules['redis'] = None\nimport pyworkflow.backend.redis"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install '.[redis]'" in run.stderr
