# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority of somebody else's: what an operator bought, or made a mistake with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Issued:
    """A certificate and its key as PEM; `intermediate` is what stands between it and the root."""

    leaf: str
    intermediate: str
    key: str

    @property
    def chain(self) -> str:
        return self.leaf + self.intermediate


class Authority:
    """A root, and one intermediate that signs."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        root, middle = _name(f"{name} Root"), _name(f"{name} Intermediate")
        self._middle = middle
        self.root = _pem(self._sign(root, root, self._root_key, self._root_key, authority=True))
        self.intermediate = _pem(self._sign(middle, root, self._key, self._root_key, authority=True))

    def issue(self, *names: str, days: int = 90, ended: int = 0, kind: str = "ecdsa") -> Issued:
        """Issue a certificate for names.

        :param days: That it is valid for, from now on.
        :param ended: Days since it ran out; with fewer than 0, days until it will.
        :param kind: Of its key: "ecdsa" or "rsa".
        """
        key: Key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
        leaf = self._sign(_name(names[0]), self._middle, key, self._key, names=names, days=days, ended=ended)
        format_ = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, format_, serialization.NoEncryption()).decode()
        return Issued(_pem(leaf), self.intermediate, pem)

    @staticmethod
    def _sign(
        subject: x509.Name,
        issuer: x509.Name,
        key: Key,
        signer: Key,
        authority: bool = False,
        names: tuple[str, ...] = (),
        days: int = 3650,
        ended: int = 0,
    ) -> x509.Certificate:
        end = datetime.now(UTC) + (timedelta(days=-ended) if ended else timedelta(days=days))
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=days, hours=1))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .add_extension(_usage(authority), critical=True)
        )
        if names:
            served = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            made = made.add_extension(served, critical=False)
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return made.sign(signer, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    others = ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        **dict.fromkeys(others, False),
    )
