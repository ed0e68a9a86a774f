# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about memory, logs and time. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import megabytes, shown

#: MiB below which a process does not live: the API's are killed with 300 (measured), PostgreSQL shares 256.
_NEEDED = {
    "lago_api_memory": 400,
    "lago_worker_memory": 400,
    "lago_clock_memory": 320,
    "lago_front_memory": 32,
    "lago_pdf_memory": 256,
    "lago_proxy_memory": 64,
    "lago_postgres_memory": 384,
    "lago_redis_memory": 64,
    "lago_redis_cache_memory": 64,
}
#: What Redis may hold, and the limit of its container.
_WITHIN = {"lago_redis_maxmemory": "lago_redis_memory", "lago_redis_cache_maxmemory": "lago_redis_cache_memory"}
#: Of its container's limit; the rest is for buffers, fragments, and the copy that rewrites the queue's file.
_SHARE = 0.75
_LEAST_MAXMEMORY = 32
_LOGS = ("lago_log_max_size", "lago_docker_log_max_size")
_COUNTS = {
    "lago_start_timeout": "seconds",
    "lago_lease_ttl": "seconds",
    "lago_log_max_files": "files",
    "lago_backup_keep": "backups",
    "lago_docker_log_max_files": "files",
    "lago_postgres_pool": "connections",
    "lago_postgres_statement_timeout": "milliseconds",
    "lago_postgres_lock_timeout": "milliseconds",
    "lago_postgres_idle_transaction_timeout": "milliseconds",
    "lago_redis_cache_pool_size": "connections",
    "lago_webhook_attempts": "attempts",
    "lago_webhook_timeout": "seconds",
    "lago_wallet_refresh_interval": "seconds",
    "lago_lifetime_usage_refresh_interval": "seconds",
    "lago_events_batch_size": "events",
    "lago_puma_threads": "threads",
}


def _sizes(case: Case, *names: str) -> Iterator[tuple[str, str, float]]:
    """Yield the sizes that can be judged: as given, and in MiB."""
    for name, text in case.texts(*names):
        size = megabytes(text)
        if size is not None:
            yield name, text, size


@rule("settings")
def bad_size(case: Case) -> Found:
    for name, text in case.texts(*_NEEDED, *_WITHIN, *_LOGS):
        if megabytes(text) is None:
            yield name, f"{name} {shown(text)} is no size: write it like 512m or 2g."


@rule("settings")
def little_memory_limit(case: Case) -> Found:
    for name, text, size in _sizes(case, *_NEEDED):
        if size < _NEEDED[name]:
            yield (
                name,
                f"{name} {text} is less than the process needs, which would be killed: give it {_NEEDED[name]}m or "
                "more.",
            )


@rule("settings")
def little_maxmemory(case: Case) -> Found:
    for name, text, size in _sizes(case, *_WITHIN):
        if size < _LEAST_MAXMEMORY:
            meant = "has no bound then and would be killed" if size == 0 else "would refuse nearly everything"
            yield (
                name,
                f"{name} {text} is too little, Redis {meant}: give it {_LEAST_MAXMEMORY}mb or more, unit included.",
            )


@rule("settings")
def maxmemory_beyond_limit(case: Case) -> Found:
    for name, text, size in _sizes(case, *_WITHIN):
        for limit_name, limit_text, limit in _sizes(case, _WITHIN[name]):
            if size >= _LEAST_MAXMEMORY and limit >= _NEEDED[limit_name] and size > limit * _SHARE:
                yield (
                    name,
                    f"{name} {text} leaves Redis no room within {limit_name} {limit_text}: set {limit_name} to "
                    f"{round(size * 2)}m, or {name} to {round(limit / 2)}mb.",
                )


@rule("settings")
def little_log(case: Case) -> Found:
    for name, text, size in _sizes(case, *_LOGS):
        if size < 1:
            yield (
                name,
                f"{name} {text} is less than a megabyte, so that no error would stay readable: write 10m, unit "
                "included.",
            )


@rule("warnings")
def log_in_memory(case: Case) -> Found:
    if case.values.get("lago_log_to_stdout") is False:
        yield (
            "lago_log_to_stdout",
            "lago_log_to_stdout is false: Lago then logs into a file that is in its container's memory and has no "
            "bound. A process whose log fills the limit is killed, with the jobs that it does. Set it to true.",
        )


@rule("settings")
def not_positive(case: Case) -> Found:
    for name, unit in _COUNTS.items():
        if case.values.get(name, 1) < 1:
            yield name, f"{name} {case.values[name]} is no number of {unit}: give 1 or more."


@rule("settings")
def short_lease(case: Case) -> Found:
    lease, start = case.values.get("lago_lease_ttl", 0), case.values.get("lago_start_timeout", 0)
    if min(lease, start) > 0 and lease <= start:
        yield (
            "lago_lease_ttl",
            f"lago_lease_ttl {lease} is not longer than lago_start_timeout {start}: another run would take over one "
            f"that still waits. Set it to {max(start * 2, 10800)}.",
        )
