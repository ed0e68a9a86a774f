# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value survives Redis' configuration file."""

from __future__ import annotations

import re

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.filter.redis_quote import FilterModule, redis_quote
from hypothesis import given
from hypothesis import strategies as st


def read_by_redis(quoted: str) -> str:
    """What sdssplitargs makes of a double-quoted argument that holds only plain characters and hexadecimal escapes."""
    assert re.fullmatch(r'"(\\x[0-9a-f]{2}|[A-Za-z0-9])*"', quoted)
    parts = re.findall(r"\\x([0-9a-f]{2})|([A-Za-z0-9])", quoted)
    return bytes(int(escape, 16) if escape else ord(plain) for escape, plain in parts).decode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_is_read_as_it_was_written(value: str) -> None:
    assert read_by_redis(redis_quote(value)) == value


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="int"):
        redis_quote(7)


def test_it_is_offered_by_its_name() -> None:
    assert FilterModule().filters()["redis_quote"]("a b") == r'"a\x20b"'
