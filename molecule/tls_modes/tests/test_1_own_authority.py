# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment that issues its own certificates. What a person with a browser sees of it is told in tests/browser."""

from __future__ import annotations

import json

from outside import quic
from outside.edge import DOMAIN, Edge, peer
from outside.lifecycle import LONG_RUNNING, done

URL = f"https://{DOMAIN}"
BIG = "x" * (6 * 2**20)


def test_the_deployments_own_authority(lago: Edge) -> None:
    done(lago.run())
    assert lago.running() == LONG_RUNNING
    member = lago.at(URL)
    assert member.request("GET", "/health").json["version"] == "v1.51.0"
    assert "strict-transport-security" not in member.request("GET", "/").headers
    assert peer(lago.address, DOMAIN, str(lago.cafile))["alpn"] == "h2"
    over_http3 = quic.get(lago.address, DOMAIN, 443, lago.cafile.read_text(), "/health")
    assert json.loads(over_http3.text)["version"] == "v1.51.0"


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
