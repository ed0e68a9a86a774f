# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about what Lago is connected to, by what it said when it was asked. PRIVATE to the collection.

The answers are those of roles/stack/files/probe.rb: for each service what it ``said``, null where Lago will get on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import Scrubber
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import secret_values
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import numbers

_WHAT = {
    "queue": "the Redis of the queue",
    "cache": "the Redis of the cache",
    "cable": "the Redis that tells the front of changes",
    "memcached": "the cache",
    "s3": "the storage",
    "gcs": "the storage",
    "smtp": "the mail relay",
    "pooler": "the pooler",
    "pdf": "the maker of PDFs",
}
#: Where a service is, by the variables that may say so: the first that is given.
_PLACES = {
    "queue": ("lago_redis_url", "lago_redis_sentinels", "lago_redis_host"),
    "cache": ("lago_redis_cache_url", "lago_redis_cache_sentinels", "lago_redis_cache_host"),
    "cable": (
        *("lago_redis_cable_url", "lago_redis_url", "lago_redis_host"),
        *("lago_redis_cache_url", "lago_redis_cache_host"),
    ),
    "memcached": ("lago_memcached_servers",),
    "s3": ("lago_s3_endpoint", "lago_s3_bucket"),
    "gcs": ("lago_gcs_bucket",),
    "smtp": ("lago_smtp_address",),
    "pooler": ("lago_postgres_pooler_url",),
    "pdf": ("lago_pdf_url",),
}
_CERTIFICATE = ("certificate verify failed", "lago_ca_file")
#: What is wrong, by words of what was said. A URL says all of it itself.
_BLAMED: dict[str, tuple[tuple[str, str], ...]] = {
    "queue": (
        ("WRONGPASS|NOAUTH|AUTH ", "lago_redis_password"),
        ("NOPERM", "lago_redis_user"),
        ("locate a", "lago_redis_master_name"),
        ("SSL|TLS", "lago_redis_tls"),
    ),
    "cache": (
        ("WRONGPASS|NOAUTH|AUTH ", "lago_redis_cache_password"),
        ("NOPERM", "lago_redis_cache_user"),
        ("locate a", "lago_redis_cache_master_name"),
        ("SSL|TLS", "lago_redis_cache_tls"),
    ),
    "cable": (_CERTIFICATE,),
    "s3": (
        _CERTIFICATE,
        ("NoSuchBucket", "lago_s3_bucket"),
        ("InvalidAccessKeyId|AccessDenied", "lago_s3_access_key_id"),
        ("SignatureDoesNotMatch", "lago_s3_secret_access_key"),
        ("Redirect|AuthorizationHeaderMalformed", "lago_s3_region"),
    ),
    "gcs": (_CERTIFICATE, ("invalid_grant|key|json|credential", "lago_gcs_key_file")),
    "smtp": (_CERTIFICATE, ("535|534|530|[Aa]uth", "lago_smtp_password")),
}
_FIRST_REDIS = (7, 0)


def scrubber(settings: Mapping[str, Any]) -> Scrubber:
    """Return what hides every secret among the variables, those within URLs too."""
    return Scrubber(secret_values(settings))


def _said(case: Case, service: str) -> str:
    """Return what a service said in one line and without a secret, blank where all is well or it was not asked."""
    text = str((case.answers.get(service) or {}).get("said") or "")
    return scrubber(case.given).text(" ".join(text.split()))


def _blamed(case: Case, service: str, said: str) -> str:
    place = next((name for name in _PLACES[service] if case.values.get(name)), _PLACES[service][-1])
    named = (name for words, name in _BLAMED.get(service, ()) if re.search(words, said))
    found = next(named, place)
    return place if place.endswith("_url") and found != _CERTIFICATE[1] else found


@rule("outside")
def service_refuses(case: Case) -> Found:
    for service, what in _WHAT.items():
        if said := _said(case, service):
            name = _blamed(case, service, said)
            yield name, f"{name}: {what} cannot be used. What was said: {said}"


@rule("outside")
def license_unreachable(case: Case) -> Found:
    if said := _said(case, "license"):
        yield (
            "lago_license",
            "lago_license: no process of Lago starts with it unless https://license.getlago.com answers the containers "
            f"of this server well: let them through, correct lago_license, or remove it. What was said: {said}",
        )


def _queue(case: Case) -> tuple[str, dict[str, str]]:
    """Return the variable that says where the queue is, and what its Redis says of itself."""
    return _blamed(case, "queue", ""), dict(case.answers.get("queue") or {})


@rule("outside warnings")
def queue_not_kept(case: Case) -> Found:
    name, told = _queue(case)
    if told.get("aof_enabled") == "0":
        yield (
            name,
            f"{name}: the Redis of the queue keeps no log of what is in it (appendonly), and jobs are lost with it: "
            "switch it on there.",
        )


@rule("outside warnings")
def queue_evicts(case: Case) -> Found:
    name, told = _queue(case)
    if (policy := told.get("maxmemory_policy") or "noeviction") != "noeviction":
        yield (
            name,
            f"{name}: the Redis of the queue throws jobs away when its memory is full (maxmemory-policy {policy}): set "
            "that to noeviction there.",
        )


@rule("outside warnings")
def old_redis(case: Case) -> Found:
    name, told = _queue(case)
    version = told.get("redis_version")
    if version and numbers(version) < _FIRST_REDIS:
        yield name, f"{name} is Redis {version}: Lago asks for 7.0 or newer."
