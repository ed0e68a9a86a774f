# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client makes of what the real Lago answered, on every recorded release and in every recorded bad state."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _organization
from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_front import Edge
from ansible_collections.selfhosted.lago.plugins.module_utils._deployment_report import Report
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport, Response
from ansible_collections.selfhosted.lago.plugins.module_utils._refusals import graphql_data, rest_data
from contract.replay import RELEASES, Replay, Step, body_of, step, steps

NO_SLUGS = ("v1.42.0", "v1.44.0")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_organization.time, "sleep", lambda seconds: None)


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def play() -> t.Iterator[t.Callable[..., tuple[LagoClient, Replay]]]:
    """Return a function that serves recorded steps and gives a client for them."""
    servers: list[Replay] = []

    def start(recorded: list[Step]) -> tuple[LagoClient, Replay]:
        servers.append(Replay(recorded))
        return LagoClient(HttpTransport(servers[-1].url, retries=0)), servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def code(function: t.Callable[..., t.Any], *args: t.Any) -> str:
    with pytest.raises(LagoError) as caught:
        function(*args)
    assert caught.value.message.endswith((".", "?")) and len(caught.value.message) > 20
    return caught.value.code


def given(name: str, release: str) -> dict[str, str]:
    """Return the input of a recorded step."""
    variables: dict[str, t.Any] = step(name, "bootstrap", release)["request"]["body"]["variables"]
    return dict(variables.get("input") or variables)


def answered(name: str, release: str, field: str) -> t.Any:
    """Return the data of a recorded step."""
    return step(name, "bootstrap", release)["response"]["body"]["data"][field]


class TestBootstrap:
    def test_registering_and_logging_in(self, play: t.Any, release: str) -> None:
        client, _server = play(steps("bootstrap", release))
        user, data = given("register", release), answered("register", release, "registerUser")
        login = (user["email"], user["password"])
        assert code(client.login, *login) == "incorrect_login_or_password"
        assert client.register(*login, user["organizationName"]) == data["user"]
        assert code(client.register, *login, user["organizationName"]) == "user_already_exists"
        assert client.login(*login) == data["user"]
        assert code(client.login, user["email"], "wrong") == "incorrect_login_or_password"
        assert code(client.login, user["email"], "a\0b") == "incorrect_login_or_password"
        expected = {"id": data["organization"]["id"], "name": "Acme Billing", "slug": "acme-billing"}
        if release in NO_SLUGS:
            expected["slug"] = None
        assert client.organizations() == [expected]

    def test_capitals_are_another_user(self, play: t.Any, release: str) -> None:
        client, _server = play(steps("bootstrap", release))
        user = given("register again, e-mail in capitals", release)
        made = client.register(user["email"], user["password"], user["organizationName"])
        assert made["id"] != answered("register", release, "registerUser")["user"]["id"]

    def test_a_blank_password_tells_whether_signup_is_open(self, play: t.Any, release: str) -> None:
        client, _server = play(steps("bootstrap", release))
        assert client.signup_is_closed() is False
        client, _server = play(steps("signup_disabled"))
        assert client.signup_is_closed() is True
        client, _server = play(steps("roles_not_seeded"))
        assert client.signup_is_closed() is False

    def test_keys(self, play: t.Any, release: str) -> None:
        client, _server = play(steps("bootstrap", release))
        user, data = given("register", release), answered("register", release, "registerUser")
        organization = data["organization"]["id"]
        client.register(user["email"], user["password"], user["organizationName"])
        (listed,) = client.api_keys(organization)
        assert listed["value"].startswith("•" * 8) and listed["expiresAt"] is None
        old = client.api_key(organization, listed["id"])
        assert old["value"].endswith(listed["value"][-3:]) and len(old["value"]) == 36
        assert client.organization_of(old["value"]) == {"id": organization, "name": "Acme Billing"}
        unknown = given("api key, unknown id", release)["id"]
        assert code(client.api_key, organization, unknown) == "not_found"
        assert code(client.api_keys, "229db0e4-9f01-4263-abd6-3f47de81d368") in ("not_a_member", "not_lago")
        assert code(client.create_api_key, organization, "deploy") == "feature_unavailable"
        new = client.rotate_api_key(organization, listed["id"], old["name"])
        assert new["id"] != old["id"] and new["value"] != old["value"]
        assert client.organization_of(old["value"]) is None
        assert client.organization_of(new["value"]) == {"id": organization, "name": "Acme Billing"}
        assert code(client.rotate_api_key, organization, listed["id"], None) == "not_found"

    REFUSALS: t.ClassVar = {
        "login, unknown user": "incorrect_login_or_password",
        "login, wrong password": "incorrect_login_or_password",
        "login, null byte": "incorrect_login_or_password",
        "register again, same e-mail": "user_already_exists",
        "register, blank password": "server_error",
        "register, blank organization": "server_error",
        "register, missing argument": "graphql_error",
        "current user, no token": "unauthorized",
        "current user, garbage token": "unauthorized",
        "api keys, no organization header": "not_a_member",
        "api keys, other organization": "not_a_member",
        "api keys, no token": "not_a_member",
        "api key, unknown id": "not_found",
        "create key without premium": "feature_unavailable",
        "destroy the last key": "unprocessable_entity",
        "rotate with expiry without premium": "cannot_rotate_with_provided_date",
        "rotate the expired key": "not_found",
        "query too long": "query_is_too_large",
        "unknown field": "undefinedField",
        "syntax error": "graphql_error",
        "body is not JSON": "not_lago",
        "GET on graphql": "not_lago",
    }

    def test_every_recorded_answer(self, release: str) -> None:
        """Data where Lago gave data, and for each refusal its own code; no sentence repeats what was sent."""
        seen = set()
        for one in steps("bootstrap", release):
            if one["request"]["path"] != "/graphql":
                continue
            asked, answer = one["request"]["body"] or {}, one["response"]
            operation = asked.get("operationName") or "noSuchField"
            response = Response(answer["status"], answer["headers"], body_of(answer))
            if one["name"] not in self.REFUSALS:
                assert graphql_data(operation, "http://lago.test", response)
                continue
            seen.add(one["name"])
            with pytest.raises(LagoError) as caught:
                graphql_data(operation, "http://lago.test", response)
            assert caught.value.code == self.REFUSALS[one["name"]], one["name"]
            text = caught.value.message + json.dumps(caught.value.as_failure())
            assert "Correct-Horse" not in text and "@example.com" not in text
        assert seen == set(self.REFUSALS)


class TestHealth:
    def test_release(self, play: t.Any, release: str) -> None:
        client, _server = play(steps("health", release))
        health = client.wait_until_up(0)
        recorded = step("health", "health", release)["response"]["body"]["version"]
        assert (health["status"], health["version"]) == (200, recorded)
        assert client.organization_of("00000000-0000-0000-0000-000000000000") is None

    def test_the_api_is_recognized_where_it_must_not_answer(self, play: t.Any, release: str) -> None:
        client, server = play(steps("health", release))
        paths = sorted({one["request"]["path"] for one in steps("health", release)} - {"/health", "/graphql"})
        # these two are asked without a key and by GET: the API's own 401 and 404
        paths = [path for path in paths if path not in ("/admin/organizations",)]
        report = Report(60)
        Edge(client.transport, True, None, paths).check_exposure(report)
        assert report.facts["exposed_paths"] == paths and [one["code"] for one in report.problems] == ["paths_exposed"]
        assert {"ready", "metrics is open", "sidekiq page", "unknown path"} <= set(server.seen)

    @pytest.mark.parametrize(
        ("front", "cors_ok", "codes"),
        [("http://localhost", True, []), ("http://evil.example", False, ["cors_refused"])],
    )
    def test_cors(self, play: t.Any, release: str, front: str, cors_ok: bool, codes: list[str]) -> None:
        client, _server = play(steps("health", release))
        report = Report(60)
        Edge(client.transport, True, HttpTransport(front), []).check_origin(report)
        assert report.facts["origin"] == {"one_origin": False, "cors_ok": cors_ok}
        assert [one["code"] for one in report.problems] == codes


@pytest.mark.parametrize("group", ["organization", "metering"])
def test_rest_answers_are_read(release: str, group: str) -> None:
    for one in steps(group, release):
        request, answer = one["request"], one["response"]
        response = Response(answer["status"], answer["headers"], body_of(answer))
        if answer["status"] == 200 and answer["body"]:
            assert rest_data(request["path"], "http://lago.test", response) == answer["body"]
        elif answer["status"] >= 400:
            assert code(rest_data, request["path"], "http://lago.test", response) in (
                "not_lago",
                "server_error",
                "key_refused",
            )


class TestModules:
    """The modules as a user runs them, from nothing to a rotated key."""

    def test_from_nothing_to_a_key(self, play: t.Any, run_module: t.Any, release: str, tmp_path: Path) -> None:
        _client, server = play(steps("bootstrap", release))
        user = given("register", release)
        who = {"api_url": server.url, "email": user["email"], "password": user["password"]}
        first = run_module("organization", dict(who, name="Acme Billing"))
        assert first["changed"] is True and first["organization"]["name"] == "Acme Billing"
        assert (first["organization"]["slug"] is None) is (release in NO_SLUGS)
        second = run_module("organization", dict(who, name="Acme Billing"))
        assert second["changed"] is False and second["organization"] == first["organization"]
        key = dict(who, organization="Acme Billing", path=str(tmp_path / "key.json"))
        fetched = run_module("api_key", key)
        assert fetched.get("source") == "fetched", (fetched, server.seen)
        assert run_module("api_key", key)["source"] == "stored"
        rotated = run_module("api_key", dict(key, state="rotated"))
        assert rotated["source"] == "rotated" and rotated["api_key"]["name"] == "rotated"
        assert run_module("api_key", key)["source"] == "stored"

    @pytest.mark.parametrize(
        ("state", "failure"),
        [
            ("signup_disabled", "signup_disabled"),
            ("roles_not_seeded", "roles_not_seeded"),
            ("database_not_migrated", "login_failed_on_server"),
            ("database_half_migrated", "server_error"),
            ("database_missing", "login_failed_on_server"),
            ("database_down", "login_failed_on_server"),
            ("redis_down", "server_error"),
        ],
    )
    def test_registering_in_a_bad_state(self, play: t.Any, run_module: t.Any, state: str, failure: str) -> None:
        _client, server = play(steps(state))
        user = step("register", state)["request"]["body"]["variables"]["input"]
        ran = run_module(
            "organization",
            {
                "api_url": server.url,
                "email": user["email"],
                "password": user["password"],
                "name": user["organizationName"],
                "retries": 0,
            },
        )
        assert ran["failed"] and ran["failure"]["code"] == failure
        assert user["password"] not in ran.text and server.seen.count("register") <= 1


class TestStates:
    """A deployment in a bad state never passes for working, although its health is 200 in most of them."""

    STATES: t.ClassVar = {
        "healthy": {"signup_open"},
        "signup_disabled": set(),
        "roles_not_seeded": {"signup_open", "api_key_missing", "incorrect_login_or_password"},
        "database_not_migrated": {"signup_open", "api_key_missing", "data_unreadable", "login_failed_on_server"},
        "database_half_migrated": {"signup_open", "data_unreadable", "not_lago"},
        "database_missing": {
            "unhealthy",
            "signup_open",
            "api_key_missing",
            "data_unreadable",
            "login_failed_on_server",
        },
        "database_down": {"unhealthy", "signup_open", "data_unreadable", "login_failed_on_server"},
        "redis_down": {"signup_open", "login_failed_on_server"},
        "encryption_keys_changed": {"signup_open", "encrypted_rows_unreadable"},
    }

    @pytest.fixture
    def inspect(self, play: t.Any, run_module: t.Any) -> t.Any:
        def run(state: str, **changes: t.Any) -> t.Any:
            recorded = steps(state)
            names = {one["name"]: one["request"] for one in recorded}
            args: dict[str, t.Any] = {"retries": 0, "unrouted_paths": [], "version": "v1.51.0"}
            login = names.get("login, valid password", names["login"])["body"]["variables"]["input"]
            args.update(email=login["email"], password=login["password"])
            if "organization, valid key" in names:
                args["api_key"] = names["organization, valid key"]["headers"]["Authorization"].split()[1]
            args.update(changes)
            _client, server = play(recorded)
            return run_module("deployment_info", dict(args, api_url=server.url))

        return run

    @pytest.mark.parametrize("state", list(STATES))
    def test_problems(self, inspect: t.Any, state: str) -> None:
        ran = inspect(state)
        assert {one["code"] for one in ran["problems"]} == self.STATES[state]
        assert all(one["message"].endswith((".", "?")) for one in ran["problems"])

    def test_the_good_state_in_full(self, inspect: t.Any) -> None:
        found = inspect("signup_disabled")["deployment"]
        assert found["health"] == {"status": 200, "version": "v1.51.0", "expected": "v1.51.0"}
        assert found["key"]["accepted"] is True and found["key"]["organization_name"] == "State"
        assert found["data"] == {"readable": True} and found["signup"] == {"closed": True}
        assert found["login"] == {"accepted": True} and found["encrypted_rows"] == {"readable": "yes"}

    def test_a_changed_password_breaks_nothing(self, inspect: t.Any) -> None:
        login = step("login", "signup_disabled")["request"]["body"]["variables"]["input"]
        ran = inspect("signup_disabled", email=login["email"], password=login["password"])
        assert ran["problems"] == [] and ran["deployment"]["login"] == {"accepted": False}
        assert ran["deployment"]["encrypted_rows"] == {"readable": "unknown"}

    @pytest.mark.parametrize("state", [state for state, codes in STATES.items() if codes])
    def test_bad_states_without_a_password(self, inspect: t.Any, state: str) -> None:
        assert inspect(state, email=None, password=None)["problems"]

    def test_a_wrong_key(self, inspect: t.Any) -> None:
        wrong = "00000000-0000-0000-0000-000000000000"
        ran = inspect("signup_disabled", api_key=wrong)
        assert "api_key_refused" in {one["code"] for one in ran["problems"]} and wrong not in ran.text
