# SPDX-License-Identifier: GPL-3.0-or-later
"""While this proxy does TLS: certificates come and go, nobody notices, and nothing but the edge is touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from outside.edge import API_DOMAIN, DOMAIN, Edge, LongRequest
from outside.lifecycle import done, refused

URL = f"https://{DOMAIN}"
LONG = 65  # seconds


@pytest.fixture(scope="module")
def long_request(lago: Edge) -> Iterator[LongRequest]:
    with lago.long_request(URL) as asked:
        yield asked


def test_a_certificate_of_ones_own_takes_over_unnoticed(lago: Edge, long_request: LongRequest) -> None:
    before = lago.started()
    with lago.watched((URL, URL)) as seen:
        lago.becomes(**lago.provided)
    assert [one.failures for one in seen.values()] == [[], []]
    assert min(len(one.answers) for one in seen.values()) > 20
    assert lago.started() == before
    assert long_request.waits
    assert lago.at(URL).request("GET", "/").headers["strict-transport-security"] == "max-age=63072000"


def test_a_certificate_that_is_replaced_is_served_at_once(lago: Edge) -> None:
    old, before = lago.serial(), lago.started()
    lago.use(lago.authority.issue(DOMAIN, API_DOMAIN))
    with lago.watched((URL, URL)) as seen:
        lago.becomes()
    assert [one.failures for one in seen.values()] == [[], []]
    assert lago.serial() != old
    assert lago.started() == before


def test_a_certificate_that_would_not_do_is_refused_before_anything_changes(lago: Edge) -> None:
    served, kept, good = lago.serial(), lago.used, lago.authority.issue(DOMAIN, API_DOMAIN)
    files = lago.shell("sh", "-c", "cd /opt/lago && find . -type f | sort | xargs sha256sum")
    for issued, chain, words in (
        (lago.authority.issue(DOMAIN), good.chain, "lago_tls_certificate_key"),
        (lago.authority.issue(DOMAIN, ended=2), None, "ended on"),
        (lago.authority.issue("shop.example.com"), None, f"is not for {DOMAIN}"),
        (good, good.leaf, "does not hold who signed"),
    ):
        lago.use(issued, chain)
        run = lago.stack()
        lago.use(kept)
        refused(run, "Nothing was changed", words)
    assert lago.shell("sh", "-c", "cd /opt/lago && find . -type f | sort | xargs sha256sum") == files
    assert lago.serial() == served


def test_a_configuration_that_caddy_does_not_take_is_never_loaded(lago: Edge) -> None:
    served, before = lago.serial(), lago.started()
    kept = lago.read("/opt/lago/proxy/Caddyfile")
    with lago.watched((URL, URL)) as seen:
        refused(lago.stack(_lago_closed_paths=["/x {"]), "The proxy takes the configuration")
    assert [one.failures for one in seen.values()] == [[], []]
    assert (lago.serial(), lago.started(), lago.read("/opt/lago/proxy/Caddyfile")) == (served, before, kept)
    assert done(lago.stack()).recap["changed"] == 0


def test_what_was_asked_before_all_that_is_answered(long_request: LongRequest) -> None:
    """After more than the minute that most proxies wait for an answer."""
    assert long_request.waits
    assert long_request.answer(after=LONG).status == 200
