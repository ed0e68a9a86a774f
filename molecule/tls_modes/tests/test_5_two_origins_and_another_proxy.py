# SPDX-License-Identifier: GPL-3.0-or-later
"""Another proxy does TLS for both origins, and then nobody does."""

from __future__ import annotations

from outside.edge import API_DOMAIN, DOMAIN, Edge
from outside.lifecycle import done

API = f"https://{API_DOMAIN}"
PLAIN_FRONT, PLAIN_API = f"http://{DOMAIN}", f"http://{API_DOMAIN}"
SECURE, PLAIN = (f"https://{DOMAIN}", API), (PLAIN_FRONT, PLAIN_API)


def test_nginx_takes_the_ports_of_both(lago: Edge) -> None:
    lago.nginx(DOMAIN, API_DOMAIN)
    with lago.watched(SECURE) as seen:
        lago.becomes(lago_tls_mode="existing", lago_http_port=8080)
    lago.remember("selfsigned to existing, two origins", seen)
    assert lago.at(PLAIN_API).request("GET", "/health").headers["location"] == f"{API}/health"


def test_nobody_does_tls_at_both(lago: Edge) -> None:
    with lago.watched(SECURE, PLAIN) as seen:
        lago.no_nginx()
        lago.becomes(lago_tls_mode="none", lago_http_port=80, lago_bind_addresses=[lago.address])
    lago.remember("existing to none, two origins", seen)
    assert lago.at(PLAIN_API).request("GET", "/health").json["version"] == "v1.51.0"
    assert done(lago.stack()).recap["changed"] == 0
