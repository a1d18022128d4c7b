"""What is settled when a store is opened: whether the server is fit to keep anything, and the number of shards."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import redis
from redis import exceptions as errors

from pyworkflow.exceptions import UnsupportedBackend

from .layout import Keys, meta_key
from .pipe import Call
from .scripts import RIGHTS
from .server import Server

FORMAT = 1
OLDEST = (6, 2)
REMEDY = "set it so, or pass unsafe=True (in a URL, ?unsafe=1) where nothing has to be kept"


def check_servers(server: Server, unsafe: bool) -> dict[str, Any]:
    """What the servers say of themselves. Raises UnsupportedBackend for one that may forget what it acknowledged."""
    told: dict[str, Any] = {}
    with server.speaking():
        for client in server.primaries():
            info = server.patiently(partial(_info, client))
            told = _told(client, info)
            if _version(info) < OLDEST:
                raise UnsupportedBackend(f"{server.where}: version {told['version']}; Redis 6.2 or Valkey 8 is needed")
            if not unsafe:
                _check(server.where, told)
    return told


def _info(client: redis.Redis) -> dict[str, Any]:
    """What a server says of itself: while it loads its data, also that it appends to no file. Raises for such a one."""
    info: dict[str, Any] = client.info()
    if info.get("loading"):
        raise errors.BusyLoadingError("try again later")
    return info


def _told(client: redis.Redis, info: dict[str, Any]) -> dict[str, Any]:
    return {
        "server": info.get("server_name", "redis"),
        "version": str(info.get("valkey_version") or info.get("redis_version")),
        "appendonly": bool(info.get("aof_enabled")),
        "appendfsync": _configured(client, "appendfsync"),
        "maxmemory_policy": info.get("maxmemory_policy") or _configured(client, "maxmemory-policy"),
    }


def _configured(client: redis.Redis, name: str) -> str | None:
    """A setting of the server; None where it does not tell."""
    try:
        return dict(client.config_get(name)).get(name)
    except redis.ResponseError:
        return None


def durable(told: dict[str, Any]) -> bool | None:
    """Does a server keep what it acknowledges, but for the last second? None where it does not tell."""
    if not told["appendonly"] or told["maxmemory_policy"] != "noeviction":
        return False
    return None if told["appendfsync"] is None else told["appendfsync"] != "no"


def _version(info: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])


def _check(where: str, told: dict[str, Any]) -> None:
    if not told["appendonly"]:
        raise UnsupportedBackend(f"{where}: appendonly is no, so a restart loses everything; {REMEDY}")
    if told["appendfsync"] == "no":
        raise UnsupportedBackend(f"{where}: appendfsync is no; it must be everysec or always: {REMEDY}")
    if told["maxmemory_policy"] != "noeviction":
        raise UnsupportedBackend(
            f"{where}: maxmemory-policy is {told['maxmemory_policy']}, so processes may be evicted; it must be "
            f"noeviction: {REMEDY}"
        )


def settle_shards(server: Server, prefix: str, shards: int | None, create: bool) -> int:
    """How many shards there are. Raises UnsupportedBackend when it is not what was asked for, or not ours."""
    key = meta_key(prefix)
    stored = _stored(server, key)
    if not stored and not create:
        raise UnsupportedBackend(f"{server.where}: there is nothing of pyworkflow under the prefix {prefix!r}")
    if not stored:
        server.ask(key, "HSETNX", key, "format", FORMAT)
        server.ask(key, "HSETNX", key, "shards", 1 if shards is None else shards)
        stored = _stored(server, key)
    if stored["format"] > FORMAT:
        raise UnsupportedBackend(f"{server.where}: written by a newer pyworkflow (format {stored['format']}): upgrade")
    if shards not in (None, stored["shards"]):
        raise UnsupportedBackend(
            f"{server.where}: prefix {prefix!r} is divided into {stored['shards']} shards, not {shards}; the number "
            "cannot be changed: leave it out, or use another prefix"
        )
    return stored["shards"]


def _stored(server: Server, key: bytes) -> dict[str, int]:
    format, shards = server.ask(key, "HMGET", key, "format", "shards")
    return {} if format is None or shards is None else {"format": int(format), "shards": int(shards)}


def check_rights(server: Server, keys: Keys) -> None:
    """Raises UnsupportedBackend for a user who may not do all that the scripts do: one would stop in the middle."""
    server.run([Call.script(RIGHTS, [shard.reply(os.urandom(9))]) for shard in keys.shards])
