# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about secrets that are given. PRIVATE to the collection. None of the sentences repeats a value."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from ansible_collections.selfhosted.lago.plugins.module_utils import _secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank

_RSA = _secrets.variable(_secrets.RSA)
_TAKE = f"take what `openssl genrsa 2048 | base64 -w0` prints, or leave {_RSA} out"
_VAULTED = "$ANSIBLE_VAULT;"


def _given(case: Case) -> Iterator[tuple[str, str, str]]:
    """Yield the secrets of the deployment that are given as text: name, variable, value."""
    for name in _secrets.NAMES:
        value = case.given.get(_secrets.variable(name))
        if isinstance(value, str) and not blank(value) and not value.startswith(_VAULTED):
            yield name, _secrets.variable(name), value


@rule("settings")
def blank_secret(case: Case) -> Found:
    for variable in map(_secrets.variable, _secrets.NAMES):
        if variable in case.given and blank(case.given[variable]):
            yield (
                variable,
                f"{variable} is given and blank: give its value (is an entry of the vault empty?), or remove the "
                "variable altogether, then the secret is made on the server.",
            )


@rule("settings")
def vault_text(case: Case) -> Found:
    for variable in secrets():
        if str(case.given.get(variable, "")).startswith(_VAULTED):
            yield (
                variable,
                f"{variable} is the encrypted text itself and not what it holds: put the tag !vault in front of it.",
            )


@rule("settings")
def placeholder_secret(case: Case) -> Found:
    for name, _variable, value in _given(case):
        found = _secrets.given_problem(name, value)
        if found and found.code == "placeholder_secret":
            yield _variable, found.message


@rule("settings")
def weak_secret(case: Case) -> Found:
    for name, variable, value in _given(case):
        found = _secrets.given_problem(name, value)
        if found and found.code == "weak_secret":
            yield variable, found.message


@rule("settings")
def nul_in_secret(case: Case) -> Found:
    for _name, variable, value in _given(case):
        if "\0" in value:
            yield variable, f"{variable} holds a NUL character, which no environment and no PostgreSQL can: remove it."


def _key(case: Case) -> tuple[str, bytes | None]:
    """Return the RSA key as it is given, and as what it decodes to; ``None`` where another rule speaks."""
    found = next((value for name, _variable, value in _given(case) if name == _secrets.RSA), "")
    if not found or "\0" in found or _secrets.given_problem(_secrets.RSA, found):
        return "", None
    try:
        return found, base64.b64decode("".join(found.split()), validate=True)
    except (binascii.Error, ValueError):
        return found, b""


@rule("settings")
def rsa_not_encoded(case: Case) -> Found:
    if _key(case)[0].lstrip().startswith("-----BEGIN"):
        yield _RSA, f"{_RSA} is the PEM text itself, and Lago reads it in one line of base64: {_TAKE}."


@rule("settings")
def rsa_wrapped(case: Case) -> Found:
    text, pem = _key(case)
    if pem and len(text.split()) > 1:
        yield (
            _RSA,
            f"{_RSA} is wrapped into several lines, of which Lago would read the first: {_TAKE} (-w0 does not wrap).",
        )


@rule("settings")
def rsa_not_a_key(case: Case) -> Found:
    text, pem = _key(case)
    if pem is not None and not text.lstrip().startswith("-----BEGIN") and b" PRIVATE KEY-----" not in pem:
        yield _RSA, f"{_RSA} is no private key in PEM, encoded in base64: {_TAKE}."


@rule("settings")
def rsa_with_passphrase(case: Case) -> Found:
    _text, pem = _key(case)
    if pem and b" PRIVATE KEY-----" in pem and b"ENCRYPTED" in pem:
        yield _RSA, f"{_RSA} asks for a passphrase, which Lago cannot give: {_TAKE}."
