# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Takes secrets out of texts that others wrote, logs above all: those that are known, and what looks like one."""

from __future__ import annotations

import base64
import json
import re
import typing as t
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "********"
#: What is shorter is found everywhere, and no secret.
SHORTEST = 4
_SHORTEST_LINE = 12
_CREDENTIALS = re.compile(r"(?<=://)[^/\s\"']*@")
_NAMED = re.compile(
    r"((?:(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|authorization)[\"']?\s*(?:=>|[:=])\s*"
    r"|\b(?:requirepass|masterauth|bearer)\s+|\bauthorization\s+[\"']?(?=(?:bearer|basic)\s))"
    r"(?:(?:bearer|basic)\s+)?[\"']?)([^\s\"',;&}\]]{4,})",
    re.IGNORECASE,
)
#: To its end, which a log may lack; what only speaks of such a line has nothing of a key behind it.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?=.{0,80}?[A-Za-z0-9+/]{40}).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")


class Scrubber:
    """Knows secrets, and hides them in whatever shape a log shows them.

    :param secrets: the values; what is shorter than four characters is left out.
    """

    def __init__(self, secrets: t.Iterable[str]) -> None:
        shapes = {shape for value in secrets if len(value) >= SHORTEST for shape in _shapes(value)}
        # The longest first, so that none is cut by one that is a part of it
        self._known = sorted(shapes, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for shape in self._known:
            text = text.replace(shape, HIDDEN)
        text = _PRIVATE_KEY.sub(HIDDEN, text)
        text = _CREDENTIALS.sub(f"{HIDDEN}@", text)
        text = _TOKEN.sub(HIDDEN, text)
        return _NAMED.sub(rf"\1{HIDDEN}", text)

    def data(self, value: t.Any) -> t.Any:
        """Return plain data without secrets; the names of dictionaries stay as they are."""
        if isinstance(value, dict):
            return {key: self.data(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.data(item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _shapes(value: str) -> t.Iterator[str]:
    """Yield a value as it is and as it is written within JSON, programs, URLs, environment files and base64."""
    yield value
    for line in value.splitlines():
        if len(line) >= _SHORTEST_LINE and not line.startswith("-----"):
            yield line
    for written in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]):
        yield written
        yield json.dumps(written)[1:-1]
    yield from (quote(value), quote(value, safe=""), quote_plus(value), value.replace("$", "\\$"))
    yield from _encoded(value)


def _encoded(value: str) -> t.Iterator[str]:
    """Yield the base64 of a value, and what it is within the base64 of a longer text."""
    raw = value.encode("utf-8")
    yield base64.b64encode(raw).decode("ascii")
    for offset in range(3):
        shifted = b"\0" * offset + raw
        part = base64.b64encode(shifted[: len(shifted) - len(shifted) % 3]).decode("ascii")[4 if offset else 0 :]
        if len(part) >= _SHORTEST_LINE:
            yield part
            yield part.replace("+", "-").replace("/", "_")


def of_url(value: str) -> list[str]:
    """Return the password in a URL, as it is written there and as it is; empty where there is none."""
    found = re.match(r"[a-z][a-z0-9+.-]*://[^:/@\s]*:([^/\s]*)@", value)
    return [found.group(1), unquote(found.group(1))] if found else []
