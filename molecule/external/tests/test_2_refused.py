# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service refuses is said in its own words, with the variable's name, and nothing that runs is touched."""

from __future__ import annotations

from typing import Any

import pytest

from outside.lifecycle import done, refused
from outside.services import POOLED, TLS, Connected

EXPIRED = POOLED["lago_postgres_pooler_url"].replace(":6432/", ":6433/")
WRONG_ONE = "not-this-one"
# One of each service at a time, and as many services as there are: a run costs what it costs.
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    (
        {
            "lago_postgres_ca_file": str(TLS / "other-ca.crt"),
            "lago_redis_password": WRONG_ONE,
            "lago_redis_cache_user": "reader",
            "lago_redis_cache_password": "reads-only",
            "lago_s3_bucket": "nobodys",
            "lago_smtp_password": WRONG_ONE,
            "lago_pdf_url": "http://pdf.services.test:3001",
            "lago_license": "of-a-server-that-is-not-there",
        },
        [
            "lago_postgres_ca_file",
            "certificate verify failed",
            "lago_redis_password",
            "WRONGPASS",
            "lago_redis_cache_user",
            "NOPERM",
            "lago_s3_bucket",
            "NoSuchBucket",
            "lago_smtp_password",
            "535",
            "lago_pdf_url: the maker of PDFs cannot be used",
            "lago_license",
            "license.getlago.com:443",
            "Connection refused",
        ],
    ),
    (
        {
            "lago_postgres_password": WRONG_ONE,
            "lago_postgres_pooler_url": EXPIRED,
            "lago_redis_master_name": "nobody",
            "lago_redis_cache_password": WRONG_ONE,
            "lago_s3_secret_access_key": "another",
            "lago_smtp_port": 26,
        },
        [
            "lago_postgres_password",
            "password authentication failed",
            "lago_postgres_pooler_url",
            "certificate verify failed",
            "lago_redis_master_name",
            "lago_redis_cache_password",
            "WRONGPASS",
            "lago_s3_secret_access_key",
            "SignatureDoesNotMatch",
            "lago_smtp_address",
            "refused",
        ],
    ),
]


def touched(lago: Connected) -> tuple[dict[str, str], str]:
    """What runs since when, and the files that it was started by, and will be again."""
    command = "cd /opt/lago && find compose.yml env mounts -type f -exec sha256sum {} + | sort && ls -A"
    return lago.containers(), lago.shell("sh", "-c", command)


@pytest.mark.parametrize(("wrong", "words"), WRONG, ids=["others", "passwords"])
def test_nothing_is_touched(lago: Connected, wrong: dict[str, Any], words: list[str]) -> None:
    before = touched(lago)
    refused(lago.run(**wrong), *words)
    assert touched(lago) == before


def test_what_was_right_is_right_again(lago: Connected) -> None:
    before = touched(lago)
    # Remembered are the passwords that were given last, by their fingerprints.
    assert done(lago.run()).recap["changed"] == len(["secrets.json"])
    assert touched(lago) == before
