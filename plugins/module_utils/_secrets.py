# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The secrets of a deployment, one by one: how each is made, and what is wrong with a given one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import typing as t

RSA = "rsa_private_key"
# What Lago encrypts in its database is lost without exactly these
ENCRYPTION = ("encryption_primary_key", "encryption_deterministic_key", "encryption_key_derivation_salt")
KEYS = ("secret_key_base", *ENCRYPTION)
PASSWORDS = ("postgres_password", "redis_password", "redis_cache_password")
NAMES = (*KEYS, RSA, *PASSWORDS)
# What can be rotated, and the secrets that this is: those that encrypt are one key, which is derived from all three
ROTATED = {"encryption_keys": ENCRYPTION, **{name: (name,) for name in NAMES if name not in ENCRYPTION}}

# In hexadecimal digits; the others are passwords of 256 bits
_KEY_BYTES = {"secret_key_base": 64, **dict.fromkeys(ENCRYPTION, 32)}
_SHORTEST_KEY = 32

# Printed in upstream's guides and compose files, so known to everybody
_PLACEHOLDER = re.compile(
    r"your[-_ ].*|change[-_]?me.*|azerty\d*|azertyuiop|qwerty\d*|123456\d*|password\d*|passw0rd|secret|example|"
    r"lago|postgres|redis|root|admin|todo|xxx+|<.*>",
    re.IGNORECASE,
)


class Problem(t.NamedTuple):
    """Why the secrets cannot be used: a code, the secrets, and a sentence with the next step."""

    code: str
    names: tuple[str, ...]
    message: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as plain data."""
        return {"code": self.code, "variables": [variable(name) for name in self.names], "message": self.message}


def variable(name: str) -> str:
    """Return the variable that gives the secret of this name."""
    return f"lago_{name}"


def make(name: str) -> str:
    """Return a new secret that is no RSA key."""
    if name in _KEY_BYTES:
        return secrets.token_hex(_KEY_BYTES[name])
    return secrets.token_urlsafe(32)


def listed(names: t.Iterable[str]) -> str:
    """Return the variables of the secrets as a person lists them."""
    *others, last = (variable(name) for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def placeholder(name: str) -> str:
    """Return what stands for a secret that check mode does not make."""
    return f"made-by-a-real-run-{name}"


def fingerprint(file_key: str, name: str, value: str) -> str:
    """Return what tells whether a value changed, and nothing else without the key."""
    return hmac.new(file_key.encode("utf-8"), f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()


def given_problem(name: str, value: str) -> Problem | None:
    """Return what is wrong with a given value, None when nothing is; an RSA key is judged by L(_secrets_rsa)."""
    say = variable(name)
    if not value.strip():
        return Problem("weak_secret", (name,), f"{say} is nothing but spaces: leave it out, then it is made for you.")
    if _PLACEHOLDER.fullmatch(value.strip()):
        message = (
            f"{say} is a placeholder that everybody knows: give a value of your own, or none, then it is made for you."
        )
        return Problem("placeholder_secret", (name,), message)
    if name in KEYS and len(value) < _SHORTEST_KEY:
        message = f"{say} has less than {_SHORTEST_KEY} characters: take what `openssl rand -hex 32` prints, or none."
        return Problem("weak_secret", (name,), message)
    return None
