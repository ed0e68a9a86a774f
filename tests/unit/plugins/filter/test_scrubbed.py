# SPDX-License-Identifier: GPL-3.0-or-later
"""What a failed command said can be told."""

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.filter.scrubbed import FilterModule, scrubbed


def test_known_secrets_and_what_looks_like_one_are_hidden() -> None:
    text = "bad URI postgresql://lago:a%2Fb@db, key a/b-c, password=x1234"
    shown = "bad URI postgresql://********@db, key ********, password=********"
    assert scrubbed(text, ["a/b-c"]) == shown


def test_the_values_of_secret_variables_are_known() -> None:
    settings = {
        "lago_domain": "billing.example.com",
        "lago_license": None,
        "lago_redis_url": "redis://:p%2Fw-of-redis@redis.example.com:6379",
        "lago_extra_env": {"backend": {"ADAS_OWN": "her-secret", "NUMBER": 12345}},
    }
    text = "at billing.example.com: p/w-of-redis, her-secret, 12345"
    assert scrubbed(text, settings=settings) == "at billing.example.com: ********, ********, ********"


def test_it_can_do_without_known_ones() -> None:
    assert FilterModule().filters()["scrubbed"]("as it is") == "as it is"
