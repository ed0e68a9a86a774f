# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords, sessions and encrypted columns."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from typing import Any

import bcrypt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from standin.failures import RubyError
from standin.settings import env

TOKEN_SECONDS = 3 * 3600


def digest(password: str) -> str:
    """:raises RubyError: when the password is blank or longer than bcrypt can take."""
    if not password or len(password.encode()) > 72:
        raise RubyError("ActiveRecord::RecordInvalid", "Validation failed: Password is invalid")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(11)).decode()


def verify(password: str, stored: str | None) -> bool:
    if not stored or "\0" in password or len(password.encode()) > 72:
        return False
    return bcrypt.checkpw(password.encode(), stored.encode())


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sign(text: str) -> bytes:
    return hmac.new(env("SECRET_KEY_BASE").encode(), text.encode(), hashlib.sha256).digest()


def token(user_id: str, method: str = "email_password") -> str:
    """A session: a JWT signed with SECRET_KEY_BASE that lives for three hours."""
    claims = {"sub": user_id, "exp": int(time.time()) + TOKEN_SECONDS, "login_method": method}
    parts = [_pack(json.dumps(part, separators=(",", ":")).encode()) for part in ({"alg": "HS256"}, claims)]
    return ".".join([*parts, _pack(_sign(".".join(parts)))])


def claims_of(text: str) -> dict[str, Any] | None:
    """What a token says, or nothing when it is not one of ours; whether it is too old is the caller's business."""
    try:
        signed, _, signature = text.rpartition(".")
        if not hmac.compare_digest(_sign(signed), _unpack(signature)):
            return None
        found = json.loads(_unpack(signed.split(".")[1]))
    except (ValueError, IndexError):
        return None
    return found if isinstance(found, dict) else None


def _encryption_key() -> bytes:
    """The key of the encrypted columns, of all three values. `ENCRYPTION_*` win over `LAGO_ENCRYPTION_*`."""
    values = []
    for name in ("PRIMARY_KEY", "DETERMINISTIC_KEY", "KEY_DERIVATION_SALT"):
        value = os.environ.get(f"ENCRYPTION_{name}") or os.environ.get(f"LAGO_ENCRYPTION_{name}")
        if not value:
            text = f"Missing Active Record encryption credential: active_record_encryption.{name.lower()}"
            raise RubyError("ActiveRecord::Encryption::Errors::Configuration", text)
        values.append(value.encode())
    primary, deterministic, salt = values
    return hashlib.pbkdf2_hmac("sha256", primary + b"\0" + deterministic, salt, 2**16, 32)


def encrypt(record: dict[str, Any]) -> str:
    """The record as it is stored: JSON of payload, nonce and tag, as Active Record writes it."""
    nonce = os.urandom(12)
    sealed = AESGCM(_encryption_key()).encrypt(nonce, json.dumps(record).encode(), None)
    payload, tag = sealed[:-16], sealed[-16:]
    parts = [base64.b64encode(part).decode() for part in (payload, nonce, tag)]
    return json.dumps({"p": parts[0], "h": {"iv": parts[1], "at": parts[2]}})


def decrypt(stored: str | None) -> dict[str, Any]:
    """:raises RubyError: when the keys are not those that the value was written with."""
    if not stored:
        return {}
    try:
        outer = json.loads(stored)
        payload, nonce, tag = (base64.b64decode(part) for part in (outer["p"], outer["h"]["iv"], outer["h"]["at"]))
        found = json.loads(AESGCM(_encryption_key()).decrypt(nonce, payload + tag, None))
    except (ValueError, KeyError, TypeError, InvalidTag) as error:
        raise RubyError(
            "ActiveRecord::Encryption::Errors::Decryption", "ActiveRecord::Encryption::Errors::Decryption"
        ) from error
    return dict(found)
