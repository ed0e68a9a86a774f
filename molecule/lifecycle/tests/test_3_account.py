# SPDX-License-Identifier: GPL-3.0-or-later
"""The key and whose it is: found again, replaced on request; and nobody is ever registered twice."""

from __future__ import annotations

import json

import pytest

from outside.lifecycle import EMAIL, Lifecycle, done, refused

KEY_FILE = "/opt/lago/api_key.json"


def test_a_key_that_is_lost_is_found_again(lago: Lifecycle) -> None:
    key = lago.key
    lago.shell("rm", KEY_FILE)
    assert done(lago.bootstrap()).recap["changed"] == 1
    assert lago.key == key


def test_a_key_that_is_wrong_is_replaced_by_the_right_one(lago: Lifecycle) -> None:
    key = lago.key
    wrong = json.loads(lago.read(KEY_FILE)) | {"api_key": "00000000-0000-4000-8000-000000000000"}
    lago.shell("sh", "-c", f"printf '%s' '{json.dumps(wrong)}' > {KEY_FILE}")
    done(lago.bootstrap())
    assert lago.key == key


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"lago_admin_email": "Ada@Example.com"}, ("lago_admin_email is Ada@Example.com", f"as {EMAIL}")),
        ({"lago_admin_email": "eve@example.com"}, ("Acme Billing is there already", f"belongs to {EMAIL}")),
        ({"lago_admin_password": "Another-Horse-1!"}, ("refused lago_admin_password", KEY_FILE)),
    ],
)
def test_nobody_is_registered_twice(lago: Lifecycle, variables: dict[str, str], words: tuple[str, ...]) -> None:
    lago.shell("mv", KEY_FILE, f"{KEY_FILE}.kept")
    try:
        refused(lago.bootstrap(**variables), *words)
    finally:
        lago.shell("mv", f"{KEY_FILE}.kept", KEY_FILE)
    assert lago.sql("SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM organizations)") == "1 1"
    assert "register" not in lago.docker("ps", "-a", "--format", "{{.Names}}")
