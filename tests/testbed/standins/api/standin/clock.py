# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock: every job once at the start, then each in its own rhythm."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import redis

from standin import NOTICE, sidekiq
from standin.settings import env, is_true, present

OFTEN = int(env("LAGO_SUBSCRIPTION_ACTIVITY_PROCESSING_INTERVAL_SECONDS") or 60)
USUAL = 300
SCHEDULE = {
    "schedule:process_subscription_activity": OFTEN,
    "schedule:activate_subscriptions": USUAL,
    "schedule:refresh_draft_invoices": USUAL,
    "schedule:finalize_invoices": USUAL,
    "schedule:retry_generating_subscription_invoices": USUAL,
    "schedule:terminate_wallets": USUAL,
    "schedule:api_keys_track_usage": USUAL,
    "schedule:clean_webhooks": USUAL,
}


def _jobs() -> dict[str, int]:
    """Wallets are refreshed only where there is a cache by URL."""
    found = dict(SCHEDULE)
    if (present("LAGO_REDIS_CACHE_URL") or present("LAGO_MEMCACHE_SERVERS")) and not is_true(
        "LAGO_DISABLE_WALLET_REFRESH"
    ):
        found["schedule:refresh_wallets_ongoing_balance"] = int(
            env("LAGO_WALLET_ONGOING_BALANCE_REFRESH_INTERVAL_SECONDS") or USUAL
        )
    return found


def _say(text: str) -> None:
    moment = datetime.now(UTC)
    print(f"I, [{moment:%Y-%m-%dT%H:%M:%S.%f} #1]  INFO -- : {text}", flush=True)


def _trigger(connection: redis.Redis, name: str) -> None:
    """Enqueues the job unless the last one of its kind still waits."""
    _say(f"Triggering '{name}'")
    short = name.partition(":")[2]
    lock = f"activejob_uniqueness:clock/{short}_job:no_arguments"
    queue = sidekiq.queue_for("clock_worker")
    if connection.set(lock, "1", nx=True, ex=3600):
        job = "".join(part.capitalize() for part in short.split("_"))
        sidekiq.push(connection, {**sidekiq.payload(f"Clock::{job}Job", queue, []), "lock": lock})


def tick() -> int:
    """Ends by a signal, or as soon as Redis cannot be reached."""
    jobs = _jobs()
    print(NOTICE, flush=True)
    _say(f"Starting clock for {len(jobs)} events: [ {' '.join(jobs)} ]")
    connection = sidekiq.client(patient=False)
    due = dict.fromkeys(jobs, 0.0)
    try:
        while True:
            now = time.monotonic()
            for name, interval in jobs.items():
                if due[name] <= now:
                    _trigger(connection, name)
                    due[name] = now + interval
            time.sleep(1)
    except redis.RedisError as error:
        raise sidekiq.cannot_connect(error) from error
    except KeyboardInterrupt:
        sys.exit(130)
