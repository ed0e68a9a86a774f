# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of a deployment are found where it uses them, and its environment is shown without them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.env import env_file
from ansible_collections.selfhosted.lago.plugins.filter.images import registry_login
from ansible_collections.selfhosted.lago.plugins.filter.redis_quote import redis_quote
from ansible_collections.selfhosted.lago.plugins.filter.urls import postgres_url
from ansible_collections.selfhosted.lago.plugins.module_utils import _kept_secrets
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

PASSWORD = "p\"w\\d$ 'é/@\nx"
VARIABLES: dict[str, Any] = {
    "RAILS_ENV": "production",
    "LAGO_API_URL": "https://billing.example.com",
    "LAGO_DISABLE_SIGNUP": True,
    "DATABASE_URL": postgres_url({"user": "lago", "password": PASSWORD, "host": "db", "database": "lago"}),
    "REDISCLI_AUTH": "short",
    "STRIPE_SOMETHING": "whsec_of_a_person",
    "A_SWITCH": "true",
}
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAAo\n-----END PRIVATE KEY-----"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBg\n-----END CERTIFICATE-----\n"
#: What a message about a service elsewhere must be able to name.
PLACES = {
    "PGHOST": "db.example.com",
    "PGSSLMODE": "verify-full",
    "LAGO_REDIS_SIDEKIQ_SENTINELS": "one.example.com:26379",
    "LAGO_AWS_S3_ENDPOINT": "https://s3.example.com",
}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    directory = tmp_path / "opt" / "lago"
    (directory / "env").mkdir(parents=True)
    (directory / "env" / "backend.env").write_text(env_file({**VARIABLES, **PLACES, "PGPASSWORD": "of-libpq"}))
    (directory / "secrets.json").write_text(json.dumps({"secrets": {"a": "made-secret"}, "file_key": "the-file-key"}))
    (directory / "api_key.json").write_text(json.dumps({"api_key": "the-api-key", "id": "1"}))
    return Machine(mock.MagicMock(), str(tmp_path))


def kept(root: Path, name: str, text: str) -> set[str]:
    """Return what is known once a file of the deployment is there."""
    path = root / "opt" / "lago" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return _kept_secrets.secrets(Machine(mock.MagicMock(), str(root)), "/opt/lago")


def test_what_was_made_given_and_fetched_is_all_known(machine: Machine) -> None:
    found = _kept_secrets.secrets(machine, "/opt/lago")
    url = VARIABLES["DATABASE_URL"]
    expected = {"made-secret", "the-file-key", "the-api-key", "short", "whsec_of_a_person", url, PASSWORD}
    assert {*expected, "of-libpq"} <= found
    assert found.isdisjoint(PLACES.values())
    assert found.isdisjoint({"production", "true", "https://billing.example.com"})


def test_what_is_read_is_what_was_written(machine: Machine) -> None:
    text = _kept_secrets.files(machine, "/opt/lago")["backend.env"]
    assert _kept_secrets.environment(text)["DATABASE_URL"] == VARIABLES["DATABASE_URL"]
    assert _kept_secrets.environment(env_file({"X": PASSWORD}))["X"] == PASSWORD


def test_only_what_is_known_to_be_no_secret_is_shown() -> None:
    masked = _kept_secrets.masked(env_file(VARIABLES) + "# a comment\n")
    assert masked.splitlines() == [
        'A_SWITCH="********"',
        'DATABASE_URL="********"',
        'LAGO_API_URL="https://billing.example.com"',
        'LAGO_DISABLE_SIGNUP="true"',
        'RAILS_ENV="production"',
        'REDISCLI_AUTH="********"',
        'STRIPE_SOMETHING="********"',
        "# a comment",
    ]


def test_a_server_without_a_deployment_has_no_secrets(tmp_path: Path) -> None:
    assert _kept_secrets.secrets(Machine(mock.MagicMock(), str(tmp_path)), "/opt/lago") == set()


def test_a_folder_that_cannot_be_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", mock.Mock(side_effect=PermissionError))
    assert _kept_secrets.files(Machine(mock.MagicMock(), str(tmp_path)), "/opt/lago") == {}


@pytest.mark.parametrize(
    ("name", "text", "known"),
    [
        ("docker/config.json", registry_login(PASSWORD, "ada"), {PASSWORD}),
        ("proxy/tls/eab", 'eab "an-id" "aG1hYy1rZXk"\n', {"aG1hYy1rZXk"}),
        ("proxy/tls/users", f'header Authorization "Basic {base64.b64encode(b"ada:p:w").decode()}"\n', {"p:w"}),
        ("program/postgres.env", "PGUSER=lago\nPGPASSWORD=p:\"'$w\\=\n", {"p:\"'$w\\="}),
        ("program/s3.env", "AWS_REGION=eu\nAWS_SECRET_ACCESS_KEY=\"p'$w\\=\n", {"\"p'$w\\="}),
        ("program/on-failure", "curl https://example.com/token", {"curl https://example.com/token"}),
        ("proxy/tls/0123.key", f"{PEM}\n", {PEM}),
        ("mounts/gcs.json", "\n" + json.dumps({"type": "service_account", "private_key": f"{PEM}\n"}), {f"{PEM}\n"}),
        ("mounts/other.key", f"{CERTIFICATE}{PEM}\n", {PEM}),
        ("asked/mounts/other.key", f"{PEM}\n", {PEM}),
        ("redis/queue.conf", f'requirepass {redis_quote(PASSWORD)}\nsave ""\ndir /data\n', {PASSWORD}),
    ],
)  # fmt: skip
def test_what_is_in_a_file_of_another_kind_is_known(tmp_path: Path, name: str, text: str, known: set[str]) -> None:
    found = kept(tmp_path, name, text)
    assert known <= found
    assert found.isdisjoint({"service_account", "an-id", "eu", ""})


def test_a_private_key_is_known_in_plain_where_lago_has_it_in_base64(tmp_path: Path) -> None:
    encoded = base64.b64encode(f"{PEM}\n".encode()).decode()
    assert kept(tmp_path, "secrets.json", json.dumps({"secrets": {"rsa_private_key": encoded}})) == {encoded, PEM}


def test_what_is_no_secret_is_not_taken_for_one(tmp_path: Path) -> None:
    assert kept(tmp_path, "mounts/ca.crt", CERTIFICATE) == set()
    assert kept(tmp_path, "secrets.json", json.dumps({"fingerprints": {"a_key": "0" * 64}, "given": ["a"]})) == set()
    assert kept(tmp_path, "docker/config.json", '{"auths": {"r": {"auth": "bm8gbG9naW4="}}}') == {"bm8gbG9naW4="}
