# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends an ACME account, as its owner may by RFC 8555, 7.3.6."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def deactivate(directory: str, account: str, key: str, cafile: str) -> None:
    """Deactivate an account.

    :param account: its URL.
    :param key: its key in PEM.
    """
    trusting = ssl.create_default_context(cafile=cafile)
    with urllib.request.urlopen(directory, context=trusting) as answer:
        place = json.load(answer)
    with urllib.request.urlopen(urllib.request.Request(place["newNonce"], method="HEAD"), context=trusting) as answer:
        nonce = answer.headers["Replay-Nonce"]
    protected = _encoded(json.dumps({"alg": "ES256", "kid": account, "nonce": nonce, "url": account}).encode())
    payload = _encoded(b'{"status": "deactivated"}')
    private: Any = serialization.load_pem_private_key(key.encode(), None)
    signature = private.sign(f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    raw = b"".join(number.to_bytes(32, "big") for number in utils.decode_dss_signature(signature))
    body = json.dumps({"protected": protected, "payload": payload, "signature": _encoded(raw)}).encode()
    headers = {"Content-Type": "application/jose+json"}
    urllib.request.urlopen(urllib.request.Request(account, body, headers), context=trusting).close()
