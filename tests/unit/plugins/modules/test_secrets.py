# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import json
import re
import stat
import subprocess
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._secrets import (
    ENCRYPTION,
    KEYS,
    NAMES,
    PASSWORDS,
    ROTATED,
    placeholder,
)

HEX = {"secret_key_base": 128, **dict.fromkeys(ENCRYPTION, 64)}
OWN_KEY = "0123456789abcdef" * 4
OTHER_KEY = "fedcba9876543210" * 4


def rsa(bits: int = 2048, *arguments: str, kind: str = "genrsa") -> str:
    pem = subprocess.run(["openssl", kind, *arguments, str(bits)], capture_output=True, check=True).stdout
    return base64.b64encode(pem).decode()


@pytest.fixture(scope="module")
def rsa_key() -> str:
    return rsa()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago" / "secrets.json"


@pytest.fixture
def secrets(run_module: t.Any, path: Path) -> t.Any:
    """Run the module, proving that check mode foretold it and wrote nothing, and that once is enough."""

    def run(
        given: dict[str, t.Any] | None = None, organizations: t.Any = 0, check: bool = False, **options: t.Any
    ) -> t.Any:
        args = {"path": str(path), "given": given or {}, "organizations": organizations, **options}
        before = path.read_bytes() if path.exists() else None
        foretold = run_module("secrets", args, check=True, diff=True)
        assert (path.read_bytes() if path.exists() else None) == before
        if check:
            return foretold
        ran = run_module("secrets", args, diff=True)
        for name, value in (given or {}).items():
            assert not value or value not in ran.text, f"given {name} shows"
        assert ran.get("failed") == foretold.get("failed")
        for told in ("changed", "made", "given", "changed_secrets", "diff", "failure"):
            assert ran.get(told) == foretold.get(told), f"check mode tells the truth about {told}"
        if ran.get("failed"):
            assert (path.read_bytes() if path.exists() else None) == before, "a refusal writes nothing"
            return ran
        written = path.stat().st_mtime_ns
        again = run_module("secrets", args, diff=True)
        assert (again["changed"], again["made"], again["changed_secrets"]) == (False, [], [])
        assert (again["secrets"], again["file_key"]) == (ran["secrets"], ran["file_key"])
        assert path.stat().st_mtime_ns == written
        return ran

    return run


def codes(ran: t.Any) -> list[tuple[str, list[str]]]:
    return [(problem["code"], problem["variables"]) for problem in ran["failure"]["details"]["problems"]]


def edit(path: Path, change: t.Callable[[dict[str, t.Any]], t.Any]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_makes_them_once(secrets: t.Any, path: Path) -> None:
    ran = secrets()
    assert ran["changed"]
    assert ran["made"] == list(NAMES)
    for name, digits in HEX.items():
        assert re.fullmatch(f"[0-9a-f]{{{digits}}}", ran["secrets"][name])
    for name in (*PASSWORDS, "rsa_private_key"):
        assert len(ran["secrets"][name]) >= 43
    for name in PASSWORDS:
        assert re.fullmatch(r"[A-Za-z0-9_-]+", ran["secrets"][name])
    assert len(set(ran["secrets"].values())) == len(NAMES)
    assert len(ran["file_key"]) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["secrets.json"]


def test_the_rsa_key_is_one_line_of_base64_that_parses(secrets: t.Any) -> None:
    value = secrets()["secrets"]["rsa_private_key"]
    assert "\n" not in value
    pem = base64.b64decode(value, validate=True)
    told = subprocess.run(
        ["openssl", "rsa", "-noout", "-check", "-text"], input=pem, capture_output=True, check=True
    ).stdout
    assert b"2048 bit" in told


def test_the_diff_has_names_only(secrets: t.Any) -> None:
    ran = secrets({"redis_password": "of-the-operator"})
    assert ran["diff"]["after"]["given by variables"] == ["redis_password"]
    shown = json.dumps(ran["diff"])
    assert not [value for value in (*ran["secrets"].values(), ran["file_key"]) if value in shown]


def test_check_mode_foretells_placeholders_on_a_bare_server(secrets: t.Any, path: Path) -> None:
    ran = secrets(check=True)
    assert ran["changed"]
    assert ran["secrets"] == {name: placeholder(name) for name in NAMES}
    assert ran["file_key"]
    assert not path.parent.exists()


def test_check_mode_tells_what_is_there(secrets: t.Any) -> None:
    made = secrets()
    told = secrets(check=True)
    assert (told["secrets"], told["file_key"], told["changed"]) == (made["secrets"], made["file_key"], False)


def test_given_ones_win_and_are_not_kept(secrets: t.Any, path: Path, rsa_key: str) -> None:
    given = {"postgres_password": "of-the-operator", "encryption_primary_key": OWN_KEY, "rsa_private_key": rsa_key}
    ran = secrets(given)
    assert set(ran["secrets"]) == set(NAMES) - set(given)
    assert ran["given"] == [name for name in NAMES if name in given]
    kept = path.read_text()
    assert not [value for value in given.values() if value in kept]
    assert hashlib.sha256(OWN_KEY.encode()).hexdigest() not in kept, "fingerprints are keyed"


def test_blank_is_not_given(secrets: t.Any) -> None:
    assert secrets({"postgres_password": "", "redis_password": None})["made"] == list(NAMES)


def test_all_may_be_given(secrets: t.Any, rsa_key: str) -> None:
    given = {name: hashlib.sha256(name.encode()).hexdigest() for name in NAMES} | {"rsa_private_key": rsa_key}
    ran = secrets(given, organizations=3)
    assert (ran["secrets"], ran["made"], ran["changed"]) == ({}, [], True)


@pytest.mark.parametrize("organizations", [1, "2", None, ""])
def test_another_encryption_key_is_refused_while_there_may_be_data(secrets: t.Any, organizations: t.Any) -> None:
    secrets({"encryption_primary_key": OWN_KEY})
    ran = secrets({"encryption_primary_key": OTHER_KEY}, organizations)
    assert codes(ran) == [("encryption_key_changed", ["lago_encryption_primary_key"])]
    assert "Give lago_encryption_primary_key its former value" in ran["msg"]
    assert OTHER_KEY not in ran.text


def test_encrypted_rows_are_data_too(secrets: t.Any) -> None:
    secrets({"encryption_primary_key": OWN_KEY})
    ran = secrets({"encryption_primary_key": OTHER_KEY}, 0, encrypted_rows=2)
    assert codes(ran) == [("encryption_key_changed", ["lago_encryption_primary_key"])]
    assert "2 encrypted rows" in ran["msg"]


def test_another_encryption_key_is_fine_for_an_empty_database(secrets: t.Any) -> None:
    secrets({"encryption_primary_key": OWN_KEY})
    ran = secrets({"encryption_primary_key": OTHER_KEY}, 0)
    assert (ran["changed"], ran["changed_secrets"]) == (True, ["encryption_primary_key"])


def test_a_given_encryption_key_in_place_of_a_made_one_is_refused(secrets: t.Any) -> None:
    secrets()
    ran = secrets({"encryption_deterministic_key": OWN_KEY}, 1)
    assert codes(ran) == [("encryption_key_changed", ["lago_encryption_deterministic_key"])]
    assert "Remove lago_encryption_deterministic_key" in ran["msg"]


def test_an_edited_file_is_noticed(secrets: t.Any, path: Path) -> None:
    secrets()
    edit(path, lambda data: data["secrets"].update(encryption_primary_key=OTHER_KEY))
    ran = secrets(organizations=1)
    assert codes(ran) == [("encryption_key_changed", ["lago_encryption_primary_key"])]
    assert "Put the file back" in ran["msg"]


def test_the_same_value_given_that_was_made(secrets: t.Any, path: Path) -> None:
    made = secrets()["secrets"]
    ran = secrets({"encryption_primary_key": made["encryption_primary_key"]}, 1)
    assert (ran["changed"], ran["changed_secrets"]) == (True, [])
    assert made["encryption_primary_key"] not in path.read_text()


def test_a_password_may_change_and_is_named(secrets: t.Any, path: Path) -> None:
    made = secrets()["secrets"]
    ran = secrets({"postgres_password": "of-the-operator"}, 1)
    assert (ran["changed"], ran["changed_secrets"]) == (True, ["postgres_password"])
    assert made["postgres_password"] not in path.read_text()
    assert secrets({"postgres_password": "another-of-the-operator"}, 1)["changed_secrets"] == ["postgres_password"]


@pytest.mark.parametrize("organizations", [0, 1, None])
def test_what_was_given_is_asked_for(secrets: t.Any, organizations: t.Any) -> None:
    secrets({"redis_password": "of-the-operator", "postgres_password": "of-the-operator"})
    ran = secrets(organizations=organizations)
    assert codes(ran) == [("given_secret_missing", ["lago_postgres_password", "lago_redis_password"])]
    unused = ["postgres_password", "redis_password"]
    assert secrets(organizations=organizations, unused=unused[1:])["failure"]["code"] == "given_secret_missing"
    assert secrets(organizations=organizations, unused=unused)["made"] == unused


@pytest.mark.parametrize("organizations", [1, None])
def test_nothing_is_made_for_a_database_that_may_hold_data(secrets: t.Any, organizations: t.Any, path: Path) -> None:
    ran = secrets({"redis_password": "of-the-operator"}, organizations)
    assert codes(ran) == [("secrets_lost", [f"lago_{name}" for name in NAMES if name != "redis_password"])]
    assert ("start the database" in ran["msg"]) == (organizations is None)
    assert not path.parent.exists()


@pytest.mark.parametrize("organizations", [1, None])
def test_a_lost_entry_is_not_made_anew(secrets: t.Any, path: Path, organizations: t.Any) -> None:
    secrets()
    edit(path, lambda data: data["secrets"].pop("secret_key_base"))
    assert codes(secrets(organizations=organizations)) == [("secrets_lost", ["lago_secret_key_base"])]
    assert secrets(organizations=0)["made"] == ["secret_key_base"]


def test_a_secret_that_an_older_file_knows_nothing_of_is_made(secrets: t.Any, path: Path) -> None:
    secrets()

    def forget(data: dict[str, t.Any]) -> None:
        del data["secrets"]["redis_cache_password"], data["fingerprints"]["redis_cache_password"]

    edit(path, forget)
    assert secrets(organizations=None)["made"] == ["redis_cache_password"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("secret_key_base", "your-secret-key-base-hex-64"),
        ("encryption_primary_key", "your-encryption-primary-key"),
        ("encryption_key_derivation_salt", "your-encryption-derivation-salt"),
        ("postgres_password", "changeme"),
        ("postgres_password", "ChangeMe"),
        ("redis_password", "azerty123456"),
        ("redis_password", " password123 "),
        ("postgres_password", "admin"),
        ("rsa_private_key", "changeme"),
    ],
)
def test_what_everybody_knows_is_refused(secrets: t.Any, name: str, value: str) -> None:
    ran = secrets({name: value})
    assert codes(ran) == [("placeholder_secret", [f"lago_{name}"])]


@pytest.mark.parametrize("name", KEYS)
def test_short_keys_are_refused(secrets: t.Any, name: str) -> None:
    assert codes(secrets({name: "0123456789abcdef"})) == [("weak_secret", [f"lago_{name}"])]


def test_nothing_but_spaces_is_refused(run_module: t.Any, path: Path) -> None:
    args = {"path": str(path), "given": {"postgres_password": "  "}, "organizations": 0}
    assert codes(run_module("secrets", args)) == [("weak_secret", ["lago_postgres_password"])]


def test_a_value_that_would_be_masked_in_the_made_ones_is_refused(secrets: t.Any, path: Path) -> None:
    secrets()
    ran = secrets({"redis_password": "_key"})
    assert codes(ran) == [("weak_secret", ["lago_redis_password"])]


WRAPPED = "one line of base64"
UNREADABLE = "is not a private RSA key"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda: "\n".join(re.findall(".{1,76}", rsa())), WRAPPED),
        (lambda: rsa() + "\n", WRAPPED),
        (lambda: base64.b64decode(rsa()).decode(), WRAPPED),
        (lambda: "not base64 at all, but long", WRAPPED),
        (lambda: base64.b64encode(b"some text that is no key").decode(), WRAPPED),
        (
            lambda: base64.b64encode(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").decode(),
            UNREADABLE,
        ),
        (lambda: rsa(2048, "-aes128", "-passout", "pass:x"), UNREADABLE),
        (lambda: rsa(1024), "shorter than 2048"),
    ],
    ids=["wrapped", "line feed", "PEM", "text", "no PEM", "broken", "passphrase", "1024 bits"],
)
def test_rsa_keys_that_lago_could_not_read(secrets: t.Any, value: t.Callable[[], str], says: str) -> None:
    given = value()
    ran = secrets({"rsa_private_key": given})
    assert codes(ran) == [("invalid_rsa_private_key", ["lago_rsa_private_key"])]
    assert says in ran["msg"]
    assert "base64 -w0" in ran["msg"]


def test_a_public_key_and_another_kind_are_refused(secrets: t.Any) -> None:
    command = ["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout"]
    curve = base64.b64encode(subprocess.run(command, capture_output=True, check=True).stdout).decode()
    pem = base64.b64decode(rsa())
    public = subprocess.run(["openssl", "rsa", "-pubout"], input=pem, capture_output=True, check=True).stdout
    for value in (curve, base64.b64encode(public).decode()):
        assert codes(secrets({"rsa_private_key": value})) == [("invalid_rsa_private_key", ["lago_rsa_private_key"])]


def test_all_reasons_at_once(secrets: t.Any) -> None:
    secrets({"encryption_primary_key": OWN_KEY, "redis_cache_password": "of-the-operator"})
    given = {
        "encryption_primary_key": OTHER_KEY,
        "postgres_password": "changeme",
        "secret_key_base": "short",
        "rsa_private_key": "no-key-at-all",
    }
    ran = secrets(given, 1)
    assert sorted(code for code, dummy in codes(ran)) == [
        "encryption_key_changed",
        "given_secret_missing",
        "invalid_rsa_private_key",
        "placeholder_secret",
        "weak_secret",
    ]
    assert all(problem["message"] in ran["msg"] for problem in ran["failure"]["details"]["problems"])


BROKEN = [
    "",
    "{}",
    "[]",
    "not json",
    '{"version": 2, "secrets": {}, "fingerprints": {}, "file_key": "k", "given": []}',
    '{"version": 1, "secrets": [], "fingerprints": {}, "file_key": "k", "given": []}',
    '{"version": 1, "secrets": {"redis_password": 1}, "fingerprints": {}, "file_key": "k", "given": []}',
    '{"version": 1, "secrets": {}, "fingerprints": {}, "file_key": "", "given": []}',
]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_file_is_never_replaced(secrets: t.Any, path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    ran = secrets()
    assert ran["failure"]["code"] == "secrets_unreadable"
    assert path.read_text() == content


def test_a_link_is_not_followed_and_not_replaced(secrets: t.Any, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    assert secrets()["failure"]["code"] == "secrets_unreadable"
    assert path.is_symlink()


def test_a_file_that_cannot_be_read(secrets: t.Any, path: Path) -> None:
    secrets()
    with mock.patch("builtins.open", side_effect=PermissionError(13, "Permission denied")):
        ran = secrets(check=True)
    assert ran["failure"]["code"] == "secrets_unreadable"
    assert "Permission denied" in ran["msg"]


def test_a_readable_file_is_made_private(secrets: t.Any, path: Path) -> None:
    secrets()
    path.chmod(0o644)
    assert secrets()["changed"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_unknown_names_and_counts_are_refused(secrets: t.Any) -> None:
    assert secrets({"redis_passwort": "of-the-operator"})["failure"]["code"] == "unknown_secret"
    for count in (-1, "many", True, 1.5):
        assert secrets(organizations=count)["failure"]["code"] == "invalid_count"


def test_without_openssl(secrets: t.Any, run_module: t.Any, path: Path, rsa_key: str) -> None:
    with mock.patch.object(AnsibleModule, "get_bin_path", return_value=None):
        for given in ({}, {"rsa_private_key": rsa_key}):
            args = {"path": str(path), "given": given, "organizations": 0}
            assert not run_module("secrets", args, check=True).get("failed"), "the run itself may install it"
            ran = run_module("secrets", args)
            assert ran["failure"]["code"] == "openssl_missing"
            assert "install its package openssl" in ran["msg"]
    assert not path.exists()


def test_an_openssl_that_makes_no_key(run_module: t.Any, path: Path) -> None:
    with mock.patch.object(AnsibleModule, "run_command", return_value=(1, "", "no entropy")):
        assert run_module("secrets", {"path": str(path), "organizations": 0})["failure"]["code"] == "openssl_failed"
    assert not path.exists()


def test_nothing_secret_is_on_a_command_line(secrets: t.Any, rsa_key: str) -> None:
    seen: list[t.Any] = []
    run_command = AnsibleModule.run_command

    def spy(module: AnsibleModule, args: t.Any, **options: t.Any) -> t.Any:
        seen.append(args)
        return run_command(module, args, **options)

    with mock.patch.object(AnsibleModule, "run_command", spy):
        secrets({"rsa_private_key": rsa_key})
        secrets({"rsa_private_key": rsa_key})
    assert seen
    assert all(rsa_key not in part and "BEGIN" not in part for command in seen for part in command)


def rotate(run_module: t.Any, path: Path, names: list[str], check: bool = False, **options: t.Any) -> t.Any:
    """Run the module once; it is not one that is enough."""
    args = {"path": str(path), "organizations": 1, "rotate": names, **options}
    foretold = run_module("secrets", args, check=True, diff=True)
    ran = foretold if check else run_module("secrets", args, diff=True)
    for told in ("failed", "changed", "made", "given", "changed_secrets", "failure"):
        assert ran.get(told) == foretold.get(told), f"check mode tells the truth about {told}"
    return ran


@pytest.mark.parametrize("asked", list(ROTATED))
def test_what_was_made_is_made_anew_and_nothing_else(secrets: t.Any, run_module: t.Any, path: Path, asked: str) -> None:
    former = secrets()["secrets"]
    ran = rotate(run_module, path, [asked], encrypted_rows=0)
    assert (ran["changed"], ran["made"], ran["changed_secrets"]) == (True, [*ROTATED[asked]], [*ROTATED[asked]])
    assert {name for name, value in ran["secrets"].items() if former[name] != value} == set(ROTATED[asked])
    kept = path.read_text()
    assert [name for name in ROTATED[asked] if former[name] in kept] == [], "the former ones are kept nowhere"
    assert secrets(organizations=1)["changed"] is False, "the next ordinary run keeps the new ones"
    assert secrets(organizations=None)["secrets"] == ran["secrets"]


def test_check_mode_rotates_nothing(secrets: t.Any, run_module: t.Any, path: Path) -> None:
    secrets()
    before = path.read_bytes()
    ran = rotate(run_module, path, ["postgres_password"], check=True)
    assert (ran["changed"], ran["changed_secrets"]) == (True, ["postgres_password"])
    assert ran["secrets"]["postgres_password"] == placeholder("postgres_password")
    assert path.read_bytes() == before


@pytest.mark.parametrize(("rows", "says"), [(1, "1 row is"), ("3", "3 rows are"), (None, "start it"), ("", "start it")])
def test_encryption_keys_stay_while_something_is_encrypted(
    secrets: t.Any, run_module: t.Any, path: Path, rows: t.Any, says: str
) -> None:
    secrets()
    before = path.read_bytes()
    ran = rotate(run_module, path, ["redis_password", "encryption_keys"], encrypted_rows=rows)
    assert codes(ran) == [("encryption_rows_there", [f"lago_{name}" for name in ENCRYPTION])]
    assert says in ran["msg"]
    assert path.read_bytes() == before


def test_why_the_database_could_not_be_asked_is_told(secrets: t.Any, run_module: t.Any, path: Path) -> None:
    secrets()
    ran = rotate(run_module, path, ["encryption_keys"], unasked="sorry, too many clients already")
    assert "with the present keys (sorry, too many clients already)" in ran["msg"]
    path.unlink()
    ran = secrets({}, None, unasked="sorry, too many clients already")
    assert "holds an organization (sorry, too many clients already)" in ran["msg"]


def test_a_given_one_is_rotated_by_giving_another(secrets: t.Any, run_module: t.Any, path: Path) -> None:
    given = {"postgres_password": "of-the-operator", "encryption_primary_key": OWN_KEY}
    secrets(given)
    asked = ["postgres_password", "encryption_keys"]
    ran = rotate(run_module, path, asked, given=given, encrypted_rows=0)
    assert codes(ran) == [
        ("rotation_of_given", ["lago_postgres_password"]),
        ("rotation_of_given", ["lago_encryption_primary_key"]),
    ]
    other = {"postgres_password": "another-of-the-operator", "encryption_primary_key": OTHER_KEY}
    assert codes(rotate(run_module, path, asked, given=other, encrypted_rows=2))[0][0] == "encryption_rows_there"
    ran = rotate(run_module, path, asked, given=other, encrypted_rows=0)
    assert ran["changed_secrets"] == [*ENCRYPTION, "postgres_password"]
    assert ran["made"] == [name for name in ENCRYPTION if name not in other]


def test_a_given_one_that_is_withdrawn_is_made_when_it_is_rotated(
    secrets: t.Any, run_module: t.Any, path: Path
) -> None:
    secrets({"redis_password": "of-the-operator"})
    assert codes(secrets(organizations=1)) == [("given_secret_missing", ["lago_redis_password"])]
    assert rotate(run_module, path, ["redis_password"])["made"] == ["redis_password"]


def test_where_nothing_was_made_there_is_nothing_to_rotate(run_module: t.Any, path: Path) -> None:
    ran = rotate(run_module, path, ["secret_key_base"], organizations=0)
    assert codes(ran) == [("nothing_to_rotate", ["lago_secret_key_base"])]
    assert not path.parent.exists()


ADOPTED = {
    "secret_key_base": "your-secret-key-base-hex-64",
    "encryption_primary_key": "your-encryption-primary-key",
    "encryption_deterministic_key": "your-encryption-deterministic-key",
    "encryption_key_derivation_salt": "your-encryption-derivation-salt",
    "postgres_password": "changeme",
    "rsa_private_key": "of-somebody-else",
}


@pytest.mark.parametrize("organizations", [1, None])
def test_what_somebody_else_made_is_kept_whatever_it_is(
    secrets: t.Any, run_module: t.Any, path: Path, organizations: t.Any
) -> None:
    args = {"path": str(path), "organizations": organizations, "adopt": ADOPTED}
    assert run_module("secrets", args, check=True)["changed"] and not path.exists()
    ran = run_module("secrets", args)
    assert ran["made"] == ["redis_password", "redis_cache_password"], "what there was none of"
    assert not [value for value in ADOPTED.values() if value in ran.text], "ansible-core hides what was handed in"
    kept = path.read_bytes()
    assert run_module("secrets", args)["changed"] is False
    later = secrets(organizations=organizations)
    assert {name: later["secrets"][name] for name in ADOPTED} == ADOPTED
    assert (later["changed"], path.read_bytes()) == (False, kept)
    assert set(later["known_to_everybody"]) == set(ADOPTED) - {"rsa_private_key"}


def test_nothing_is_adopted_where_another_deployment_is(secrets: t.Any) -> None:
    secrets()
    ran = secrets(organizations=1, adopt=ADOPTED)
    assert codes(ran) == [("other_deployment", [f"lago_{name}" for name in ADOPTED])]
    assert "lago_directory" in ran["msg"]
