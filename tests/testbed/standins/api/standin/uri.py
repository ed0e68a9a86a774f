# SPDX-License-Identifier: GPL-3.0-or-later
"""URLs of services, parsed as strictly as Ruby does it: what is not percent-encoded is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from standin.failures import RubyError

_CHARACTER = r"[!$&'()*+,;=\-.0-9A-Z_a-z~]|%[0-9A-Fa-f]{2}"
_URI = re.compile(
    rf"""(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://
    (?:(?P<userinfo>(?:{_CHARACTER}|:)*)@)?
    (?P<host>\[[0-9A-Fa-f:.]+\]|(?:{_CHARACTER})*)
    (?::(?P<port>[0-9]*))?
    (?P<path>(?:/(?:{_CHARACTER}|[:@])*)*)
    (?:\?(?P<query>(?:{_CHARACTER}|[:@/?])*))?
    (?:\#(?:{_CHARACTER}|[:@/?])*)?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Uri:
    """The parts of a URL, percent-decoded."""

    scheme: str
    host: str
    port: int | None = None
    user: str | None = None
    password: str | None = None
    path: str = ""
    query: dict[str, str] = field(default_factory=dict)


def parse(text: str) -> Uri:
    """:raises RubyError: `URI::InvalidURIError`, when the text is no URL by RFC 3986."""
    match = _URI.fullmatch(text)
    if match is None:
        raise RubyError("URI::InvalidURIError", f"bad URI (is not URI?): {text}")
    user, _, password = (match["userinfo"] or "").partition(":")
    return Uri(
        scheme=match["scheme"].lower(),
        host=unquote(match["host"]).strip("[]"),
        port=int(match["port"]) if match["port"] else None,
        user=unquote(user) or None,
        password=unquote(password) or None,
        path=unquote(match["path"].lstrip("/")),
        query=dict(parse_qsl(match["query"] or "")),
    )
