# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""Certificates as an operator's files and the proxy's storage hold them: what they are for, and what is wrong.

On the controller, where ansible-core brings the library. Texts are PEM, all times aware and UTC.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

try:  # ansible-core demands it, ansible-test goes without
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import serialization
except ImportError:  # pragma: no cover
    pass

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def read(text: str) -> list[x509.Certificate]:
    """Return the certificates of a text, in its order.

    :raises ValueError: when there is none, or one that cannot be read.
    """
    found = [x509.load_pem_x509_certificate(block.encode("ascii", "replace")) for block in _BLOCK.findall(text)]
    if not found:
        raise ValueError("no certificate")
    return found


def parts(text: str) -> dict[str, str]:
    """Return ``chain`` as it is served, ``root``, which is not (blank where the text has none), and the chain's ``id``.

    All are blank for a text without certificates, which the rules refuse.
    """
    try:
        found = read(text)
    except ValueError:
        return {"chain": "", "root": "", "id": ""}
    root = found[-1] if found[-1].issuer == found[-1].subject else None
    served = found[:-1] if root is not None and len(found) > 1 else found
    chain = "".join(_pem(one) for one in served)
    return {
        "chain": chain,
        "root": _pem(root) if root is not None else "",
        "id": hashlib.sha256(chain.encode("ascii")).hexdigest()[:16],
    }


def fits(text: str, key: str) -> bool:
    """Tell whether a key is the first certificate's.

    :raises ValueError: when the key cannot be read; TypeError when it wants a passphrase.
    """
    private = serialization.load_pem_private_key(key.encode("utf-8"), password=None)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.public_key().public_bytes(*form) == read(text)[0].public_key().public_bytes(*form)


def gap(chain: Sequence[x509.Certificate]) -> str:
    """Return whose signer is missing, blank when each is signed by the next and the last is no server's own."""
    for one, issuer in pairwise(chain):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return one.subject.rfc4514_string()
    last = chain[-1]
    return "" if last.issuer == last.subject or _is_authority(last) else last.subject.rfc4514_string()


def uncovered(certificate: x509.Certificate, hosts: Iterable[str]) -> list[str]:
    """Return the names that a certificate is not for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return list(hosts)
    known = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    known |= {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return [host for host in hosts if not {_plain(host), f"*.{host.partition('.')[2]}"} & known]


def dates(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    """Return from when and until when a certificate is valid."""
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def missing(
    hosts: Iterable[str], proxy: Mapping[str, Any], directory: str, now: datetime | None = None
) -> Iterator[str]:
    """Yield the names for which no certificate of an ACME server is in the proxy's storage.

    :param proxy: What module ``server_info`` says of the proxy.
    :param directory: The ACME server's; "local" is the proxy's own authority.
    """
    now = now or datetime.now(UTC)
    stored = {one["name"]: one["pem"] for one in proxy.get("certificates") or [] if one["issuer"] == issuer(directory)}
    for host in hosts:
        # One that expired is renewed by the proxy that runs, as long as that is what it does
        if host not in stored or (proxy.get("acme_directory") != directory and dates(read(stored[host])[0])[1] < now):
            yield host


def issuer(directory: str) -> str:
    """Return what an ACME server is called in Caddy's storage."""
    url = urlsplit(directory)
    name = "-".join(part for part in [url.netloc, *url.path.split("/")] if part)
    return re.sub(r"[^\w@.-]", "", name.lower().replace(":", "-"))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _plain(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower()


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
