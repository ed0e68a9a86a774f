# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""How the edge speaks TLS: certificates and the life that is left of them, protocols, HSTS, and what was opened."""

from __future__ import annotations

import socket
import ssl
import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._container import Run
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport, split_address

Data = dict[str, t.Any]

#: The options of a module that looks at the edge.
SPEC: Data = {
    "mode": {"type": "str", "required": True, "choices": ["none", "selfsigned", "letsencrypt", "provided", "existing"]},
    "names": {"type": "list", "elements": "str", "default": []},
    "http_url": {"type": "str"},
    "hsts": {"type": "bool", "default": False},
    "opened_paths": {"type": "list", "elements": "str", "default": []},
}
#: Caddy renews when a third of a life is left, be it of hours or of weeks: what is below was not renewed.
_OVERDUE = 0.25
#: A certificate that a person renews: a week before its end, a quarter of its life if that is shorter.
_BY_HAND = 7 * 86400
_EXPIRED = "certificate has expired"


def _date(text: str) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ssl.cert_time_to_seconds(text)))


class TlsEdge:
    """The edge of a deployment, as a client of any of its names meets it."""

    def __init__(self, options: Data, params: Data, front: HttpTransport, run: Run) -> None:
        """
        :param options: see C(SPEC).
        :param params: the module's connection options.
        :param front: the way to the front.
        :param run: runs C(openssl), which alone can read a certificate that is not trusted.
        """
        self._options = options
        self._params = params
        self._front = front
        self._run = run

    def check(self, report: Report) -> None:
        """See certificates, protocol, HSTS, the redirect of plain HTTP, and what the opened paths take away."""
        fact, options = report.facts["edge"], self._options
        fact.update(mode=options["mode"], names=options["names"], opened_paths=options["opened_paths"])
        if self._front.scheme == "https":
            fact["certificates"] = [self._certificate(name, fact) for name in options["names"]]
            for one in fact["certificates"]:
                self._judge(report, one)
            known = [one for one in fact["certificates"] if one["life_left"] is not None]
            for one in sorted(known, key=lambda one: one["life_left"])[:1]:
                fact.update({name: one[name] for name in ("issuer", "not_before", "not_after", "life_left")})
            fact["renewal_overdue"] = any(one["overdue"] for one in known) if known else None
        self._check_slugs(report)
        self._check_headers(report)

    def _certificate(self, name: str, fact: Data) -> Data:
        """Return what is known of the certificate that answers to a name."""
        one: Data = {"name": name, "trusted": True, "reason": None, "issuer": None}
        one.update(dict.fromkeys(("not_before", "not_after", "life_left", "overdue")))
        try:
            with self._connected(name, ssl.create_default_context(cafile=self._params["ca_path"] or None)) as sock:
                seen: t.Any = sock.getpeercert()
                parts = dict(part[0] for part in seen["issuer"])
                begins, ends = seen["notBefore"], seen["notAfter"]
                issuer = parts.get("commonName") or parts.get("organizationName")
                fact.update(protocol=sock.version(), http2=sock.selected_alpn_protocol() == "h2")
        except ssl.SSLCertVerificationError as error:
            one.update(trusted=False, reason=error.verify_message)
            told = self._untrusted(name)
            begins, ends, issuer = told.get("notBefore"), told.get("notAfter"), told.get("issuer")
        except OSError as error:
            one.update(trusted=False, reason=getattr(error, "strerror", None) or type(error).__name__)
            return one
        if begins and ends:
            start, end = ssl.cert_time_to_seconds(begins), ssl.cert_time_to_seconds(ends)
            left = end - time.time()
            one.update(issuer=issuer, not_before=_date(begins), not_after=_date(ends))
            one.update(life_left=round(max(0.0, left / (end - start)), 4), overdue=self._overdue(left, end - start))
        return one

    def _overdue(self, left: float, life: float) -> bool:
        if self._options["mode"] == "existing":
            return False
        by_hand = self._options["mode"] == "provided"
        return left < min(_OVERDUE * life, _BY_HAND) if by_hand else left < _OVERDUE * life

    def _connected(self, name: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Connect as for the front, but by another name."""
        port, given = self._front.port, self._params["connect_to"]
        address = split_address(given, port) if given else (name, port)
        context.set_alpn_protocols(["h2", "http/1.1"])
        sock = socket.create_connection(address, self._params["timeout"])
        try:
            return context.wrap_socket(sock, server_hostname=name)
        except OSError:
            sock.close()
            raise

    def _untrusted(self, name: str) -> dict[str, str]:
        """Return the dates and the issuer of a certificate that is looked at without being believed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with self._connected(name, context) as sock:
                pem = ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True) or b"")
        except OSError:
            return {}
        command = ["openssl", "x509", "-noout", "-dates", "-issuer", "-nameopt", "RFC2253"]
        status, output, _errors = self._run(command, pem)
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line) if status == 0 else {}

    def _judge(self, report: Report, one: Data) -> None:
        renewal = {
            "provided": "put a new one into lago_tls_certificate and run again",
            "existing": "renew it at the proxy in front",
        }.get(
            self._options["mode"],
            "the proxy's log says why; it goes on trying, and at once when its container is restarted",
        )
        if one["reason"] == _EXPIRED or one["life_left"] == 0:
            message = f"The certificate of {one['name']} expired on {one['not_after']}: {renewal}."
            report.problem("certificate_expired", message, **one)
        elif not one["trusted"]:
            message = (
                f"The certificate of {one['name']} is not trusted ({one['reason']}): it must be for this name, and"
            )
            message += " its root known to this server or in ca_path."
            report.problem("certificate_not_trusted", message, **one)
        if one["overdue"] and one["life_left"]:
            message = (
                f"The certificate of {one['name']} ends on {one['not_after']} and was to be renewed by now: {renewal}."
            )
            report.problem("renewal_overdue", message, **one)

    def _check_slugs(self, report: Report) -> None:
        """Name the organizations whose pages an opened path takes away; with two origins, none."""
        if report.facts["origin"]["one_origin"] is False:
            return
        for slug in report.facts["database"]["slugs"] or []:
            if {f"/{slug}", f"/{slug}/*"} & set(self._options["opened_paths"]):
                report.problem(
                    "slug_shadowed",
                    f"Pages of the organization '{slug}' cannot be reached, because /{slug} leads to the API: take it"
                    " out of lago_extra_paths, or give the API a domain of its own (lago_api_domain).",
                    slug=slug,
                )

    def _check_headers(self, report: Report) -> None:
        fact, options = report.facts["edge"], self._options
        if any(not one["trusted"] for one in fact["certificates"] or []):
            return  # what comes over it says nothing more
        answer = self._front.send("GET", "/", {"Accept": "text/html"})
        fact["hsts"] = answer.headers.get("strict-transport-security")
        if options["hsts"] and not fact["hsts"]:
            report.problem(
                "hsts_missing", f"{self._front.url} sends no Strict-Transport-Security: does a proxy drop it?"
            )
        if not options["http_url"]:
            return
        plain = HttpTransport(
            options["http_url"],
            connect_to=self._params["connect_to"],
            timeout=self._params["timeout"],
            option="http_url",
        )
        try:
            redirected = plain.send("GET", "/x?y=z")
        except LagoError:
            fact["redirects"] = False
            raise
        fact["redirects"] = redirected.headers.get("location") == f"{self._front.url}/x?y=z"
        if not fact["redirects"]:
            report.problem(
                "http_not_redirected",
                f"{plain.url} answers {redirected.status} and does not lead to {self._front.url}: is the port its own?",
                status=redirected.status,
            )
