# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not be refused, and what holds of any value; what is refused is in tests/refusals/table.yml."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.selfhosted.lago.plugins.plugin_utils import (
    _obstacles,
    _problems,
    _problems_specs,
    _problems_upgrade,
    _problems_values,
)
from hypothesis import given
from hypothesis import strategies as st

TYPES = {
    *(
        "bad_worker",
        "not_a_fraction",
        "not_a_number",
        "not_true_or_false",
        "not_a_list",
        "not_a_mapping",
        "not_text",
        "not_a_choice",
    ),
    *("blank_value", "missing", "unquoted_secret", "blank_secret"),
}
ROLES = Path(__file__).resolve().parents[4] / "roles"


def codes(**settings: Any) -> list[str]:
    return [entry["code"] for entry in _problems.setting_problems(settings)]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lago_tls_mode": "none", "lago_domain": "", "lago_http_port": 80, "lago_https_port": 80},
        {"lago_domain": "192.0.2.7"},
        {"lago_domain": "2001:db8::7"},
        {"lago_bind_addresses": ["0.0.0.0", "[::]"]},
        {"lago_http_port": "8080", "lago_telemetry": "False", "lago_remove_data": 0},
        {"lago_directory": "/srv/lago"},
        {"lago_directory": "/home/ada/lago/"},
        {"lago_directory": "/opt/lago", "lago_git_directory": "/opt/lago", "lago_git_checkout": False},
        {"lago_redis_image": "redis@sha256:" + "0" * 64},
        {"lago_postgres_image": "registry.example.com/team/postgres:stable"},
        {"lago_api_memory": "1GB", "lago_log_max_size": 10485760},
        {"lago_postgres_password": " "[:0] + "ä $#%@/'\"\\"},
        {"lago_api_key_file": "~/lago.key", "lago_organization_name": "Ünïcode & Söhne"},
        {"of_somebody_else": None},
    ],
)
def test_what_works_is_not_refused(settings: dict[str, Any]) -> None:
    assert codes(**settings) == []


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"docker": None, "compose": None, "listeners": None, "disk_free_mb": None, "containers": None},
        {"memory_mb": None, "time_utc": "who knows", "files": None, "database": None},
        {"containers": {"api": {}}, "disk_free_mb": {"/var/lib/docker": 900}},
        {"listeners": [{"port": 443, "address": "0.0.0.0", "ours": True}, {"port": 22, "address": "::"}]},
        {"files": {"compose": True, "migrated": {"version": "v1.50.0"}}},
        {"database": {"server_version": None}, "addresses": []},
    ],
)
def test_what_is_ours_or_unknown_is_no_problem(server: dict[str, Any]) -> None:
    settings = {"lago_https_port": 443, "lago_http_port": 80, "lago_api_version": "v1.51.0", "lago_directory": "/opt/l"}
    settings |= {"lago_bind_addresses": ["192.0.2.7"], "lago_postgres_image": "p:15", "lago_tls_mode": "selfsigned"}
    assert _problems.server_problems(server, settings, docker_expected=False) == []


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({}, ("", False)),
        ({"files": {"migrated": {"version": "v1.50.0"}}}, ("v1.50.0", False)),
        ({"files": {"upgrade": {"phase": "walking", "from": "v1.44.0"}}}, ("v1.44.0", False)),
        ({"files": {"upgrade": {"phase": "opened", "from": "v1.44.0"}}}, ("", False)),
        ({"files": {"upgrade": {"phase": "returned", "from": "v1.44.0"}}}, ("", False)),
        ({"release": {"api": "v1.50.0", "migrations": ["20260706173746"]}}, ("v1.50.0", False)),
        ({"release": {"api": "v1.44.0", "migrations": ["20260706173746"]}}, ("v1.50.0", False)),  # an older image on it
        ({"release": {"api": "v1.50.1", "migrations": ["20260706173746"]}}, ("v1.50.1", False)),  # not in the table
        ({"release": {"api": "v1.50.1", "migrations": ["20260706173746", "20260707000000"]}}, ("v1.50.1", False)),
        ({"release": {"api": "v1.50.0", "migrations": ["20260706173746", "20260707000000"]}}, ("v1.50.0", True)),
        ({"release": {"api": "v1.51.0", "migrations": ["20260706173746"]}}, ("v1.50.0", False)),
    ],
)
def test_which_release_a_deployment_is_of(server: dict[str, Any], expected: tuple[str, bool]) -> None:
    assert tuple(_problems.running_release(server).values()) == expected


OFFERED = {"pg_trgm": "1.6", "btree_gin": "1.3", "pg_partman": "5.2.4"}
BACK = {"need": 9, "free": 9, "directory": "/var/lib/docker"}
ROOM = {"need": 5, "free": 5, "directory": "/var/backups/lago", "back": BACK}


@pytest.mark.parametrize(
    ("postgres", "room", "target", "found"),
    [
        ({"major": 15, "extensions": OFFERED}, ROOM, "v1.51.0", []),
        ({"major": 14, "extensions": None}, ROOM, "v1.47.0", []),
        ({"major": 14, "extensions": OFFERED}, ROOM, "v1.48.0", ["old_postgres_server"]),
        ({"major": 15, "extensions": {"pg_trgm": "1.6"}}, ROOM, "v1.48.0", ["missing_extension"]),
        ({"major": 15, "extensions": {**OFFERED, "pg_partman": "4.7"}}, ROOM, "v1.45.2", ["old_partman"]),
        ({"major": 15, "extensions": OFFERED}, {**ROOM, "need": 6}, "v1.51.0", ["no_room_for_a_backup"]),
        (
            {"major": 15, "extensions": OFFERED},
            {**ROOM, "back": {**BACK, "free": 8}},
            "v1.51.0",
            ["no_room_for_a_backup"],
        ),
    ],
)
def test_what_keeps_a_server_from_an_upgrade(
    postgres: dict[str, Any], room: dict[str, Any], target: str, found: list[str]
) -> None:
    obstacles = _obstacles.upgrade_obstacles(postgres, room, target)
    assert [entry["code"] for entry in obstacles] == found


CHANGING = {"phase": "walking", "from": "v1.51.0", "to": "v1.51.0", "cluster": "1700", "postgres": [15, 17]}


@pytest.mark.parametrize(
    ("there", "image", "move", "refused"),
    [
        ({"version": "15.4"}, "p:17.0-alpine", [15, 17], ["upgrade_not_confirmed"]),
        ({"version": "15.4"}, "p:15.9", [], []),
        ({"version": "17.1"}, "p:15.9", [], ["other_postgres"]),
        ({"version": "15.4"}, "p:partman", [], []),
        ({"version": ""}, "p:17.0", [], []),
        ({"version": "17.1", "upgrade": CHANGING}, "p:17.0", [15, 17], []),  # broken off: it goes on
        ({"version": "17.1", "upgrade": CHANGING}, "p:15.9", [], []),  # or back
        ({"version": "17.1", "upgrade": CHANGING}, "p:16.0", [15, 16], []),
        ({"version": "15.4", "migrated": {}}, "p:17.0", [], ["other_postgres"]),  # of no release
    ],
)
def test_a_database_server_goes_to_a_newer_one_only(
    there: dict[str, Any], image: str, move: list[int], refused: list[str]
) -> None:
    files = {"migrated": there.get("migrated", {"version": "v1.51.0"}), "upgrade": there.get("upgrade")}
    server = {"database": {"service": "db", "server_version": there["version"]}, "files": files}
    assert _problems_upgrade.postgres_move(server, image) == move
    settings = {"lago_api_version": "v1.51.0", "lago_postgres_image": image}
    found = _problems.server_problems(server, settings, docker_expected=False)
    assert [entry["code"] for entry in found] == refused


def test_what_an_image_offers_is_read_of_its_own_files() -> None:
    said = "postgres (PostgreSQL) 17.2 (Debian)\n/usr/share/x/extension/pg_trgm.control:default_version = '1.6'\n"
    assert _obstacles.postgres_offer(said) == {"major": 17, "extensions": {"pg_trgm": "1.6"}}
    assert _obstacles.postgres_offer("not found") == {"major": 0, "extensions": {}}


def test_what_the_database_uses_must_be_in_the_wanted_image() -> None:
    postgres = {"major": 17, "extensions": OFFERED, "installed": ["pg_trgm", "unaccent"]}
    (found,) = _obstacles.upgrade_obstacles(postgres, ROOM, "v1.51.0")
    assert found["code"] == "extension_not_in_image" and "lacks unaccent," in found["message"]


def test_jobs_that_a_deployment_came_by_without_are_said_before_the_release_that_demands_them() -> None:
    left = {"major": 15, "extensions": OFFERED, "overdue": {"v1.32.0": 2}}
    (found,) = _obstacles.upgrade_obstacles(left, ROOM, "v1.51.0")
    assert (found["code"], found["variable"]) == ("jobs_overdue", "lago_version")
    assert "2 rows are left" in found["message"] and "migrations of v1.51.0 fail" in found["message"]
    assert "bundle exec rails runner DatabaseMigrations::PopulatePaymentsWithCustomerId" in found["message"]
    assert not _obstacles.upgrade_obstacles(left | {"overdue": {"v1.32.0": 0}}, ROOM, "v1.51.0")


@pytest.mark.parametrize(
    ("queued", "found"), [((), []), ((5, 90), []), ((500, 400), []), ((500, 501), ["queue_grows"])]
)
def test_a_queue_that_grows_is_no_time_for_an_upgrade(queued: tuple[int, ...], found: list[str]) -> None:
    obstacles = _obstacles.upgrade_obstacles({"major": 15, "extensions": OFFERED}, ROOM, "v1.51.0", queued)
    assert [entry["code"] for entry in obstacles] == found


def test_a_database_that_nobody_uses_is_migrated_without_ado() -> None:
    server = {"files": {"migrated": {"version": "v1.42.0"}}, "database": {"reachable": True, "organizations": 0}}
    assert _problems.server_problems(server, {"lago_api_version": "v1.51.0"}, docker_expected=False) == []


def test_what_does_not_go_to_the_wanted_release_is_no_upgrade() -> None:
    server = {"files": {"migrated": {"version": "v1.51.0"}}}
    settings = {"lago_api_version": "v1.50.0"}
    assert _problems.server_problems(server, settings, docker_expected=False, upgrading=False) == []


@pytest.mark.parametrize(("to", "asked"), [("v1.51.0", []), ("v1.50.0", ["upgrade_not_confirmed"])])
def test_an_upgrade_that_was_broken_off_need_not_be_confirmed_again(to: str, asked: list[str]) -> None:
    server = {"files": {"upgrade": {"phase": "walking", "from": "v1.44.0", "to": to}}}
    found = _problems.server_problems(server, {"lago_api_version": "v1.51.0"}, docker_expected=False)
    assert [entry["code"] for entry in found] == asked


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (("ada@example.com", "Correct-Horse-1!", "Acme"), []),
        ((None, None, None), ["missing", "missing", "missing"]),
        (("ada.example.com", "", " "), ["missing", "missing", "not_an_email"]),
    ],
)
def test_an_administrator_is_judged_alone(account: tuple[Any, Any, Any], expected: list[str]) -> None:
    assert [entry["code"] for entry in _problems.admin_problems(*account)] == expected


@given(st.text(string.printable.strip(), min_size=1, max_size=60).map(lambda text: text + "aA1!aaaa"))
def test_no_strong_password_is_ever_refused(password: str) -> None:
    assert _problems.admin_problems("ada@example.com", password, "Acme") == []


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 99999),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(
        ["yes", "True", "on", "0", "1.0", " 5", "inf", "nan", "selfsigned", "none", "repository", "a=b", "{}", "[]"]
    ),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=1),
)


@given(st.sampled_from(sorted(_problems_specs.options())), VALUES)
def test_what_ansible_itself_would_refuse_is_refused_here_with_the_rest(name: str, value: Any) -> None:
    spec = {name: {**_problems_specs.options()[name], "required": False, "no_log": False, "default": None}}
    try:
        refused = bool(ArgumentSpecValidator(spec).validate({name: value}).error_messages)
    except ArithmeticError:  # Ansible's own, of 'inf'
        refused = True
    assert not refused or set(codes(**{name: value})) & TYPES


@given(st.dictionaries(st.sampled_from(sorted(_problems_specs.options())), VALUES, max_size=6))
def test_no_value_of_any_type_stops_the_judgement(settings: dict[str, Any]) -> None:
    found = _problems.setting_problems(settings, ["stack", "docker", "git", "bootstrap", "none of ours"])
    found += _problems.server_problems({"database": {"server_version": "15"}}, settings)
    assert all(entry["message"].isprintable() for entry in found)


def test_a_truth_that_is_written_as_text_is_read_as_one_wherever_it_is_used() -> None:
    """`-e lago_telemetry=false` is a text, and a text that is not empty is true."""
    truths = "|".join(name for name, option in _problems_specs.options().items() if option["type"] == "bool")
    bare = re.compile(rf"(?<![\w.'])(?:{truths})\b(?!\s*(?:\||:| is | to ))(?=[^'\n]*(?:}}}}|%}}|$))", re.MULTILINE)
    texts = [*ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/templates/**/*.j2"), *ROLES.glob("*/vars/*.yml")]
    used = {path: re.findall(rf"\b(?:{truths})\b[^\n]{{0,8}}", path.read_text(encoding="utf-8")) for path in texts}
    assert sum(map(len, used.values())) >= 5
    assert {
        str(path): bare.findall(path.read_text(encoding="utf-8")) for path in texts if bare.search(path.read_text())
    } == {}


def test_every_secret_is_declared_as_one() -> None:
    assert "lago_rsa_private_key" in _problems_specs.secrets()
    assert "lago_domain" not in _problems_specs.secrets()


@pytest.mark.parametrize(
    "name", ["lago_api_url", "lago_team", "lago_smtp_address", "lago_photo_bucket", "lagos_domain"]
)
def test_a_name_like_none_of_ours_is_its_owner_s_business(name: str) -> None:
    assert _problems.name_problems([name, "lago_domain", "lago_api_key"]) == []


def test_a_long_or_unprintable_value_is_shown_shortened_and_on_one_line() -> None:
    assert _problems_values.shown("a" * 100) == f"'{'a' * 60}...'"
    assert _problems_values.shown("a\nb") == r"'a\nb'"


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_release_is_read_as_its_numbers(major: int, minor: int, patch: int) -> None:
    assert _problems_values.release(f"v{major}.{minor}.{patch}") == (major, minor, patch)
    assert _problems_values.release(f"v{major}.{minor}.{patch}-rc1") is None


def test_a_report_is_one_block() -> None:
    found = _problems.setting_problems({"lago_domain": "http://x/y", "lago_http_port": 70000, "lago_api_version": "1"})
    report = _problems.problem_report(found, "Nothing was changed.")
    assert report.splitlines()[0] == "Nothing was changed."
    assert len(report.splitlines()) == 4
    assert report.splitlines()[3].startswith("  3. ")


def test_a_number_without_end_is_no_port() -> None:
    assert codes(lago_http_port=float("inf")) == ["not_a_number"]
