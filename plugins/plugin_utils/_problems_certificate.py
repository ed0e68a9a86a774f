# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the operator's own certificate: whole, with its key, for these names, and in time. PRIVATE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.selfhosted.lago.plugins.plugin_utils import _certificates
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_address import domains
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import shown, valid_host

if TYPE_CHECKING:
    from cryptography import x509

CERTIFICATE = "lago_tls_certificate"
KEY = "lago_tls_certificate_key"
ROOTS = "lago_acme_trusted_roots"
#: The variables that name files of the controller, by the mode that reads them.
FILES = {"provided": (CERTIFICATE, KEY), "letsencrypt": (ROOTS,)}


def _asked(case: Case) -> tuple[str, ...]:
    return FILES.get(case.text("lago_tls_mode"), ())


def _chain(case: Case, name: str = CERTIFICATE) -> list[x509.Certificate]:
    """Return the certificates of a file; none where another rule speaks of it."""
    try:
        return _certificates.read(case.files.get(name) or "") if name in _asked(case) else []
    except ValueError:
        return []


@rule("settings")
def no_certificate(case: Case) -> Found:
    for name in (CERTIFICATE, KEY):
        if name in _asked(case) and not case.text(name):
            what = "certificate and what leads to its root" if name == CERTIFICATE else "certificate's key"
            yield name, f"Set {name}: lago_tls_mode 'provided' needs the file (PEM, on the controller) with the {what}."


@rule("settings")
def unreadable_file(case: Case) -> Found:
    for name in _asked(case):
        if case.text(name) and not case.files.get(name):
            yield (
                name,
                f"{name} {shown(case.text(name))} cannot be read on the controller, or is empty: correct the path, or "
                "give the vault's password.",
            )


@rule("settings")
def not_a_certificate(case: Case) -> Found:
    for name in (CERTIFICATE, ROOTS):
        if name in _asked(case) and case.files.get(name) and not _chain(case, name):
            yield name, f"{name} {shown(case.text(name))} holds no certificate in PEM: name the file that does."


def _fits(case: Case) -> bool | None:
    """Return whether key and certificate are a pair, None where the key cannot be read."""
    try:
        return _certificates.fits(case.files[CERTIFICATE] or "", case.files.get(KEY) or "")
    except (ValueError, TypeError):
        return None


@rule("settings")
def not_a_key(case: Case) -> Found:
    if case.files.get(KEY) and _chain(case) and _fits(case) is None:
        yield (
            KEY,
            f"{KEY} {shown(case.text(KEY))} holds no private key that can be read: it must be PEM and without a "
            "passphrase (openssl pkey -in FILE -out NEW takes it off).",
        )


@rule("settings")
def key_of_another(case: Case) -> Found:
    if case.files.get(KEY) and _chain(case) and _fits(case) is False:
        yield (
            KEY,
            f"{KEY} is not the key of the first certificate in {CERTIFICATE}: name the pair that belongs together.",
        )


@rule("settings")
def broken_chain(case: Case) -> Found:
    chain = _chain(case)
    whose = _certificates.gap(chain) if chain else ""
    if whose:
        yield (
            CERTIFICATE,
            f"{CERTIFICATE} does not hold who signed {shown(whose)}, so that clients would not trust it: put the "
            "certificates in order, the server's own first, then each one's signer, a private root at the end.",
        )


@rule("settings")
def certificate_of_another(case: Case) -> Found:
    chain = _chain(case)
    hosts = sorted({domain.lower() for _name, domain in domains(case) if valid_host(domain)})
    lacking = _certificates.uncovered(chain[0], hosts) if chain else []
    if lacking:
        yield CERTIFICATE, f"{CERTIFICATE} is not for {', '.join(lacking)}: get one that names all domains of Lago."


@rule("settings")
def certificate_out_of_date(case: Case) -> Found:
    for certificate in _chain(case):
        begins, ends = _certificates.dates(certificate)
        whose = shown(certificate.subject.rfc4514_string())
        if ends <= case.now:
            yield CERTIFICATE, f"{CERTIFICATE}: {whose} ended on {ends:%Y-%m-%d %H:%M} UTC: get a new one."
        elif begins > case.now:
            yield CERTIFICATE, f"{CERTIFICATE}: {whose} begins on {begins:%Y-%m-%d %H:%M} UTC: wait, or get another."
