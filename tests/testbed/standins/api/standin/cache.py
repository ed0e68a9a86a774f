# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache, in memcached or Redis. Like Rails' own it never fails: what cannot be read is not there."""

from __future__ import annotations

from typing import Any

import redis
from pymemcache.client.hash import HashClient

from standin import sidekiq
from standin.settings import env, present

HOUR = 3600


def _connected() -> Any | None:
    """memcached where it is named, whatever else is: a client with `get`, `set` and `delete`."""
    if present("LAGO_MEMCACHE_SERVERS"):
        servers = [server.strip() for server in env("LAGO_MEMCACHE_SERVERS").split(",")]
        return HashClient(servers, connect_timeout=1, timeout=1, ignore_exc=True)
    if not (present("LAGO_REDIS_CACHE_URL") or present("LAGO_REDIS_CACHE_SENTINELS")):
        return None
    return sidekiq.client("CACHE")


def read(name: str) -> str | None:
    connection = _connected()
    try:
        found = None if connection is None else connection.get(name)
    except redis.RedisError:
        return None
    return found.decode() if isinstance(found, bytes) else found or None


def write(name: str, value: str, seconds: int = HOUR) -> None:
    connection = _connected()
    try:
        if isinstance(connection, HashClient):
            connection.set(name, value, expire=seconds)
        elif connection is not None:
            connection.set(name, value, ex=seconds)
    except redis.RedisError:
        pass


def delete(name: str) -> None:
    connection = _connected()
    try:
        if connection is not None:
            connection.delete(name)
    except redis.RedisError:
        pass
