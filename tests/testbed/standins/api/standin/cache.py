# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache in Redis. Like Rails' own it never fails: what cannot be read is not there."""

from __future__ import annotations

import redis

from standin import sidekiq
from standin.settings import present

HOUR = 3600


def _connected() -> redis.Redis | None:
    if not (present("LAGO_REDIS_CACHE_URL") or present("LAGO_REDIS_CACHE_SENTINELS")):
        return None
    return sidekiq.client("CACHE")


def read(name: str) -> str | None:
    connection = _connected()
    try:
        return None if connection is None else str(connection.get(name) or "") or None
    except redis.RedisError:
        return None


def write(name: str, value: str, seconds: int = HOUR) -> None:
    connection = _connected()
    try:
        if connection is not None:
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
