# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.certificates import (
    FilterModule,
    certificate_parts,
    missing_certificates,
)
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _certificates

from outside import certificates

NOW = datetime.now(UTC)
FILES = certificates.files(NOW)
DIRECTORY = "https://ca.example.com:14000/acme/dir"


def test_a_private_root_is_not_served() -> None:
    parts = certificate_parts(FILES["whole"])
    assert (parts["chain"], parts["root"]) == (FILES["chain"], FILES["root"])
    assert parts["id"] == certificate_parts(FILES["chain"])["id"] != certificate_parts(FILES["old"])["id"]
    assert certificate_parts(FILES["chain"])["root"] == ""


def test_one_that_signed_itself_is_served_and_its_own_root() -> None:
    own = certificates.certificate("server", "server", NOW)
    assert certificate_parts(own) | {"id": ""} == {"chain": own, "root": own, "id": ""}


def test_without_a_certificate_there_is_nothing() -> None:
    assert certificate_parts(FILES["key"]) == {"chain": "", "root": "", "id": ""}


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("Billing.example.com", True),
        ("api.billing.example.com", True),
        ("a.b.billing.example.com", False),
        ("2001:db8:0::7", True),
        ("192.0.2.7", False),
    ],
)
def test_the_names_of_a_certificate(host: str, covered: bool) -> None:
    leaf = _certificates.read(FILES["leaf"])[0]
    assert _certificates.uncovered(leaf, [host]) == ([] if covered else [host])


def test_a_certificate_without_names_is_for_nobody() -> None:
    leaf = _certificates.read(certificates.certificate("server", "authority", NOW, names=[]))[0]
    assert _certificates.uncovered(leaf, ["billing.example.com"]) == ["billing.example.com"]


def test_a_name_signed_by_another_key_is_a_gap() -> None:
    forged = certificates.certificate("server", "authority", NOW, signer="other")
    assert _certificates.gap(_certificates.read(forged + FILES["authority"])) == "CN=billing.example.com"


def stored(pem: str, issuer: str = "ca.example.com-14000-acme-dir") -> dict[str, object]:
    return {"certificates": [{"issuer": issuer, "name": "billing.example.com", "pem": pem}]}


def test_what_is_in_the_storage_is_not_ordered() -> None:
    hosts = ["billing.example.com", "api.example.com"]
    assert missing_certificates(hosts, {}, DIRECTORY) == hosts
    assert missing_certificates(hosts, stored(FILES["leaf"]), DIRECTORY) == ["api.example.com"]
    assert missing_certificates(hosts, stored(FILES["leaf"], "local"), DIRECTORY) == hosts
    assert missing_certificates(hosts, stored(FILES["leaf"], "local"), "local") == ["api.example.com"]


def test_one_that_expired_is_ordered_only_when_nobody_else_renews_it() -> None:
    old = certificates.certificate("server", "authority", NOW, (-30, -1))
    hosts = ["billing.example.com"]
    assert missing_certificates(hosts, stored(old), DIRECTORY) == hosts
    assert missing_certificates(hosts, {**stored(old), "acme_directory": DIRECTORY}, DIRECTORY) == []
    later = NOW + timedelta(days=31)
    assert list(_certificates.missing(hosts, stored(FILES["leaf"]), DIRECTORY, later)) == hosts


def test_the_filters_have_their_names() -> None:
    assert FilterModule().filters().keys() == {"certificate_parts", "missing_certificates"}
