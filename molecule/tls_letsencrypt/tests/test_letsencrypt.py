# SPDX-License-Identifier: GPL-3.0-or-later
"""Stories of one deployment and its ACME server, in this order."""

from __future__ import annotations

import json
import re
import ssl

import pytest

from outside.acme_account import deactivate
from outside.authority import Authority
from outside.letsencrypt import NAME, Edge, wait_until
from outside.poller import polled

WWW = "www.billing.example.com"
API = "api.billing.example.com"
SHOP = "shop.billing.example.com"
CUSTOMER = "customer-1"
HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def test_names_that_do_not_lead_here_spend_no_order(edge: Edge) -> None:
    run = edge.stack("main")
    assert run.code != 0
    assert "Nothing was ordered" in run.output and WWW in run.output and "DNS" in run.output
    assert edge.acme.orders == 0
    assert edge.ask(f"http://{NAME}", "/").status == 503, "nothing of Lago is served without TLS"


def test_once_they_do_the_deployment_is_finished(edge: Edge) -> None:
    edge.know(NAME, WWW)
    run = edge.run()
    assert run.code == 0, run.output
    assert edge.acme.orders == 2
    answer = edge.ask()
    assert (answer.status, answer.headers["strict-transport-security"]) == (200, "max-age=63072000")
    assert edge.ask(f"https://{WWW}", "/x?y=z").headers["location"] == f"https://{NAME}/x?y=z"
    assert edge.ask(f"http://{NAME}", "/x?y=z").headers["location"] == f"https://{NAME}/x?y=z"


def test_nothing_is_ordered_twice(edge: Edge) -> None:
    serial = edge.serial()
    run = edge.run()
    assert (run.code, run.recap["changed"]) == (0, 0), run.output
    edge.reboot()
    edge.know(NAME, WWW)
    assert (edge.acme.orders, edge.serial()) == (2, serial)


def test_an_acme_server_that_is_down_takes_nothing_away(edge: Edge) -> None:
    edge.know(API)
    serial, before = edge.serial(), edge.read("/opt/lago/proxy/Caddyfile")
    with edge.acme_down():
        run = edge.stack("main", lago_redirect_domains=[WWW, API])
    assert run.code != 0
    assert f"no certificate for {API}" in run.output and "connection refused" in run.output
    assert (edge.serial(), edge.ask().status) == (serial, 200)
    assert edge.read("/opt/lago/proxy/Caddyfile") == before


def test_an_account_that_was_ended_is_told_and_another_one_will_do(edge: Edge) -> None:
    folder = edge.proxy("dirname /data/caddy/acme/*/users/ops@example.com/*.json").strip()
    account, key = edge.proxy(f"cat {folder}/*.json"), edge.proxy(f"cat {folder}/*.key")
    deactivate(edge.acme.directory, json.loads(account)["location"], key, str(edge.roots))
    run = edge.stack("main", lago_redirect_domains=[WWW, API])
    assert run.code != 0
    assert f"no certificate for {API}" in run.output and "lago_acme_email" in run.output
    assert edge.ask().status == 200
    edge.variables["lago_acme_email"] = "others@example.com"
    run = edge.stack("main", lago_redirect_domains=[WWW, API])
    assert run.code == 0, run.output
    assert edge.ask(f"https://{API}", "/").status == 301


def test_a_renewal_that_is_overdue_fails_verify_while_its_certificate_serves(edge: Edge, authority: Authority) -> None:
    """As after weeks without the ACME server: nine days are left of ninety."""
    with edge.acme_down():
        for name in (NAME, WWW):
            edge.store(name, authority.issue(name, ended=-9))
        edge.restart()
        run = edge.stack("verify")
    assert run.code != 0
    for name in (NAME, WWW):
        assert re.search(f"The certificate of {name} ends on .* and was to be renewed by now", run.output), run.output
    assert edge.ask().status == 200


def test_a_renewal_is_seen_by_clients_and_costs_them_nothing(edge: Edge) -> None:
    """What is renewed lives for 30 s only, by an ACME server that has forgotten all accounts."""
    edge.acme.start(life=30)
    edge.trust()
    edge.hurry()
    serials: set[str] = set()

    def ask() -> None:
        serials.add(edge.serial())
        assert edge.ask().status == 200

    with polled(client=ask) as seen:
        wait_until(lambda: len(serials) > 3, 90)
    assert seen["client"].failures == []
    assert len(seen["client"].answers) > 10


def test_a_certificate_that_ended_fails_verify(edge: Edge) -> None:
    with edge.acme_down():
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            wait_until(lambda: not edge.serial(), 90)
        run = edge.stack("verify")
    assert run.code != 0
    assert f"The certificate of {NAME} expired on" in run.output


def test_the_proxy_mends_itself_once_it_can(edge: Edge) -> None:
    """It goes on trying by itself, with growing pauses; made to start anew, it tries at once.

    By now the ACME server takes accounts of its customers only.
    """
    edge.acme.start(life=86400, customers={CUSTOMER: HMAC_KEY})
    edge.trust()
    edge.variables |= {"lago_acme_email": "bound@example.com"}
    edge.variables |= {"lago_acme_eab_key_id": CUSTOMER, "lago_acme_eab_hmac_key": HMAC_KEY}
    run = edge.stack("main", lago_redirect_domains=[WWW, API])
    assert run.code == 0, run.output
    edge.shell("docker", "restart", "lago-proxy-1")
    wait_until(lambda: _answers(edge))
    run = edge.stack("verify", lago_redirect_domains=[WWW, API])
    assert run.code == 0, run.output
    assert HMAC_KEY not in run.output
    assert edge.read("/opt/lago/proxy/Caddyfile").count(HMAC_KEY) == 0


def test_a_deployment_that_runs_is_switched_to_its_own_authority_and_back_unnoticed(edge: Edge) -> None:
    """Back once the new certificate is there; an order that fails leaves it as it is. Its users trust both who sign."""
    names = [WWW, SHOP]
    edge.know(SHOP)
    edge.trust(edge.proxy("cat /data/caddy/pki/authorities/local/root.crt"))
    ordered = edge.serial()

    def ask() -> None:
        assert edge.ask().status == 200

    with polled(client=ask) as seen:
        run = edge.stack("main", lago_tls_mode="selfsigned", lago_redirect_domains=names)
    assert run.code == 0, run.output
    assert seen["client"].failures == []
    assert edge.serial() != ordered
    own, orders = edge.serial(), edge.acme.orders
    with polled(client=ask) as seen:
        with edge.acme_down():
            run = edge.stack("main", lago_redirect_domains=names)
        assert run.code != 0
        assert f"no certificate for {SHOP}" in run.output
        assert edge.serial() == own
        run = edge.stack("main", lago_redirect_domains=names)
    assert run.code == 0, run.output
    assert seen["client"].failures == []
    assert edge.acme.orders == orders + 1, "the others' certificates were kept"
    assert edge.serial() != own
    assert edge.ask(f"https://{SHOP}", "/").status == 301


def _answers(edge: Edge) -> bool:
    """Whether each name has a certificate that is good: until then it has one that ended, or none."""
    try:
        return all(edge.serial(name) for name in (NAME, WWW, API))
    except ssl.SSLError:
        return False
