# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the edge: who may reach what, and how ACME servers are asked. PRIVATE to the collection."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_address import domains
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import is_address, shown, valid_host

_EMAIL = re.compile(r"[^@\s\"{}]+@[^@\s\"{}]+\.[^@\s\"{}]+\Z")
#: Names that nobody outside a network can be known by (RFC 2606, 6761, 6762, 8375, 9476), and customary ones.
_PRIVATE = re.compile(
    r"(.*\.)?(localhost|local|lan|home|internal|intranet|private|corp|test|example|invalid|alt|onion|home\.arpa)"
)
_LETS_ENCRYPT = "api.letsencrypt.org"


def _public(host: str) -> bool:
    """Tell whether anybody on the Internet may know a name."""
    if is_address(host):
        return ipaddress.ip_address(host).is_global
    return "." in host and not _PRIVATE.fullmatch(host.lower())


def _hidden(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_private and not address.is_unspecified


@rule("settings")
def plain_public_domain(case: Case) -> Found:
    bound = [str(one).strip("[]") for one in case.values.get("lago_bind_addresses", [])]
    hidden = bool(bound) and all(is_address(one) and _hidden(ipaddress.ip_address(one)) for one in bound)
    domain = case.text("lago_domain")
    if case.text("lago_tls_mode") == "none" and not hidden and valid_host(domain) and _public(domain):
        yield (
            "lago_tls_mode",
            f"lago_tls_mode 'none' would send passwords and keys readable to {shown(domain)}: choose letsencrypt, "
            "provided or selfsigned; existing, if a proxy in front speaks TLS; or bind private addresses "
            "(lago_bind_addresses).",
        )


@rule("settings")
def no_acme_name(case: Case) -> Found:
    if case.text("lago_tls_mode") != "letsencrypt":
        return
    lets_encrypt = _LETS_ENCRYPT in case.text("lago_acme_directory")
    for name, domain in domains(case):
        if valid_host(domain) and (
            is_address(domain) or domain == "localhost" or (lets_encrypt and not _public(domain))
        ):
            yield (
                name,
                f"{name} {shown(domain)} is no name that an ACME server can see: take one of the public DNS that leads "
                "to this server, or another lago_tls_mode, such as selfsigned.",
            )


@rule("settings")
def bad_acme_directory(case: Case) -> Found:
    directory = case.text("lago_acme_directory")
    try:
        parts = urlsplit(directory)
    except ValueError:
        parts = urlsplit("")
    if directory and (parts.scheme != "https" or not parts.hostname or re.search(r"[\s\"{}]", directory)):
        yield (
            "lago_acme_directory",
            "lago_acme_directory must be the https URL of an ACME directory: write one such as "
            "https://acme-v02.api.letsencrypt.org/directory.",
        )


@rule("settings")
def bad_acme_email(case: Case) -> Found:
    email = case.text("lago_acme_email")
    if email and not _EMAIL.match(email):
        yield "lago_acme_email", "lago_acme_email is no e-mail address: write name@example.com, or leave it out."


@rule("settings")
def half_external_account(case: Case) -> Found:
    pair = ("lago_acme_eab_key_id", "lago_acme_eab_hmac_key")
    given = [name for name in pair if case.text(name)]
    if len(given) == 1:
        lacking = pair[1 - pair.index(given[0])]
        yield lacking, f"Set {lacking}: {given[0]} is given, and an external account has both."


@rule("settings")
def bad_external_account(case: Case) -> Found:
    if re.search(r"[\s\"{}]", case.text("lago_acme_eab_key_id")):
        yield (
            "lago_acme_eab_key_id",
            "lago_acme_eab_key_id holds a blank, a quote or a brace: copy it as the ACME server's maker gave it.",
        )
    key = case.text("lago_acme_eab_hmac_key")
    try:
        base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        yield (
            "lago_acme_eab_hmac_key",
            "lago_acme_eab_hmac_key is not base64url: copy it as the ACME server's maker gave it.",
        )


@rule("settings")
def bad_network(case: Case) -> Found:
    for name in ("lago_trusted_proxies", "lago_extra_paths_allow"):
        for network in case.values.get(name, []):
            try:
                ipaddress.ip_network(str(network), strict=False)
            except ValueError:
                yield (
                    name,
                    f"{name}: {shown(network)} is neither an address nor a network: write such as 192.0.2.7 or "
                    "10.0.0.0/8.",
                )


@rule("settings")
def open_sidekiq(case: Case) -> Found:
    limits = [case.values.get("lago_extra_paths_allow"), case.values.get("lago_extra_paths_user")]
    if "sidekiq" in case.values.get("lago_extra_paths", []) and not any(limits):
        yield (
            "lago_extra_paths",
            "lago_extra_paths opens Sidekiq's page, which asks nobody who they are: say who may see it with "
            "lago_extra_paths_allow (addresses) or lago_extra_paths_user and lago_extra_paths_password.",
        )


@rule("settings")
def half_authentication(case: Case) -> Found:
    pair = ("lago_extra_paths_user", "lago_extra_paths_password")
    given = [name for name in pair if case.text(name)]
    if len(given) == 1:
        lacking = pair[1 - pair.index(given[0])]
        yield lacking, f"Set {lacking}: {given[0]} is given, and nobody could sign in without both."


@rule("settings")
def colon_in_user(case: Case) -> Found:
    if ":" in case.text("lago_extra_paths_user"):
        yield (
            "lago_extra_paths_user",
            "lago_extra_paths_user holds a colon, at which its password would begin: remove it.",
        )
