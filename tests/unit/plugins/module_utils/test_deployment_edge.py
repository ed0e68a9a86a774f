# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import subprocess
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _deployment_edge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_edge import TlsEdge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport

NAME = "lago.example.test"


def run(command: list[str], data: str) -> tuple[int, str, str]:
    done = subprocess.run(command, input=data, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def look(authority: t.Any, serve: t.Any) -> t.Any:
    """Look at an edge on the loopback; return the report."""

    def check(names: list[str] | None = None, ca: Path | None = None, **options: t.Any) -> Report:
        server = options.pop("server", None) or serve(authority.context)
        report = options.pop("report", None) or Report(60)
        params = {"connect_to": "127.0.0.1", "ca_path": str(ca or authority.ca), "timeout": 5}
        given = {"mode": "letsencrypt", "names": names or [NAME], "http_url": None, "hsts": False, "opened_paths": []}
        front = HttpTransport(f"https://{NAME}:{server.port}", "127.0.0.1", ca_path=str(authority.ca), retries=0)
        TlsEdge({**given, **options}, params, front, options.pop("run", run)).check(report)
        return report

    return check


def codes(report: Report) -> list[str]:
    return [problem["code"] for problem in report.problems]


def on(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Make it so many days later; the certificate of the test lives from a day ago to two days ahead."""
    later = datetime.now(UTC) + timedelta(days=days)
    monkeypatch.setattr(_deployment_edge.time, "time", later.timestamp)


def test_a_good_edge(look: t.Any) -> None:
    report = look()
    edge = report.facts["edge"]
    assert codes(report) == []
    assert (edge["mode"], edge["issuer"], edge["protocol"], edge["http2"]) == (
        "letsencrypt",
        "test CA",
        "TLSv1.3",
        False,
    )
    assert (round(edge["life_left"], 2), edge["renewal_overdue"]) == (0.67, False)
    assert edge["certificates"][0]["not_after"] == edge["not_after"] > edge["not_before"]


@pytest.mark.parametrize(
    ("mode", "days", "overdue"),
    [
        ("letsencrypt", 1.2, False),
        ("letsencrypt", 1.3, True),
        ("selfsigned", 1.3, True),
        ("provided", 1.3, True),
        ("existing", 1.9, False),
    ],
)
def test_a_renewal_is_judged_by_the_share_of_a_life(
    look: t.Any, monkeypatch: pytest.MonkeyPatch, mode: str, days: float, overdue: bool
) -> None:
    on(monkeypatch, days)
    report = look(mode=mode)
    assert codes(report) == (["renewal_overdue"] if overdue else [])
    assert report.facts["edge"]["renewal_overdue"] is overdue


def test_a_certificate_that_ended(look: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, 2.1)
    report = look()
    assert codes(report) == ["certificate_expired"]
    assert report.facts["edge"]["life_left"] == 0


def test_one_that_is_for_another_name_is_told_with_its_dates(look: t.Any) -> None:
    report = look([NAME, "other.example.test"])
    assert codes(report) == ["certificate_not_trusted"]
    assert "other.example.test" in report.problems[0]["message"] and "mismatch" in report.problems[0]["message"].lower()
    other = report.facts["edge"]["certificates"][1]
    assert other["issuer"] == "CN=test CA" and other["not_after"] == report.facts["edge"]["not_after"]


def test_where_openssl_is_missing_the_dates_are_unknown(look: t.Any) -> None:
    report = look(["other.example.test"], run=lambda command, data: (127, "", "no such program"))
    edge = report.facts["edge"]
    assert (codes(report), edge["life_left"], edge["renewal_overdue"]) == (["certificate_not_trusted"], None, None)


def test_nobody_there(look: t.Any, serve: t.Any, closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    server = t.cast("t.Any", type("Gone", (), {"port": closed_port}))
    assert codes(look(server=server)) == ["certificate_not_trusted"]


def test_a_plain_server_speaks_no_tls(look: t.Any, serve: t.Any) -> None:
    assert codes(look(server=serve())) == ["certificate_not_trusted"]


def test_one_that_hangs_up_on_the_second_look(look: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = TlsEdge._connected

    def once(self: TlsEdge, name: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        if context.verify_mode == ssl.CERT_NONE:
            raise ConnectionResetError
        return connected(self, name, context)

    monkeypatch.setattr(TlsEdge, "_connected", once)
    assert look(["other.example.test"]).facts["edge"]["certificates"][0]["not_after"] is None


@pytest.mark.parametrize(
    ("header", "expected"), [({"Strict-Transport-Security": "max-age=1"}, []), ({}, ["hsts_missing"])]
)
def test_hsts(look: t.Any, serve: t.Any, authority: t.Any, header: dict[str, str], expected: list[str]) -> None:
    server = serve(authority.context)
    server.script = lambda handler, body: handler.answer(200, b"<html>", header)
    assert codes(look(server=server, hsts=True)) == expected


@pytest.mark.parametrize("right", [True, False])
def test_plain_http_leads_to_https(look: t.Any, serve: t.Any, authority: t.Any, right: bool) -> None:
    server, plain = serve(authority.context), serve()
    where = f"https://{NAME}:{server.port}/x?y=z" if right else "https://elsewhere.example.test/"
    plain.script = lambda handler, body: handler.answer(301, b"", {"Location": where})
    report = look(server=server, http_url=f"http://{NAME}:{plain.port}")
    assert report.facts["edge"]["redirects"] is right
    assert codes(report) == ([] if right else ["http_not_redirected"])


def test_plain_http_that_nobody_answers(look: t.Any, closed_port: int) -> None:
    report = Report(60)
    with pytest.raises(LagoError):
        look(report=report, http_url=f"http://{NAME}:{closed_port}")
    assert report.facts["edge"]["redirects"] is False


@pytest.mark.parametrize(("one_origin", "shadowed"), [(True, ["metrics", "sidekiq"]), (False, [])])
def test_an_organization_that_an_opened_path_shadows_is_named(
    look: t.Any, one_origin: bool, shadowed: list[str]
) -> None:
    report = Report(60)
    report.facts["database"]["slugs"] = ["acme", "metrics", "sidekiq"]
    report.facts["origin"]["one_origin"] = one_origin
    look(report=report, opened_paths=["/metrics", "/sidekiq", "/sidekiq/*"])
    assert [problem["details"]["slug"] for problem in report.problems] == shadowed


def test_without_tls_there_is_no_certificate(serve: t.Any) -> None:
    report = Report(60)
    options: dict[str, t.Any] = {"mode": "none", "names": [], "http_url": None, "hsts": False, "opened_paths": []}
    params = {"connect_to": None, "ca_path": None, "timeout": 5}
    TlsEdge(options, params, HttpTransport(f"http://127.0.0.1:{serve().port}"), run).check(report)
    assert (report.problems, report.facts["edge"]["certificates"]) == ([], [])
