# SPDX-License-Identifier: GPL-3.0-or-later
"""The same with an origin of the API's own."""

from __future__ import annotations

from outside.edge import API_DOMAIN, DOMAIN, Edge

FRONT, API = f"https://{DOMAIN}", f"https://{API_DOMAIN}"
PLAIN_FRONT, PLAIN_API = f"http://{DOMAIN}", f"http://{API_DOMAIN}"
SECURE, PLAIN = (FRONT, API), (PLAIN_FRONT, PLAIN_API)


def test_two_origins_with_a_certificate_for_both(lago: Edge) -> None:
    with lago.watched((PLAIN_FRONT, PLAIN_FRONT), SECURE) as seen:
        lago.becomes(lago_api_domain=API_DOMAIN, lago_bind_addresses=[], **lago.provided)
    lago.remember("none, one origin, to provided, two origins", seen)
    asked = {"Origin": FRONT, "Access-Control-Request-Method": "POST"}
    assert lago.at(API).request("OPTIONS", "/graphql", headers=asked).headers["access-control-allow-origin"] == FRONT
    assert lago.at(FRONT).request("GET", "/health").text == lago.at(FRONT).request("GET", "/").text
    assert lago.at(API).request("GET", "/").status == 404


def test_the_deployments_own_authority_takes_over_unnoticed(lago: Edge) -> None:
    """Of which the API's own name never had a certificate before."""
    before = lago.started()
    with lago.watched(SECURE) as seen:
        lago.becomes(lago_tls_mode="selfsigned")
    assert [one.failures for one in seen.values()] == [[], []]
    assert lago.started() == before
