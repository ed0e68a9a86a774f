# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that must be seen nowhere, and all the shapes in which they could be."""

from __future__ import annotations

import base64
import json
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, quote_plus

#: Changed by every way of escaping: JSON, URLs, shells, environment files, HTML, and by UTF-8 in ASCII.
AWKWARD = "\"\\'$x #%@/+:é&<>="
SHORTEST = 12
PARTS = 3
KEPT_OF_BASE64 = 16


@dataclass(frozen=True)
class Canary:
    """A secret by its name."""

    name: str
    value: str

    @cached_property
    def shapes(self) -> dict[bytes, str]:
        """What to look for: each shape, with what it is called."""
        return {shape.encode(): kind for kind, shape in self._shapes() if len(shape) >= SHORTEST}

    def _shapes(self) -> Iterator[tuple[str, str]]:
        yield "as it is", self.value
        for line in self.value.splitlines():
            yield "a line of it", line
        # Plain parts are the same in whatever way the rest of it is escaped
        for part in sorted(re.findall(r"[A-Za-z0-9]{12,}", self.value), key=len)[-PARTS:]:
            yield "a part of it", part
        for kind, plain in (("JSON", True), ("JSON with UTF-8", False)):
            once = json.dumps(self.value, ensure_ascii=plain)[1:-1]
            yield kind, once
            yield f"{kind} in {kind}", json.dumps(once, ensure_ascii=plain)[1:-1]
        yield "Python", repr(self.value)[1:-1]
        yield "Python in JSON", json.dumps(repr(self.value)[1:-1])[1:-1]
        yield "URL", quote(self.value, safe="")
        yield "URL path", quote(self.value)
        yield "form", quote_plus(self.value)
        yield "shell", shlex.quote(self.value)
        yield "hexadecimal", self.value.encode().hex()
        yield from self._base64()

    def _base64(self) -> Iterator[tuple[str, str]]:
        """Yield its part of any longer text's base64, wherever in that text it begins."""
        for offset in range(3):
            raw = b"\0" * offset + self.value.encode()
            whole = base64.b64encode(raw[: len(raw) - len(raw) % 3]).decode()
            part = whole[4 if offset else 0 :][:KEPT_OF_BASE64]
            yield "base64", part
            yield "base64 for URLs", part.replace("+", "-").replace("/", "_")


@dataclass(frozen=True)
class Finding:
    """A secret where it must not be."""

    name: str
    shape: str
    around: str

    def __str__(self) -> str:
        return f"{self.name} ({self.shape}): ...{self.around}..."


def find(text: bytes, canaries: list[Canary]) -> list[Finding]:
    """Return the secrets in a text, each once, with what stands before it."""
    findings = []
    for canary in canaries:
        hit = next(((text.find(shape), kind) for shape, kind in canary.shapes.items() if shape in text), None)
        if hit:
            before = text[max(0, hit[0] - 160) : hit[0]].decode(errors="replace")
            findings.append(Finding(canary.name, hit[1], before))
    return findings


def make(name: str) -> Canary:
    """Return a new one that a person could have chosen."""
    plain = secrets.token_hex(20)
    return Canary(name, f"Aa1!{plain[:20]}{AWKWARD}{plain[20:]}")


def make_plain(name: str) -> Canary:
    """Return a new one for what takes letters and digits alone."""
    return Canary(name, f"Aa1{secrets.token_hex(20)}e")


def make_identity(name: str) -> Canary:
    """Return what looks like an identity of age."""
    return Canary(name, f"AGE-SECRET-KEY-1{secrets.token_hex(29).upper()}")


def rsa() -> str:
    """Return a real RSA key."""
    openssl = ["openssl", "genrsa", "2048"]
    return subprocess.run(openssl, capture_output=True, text=True, check=True).stdout


def make_rsa(name: str) -> list[Canary]:
    """Return a real RSA key as the variable takes it, and the key that is in it."""
    pem = rsa()
    return [Canary(name, base64.b64encode(pem.encode()).decode()), inside_rsa(name, pem)]


def inside_rsa(name: str, pem: str) -> Canary:
    """Return the lines of a key without those that all keys share."""
    lines = [line for line in pem.splitlines() if line and not line.startswith("-")]
    return Canary(f"{name}, its key", "\n".join(lines[2:]))
