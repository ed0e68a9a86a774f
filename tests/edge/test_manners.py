# SPDX-License-Identifier: GPL-3.0-or-later
"""What the edge adds, takes away and passes on, in every configuration."""

from __future__ import annotations

import gzip

from edge.asker import Asker
from edge.bed import Edge
from edge.configurations import DOMAIN
from outside import quic

TWO_YEARS = "max-age=63072000"
SPOOFED = "198.51.100.7"


def test_https_is_asked_for_from_then_on_where_its_certificate_is_to_be_trusted(running: Edge) -> None:
    sent = running.asker(DOMAIN).ask("/").headers.get("strict-transport-security", "")
    assert sent.startswith(TWO_YEARS) == (running.runs.mode in ("letsencrypt", "provided", "existing"))


def test_nobody_says_what_serves(running: Edge) -> None:
    for path in ("/", "/health", "/sidekiq/x", "/rails/conductor"):
        headers = running.asker(running.runs.api_host).ask(path).headers
        assert "server" not in headers, path
        assert "via" not in headers, path


def test_upstreams_policy_is_as_it_was(running: Edge) -> None:
    assert running.asker(DOMAIN).ask("/").headers["content-security-policy"] == "frame-ancestors localhost;"


def test_the_fronts_configuration_is_never_kept_by_a_browser(running: Edge) -> None:
    assert running.asker(DOMAIN).ask("/env-config.js").headers["cache-control"] == "no-store"
    assert "no-store" not in running.asker(DOMAIN).ask("/assets/a.js").headers.get("cache-control", "")


def test_pages_are_packed_for_those_who_unpack(running: Edge) -> None:
    plain = running.asker(DOMAIN).ask("/")
    packed = running.asker(DOMAIN).ask("/", accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)


def test_plain_http_leads_to_https_where_this_proxy_does_tls(running: Edge) -> None:
    for host in (DOMAIN, running.runs.api_host):
        answer = running.asker(host, secure=False).ask("/api/v1/customers?page=2")
        if running.runs.tls:
            wanted = f"{running.runs.origin(host)}/api/v1/customers?page=2"
            assert (answer.status, answer.headers["location"]) == (301, wanted)
        else:
            assert (answer.status, answer.headers.get("location")) == (200, None)


def test_a_further_name_leads_to_the_domain(running: Edge) -> None:
    for host in running.runs.redirected:
        for secure in (False, running.runs.tls):
            answer = running.asker(host, secure).ask("/acme/plans?x=1")
            assert (answer.status, answer.headers["location"]) == (301, f"{running.runs.origin(DOMAIN)}/acme/plans?x=1")


def test_an_answer_to_a_challenge_is_never_redirected(running: Edge) -> None:
    """Nobody orders: there is none to give."""
    answer = running.asker(DOMAIN, secure=False).ask("/.well-known/acme-challenge/abc")
    assert (answer.who, answer.status) == ("edge", 404)


def test_http2_is_spoken_and_http3_told_of(running: Edge) -> None:
    if not running.runs.tls:
        return
    trust = running.trust()
    trust.set_alpn_protocols(["h2", "http/1.1"])
    asker = Asker(running.caddy.address, DOMAIN, running.runs.https_port, trust)
    asker.connect()
    assert asker.chosen == "h2"
    asker.close()
    assert ("h3=" in running.asker(DOMAIN).ask("/").headers.get("alt-svc", "")) == running.runs.http3


def test_http3_leads_where_http2_does_and_is_nowhere_else(running: Edge) -> None:
    """The certificate is judged by a client that trusts this mode's root alone."""
    address, port = running.caddy.address, running.runs.https_port
    if not running.runs.http3:
        quic.shut(address, port)
        return
    for host, path, who in ((running.runs.api_host, "/api/v1/events", "api"), (DOMAIN, "/acme/plans", "front")):
        answer = quic.get(address, host, port, running.root, path)
        assert (answer.status, answer.headers["x-who"], answer.headers["x-path"]) == (200, who, path)


def test_who_asks_and_how_arrives_at_lago_and_cannot_be_made_up(running: Edge) -> None:
    """Those in front are believed where there are some: by default in `existing`, when their addresses are private."""
    asker = running.asker(running.runs.api_host)
    headers = asker.ask("/api/v1/events", x_forwarded_for=SPOOFED, x_forwarded_proto="ftp").headers
    believed = running.runs.mode == "existing" and "lago_trusted_proxies" not in running.runs.variables
    assert headers["x-for"].split(", ")[-1] == running.caddy.own_address
    assert (SPOOFED in headers["x-for"]) == believed
    assert headers["x-proto"] == ("http" if running.runs.mode == "none" else "https")
    assert headers["x-host"] == running.runs.api_host
