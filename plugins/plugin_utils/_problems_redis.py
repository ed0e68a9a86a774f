# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about a Redis of the operator's own, for the queue and for the cache. PRIVATE to the collection."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import shown, valid_host

_QUEUE, _CACHE = "lago_redis", "lago_redis_cache"
_EACH = (_QUEUE, _CACHE)
_URLS = ("lago_redis_url", "lago_redis_cache_url", "lago_redis_cable_url")
_PARTS = ("host", "user", "password", "database", "tls")
_PLACE = re.compile(r"([^:\s]+):(\d{1,5})\Z")


def _places(case: Case, name: str) -> list[str]:
    return [str(place) for place in case.values.get(name, [])]


def elsewhere(case: Case, cache: bool) -> str:
    """Return the variable by which the queue, or the cache, is not the deployment's own; blank when it is."""
    kind = _CACHE if cache else _QUEUE
    names = [f"{kind}_{part}" for part in ("url", "host", "sentinels")] + ["lago_memcached_servers"] * cache
    return next((name for name in names if case.values.get(name)), "")


@rule("settings")
def bad_redis_url(case: Case) -> Found:
    for name, text in case.texts(*_URLS):
        try:
            url = urlsplit(text)
            good = url.scheme in ("redis", "rediss") and url.hostname and url.port != 0
            good = good and re.fullmatch(r"(/\d*)?", url.path) and not url.query and not url.fragment
        except ValueError:
            good = False
        if not good or not text.isascii() or not text.isprintable() or " " in text:
            yield (
                name,
                f"{name} is no URL of a Redis: write redis://USER:PASSWORD@redis.example.com:6379/0, with every sign "
                "in user and password that is neither letter nor digit percent-encoded, and no path but a number.",
            )


@rule("settings")
def url_and_parts(case: Case) -> Found:
    for kind in _EACH:
        for part in _PARTS:
            if case.text(f"{kind}_url") and case.values.get(f"{kind}_{part}") not in (None, False):
                yield (
                    f"{kind}_{part}",
                    f"{kind}_{part} is given and {kind}_url too, which says it already: remove one of them.",
                )


@rule("settings")
def host_and_sentinels(case: Case) -> Found:
    for kind in _EACH:
        if case.text(f"{kind}_host") and case.values.get(f"{kind}_sentinels"):
            yield (
                f"{kind}_host",
                f"{kind}_host is given and {kind}_sentinels too, which know the host: remove {kind}_host.",
            )


@rule("settings")
def bad_redis_host(case: Case) -> Found:
    for name, host in case.texts("lago_redis_host", "lago_redis_cache_host"):
        if not valid_host(host):
            yield name, f"{name} {shown(host)} is no host name: write it plainly, the port has a variable of its own."


@rule("settings")
def user_without_password(case: Case) -> Found:
    for kind in _EACH:
        if case.text(f"{kind}_user") and not case.text(f"{kind}_password") and not case.text(f"{kind}_url"):
            yield f"{kind}_password", f"Set {kind}_password: {kind}_user cannot log in without one."


@rule("settings")
def sentinel_without_master(case: Case) -> Found:
    for kind in _EACH:
        if case.values.get(f"{kind}_sentinels") and not case.text(f"{kind}_master_name"):
            yield (
                f"{kind}_master_name",
                f"Set {kind}_master_name: the Sentinels of {kind}_sentinels watch a Redis under that name.",
            )


@rule("settings")
def master_without_sentinel(case: Case) -> Found:
    for kind in _EACH:
        if case.text(f"{kind}_master_name") and case.values.get(f"{kind}_sentinels") == []:
            yield (
                f"{kind}_master_name",
                f"{kind}_master_name is given, and nobody who knows it: set {kind}_sentinels, or remove it.",
            )


@rule("settings")
def bad_place(case: Case) -> Found:
    for name in ("lago_redis_sentinels", "lago_redis_cache_sentinels", "lago_memcached_servers"):
        for place in _places(case, name):
            match = _PLACE.match(place)
            if not match or not valid_host(match[1]) or not 1 <= int(match[2]) <= 65535:
                yield name, f"{name}: {shown(place)} is no place such as one.example.com:26379: write host and port."


@rule("settings")
def two_caches(case: Case) -> Found:
    for part in ("url", "host", "sentinels"):
        if case.values.get("lago_memcached_servers") and case.values.get(f"{_CACHE}_{part}"):
            yield (
                f"{_CACHE}_{part}",
                f"{_CACHE}_{part} is given and lago_memcached_servers too: there is one cache. Remove one of them.",
            )


@rule("settings")
def no_cable(case: Case) -> Found:
    sentinels = case.values.get("lago_redis_sentinels")
    elsewhere = case.values.get("lago_redis_cache_sentinels") or case.values.get("lago_memcached_servers")
    if sentinels and elsewhere and not case.text("lago_redis_cable_url"):
        yield (
            "lago_redis_cable_url",
            "Set lago_redis_cable_url: what tells the front of changes knows no Sentinel, and there is no other Redis "
            "here that it could use.",
        )
