# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a Lago as upstream's own compose file deploys it, and of others."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.problems import adoption

PEM = "-----BEGIN PRIVATE KEY-----\ncanary-rsa\n-----END PRIVATE KEY-----\n"
RSA = base64.b64encode(PEM.encode()).decode()
#: What upstream's file tells every process of the backend, for the most part by its own defaults.
BACKEND = {
    "DATABASE_URL": "postgresql://lago:changeme@db:5432/lago?search_path=public",
    "REDIS_URL": "redis://redis:6379",
    "REDIS_PASSWORD": "",
    "SECRET_KEY_BASE": "your-secret-key-base-hex-64",
    "RAILS_ENV": "production",
    "RAILS_LOG_TO_STDOUT": "true",
    "LAGO_RSA_PRIVATE_KEY": RSA[:76] + "\n" + RSA[76:],
    "LAGO_SIDEKIQ_WEB": "true",
    "LAGO_ENCRYPTION_PRIMARY_KEY": "your-encryption-primary-key",
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY": "your-encryption-deterministic-key",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT": "your-encryption-derivation-salt",
    "LAGO_USE_AWS_S3": "false",
    "LAGO_AWS_S3_ACCESS_KEY_ID": "azerty123456",
    "LAGO_USE_GCS": "false",
    "LAGO_GCS_PROJECT": "unused",
    "LAGO_SMTP_ADDRESS": "",
    "LAGO_SMTP_PORT": "587",
    "LAGO_PDF_URL": "http://pdf:3000",
    "LAGO_DATA_API_URL": "http://data-api",
    "LAGO_DISABLE_SIGNUP": "false",
    "LAGO_DISABLE_PDF_GENERATION": "false",
    "LAGO_CREATE_ORG": "false",
    "LAGO_API_URL": "http://billing.example.com:3000",
    "LAGO_FRONT_URL": "http://billing.example.com",
}


def container(name: str, kind: str, image: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "service": name.removeprefix("lago-"), "kind": kind, "worker": None, "image": image,
        "state": "running", "environment": {}, "mounts": {}, "ports": [], **more,
    }  # fmt: skip


def volume(name: str) -> dict[str, str]:
    return {"type": "volume", "name": f"lago_lago_{name}_data"}


def port(number: int) -> list[dict[str, Any]]:
    return [{"address": "", "port": number, "target": f"{number}/tcp"}]


DATABASE = {"POSTGRES_USER": "lago", "POSTGRES_DB": "lago", "POSTGRES_PASSWORD": "changeme"}
READING: dict[str, Any] = {
    "project": "lago",
    "rsa_file": None,
    "database": {"reachable": True, "server_version": "15.2", "organizations": 1, "encrypted_rows": 2},
    "redis": {"version": "7.0", "port": 6379, "used_memory": 2**20},
    "containers": [
        container(
            "lago-api", "api", "getlago/api:v1.45.2", environment=BACKEND, ports=port(3000),
            mounts={"/app/storage": volume("storage")},
        ),
        container("lago-clock", "clock", "getlago/api:v1.45.2"),
        container(
            "lago-db", "db", "getlago/postgres-partman:15.0-alpine", environment=DATABASE, ports=port(5432),
            mounts={"/data/postgres": volume("postgres")},
        ),
        container("lago-front", "front", "getlago/front:v1.45.2", ports=port(80)),
        container("lago-migrate", "migrate", "getlago/api:v1.45.2", state="exited"),
        container("lago-pdf", "pdf", "getlago/lago-gotenberg:7.8.2"),
        container("lago-redis", "redis", "redis:7-alpine", ports=port(6379), mounts={"/data": volume("redis")}),
        container("lago-worker", "worker", "getlago/api:v1.45.2", worker="default"),
    ],
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "lago_project": "billing",
    "lago_domain": "billing.example.com",
    "lago_api_version": "v1.45.2",
    "lago_front_version": "v1.45.2",
    "lago_postgres_image": "getlago/postgres-partman:15.0-alpine",
    "lago_postgres_user": "lago",
    "lago_postgres_database": "lago",
    "lago_redis_maxmemory": "512mb",
    "lago_storage": "local",
    "lago_pdf": True,
    "lago_telemetry": True,
    "lago_wallet_refresh": True,
    "lago_lifetime_usage_refresh": True,
    "lago_adopt_changes": [],
}


def changed(**environment: str) -> dict[str, Any]:
    """The reading, with another environment of the API."""
    reading = deepcopy(READING)
    reading["containers"][0]["environment"] |= environment
    return reading


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["variable"]) for one in answer["problems"]]


def test_what_upstream_s_file_deploys_can_be_taken_over_as_it_is() -> None:
    answer = adoption(READING, SETTINGS)
    assert answer["problems"] == []
    assert answer["secrets"] == {
        "secret_key_base": "your-secret-key-base-hex-64",
        "encryption_primary_key": "your-encryption-primary-key",
        "encryption_deterministic_key": "your-encryption-deterministic-key",
        "encryption_key_derivation_salt": "your-encryption-derivation-salt",
        "postgres_password": "changeme",
        "rsa_private_key": RSA,
    }
    assert answer["volumes"] == {
        "db-data": "lago_lago_postgres_data",
        "redis-data": "lago_lago_redis_data",
        "storage": "lago_lago_storage_data",
    }
    stop = ["front", "clock", "worker", "api", "pdf", "redis", "db"]
    assert [one["name"] for one in answer["stop"]] == [f"lago-{name}" for name in stop]
    assert answer["ports"] == [80, 3000, 5432, 6379]


def test_all_that_is_unsafe_is_named_with_what_becomes_of_it() -> None:
    said = "\n".join(adoption(changed(LAGO_CREATE_ORG="true"), SETTINGS)["unsafe"])
    for word in (
        "SECRET_KEY_BASE is upstream's", "2 rows are encrypted", "password of PostgreSQL", "lago-redis and lago-db can",
        "Redis asks for no", "/sidekiq", "Anybody can register", "LAGO_CREATE_ORG", "LAGO_API_URL is http://billing",
    ):  # fmt: skip
        assert word in said, word


def test_what_is_safe_is_not_named() -> None:
    safe = {name: f"{name.lower()}-" + "0" * 32 for name in BACKEND if "ENCRYPTION" in name}
    reading = changed(
        **safe, SECRET_KEY_BASE="0" * 128, LAGO_SIDEKIQ_WEB="", LAGO_DISABLE_SIGNUP="true",
        LAGO_API_URL="https://billing.example.com", LAGO_FRONT_URL="https://billing.example.com",
    )  # fmt: skip
    reading["containers"][2]["environment"] = {"POSTGRES_PASSWORD": "canary-postgres"}
    for number in (2, 6):
        reading["containers"][number]["ports"] = []
    answer = adoption(reading, {**SETTINGS, "lago_postgres_user": "postgres", "lago_postgres_database": "postgres"})
    assert answer["problems"] == []
    assert answer["unsafe"] == ["Redis asks for no password. That ends."]


def test_keys_that_encrypt_nothing_yet_can_be_rotated() -> None:
    reading = changed()
    reading["database"]["encrypted_rows"] = 0
    assert "lago_rotate: [encryption_keys]" in "\n".join(adoption(reading, SETTINGS)["unsafe"])


def test_the_names_and_the_file_that_lago_prefers_win() -> None:
    other = PEM.replace("canary", "another")
    reading = changed(ENCRYPTION_PRIMARY_KEY="preferred") | {"rsa_file": other}
    found = adoption(reading, SETTINGS)["secrets"]
    assert found["encryption_primary_key"] == "preferred"
    assert base64.b64decode(found["rsa_private_key"]).decode() == other


def test_settings_are_found_and_secret_ones_are_not_shown() -> None:
    reading = changed(
        LAGO_USE_AWS_S3="true", LAGO_AWS_S3_BUCKET="files", LAGO_AWS_S3_SECRET_ACCESS_KEY="canary-s3",
        LAGO_SMTP_ADDRESS="smtp.example.com", LAGO_SMTP_PORT="2525", LAGO_DISABLE_SEGMENT="true",
        LAGO_API_URL="https://api.example.com", LAGO_PDF_URL="http://elsewhere:3000", MISTRAL_API_KEY="canary-mistral",
    )  # fmt: skip
    reading["containers"] += [
        container(
            "lago-events", "worker", "getlago/api:v1.45.2", worker="events", environment={"SIDEKIQ_CONCURRENCY": "20"}
        )
    ]
    answer = adoption(reading, SETTINGS)
    settings = answer["settings"]
    assert settings["lago_storage"] == "s3" and settings["lago_s3_bucket"] == "files"
    assert (settings["lago_telemetry"], settings["lago_smtp_port"]) == (False, "2525")
    assert (settings["lago_domain"], settings["lago_api_domain"]) == ("billing.example.com", "api.example.com")
    assert settings["lago_pdf_url"] == "http://elsewhere:3000"
    assert settings["lago_workers"] == [{"name": "events", "concurrency": 20}]
    assert settings["lago_extra_env"] == {"backend": {"MISTRAL_API_KEY": "(as it is there)"}}
    assert settings["lago_s3_secret_access_key"] == "(as it is there)"
    assert {variable for _code, variable in codes(answer)} == {
        "lago_api_domain", "lago_extra_env", "lago_pdf_url", "lago_s3_access_key_id", "lago_s3_bucket",
        "lago_s3_secret_access_key", "lago_smtp_address", "lago_smtp_port", "lago_storage", "lago_telemetry",
        "lago_workers",
    }  # fmt: skip
    assert "canary" not in json.dumps({name: value for name, value in answer.items() if name != "secrets"})
    declared = {
        **SETTINGS, "lago_s3_secret_access_key": "canary-s3", "lago_smtp_address": "smtp.example.com",
        "lago_s3_bucket": "files", "lago_s3_access_key_id": "azerty123456", "lago_storage": "s3",
        "lago_smtp_port": 2525, "lago_telemetry": "no", "lago_api_domain": "API.example.com",
        "lago_extra_env": {"backend": {"MISTRAL_API_KEY": "canary-mistral"}},
        "lago_workers": [{"name": "events", "concurrency": 20}],
        "lago_adopt_changes": ["lago_pdf_url", "lago_telemetry"],
    }  # fmt: skip
    assert codes(adoption(reading, declared)) == []


def test_what_cannot_change_by_the_way_cannot_be_wished_away() -> None:
    declared = {"lago_api_version": "v1.51.0", "lago_postgres_user": "other", "lago_front_version": "v1.51.0"}
    wish = {"lago_adopt_changes": list(declared)}
    answer = adoption(READING, {**SETTINGS, **declared, **wish})
    assert codes(answer) == [("would_change", "lago_api_version"), ("would_change", "lago_postgres_user")]
    assert "'v1.51.0', and 'v1.45.2' there" in answer["problems"][0]["message"]
    assert "lago_adopt_changes" not in answer["problems"][0]["message"]


def without(*kinds: str) -> dict[str, Any]:
    return {**READING, "containers": [one for one in READING["containers"] if one["kind"] not in kinds]}


@pytest.mark.parametrize("kind", ["api", "db", "redis"])
def test_what_is_no_lago_or_has_its_data_elsewhere_is_refused(kind: str) -> None:
    answer = adoption(without(kind), SETTINGS)
    assert codes(answer) == [("not_a_lago", "lago_adopt_project")]
    assert (answer["secrets"], answer["stop"]) == ({}, [])
    assert "services none" in adoption({**READING, "containers": []}, SETTINGS)["problems"][0]["message"]


def mounted(number: int, mount: dict[str, Any]) -> dict[str, Any]:
    reading = deepcopy(READING)
    reading["containers"][number]["mounts"] = dict.fromkeys(reading["containers"][number]["mounts"], mount)
    return reading


def tagged(image: str) -> dict[str, Any]:
    reading = deepcopy(READING)
    reading["containers"][0]["image"] = image
    return reading


def silent(error: str) -> Any:
    """Returns a reading whose database does not say what it holds."""
    return {**READING, "database": {**READING["database"], "reachable": False, "error": error}}


@pytest.mark.parametrize(
    ("reading", "settings", "code", "variable", "says"),
    [
        ({**READING, "database": None}, {}, "does_not_answer", "lago_adopt_project", "lago-db does not answer"),
        (silent("too many clients"), {}, "does_not_answer", "lago_adopt_project", "not answer (too many clients)"),
        ({**READING, "redis": None}, {}, "does_not_answer", "lago_adopt_project", "lago-redis does not answer"),
        (
            changed(DATABASE_URL="postgresql://lago:p@canary@pg.example.com:5432/lago?search_path=public"), {},
            "store_elsewhere", "lago_adopt_project", "DATABASE_URL leads to 'pg.example.com', not to lago-db",
        ),
        (changed(REDIS_URL="rediss://cache:6380"), {}, "store_elsewhere", "lago_adopt_project", "(lago_redis_url)"),
        (mounted(2, {"type": "bind"}), {}, "no_volume", "lago_adopt_project", "lago-db has no volume"),
        (mounted(0, {}), {}, "no_volume", "lago_adopt_project", "lago-api has no volume"),
        (
            READING, {"lago_postgres_image": "getlago/postgres-partman:17.0"},
            "other_postgres_there", "lago_postgres_image", "of 15",
        ),
        (READING, {"lago_redis_maxmemory": "512kb"}, "queue_too_large", "lago_redis_maxmemory", "1 MB"),
        (changed(LAGO_CLICKHOUSE_HOST="ch"), {}, "event_store", "lago_adopt_project", "LAGO_CLICKHOUSE_HOST"),
        (changed(LAGO_RSA_PRIVATE_KEY="no key"), {}, "secret_not_found", "lago_adopt_project", "rsa_private_key"),
        (changed(SECRET_KEY_BASE=" "), {}, "secret_not_found", "lago_adopt_project", "secret_key_base"),
        (
            READING, {"lago_postgres_password": "canary"}, "given_is_another", "lago_postgres_password", "rotate it",
        ),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said_with_the_way_out(
    reading: dict[str, Any], settings: dict[str, Any], code: str, variable: str, says: str
) -> None:
    answer = adoption(reading, {**SETTINGS, **settings})
    expected = [(code, variable)]
    if "LAGO_CLICKHOUSE_HOST" in reading["containers"][0]["environment"]:
        expected += [("would_change", "lago_extra_env")]
    assert codes(answer) == expected
    assert says in answer["problems"][0]["message"]
    assert "canary" not in answer["problems"][0]["message"]


def test_an_api_of_no_release_is_refused() -> None:
    for image in ("getlago/api:latest", "getlago/api@sha256:00"):
        assert ("unknown_release", "lago_version") in codes(adoption(tagged(image), SETTINGS))


def test_a_release_that_nobody_can_install_is_refused_with_the_way_to_one() -> None:
    problem = adoption(tagged("getlago/api:v1.38.0"), {**SETTINGS, "lago_api_version": "v1.38.0"})["problems"][0]
    assert (problem["code"], problem["variable"]) == ("too_old", "lago_version")
    assert "v1.42.0" in problem["message"]


def test_a_store_may_be_called_by_its_container_s_name() -> None:
    there = changed(DATABASE_URL="postgresql://lago:changeme@lago-db/lago", REDIS_URL="redis://lago-redis")
    assert codes(adoption(there, SETTINGS)) == []


def test_a_migration_that_is_under_way_is_waited_for() -> None:
    reading = deepcopy(READING)
    reading["containers"][4]["state"] = "running"
    assert codes(adoption(reading, SETTINGS)) == [("migrates", "lago_adopt_project")]


def test_what_is_given_as_it_is_in_use_is_fine() -> None:
    assert codes(adoption(READING, {**SETTINGS, "lago_postgres_password": "changeme"})) == []
