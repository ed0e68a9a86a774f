# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

PASSWORD = "Correct-Horse-1!"
ARGS = {"api_url": "http://lago.test", "name": "Acme", "email": "admin@example.com", "password": PASSWORD}


@pytest.fixture
def organization(lago: t.Any, run_module: t.Any) -> t.Any:
    def run(check: bool = False, diff: bool = False, **changes: t.Any) -> t.Any:
        ran = run_module("organization", dict(ARGS, **changes), check=check, diff=diff)
        assert PASSWORD not in ran.text
        return ran

    return run


def test_registers_once_and_then_finds_it(lago: t.Any, organization: t.Any) -> None:
    first = organization(diff=True)
    assert first["changed"] is True
    assert first["organization"] == {"id": next(iter(lago.organizations)), "name": "Acme", "slug": "acme"}
    assert first["user"] == {"id": lago.users["admin@example.com"]["id"], "email": "admin@example.com"}
    assert first["diff"] == {"before": {}, "after": {"organization": first["organization"], "user": first["user"]}}
    assert lago.log == ["loginUser", "registerUser", "currentUser"]
    lago.log.clear()
    second = organization(diff=True)
    assert second["changed"] is False and second["diff"]["before"] == second["diff"]["after"]
    assert (second["organization"], second["user"]) == (first["organization"], first["user"])
    assert lago.log == ["loginUser", "currentUser"]


def test_check_mode_predicts_and_makes_nothing(lago: t.Any, organization: t.Any) -> None:
    predicted = organization(check=True, diff=True)
    assert predicted["changed"] is True and lago.log == ["loginUser"] and lago.users == {}
    assert predicted["organization"] == {"id": None, "name": "Acme", "slug": None}
    assert predicted["diff"]["after"]["user"] == {"id": None, "email": "admin@example.com"}
    organization()
    assert organization(check=True)["changed"] is False


def test_releases_without_slugs(lago: t.Any, organization: t.Any) -> None:
    lago.slugs = False
    assert organization()["organization"]["slug"] is None
    assert lago.log == ["loginUser", "registerUser", "currentUser", "currentUser"]


def test_a_wrong_password_of_an_existing_user(lago: t.Any, organization: t.Any) -> None:
    lago.add_user("admin@example.com", "Other-Horse-2!", "Acme")
    failed = organization()
    assert failed["failed"] and failed["failure"]["code"] == "incorrect_login_or_password"
    assert "password" in failed["msg"] and len(lago.users) == 1


def test_an_existing_user_may_have_a_weak_password(lago: t.Any, organization: t.Any) -> None:
    lago.add_user("old", "weak", "Acme")
    assert organization(email="old", password="weak")["changed"] is False


def test_another_organization_is_not_made_silently(lago: t.Any, organization: t.Any) -> None:
    lago.add_user("admin@example.com", PASSWORD, "Renamed", "Other")
    failed = organization()
    assert failed["failure"]["code"] == "organization_not_found"
    assert failed["failure"]["details"] == {"organizations": ["Other", "Renamed"]}
    assert "'Other', 'Renamed'" in failed["msg"] and lago.log == ["loginUser", "currentUser"]


def test_a_user_without_any(lago: t.Any, organization: t.Any) -> None:
    lago.add_user("admin@example.com", PASSWORD)
    assert "found: none" in organization()["msg"]


def test_two_of_the_same_name(lago: t.Any, organization: t.Any) -> None:
    lago.add_user("admin@example.com", PASSWORD, "Acme", "Acme")
    assert organization()["failure"]["code"] == "ambiguous_organization"


def test_signup_closed(lago: t.Any, organization: t.Any) -> None:
    lago.signup_open = False
    failed = organization()
    assert failed["failure"] == {"code": "signup_disabled", "status": 405, "details": {}}
    assert "bootstrap" in failed["msg"]


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({"name": " "}, ["name"]),
        ({"email": ""}, ["email"]),
        ({"password": "", "name": ""}, ["name", "password"]),
    ],
)
def test_blank_is_refused_before_anything_is_sent(
    lago: t.Any, run_module: t.Any, changes: dict[str, str], options: list[str]
) -> None:
    failed = run_module("organization", dict(ARGS, **changes))
    assert failed["failure"]["code"] == "invalid_input" and failed["failure"]["details"]["options"] == options
    assert lago.log == []


@pytest.mark.parametrize(
    "email", ["not-an-email", "a@b", "a b@example.com", "@example.com", "a@example..com", "a@.com"]
)
def test_only_addresses_are_registered(lago: t.Any, organization: t.Any, email: str) -> None:
    failed = organization(email=email)
    assert failed["failure"]["code"] == "invalid_input" and email in failed["msg"] and lago.log == ["loginUser"]


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("Ab1!xyz", "8 characters"),
        ("CORRECT-1!", "a lower-case letter"),
        ("correct-1!", "an upper-case letter"),
        ("Correct-!!", "a digit"),
        ("Correct123", "a special character"),
        ("Correct+123", "a special character"),
    ],
)
def test_only_passwords_that_the_front_takes_are_registered(
    lago: t.Any, organization: t.Any, password: str, missing: str
) -> None:
    failed = organization(password=password)
    assert failed["failure"]["details"]["missing"] == [missing] and missing in failed["msg"]
    assert lago.log == ["loginUser"] and password not in failed.text


def no_answer() -> t.Any:
    raise LagoError("No answer.", "no_answer")


@pytest.mark.parametrize("answer", [no_answer, lambda: (502, {}), lambda: (500, {})])
def test_a_lost_answer_is_decided_by_a_login(lago: t.Any, organization: t.Any, answer: t.Any) -> None:
    lago.after = lambda operation: answer() if operation == "registerUser" else None
    ran = organization()
    assert ran["changed"] is True and ran["organization"]["name"] == "Acme"
    assert lago.log == ["loginUser", "registerUser", "loginUser", "currentUser"] and len(lago.organizations) == 1


@pytest.mark.parametrize("answer", [no_answer, lambda: (502, {}), lambda: (500, {})])
def test_a_lost_registration_is_not_repeated(lago: t.Any, organization: t.Any, answer: t.Any) -> None:
    lago.trouble = lambda operation: answer() if operation == "registerUser" else None
    failed = organization()
    assert failed["failure"]["code"] in ("no_answer", "unavailable", "server_error")
    assert lago.log == ["loginUser", "registerUser", "loginUser", "loginUser", "loginUser"] and lago.users == {}


def test_a_login_that_says_something_else_after_a_lost_answer(lago: t.Any, organization: t.Any) -> None:
    def trouble(operation: str) -> t.Any:
        if operation == "registerUser":
            raise LagoError("No answer.", "no_answer")
        if "registerUser" in lago.log:
            raise LagoError("Not trusted.", "tls_not_trusted")

    lago.trouble = trouble
    assert organization()["failure"]["code"] == "tls_not_trusted"


def test_redis_down(lago: t.Any, organization: t.Any) -> None:
    lago.trouble = lambda operation: (500, {"status": 500, "error": "Internal Server Error"})
    failed = organization()
    assert failed["failure"]["code"] == "login_failed_on_server" and "Redis" in failed["msg"]
    assert lago.log == ["loginUser"]


def test_waits_for_an_api_that_starts(lago: t.Any, organization: t.Any) -> None:
    def trouble(operation: str) -> t.Any:
        if operation == "/health" and len(lago.log) < 3:
            raise LagoError("Refused.", "unreachable", details={"refused": True})

    lago.trouble = trouble
    assert organization(wait=5)["changed"] is True
    assert lago.log[:4] == ["/health", "/health", "/health", "loginUser"]


def test_needs_to_know_where(run_module: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAGO_API_URL", raising=False)
    failed = run_module("organization", {name: value for name, value in ARGS.items() if name != "api_url"})
    assert failed["failed"] and "api_url" in failed["msg"] and "container" in failed["msg"]


def test_environment(lago: t.Any, run_module: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAGO_API_URL", "http://lago.test")
    assert run_module("organization", {name: value for name, value in ARGS.items() if name != "api_url"})["changed"]
