# SPDX-License-Identifier: GPL-3.0-or-later
"""What is searched for is found, in every shape: else that nothing is found would say nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from leaks.canaries import Canary, find, make, make_rsa

SECRET = Canary("secret", "x\"\\'$x #%@/+:é&<>=1")  # without a longer plain part, which would give it away in any shape
SHAPES: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: f"password={value};",
    "JSON": lambda value: json.dumps({"password": value}),
    "JSON with UTF-8": lambda value: json.dumps({"password": value}, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps({"msg": json.dumps({"password": value})}),
    "Python": lambda value: repr({"password": value}),
    "URL": lambda value: f"postgresql://lago:{quote(value, safe='')}@db",
    "URL path": lambda value: f"/{quote(value)}",
    "form": lambda value: f"password={quote_plus(value)}",
    "hexadecimal": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 of more, 1": lambda value: base64.b64encode(f"a{value}".encode()).decode(),
    "base64 of more, 2": lambda value: base64.b64encode(f"ab{value}b".encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(f"abc{value}".encode()).decode(),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_is_found_in_every_shape(shape: str) -> None:
    text = SHAPES[shape](SECRET.value)
    assert [found.name for found in find(text.encode(), [SECRET, make("another")])] == ["secret"]


def test_a_line_of_a_key_is_found() -> None:
    given, inside = make_rsa("key")
    line = inside.value.splitlines()[3]
    assert [found.name for found in find(f"  {line}\\n".encode(), [given, inside])] == ["key, its key"]


def test_a_secret_of_a_person_is_awkward() -> None:
    value = make("password").value
    shapes = {quote(value), json.dumps(value), repr(value), value}
    assert len(shapes) == 4
    assert find(b"nothing of it", [make("password")]) == []
