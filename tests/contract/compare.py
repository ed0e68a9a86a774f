# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares an answer with a recorded one: everything but what is made anew each time must be the same."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

# Made anew each time, but always in the same form: what the recorded value matches, the other must match too.
FORMS = (
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    re.compile(r"\d{4}-\d\d-\d\d"),
    re.compile(r"•{8}[0-9a-f]{3}"),
    re.compile(r"[A-Z]{3}-[0-9A-F]{4}(-\d{3})?"),
)
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
SLUG = re.compile(r"(.+?)(-[a-z]{3})?")


def claims(token: str) -> dict[str, Any]:
    """What a JWT says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


class Comparison:
    """Compares answers of one run, and learns which of its values stand for the recorded ones."""

    def __init__(self, known: dict[str, str] | None = None) -> None:
        self.known = dict(known or {})

    def translate(self, value: Any) -> Any:
        """The recorded value (of a request) with the ids, keys and tokens of this run."""
        if isinstance(value, dict):
            return {name: self.translate(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        if isinstance(value, str):
            for recorded, live in self.known.items():
                value = value.replace(recorded, live)
        return value

    def differences(self, recorded: Any, live: Any, place: str = "") -> list[str]:
        """In what `live` differs from `recorded`: keys, types, lengths, and every value that is not made anew."""
        if isinstance(recorded, dict) and isinstance(live, dict):
            found = [f"{place}.{name} is missing" for name in recorded.keys() - live.keys()]
            found += [f"{place}.{name} is new" for name in live.keys() - recorded.keys()]
            both = recorded.keys() & live.keys()
            return found + [
                one for name in both for one in self.differences(recorded[name], live[name], f"{place}.{name}")
            ]
        if isinstance(recorded, list) and isinstance(live, list):
            if len(recorded) != len(live):
                return [f"{place} has {len(live)} items instead of {len(recorded)}"]
            pairs = enumerate(zip(recorded, live, strict=True))
            return [one for index, (a, b) in pairs for one in self.differences(a, b, f"{place}[{index}]")]
        if type(recorded) is not type(live):
            return [f"{place} is {live!r} instead of {recorded!r}"]
        if isinstance(recorded, str):
            return self._text(recorded, live, place)
        return [] if recorded == live else [f"{place} is {live!r} instead of {recorded!r}"]

    def _text(self, recorded: str, live: str, place: str) -> list[str]:
        if recorded == live or self.translate(recorded) == live:
            return []
        if place.endswith(".token") and TOKEN.fullmatch(recorded) and TOKEN.fullmatch(live):
            self.known[recorded] = live
            return self.differences({**claims(recorded), "exp": 0}, {**claims(live), "exp": 0}, place)
        if any(form.fullmatch(recorded) and form.fullmatch(live) for form in FORMS):
            if FORMS[0].fullmatch(recorded):
                self.known[recorded] = live
            return []
        slug = (SLUG.fullmatch(recorded), SLUG.fullmatch(live))
        if place.endswith(".slug") and slug[0] and slug[1] and slug[0][1] == slug[1][1]:
            return []
        return [f"{place} is {live!r} instead of {recorded!r}"]


def headers(recorded: dict[str, str], live: dict[str, str]) -> list[str]:
    """Content types and what concerns other origins: the same, and the latter absent where they were absent."""
    found = [
        f"{name} is {live.get(name)!r} instead of {value!r}"
        for name, value in recorded.items()
        if live.get(name) != value
    ]
    origin = "access-control-allow-origin"
    return found + ([f"{origin} is new"] if origin in live and origin not in recorded else [])
