# SPDX-License-Identifier: GPL-3.0-or-later
"""While this proxy does TLS: certificates come and go, nobody notices, and nothing but the edge is touched."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from outside.edge import API_DOMAIN, DOMAIN, Edge, peer
from outside.lago_user import Answer
from outside.lifecycle import LONG_RUNNING, done, refused

URL = f"https://{DOMAIN}"
BIG = "x" * (6 * 2**20)
LONG = 65  # seconds


def test_the_deployments_own_authority(lago: Edge) -> None:
    done(lago.run())
    assert lago.running() == LONG_RUNNING
    member = lago.at(URL)
    assert member.request("GET", "/health").json["version"] == "v1.51.0"
    assert "strict-transport-security" not in member.request("GET", "/").headers
    assert peer(lago.address, DOMAIN, str(lago.cafile))["alpn"] == "h2"


def test_what_is_big_passes_and_what_is_long_is_packed(lago: Edge) -> None:
    """A body of megabytes is Lago's to judge: an event is stored whole, a webhook refused by Lago itself."""
    member, key = lago.at(URL), lago.key
    big = lago.event(blob=BIG)
    assert member.rest("POST", "events", key, big).status == 200
    found = member.rest("GET", f"events/{big['event']['transaction_id']}", key).json
    assert len(found["event"]["properties"]["blob"]) == len(BIG)
    refusal = member.request("POST", "/webhooks/stripe/0e1b", {"blob": BIG})
    assert (refusal.status, refusal.json["status"]) == (404, 404)
    packed = member.request("GET", "/app.js", headers={"Accept-Encoding": "gzip"}).headers
    assert packed["content-encoding"] == "gzip"


def test_the_client_arrives_at_lago_and_cannot_be_made_up(lago: Edge) -> None:
    assert lago.known_address(URL, pretending="203.0.113.9") == lago.gateway


@pytest.fixture(scope="module")
def long_request(lago: Edge) -> Iterator[Future[Answer]]:
    """One that takes longer than the minute that most proxies wait for an answer."""
    lock = f"BEGIN; LOCK TABLE customers; SELECT pg_sleep({LONG}); COMMIT"
    customer = {"customer": {"external_id": "patient", "name": "Patient", "currency": "EUR"}}
    with ThreadPoolExecutor(max_workers=2) as pool:
        held = pool.submit(lago.sql, lock)
        lago.until("SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'customers'::regclass AND granted)")
        yield pool.submit(lago.at(URL, 2 * LONG).rest, "POST", "customers", lago.key, customer)
        held.result()


def test_a_certificate_of_ones_own_takes_over_unnoticed(lago: Edge, long_request: Future[Answer]) -> None:
    before = lago.started()
    with lago.watched((URL, URL)) as seen:
        lago.becomes(**lago.provided)
    assert [one.failures for one in seen.values()] == [[], []]
    assert min(len(one.answers) for one in seen.values()) > 20
    assert lago.started() == before
    assert not long_request.done()
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


def test_what_was_asked_before_all_that_is_answered(long_request: Future[Answer]) -> None:
    assert long_request.result().status == 200
