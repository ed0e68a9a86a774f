# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about where Lago is reached: domain, ports, addresses. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import is_address, shown, valid_host

#: The proxy's own, inside its container.
_PROXY_PORTS = (2019, 2020)
#: Past the proxy, on the server's loopback.
_LOOPBACK_PORTS = ("lago_api_port", "lago_front_port")
#: Of others.
_OUTSIDE_PORTS = ("lago_postgres_port", "lago_redis_port", "lago_redis_cache_port", "lago_smtp_port")


def ports(case: Case) -> dict[str, int]:
    """Return the ports in use by the variables that name them."""
    plain = case.values.get("lago_tls_mode") in ("none", "existing")
    names = ["lago_http_port"] if plain else ["lago_http_port", "lago_https_port"]
    return {name: case.values[name] for name in [*names, *_LOOPBACK_PORTS] if name in case.values}


def domains(case: Case) -> list[tuple[str, str]]:
    """Return every name that is given, with its variable."""
    found = [(name, case.text(name)) for name in ("lago_domain", "lago_api_domain") if case.text(name)]
    return found + [("lago_redirect_domains", str(name)) for name in case.values.get("lago_redirect_domains", [])]


def _is_url(domain: str) -> bool:
    return any(sign in domain for sign in "/?#@") or (":" in domain and not is_address(domain.strip("[]")))


@rule("settings")
def no_domain(case: Case) -> Found:
    mode = case.values.get("lago_tls_mode", "none")
    domain = case.given.get("lago_domain", "")
    if mode != "none" and domain is not None and not str(domain).strip():
        yield "lago_domain", f"Set lago_domain: lago_tls_mode '{mode}' needs the name that the certificate is for."


@rule("settings")
def domain_is_a_url(case: Case) -> Found:
    for name, domain in domains(case):
        if _is_url(domain):
            try:
                host = urlsplit(domain if "://" in domain else f"//{domain}").hostname or ""
            except ValueError:
                host = ""
            example = host if valid_host(host) else "billing.example.com"
            yield (
                name,
                f"{name} must be a plain host name, with no scheme, no port, no path: write {example} (the port is "
                "lago_https_port).",
            )


@rule("settings")
def bad_domain(case: Case) -> Found:
    for name, domain in domains(case):
        if domain.isascii() and not _is_url(domain) and not valid_host(domain.strip("[]")):
            yield (
                name,
                f"{name} {shown(domain)} is no host name such as billing.example.com: labels of letters, digits and "
                "hyphens, joined by dots.",
            )


@rule("settings")
def domain_not_ascii(case: Case) -> Found:
    for name, domain in domains(case):
        if not domain.isascii() and not _is_url(domain):
            try:
                written = domain.encode("idna").decode("ascii")
            except UnicodeError:
                written = ""
            way = written if valid_host(written) else "its ASCII form"
            yield name, f"{name} {shown(domain)} is not written in ASCII: write {way}."


@rule("settings")
def domain_in_brackets(case: Case) -> Found:
    for name, domain in domains(case):
        if domain.strip("[]") != domain and is_address(domain.strip("[]")):
            yield (
                name,
                f"{name} is an address in brackets: write it without them, URLs get theirs by themselves.",
            )


@rule("settings")
def domain_twice(case: Case) -> Found:
    seen: set[str] = set()
    for name, domain in domains(case):
        if domain.lower() in seen:
            way = "leave it out for one origin" if name == "lago_api_domain" else "remove it there"
            yield name, f"{name} names {shown(domain)}, which is a name of the deployment already: {way}."
        seen.add(domain.lower())


@rule("settings")
def port_out_of_range(case: Case) -> Found:
    outside = {name: case.values[name] for name in _OUTSIDE_PORTS if name in case.values}
    for name, port in {**ports(case), **outside}.items():
        if not 1 <= port <= 65535:
            yield name, f"{name} {port} is no port: give a number from 1 to 65535."


@rule("settings")
def reserved_port(case: Case) -> Found:
    for name, port in ports(case).items():
        if port in _PROXY_PORTS and name not in _LOOPBACK_PORTS:
            yield name, f"{name} {port} is used inside the proxy: choose another."


@rule("settings")
def same_port(case: Case) -> Found:
    first: dict[int, str] = {}
    for name, port in ports(case).items():
        if port in first:
            yield name, f"{first[port]} and {name} are both {port}: give them different ones."
        first.setdefault(port, name)


def _addresses(case: Case) -> list[str]:
    return [str(address) for address in case.values.get("lago_bind_addresses", [])]


@rule("settings")
def bad_address(case: Case) -> Found:
    for address in _addresses(case):
        if not is_address(address.removeprefix("[").removesuffix("]")):
            yield (
                "lago_bind_addresses",
                f"lago_bind_addresses: {shown(address)} is no IP address: write addresses of the server, or leave the "
                "list empty for all.",
            )


@rule("settings")
def address_without_brackets(case: Case) -> Found:
    for address in _addresses(case):
        if ":" in address and is_address(address):
            yield (
                "lago_bind_addresses",
                f"lago_bind_addresses: an IPv6 address needs brackets here: write '[{address}]'.",
            )


@rule("settings")
def address_twice(case: Case) -> Found:
    plain = [ipaddress.ip_address(text) for text in (one.strip("[]") for one in _addresses(case)) if is_address(text)]
    for address in sorted({str(one) for one in plain if plain.count(one) > 1}):
        yield "lago_bind_addresses", f"lago_bind_addresses names {address} twice: remove one."
    for version in (4, 6):
        same = [one for one in plain if one.version == version]
        every = [one for one in same if one.is_unspecified]
        if every and len(set(same)) > 1:
            yield (
                "lago_bind_addresses",
                f"lago_bind_addresses: {every[0]} is every address already: remove it or the others.",
            )
