# SPDX-License-Identifier: GPL-3.0-or-later
"""Another proxy on the server does TLS, with the configuration that the docs have for it; and then nobody does."""

from __future__ import annotations

import json

from outside import quic
from outside.edge import DOMAIN, MINUTE, Edge
from outside.lifecycle import done

URL = f"https://{DOMAIN}"
PLAIN = f"http://{DOMAIN}"
BIG = "x" * (6 * 2**20)
WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "c29tZXRoaW5nIG9mIDE2Lg==",
    "Sec-WebSocket-Protocol": "actioncable-v1-json",
}


def environment(lago: Edge, service: str = "api") -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in lago.inside(service, "env").splitlines())


def test_nginx_takes_the_ports(lago: Edge) -> None:
    """It waits for them; the pause is from when this proxy lets go of them until it has them."""
    before = lago.started()
    lago.nginx(DOMAIN)
    with lago.watched((URL, URL)) as seen:
        lago.becomes(lago_tls_mode="existing", lago_http_port=8080)
    lago.remember("provided to existing, one origin", seen)
    assert {name for name, at in before.items() if lago.started()[name] != at} == {"proxy"}
    assert "127.0.0.1:8080" in lago.shell("ss", "-ltnH")
    quic.shut(lago.address, 443)
    assert lago.at(PLAIN).request("GET", "/acme?x=1").headers["location"] == f"{URL}/acme?x=1"


def test_what_is_big_who_asks_a_websocket_and_the_right_scheme_arrive_at_lago(lago: Edge) -> None:
    assert lago.known_address(URL, pretending="203.0.113.9", blob=BIG) == lago.gateway
    member = lago.at(URL)
    assert member.request("GET", "/cable", headers=WEBSOCKET).status == 101
    told = environment(lago)
    assert (told["LAGO_API_URL"], told["LAGO_FRONT_URL"]) == (URL, URL)
    assert "LAGO_DISABLE_SSL" not in told
    assert member.request("GET", "/").headers["strict-transport-security"] == "max-age=63072000"
    assert member.request("GET", "/sidekiq").status == 404


def test_a_request_that_outlasts_the_other_proxys_minute_is_answered(lago: Edge) -> None:
    with lago.long_request(URL) as asked:
        assert asked.answer(after=MINUTE + 1).status == 200


def test_nobody_does_tls(lago: Edge) -> None:
    """On an address that is private: elsewhere that is refused."""
    with lago.watched((URL, URL), (PLAIN, PLAIN)) as seen:
        lago.no_nginx()
        lago.becomes(lago_tls_mode="none", lago_http_port=80, lago_bind_addresses=[lago.address])
    lago.remember("existing to none, one origin", seen)
    told = environment(lago)
    assert (told["LAGO_API_URL"], told["LAGO_DISABLE_SSL"]) == (PLAIN, "true")
    assert "strict-transport-security" not in lago.at(PLAIN).request("GET", "/").headers
    assert json.dumps(PLAIN) in lago.at(PLAIN).request("GET", "/env-config.js").text
    assert done(lago.stack()).recap["changed"] == 0
