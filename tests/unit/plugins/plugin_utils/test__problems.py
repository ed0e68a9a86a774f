# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input and unfit servers, each rule seen to be the one that speaks."""

from __future__ import annotations

import string
from typing import Any

import pytest
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _problems
from hypothesis import given
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "lago_project": "lago",
    "lago_directory": "/opt/lago",
    "lago_api_version": "v1.51.0",
    "lago_front_version": "v1.51.0",
    "lago_api_image": "getlago/api",
    "lago_front_image": "registry.example.com:5000/getlago/front",
    "lago_domain": "billing.example.com",
    "lago_tls_mode": "selfsigned",
    "lago_http_port": 80,
    "lago_https_port": 443,
    "lago_bind_addresses": [],
    "lago_api_memory": "2g",
    "lago_redis_maxmemory": "512mb",
    "lago_log_max_size": "10m",
}
SERVER: dict[str, Any] = {
    "root": True,
    "docker": {"version": "26.1.5+dfsg1"},
    "compose": {"version": "2.26.1-4"},
    "memory_mb": 7900,
    "disk_free_mb": {"/var/lib/docker": 40000, "/opt": 40000},
    "containers": {},
    "listeners": [{"port": 22, "address": "0.0.0.0", "process": "sshd", "ours": False}],
    "files": {"migrated": None},
}


def test_good_settings_and_a_fit_server_have_no_problem() -> None:
    assert _problems.setting_problems(GOOD) == []
    assert _problems.server_problems(SERVER, GOOD) == []


@pytest.mark.parametrize(
    ("change", "variable", "code"),
    [
        ({"lago_project": "Lago Prod"}, "lago_project", "bad_project"),
        ({"lago_directory": "opt/lago"}, "lago_directory", "bad_directory"),
        ({"lago_directory": "/"}, "lago_directory", "bad_directory"),
        ({"lago_api_image": "getlago/api:v1.51.0"}, "lago_api_image", "image_with_tag"),
        ({"lago_front_image": "getlago/front@sha256:00"}, "lago_front_image", "image_with_tag"),
        ({"lago_tls_mode": "letsencrpyt"}, "lago_tls_mode", "unknown_tls_mode"),
        ({"lago_domain": ""}, "lago_domain", "missing"),
        ({"lago_domain": "https://billing.example.com"}, "lago_domain", "bad_domain"),
        ({"lago_domain": "billing.example.com/lago"}, "lago_domain", "bad_domain"),
        ({"lago_domain": "billing.example.com:8443"}, "lago_domain", "bad_domain"),
        ({"lago_domain": "-billing.example.com"}, "lago_domain", "bad_domain"),
        ({"lago_domain": "10.0.0"}, "lago_domain", "bad_domain"),
        ({"lago_http_port": 0}, "lago_http_port", "bad_port"),
        ({"lago_https_port": "https"}, "lago_https_port", "bad_port"),
        ({"lago_https_port": 2019}, "lago_https_port", "reserved_port"),
        ({"lago_http_port": 443}, "lago_https_port", "same_port"),
        ({"lago_bind_addresses": ["eth0"]}, "lago_bind_addresses", "bad_address"),
        ({"lago_api_version": "latest"}, "lago_api_version", "not_a_release"),
        ({"lago_api_version": "1.51.0"}, "lago_api_version", "not_a_release"),
        ({"lago_api_version": "v1.41.0", "lago_front_version": "v1.41.0"}, "lago_api_version", "unsupported_release"),
        ({"lago_front_version": "v1.50.0"}, "lago_front_version", "releases_differ"),
        ({"lago_api_memory": "plenty"}, "lago_api_memory", "bad_size"),
        ({"lago_redis_maxmemory": "-1"}, "lago_redis_maxmemory", "bad_size"),
    ],
)
def test_a_wrong_variable_is_named(change: dict[str, Any], variable: str, code: str) -> None:
    messages = {
        (entry["variable"], entry["code"]): entry["message"] for entry in _problems.setting_problems({**GOOD, **change})
    }
    assert variable in messages[variable, code]


def test_all_mistakes_are_named_at_once() -> None:
    found = _problems.setting_problems(
        {**GOOD, "lago_domain": "http://x/y", "lago_http_port": 70000, "lago_api_version": "latest"}
    )
    assert {"bad_domain", "bad_port", "not_a_release"} <= {entry["code"] for entry in found}
    report = _problems.problem_report(found, "Nothing was changed.")
    assert report.splitlines()[0] == "Nothing was changed."
    assert len(report.splitlines()) == len(found) + 1


def test_without_tls_no_domain_and_no_https_port_are_needed() -> None:
    assert (
        _problems.setting_problems({**GOOD, "lago_tls_mode": "none", "lago_domain": "", "lago_https_port": "unused"})
        == []
    )


def test_addresses_are_hosts_too() -> None:
    assert (
        _problems.setting_problems({**GOOD, "lago_domain": "192.0.2.7", "lago_bind_addresses": ["192.0.2.7", "[::1]"]})
        == []
    )


@pytest.mark.parametrize(
    ("change", "variable", "code"),
    [
        ({"root": False}, "become", "not_root"),
        ({"docker": None}, "lago_docker_source", "no_docker"),
        ({"docker": {"version": "20.10.24"}}, "lago_docker_source", "old_docker"),
        ({"compose": None}, "lago_docker_source", "no_compose"),
        ({"compose": {"version": "2.19.1"}}, "lago_docker_source", "old_compose"),
        ({"memory_mb": 1900}, "inventory", "little_memory"),
        ({"disk_free_mb": {"/var/lib/docker": 900}}, "inventory", "little_disk"),
        (
            {"listeners": [{"port": 443, "address": "::", "process": "nginx", "ours": False}]},
            "lago_https_port",
            "port_in_use",
        ),
        ({"listeners": [{"port": 80, "address": "::"}]}, "lago_http_port", "port_in_use"),
        ({"files": {"migrated": {"version": "v1.52.0"}}}, "lago_version", "downgrade"),
        ({"files": {"migrated": {"version": "v1.44.0"}}}, "lago_version", "upgrade_stops"),
    ],
)
def test_an_unfit_server_is_named(change: dict[str, Any], variable: str, code: str) -> None:
    found = [(entry["variable"], entry["code"]) for entry in _problems.server_problems({**SERVER, **change}, GOOD)]
    assert found == [(variable, code)]


@pytest.mark.parametrize(
    "change",
    [
        {"listeners": [{"port": 443, "address": "0.0.0.0", "process": "docker-proxy", "ours": True}]},
        {"containers": {"api": {}}, "disk_free_mb": {"/var/lib/docker": 900}},
        {"files": {"migrated": {"version": "v1.50.0"}}},
        {"files": None, "memory_mb": None},
    ],
)
def test_what_is_ours_or_unknown_is_no_problem(change: dict[str, Any]) -> None:
    assert _problems.server_problems({**SERVER, **change}, GOOD) == []


def test_in_check_mode_a_bare_server_is_no_problem() -> None:
    assert _problems.server_problems({**SERVER, "docker": None, "compose": None}, GOOD, docker_expected=False) == []


@pytest.mark.parametrize(
    ("email", "password", "organization", "codes"),
    [
        ("ada@example.com", "Correct-Horse-1!", "Acme", []),
        (None, None, None, ["missing", "missing", "missing"]),
        ("ada.example.com", "Correct-Horse-1!", " ", ["not_an_email", "missing"]),
        ("ada@example.com", "correct-horse-1!", "Acme", ["weak_password"]),
        ("ada@example.com", "CORRECT-HORSE-1!", "Acme", ["weak_password"]),
        ("ada@example.com", "Correct-Horse!", "Acme", ["weak_password"]),
        ("ada@example.com", "CorrectHorse1", "Acme", ["weak_password"]),
        ("ada@example.com", "Ab1!", "Acme", ["weak_password"]),
    ],
)
def test_an_administrator_is_what_the_front_would_take(
    email: Any, password: Any, organization: Any, codes: list[str]
) -> None:
    found = _problems.admin_problems(email, password, organization)
    assert [entry["code"] for entry in found] == codes
    assert not any(password and password in entry["message"] for entry in found)


@given(st.text(string.printable, min_size=1).map(lambda text: text + "aA1!aaaa"))
def test_no_strong_password_is_ever_repeated_or_refused(password: str) -> None:
    assert _problems.admin_problems("ada@example.com", password, "Acme") == []


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_release_is_read_as_its_numbers(major: int, minor: int, patch: int) -> None:
    assert _problems.release(f"v{major}.{minor}.{patch}") == (major, minor, patch)
    assert _problems.release(f"v{major}.{minor}.{patch}-rc1") is None
