# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.filter.keyed_hash import FilterModule, keyed_hash
from hypothesis import given
from hypothesis import strategies as st


def test_is_the_hmac_that_openssl_computes() -> None:
    command = ["openssl", "dgst", "-sha256", "-hmac", "key"]
    told = subprocess.run(command, input="grüße".encode(), capture_output=True, check=True).stdout.decode()
    assert keyed_hash("grüße", "key") == told.split("= ")[1].strip()


@given(st.text(max_size=20), st.text(max_size=20))
def test_tells_texts_apart(one: str, other: str) -> None:
    assert (keyed_hash(one, "key") == keyed_hash(other, "key")) == (one == other)


def test_tells_nothing_without_the_key() -> None:
    assert keyed_hash("text", "key") != keyed_hash("text", "other key")


@pytest.mark.parametrize(("value", "key"), [(["text"], "key"), (None, "key"), ("text", ""), ("text", None)])
def test_refuses_what_is_no_text(value: t.Any, key: t.Any) -> None:
    with pytest.raises(AnsibleFilterError):
        keyed_hash(value, key)


def test_filters() -> None:
    assert set(FilterModule().filters()) == {"keyed_hash"}
