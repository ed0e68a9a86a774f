# SPDX-License-Identifier: GPL-3.0-or-later
"""What a log shows is shown without secrets, and stays readable."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils._scrub import HIDDEN, Scrubber, of_url
from hypothesis import given
from hypothesis import strategies as st

SECRET = "x\"\\'$x #%@/+:é&<>=1\nand a second line"
#: Of nobody: what a log shows of a key that was in use before this one.
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + f"{'MIIEpAIBAAKCAQEAx' * 4}\n" * 3 + "-----END RSA PRIVATE KEY-----"
WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda value: json.dumps({"a": value}),
    "JSON in JSON": lambda value: json.dumps({"a": json.dumps({"b": value})}),
    "Python": lambda value: repr([value]),
    "URL": lambda value: quote(value, safe=""),
    "path": quote,
    "form": quote_plus,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "within base64": lambda value: base64.b64encode(f"lago:{value}!".encode()).decode(),
    "within base64 for URLs": lambda value: base64.urlsafe_b64encode(f"la:{value}!".encode()).decode(),
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_known_secret_is_hidden_in_whatever_way_it_is_written(written: str) -> None:
    text = WRITTEN[written](SECRET)
    shown = Scrubber([SECRET]).text(f"before {text} after")
    assert shown.startswith("before ") and shown.endswith(" after") and HIDDEN in shown
    assert text not in shown


def test_one_line_of_a_secret_is_hidden() -> None:
    assert Scrubber([SECRET]).text("| and a second line") == f"| {HIDDEN}"


def test_what_is_a_part_of_another_does_not_spoil_it() -> None:
    assert Scrubber(["abcd", "abcd-efgh"]).text("abcd-efgh abcd") == f"{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://lago:p/w@db:5432/lago", "postgresql://lago:p/w@db:5432/lago"),
        ("postgresql://lago:p%2Fw@x@db:5432/lago", f"postgresql://{HIDDEN}@db:5432/lago"),
        ("Authorization: Bearer abc-def", f"Authorization: Bearer {HIDDEN}"),
        ('{"password":"hunter22","a":1}', f'{{"password":"{HIDDEN}","a":1}}'),
        ('header Authorization "Basic YWRhOnNlY3JldA=="', f'header Authorization "Basic {HIDDEN}"'),
        ("Authorization is basic enough", "Authorization is basic enough"),
        (f"key {PEM} end", f"key {HIDDEN} end"),
        (json.dumps(PEM), f'"{HIDDEN}"'),
        (PEM.partition("-----END")[0], HIDDEN),
        (f"lacks {PEM.splitlines()[0]} at its beginning", f"lacks {PEM.splitlines()[0]} at its beginning"),
        ('"password"=>"hunter22"', f'"password"=>"{HIDDEN}"'),
        ("requirepass hunter22", f"requirepass {HIDDEN}"),
        ("password authentication failed for user", "password authentication failed for user"),
        ("session eyJhbGciOi.eyJzdWIi.c2ln ended", f"session {HIDDEN} ended"),
        ("Completed 200 OK in 12ms", "Completed 200 OK in 12ms"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert Scrubber([]).text(text) == shown


def test_what_is_too_short_to_be_one_is_left() -> None:
    assert Scrubber(["abc", ""]).text("abc") == "abc"


def test_data_keeps_its_form() -> None:
    data = {"a": ["x secret1 y", 3, None], "secret1": True}
    assert Scrubber(["secret1"]).data(data) == {"a": [f"x {HIDDEN} y", 3, None], "secret1": True}


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    hidden = Scrubber([secret]).text(before + secret + after)
    assert secret not in hidden.replace(HIDDEN, "") or secret in before + after or set(secret) <= set(HIDDEN)


@pytest.mark.parametrize(
    ("url", "passwords"),
    [("redis://:a%2Fb@redis:6379", ["a%2Fb", "a/b"]), ("http://api:3000", []), ("no URL", [])],
)
def test_the_password_of_a_url_is_found_in_both_ways(url: str, passwords: list[str]) -> None:
    assert of_url(url) == passwords
