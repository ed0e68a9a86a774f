# SPDX-License-Identifier: GPL-3.0-or-later
"""What every process of Lago does before anything else, and refuses to go on without."""

from __future__ import annotations

import base64
import binascii
import json
import os
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from standin import database
from standin.failures import Exit, RubyError
from standin.settings import APP, env, present

KEY_FILE = APP / "config" / "keys" / "private.pem"


def load_gems() -> None:
    """Before Rails itself: one of the gems parses DATABASE_URL while it is loaded."""
    try:
        database.parameters()
    except RubyError as error:
        if error.kind != "URI::InvalidURIError":
            return
        text = "There was an error while trying to load the gem 'clickhouse-activerecord'."
        more = (
            f"Gem Load Error is: {error.message}\nBacktrace for gem load error is:\n/usr/local/bundle/gems/activerecord"
        )
        raise RubyError("Bundler::GemRequireError", f"{text}\n{more}") from error


def load_environment() -> None:
    """Rails' initializers, in their order."""
    _secret_key_base()
    private_key()
    _licence()


def _secret_key_base() -> None:
    if "SECRET_KEY_BASE" not in os.environ:
        raise RubyError(
            "ArgumentError",
            "Missing `secret_key_base` for 'production' environment, set this string with `bin/rails credentials:edit`",
        )
    if not present("SECRET_KEY_BASE"):
        raise RubyError("ArgumentError", "`secret_key_base` for production environment must be a type of String`")


def private_key() -> rsa.RSAPrivateKey:
    """The key that signs webhooks: a file wins over the environment."""
    if KEY_FILE.exists():
        return _parse(KEY_FILE.read_bytes())
    if "LAGO_RSA_PRIVATE_KEY" not in os.environ:
        raise RubyError("NoMethodError", "undefined method 'unpack1' for nil\n    str.unpack1(\"m\")")
    if not present("LAGO_RSA_PRIVATE_KEY"):
        raise Exit("Error: Private key is blank, you must provide a private key to start the application. Exiting...")
    try:
        pem = base64.b64decode(env("LAGO_RSA_PRIVATE_KEY"), validate=False)
    except binascii.Error:
        pem = b""
    return _parse(pem)


def _parse(pem: bytes) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise RubyError("OpenSSL::PKey::RSAError", "Neither PUB key nor PRIV key")
    return key


def _licence() -> None:
    """A licence that cannot be checked stops everything. The real licence server is never asked by a stand-in."""
    if not present("LAGO_LICENSE"):
        return
    if not present("LAGO_LICENSE_URL"):
        resolve = "getaddrinfo(3): Name or service not known"
        text = f"Failed to open TCP connection to license.getlago.com:443 ({resolve})"
        raise RubyError("Socket::ResolutionError", text, RubyError("Socket::ResolutionError", resolve))
    try:
        with urllib.request.urlopen(f"{env('LAGO_LICENSE_URL')}/verify/{env('LAGO_LICENSE')}", timeout=10) as answer:
            json.load(answer)
    except (OSError, ValueError) as error:
        text = f"Failed to open TCP connection to {env('LAGO_LICENSE_URL')} ({error})"
        raise RubyError("Errno::ECONNREFUSED", text) from error


def smtp_without_user() -> bool:
    """AUTH is asked for even where no user name is set, so such a mail fails."""
    return not os.environ.get("LAGO_SMTP_USERNAME")


def writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
