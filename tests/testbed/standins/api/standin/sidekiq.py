# SPDX-License-Identifier: GPL-3.0-or-later
"""The queue in Redis, in Sidekiq's own layout."""

from __future__ import annotations

import json
import os
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from standin import uri
from standin.failures import RubyError
from standin.settings import boolean, env

WRAPPER = "Sidekiq::ActiveJob::Wrapper"


def client(prefix: str = "SIDEKIQ", patient: bool = True) -> redis.Redis:
    """A connection to the queue, or with prefix CACHE to the cache: by URL or through Sentinels.

    :raises RubyError: when the URL is none.
    """
    cache = prefix == "CACHE"
    url = uri.parse(env("LAGO_REDIS_CACHE_URL" if cache else "REDIS_URL") or "redis://localhost:6379/0")
    options: dict[str, Any] = {"db": int(url.path or 0), "username": url.user, "decode_responses": True}
    options["password"] = env("LAGO_REDIS_CACHE_PASSWORD" if cache else "REDIS_PASSWORD") or url.password
    options["socket_connect_timeout"] = options["socket_timeout"] = None if patient and not cache else 1
    if url.scheme == "rediss":
        options |= {"ssl": True, "ssl_cert_reqs": "none", "ssl_check_hostname": False}
    sentinels = env(f"LAGO_REDIS_{prefix}_SENTINELS")
    if sentinels:
        name = env(f"LAGO_REDIS_{prefix}_MASTER_NAME") or "master"
        return Sentinel(_sentinels(sentinels), socket_timeout=1).master_for(name, **options)
    if patient and not cache:
        options["retry"] = Retry(ConstantBackoff(0.5), 3)
        options["retry_on_error"] = [redis.ConnectionError]
    return redis.Redis(host=url.host, port=url.port or 6379, **options)


def _sentinels(text: str) -> list[tuple[str, int]]:
    """Host and port of each, split at colons: nothing else can be said of a Sentinel, no password for instance."""
    found = []
    for entry in text.split(","):
        host, *rest = (part.strip() for part in entry.split(":"))
        port = rest[0] if rest and rest[0] else "26379"
        if not port.isdigit():
            raise RubyError("ArgumentError", f'Invalid Redis sentinel port "{port}" in "{entry}"')
        found.append((host, int(port)))
    return found


def cable() -> redis.Redis:
    """Action Cable's own connection: it knows a URL and nothing else, and checks a certificate, unlike the others.

    :raises RubyError: when the URL is none.
    """
    text = env("LAGO_REDIS_CABLE_URL", env("REDIS_URL", "redis://localhost:6379/1"))
    url = uri.parse(text or "redis://localhost:6379/0")
    options: dict[str, Any] = {"username": url.user, "password": url.password, "db": int(url.path or 0)}
    return redis.Redis(
        host=url.host, port=url.port or 6379, ssl=url.scheme == "rediss", socket_connect_timeout=5, **options
    )


def cannot_connect(error: Exception) -> RubyError:
    kind = "AuthenticationError" if isinstance(error, redis.AuthenticationError) else "CannotConnectError"
    return RubyError(f"RedisClient::{kind}", str(error))


# Queues of dedicated workers: the flag that lets jobs into them, and where they go without it.
DEDICATED = {
    "ai_agent": ("SIDEKIQ_AI_AGENT", "default"),
    "alerts": ("SIDEKIQ_ALERTS", "default"),
    "alerts_high_priority": ("SIDEKIQ_ALERTS", "default"),
    "analytics": ("SIDEKIQ_ANALYTICS", "low_priority"),
    "analytics_low_priority": ("SIDEKIQ_ANALYTICS", "long_running"),
    "billing": ("SIDEKIQ_BILLING", "default"),
    "billing_low_priority": ("SIDEKIQ_BILLING", "invoices"),
    "clock_worker": ("SIDEKIQ_CLOCK", "clock"),
    "events": ("SIDEKIQ_EVENTS", "default"),
    "payments": ("SIDEKIQ_PAYMENTS", "providers"),
    "pdfs": ("SIDEKIQ_PDFS", "invoices"),
    "wallets": ("SIDEKIQ_WALLETS", "low_priority"),
    "webhook_worker": ("SIDEKIQ_WEBHOOK", "webhook"),
}


def queue_for(name: str) -> str:
    """The queue of a kind of job: its own when its flag is set on the process that enqueues."""
    flag, otherwise = DEDICATED[name]
    return name if boolean(flag) else otherwise


def payload(job: str, queue: str, arguments: list[Any]) -> dict[str, Any]:
    """A job as Active Job hands it to Sidekiq."""
    now = time.time()
    inner: dict[str, Any] = {
        "job_class": job,
        "job_id": str(uuid.uuid4()),
        "provider_job_id": None,
        "queue_name": queue,
        "priority": None,
        "arguments": arguments,
        "executions": 0,
        "exception_executions": {},
        "locale": "en",
        "timezone": "UTC",
        "enqueued_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    outer = {"retry": True, "queue": queue, "wrapped": job, "class": WRAPPER, "args": [inner]}
    return {**outer, "jid": secrets.token_hex(12), "created_at": int(now * 1000), "enqueued_at": int(now * 1000)}


def push(connection: redis.Redis, record: dict[str, Any]) -> None:
    pipeline = connection.pipeline()
    pipeline.sadd("queues", record["queue"])
    pipeline.lpush(f"queue:{record['queue']}", json.dumps(record))
    pipeline.execute()


def enqueue(job: str, queue: str, *arguments: Any) -> None:
    """Puts a job into the queue.

    :raises RubyError: when Redis cannot be reached or refuses the password; whatever asked for the job then fails.
    """
    connection = client()
    try:
        push(connection, payload(job, queue, list(arguments)))
    except redis.RedisError as error:
        raise cannot_connect(error) from error
    finally:
        connection.close()


def identity() -> str:
    return f"{os.uname().nodename}:{os.getpid()}:{secrets.token_hex(6)}"
