# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates made for a test: a root, an authority below it, and a server's, whole and broken."""

from __future__ import annotations

import ipaddress
import typing as t
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "authority", "server", "other")}
NAMES = ["*.billing.example.com", "billing.example.com"]


def certificate(whose: str, by: str, now: datetime, days: tuple[float, float] = (-1, 30), **more: t.Any) -> str:
    """Return a certificate in PEM, valid for so many days before and after now."""
    key = KEYS[more.get("key", whose)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(more.get("name", whose)))
        .issuer_name(_name(by))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if whose != "server":
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    elif more.get("names", NAMES):
        names: list[t.Any] = [x509.DNSName(name) for name in more.get("names", NAMES)]
        names.append(x509.IPAddress(ipaddress.ip_address("2001:db8::7")))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = builder.sign(KEYS[more.get("signer", by)], hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def key(name: str, passphrase: bytes | None = None) -> str:
    """Return a private key in PEM."""
    how: t.Any = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return KEYS[name].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "billing.example.com" if name == "server" else name)])


def files(now: datetime) -> dict[str, str]:
    """Return what an operator's files may hold."""
    leaf = certificate("server", "authority", now)
    authority = certificate("authority", "root", now)
    root = certificate("root", "root", now)
    return {
        "leaf": leaf,
        "authority": authority,
        "root": root,
        "chain": leaf + authority,
        "whole": leaf + authority + root,
        "gap": leaf + root,
        "old": certificate("server", "authority", now, (-30, -1)) + authority,
        "early": certificate("server", "authority", now, (1, 30)) + authority,
        "key": key("server"),
        "other_key": key("other"),
        "locked_key": key("server", b"secret"),
    }
