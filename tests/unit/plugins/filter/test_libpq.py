# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.selfhosted.lago.plugins.filter.libpq import FilterModule, libpq_environment
from ansible_collections.selfhosted.lago.plugins.filter.urls import postgres_url

AWKWARD = "a ' \" $ # % @ / \\ ä : ? &"


def test_what_a_url_was_made_of_comes_out_of_it() -> None:
    url = postgres_url(
        {"user": AWKWARD, "password": AWKWARD, "host": "db.example.com", "port": 6432, "database": AWKWARD}
    )
    assert libpq_environment(url) == {
        "PGHOST": "db.example.com",
        "PGPORT": "6432",
        "PGUSER": AWKWARD,
        "PGPASSWORD": AWKWARD,
        "PGDATABASE": AWKWARD,
    }


def test_what_is_not_said_is_not_there_and_what_libpq_knows_goes_along() -> None:
    url = "postgres://[2001:db8::7]/?sslmode=verify-full&search_path=lago&connect_timeout=3"
    assert libpq_environment(url) == {
        "PGHOST": "2001:db8::7",
        "PGPORT": "5432",
        "PGSSLMODE": "verify-full",
        "PGCONNECT_TIMEOUT": "3",
    }


@pytest.mark.parametrize(
    "url", ["postgresql://ada:canary@db:port/lago", "postgresql://[", "postgresql://db/lago?canary"]
)
def test_what_is_no_url_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(AnsibleFilterError, match="no URL") as refused:
        libpq_environment(url)
    assert "canary" not in str(refused.value)


def test_the_filter_has_a_name() -> None:
    assert set(FilterModule().filters()) == {"libpq_environment"}
