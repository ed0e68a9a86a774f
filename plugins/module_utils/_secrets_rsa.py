# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The RSA key that signs Lago's webhooks: PEM in one line of base64, made and checked by the server's openssl."""

from __future__ import annotations

import base64
import binascii

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets import RSA, Problem, variable

_BITS = 2048
_PEM = b"-----BEGIN "


def make(module: AnsibleModule) -> str:
    """Return a new key.

    :raises LagoError: C(openssl_missing), C(openssl_failed).
    """
    code, pem, _dummy = module.run_command([_openssl(module), "genrsa", str(_BITS)], handle_exceptions=False)
    if code or not pem.strip().endswith("PRIVATE KEY-----"):
        raise LagoError("openssl genrsa made no key: run it on the server to see why.", "openssl_failed")
    return base64.b64encode(pem.encode("ascii")).decode("ascii")


def problem(module: AnsibleModule, value: str) -> Problem | None:
    """Return what is wrong with a given key, None when it is one that Lago reads.

    :raises LagoError: C(openssl_missing), but not in check mode, where it may be installed by the run itself.
    """
    try:
        pem = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        pem = b""
    if _PEM not in pem:
        return _problem("is not a PEM file in one line of base64")
    if module.check_mode and not module.get_bin_path("openssl"):
        return None
    command = [_openssl(module), "rsa", "-noout", "-check", "-modulus", "-passin", "pass:"]
    code, output, _dummy = module.run_command(command, data=pem, binary_data=True, handle_exceptions=False)
    modulus = next((line[len("Modulus=") :] for line in output.splitlines() if line.startswith("Modulus=")), "")
    if code or not modulus:
        return _problem("is not a private RSA key that can be read without a passphrase")
    if int(modulus, 16).bit_length() < _BITS:
        return _problem(f"is shorter than {_BITS} bits")
    return None


def _problem(what: str) -> Problem:
    message = f"{variable(RSA)} {what}: take what `openssl genrsa {_BITS} | base64 -w0` prints, or leave it out."
    return Problem("invalid_rsa_private_key", (RSA,), message)


def _openssl(module: AnsibleModule) -> str:
    path = module.get_bin_path("openssl")
    if path is None:
        raise LagoError("There is no openssl on the server: install its package openssl.", "openssl_missing")
    return str(path)
