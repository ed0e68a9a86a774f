# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _client
from ansible_collections.selfhosted.lago.plugins.module_utils._client import LagoClient
from ansible_collections.selfhosted.lago.plugins.module_utils._container import ContainerTransport
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport, Response

PARAMS = {
    "api_url": "https://lago.test",
    "connect_to": "",
    "container": None,
    "validate_certs": True,
    "ca_path": "",
    "timeout": 7,
    "retries": 1,
}


class Scripted:
    """A transport that gives its answers one after the other and keeps what was asked."""

    url = "http://lago.test"

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, t.Any]] = []
        self.retries = 3

    def send(self, method: str, path: str, headers: t.Any = None, body: t.Any = None, safe: bool = True) -> Response:
        self.asked.append({"method": method, "path": path, "headers": headers, "safe": safe, "retries": self.retries})
        answer = self.answers.pop(0)
        if isinstance(answer, LagoError):
            raise answer
        return answer


def reply(body: str, status: int = 200, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body.encode())


def failure(client: LagoClient, name: str, *args: t.Any) -> LagoError:
    with pytest.raises(LagoError) as caught:
        getattr(client, name)(*args)
    return caught.value


LOGGED_IN = '{"data": {"loginUser": {"token": "t1", "user": {"id": "u", "email": "e"}}}}'
KEY = '{"data": {"apiKey": {"id": "k", "name": null, "value": "v"}}}'


def refused(code: str, message: str = "m", status: t.Any = '"x"', more: str = "") -> Response:
    return reply(
        f'{{"errors": [{{"message": "{message}", "extensions": {{"code": "{code}", "status": {status}{more}}}}}]}}'
    )


class TestSession:
    def test_the_token_goes_with_requests_and_is_renewed(self) -> None:
        transport = Scripted(reply(LOGGED_IN), reply(KEY, x_lago_token="t2"), reply(KEY))
        client = LagoClient(transport)
        assert client.login("e", "p") == {"id": "u", "email": "e"} == client.user
        client.api_key("org", "k")
        client.api_key("org", "k")
        sent = [asked["headers"] for asked in transport.asked]
        assert "Authorization" not in sent[0]
        assert [headers["Authorization"] for headers in sent[1:]] == ["Bearer t1", "Bearer t2"]
        assert sent[1]["x-lago-organization"] == "org"

    @pytest.mark.parametrize(
        "answer", [refused("unauthorized"), refused("expired_jwt_token"), refused("x", message="expired_jwt_token")]
    )
    def test_an_ended_session_is_renewed_once(self, answer: Response) -> None:
        client = LagoClient(Scripted(reply(LOGGED_IN), answer, reply(LOGGED_IN), reply(KEY)))
        client.login("e", "p")
        assert client.api_key("org", "k")["value"] == "v"
        client = LagoClient(Scripted(reply(LOGGED_IN), answer, reply(LOGGED_IN), answer))
        client.login("e", "p")
        assert failure(client, "api_key", "org", "k").code in ("unauthorized", "expired_jwt_token")

    def test_without_a_login_there_is_nothing_to_renew(self) -> None:
        error = failure(LagoClient(Scripted(refused("unauthorized", status='"unauthorized"'))), "organizations")
        assert (error.code, error.status) == ("unauthorized", 401)

    def test_what_changes_something_is_marked(self) -> None:
        answers = {"rotateApiKey": ("o", "k", None), "createApiKey": ("o", "n"), "registerUser": ("e", "p", "o")}
        methods = {"rotateApiKey": "rotate_api_key", "createApiKey": "create_api_key", "registerUser": "register"}
        for field, args in answers.items():
            transport = Scripted(reply(LOGGED_IN.replace("loginUser", field)))
            getattr(LagoClient(transport), methods[field])(*args)
            assert transport.asked[0]["safe"] is False
        transport = Scripted(reply(LOGGED_IN), reply(KEY))
        client = LagoClient(transport)
        client.login("e", "p")
        client.api_key("o", "k")
        assert [asked["safe"] for asked in transport.asked] == [True, True]


class TestAnswers:
    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (reply("<html>", 200, content_type="text/html"), "not_lago"),
            (reply("[1]"), "not_lago"),
            (reply('{"data": null}'), "not_lago"),
            (reply('{"data": {"apiKey": null}}'), "not_lago"),
            (reply("<html>", 404), "not_lago"),
            (reply('{"status": 404}', 404), "not_lago"),
            (reply("<html>", 502), "unavailable"),
            (reply("<html>", 500), "server_error"),
            (reply("", 308, location="https://lago.test/graphql"), "redirected"),
            (refused("forbidden"), "forbidden"),
            (refused("forbidden", "Missing organization id"), "not_a_member"),
            (refused("not_found"), "not_found"),
            (refused("query_is_too_large"), "query_is_too_large"),
            (refused("something_new"), "something_new"),
            (reply('{"errors": [{"message": "Variable has the value secret"}]}'), "graphql_error"),
        ],
    )
    def test_codes(self, answer: Response, code: str) -> None:
        error = failure(LagoClient(Scripted(answer)), "api_key", "o", "k")
        assert error.code == code and "secret" not in error.message and len(error.message) > 20

    def test_unknown_refusals_keep_their_details(self) -> None:
        more = ', "details": {"base": ["last_key"], "name": "taken"}'
        error = failure(LagoClient(Scripted(refused("unprocessable_entity", "m", 422, more))), "api_key", "o", "k")
        assert error.as_failure() == {
            "code": "unprocessable_entity",
            "status": 422,
            "details": {"base": ["last_key"], "name": "taken"},
        }
        assert "last_key, taken" in error.message

    def test_missing_permissions_are_named(self) -> None:
        answer = refused("forbidden", "Missing permissions", '"forbidden"', ', "required_permissions": ["a:b"]')
        error = failure(LagoClient(Scripted(answer)), "api_key", "o", "k")
        assert error.status == 403 and error.details == {"required_permissions": ["a:b"]}

    def test_roles_that_are_missing(self) -> None:
        answer = reply('{"status": 404, "code": "resource_not_found"}', 404)
        error = failure(LagoClient(Scripted(answer)), "register", "e", "p", "o")
        assert error.code == "roles_not_seeded" and "roles:seed_predefined" in error.message

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (reply('{"code": "forbidden"}', 403), "forbidden"),
            (reply('{"status": 404}', 404), "not_lago"),
            (reply("no", 401), "not_lago"),
            (reply("{}", 500), "server_error"),
        ],
    )
    def test_rest(self, answer: Response, code: str) -> None:
        assert failure(LagoClient(Scripted(answer)), "organization_of", "key").code == code

    def test_a_refused_key_is_no_organization(self) -> None:
        assert LagoClient(Scripted(reply('{"status": 401}', 401))).organization_of("key") is None

    def test_other_errors_while_asking_for_slugs(self) -> None:
        assert failure(LagoClient(Scripted(refused("forbidden"))), "organizations").code == "forbidden"


class TestHealth:
    def test_no_lago(self) -> None:
        assert failure(LagoClient(Scripted(reply("{}"))), "health").code == "not_lago"

    def test_waits_without_retries_below(self) -> None:
        well, ill = reply('{"version": "v1"}'), reply('{"version": "v1"}', 500)
        starting = LagoError("m", "unreachable")
        transport = Scripted(starting, reply("", 502), ill, well)
        with mock.patch.object(_client.time, "sleep"):
            assert LagoClient(transport).wait_until_up(60)["status"] == 200
        assert [asked["retries"] for asked in transport.asked] == [0] * 4 and transport.retries == 3

    def test_time_is_up(self) -> None:
        assert failure(LagoClient(Scripted(reply('{"version": "v1"}', 500))), "wait_until_up", 0).code == "unhealthy"

    @pytest.mark.parametrize("code", ["container_not_running", "tls_not_trusted", "not_lago"])
    def test_what_waiting_does_not_change(self, code: str) -> None:
        assert failure(LagoClient(Scripted(LagoError("m", code))), "wait_until_up", 60).code == code


class TestConnect:
    def connect(self, **changes: t.Any) -> t.Any:
        module = mock.Mock(params=dict(PARAMS, **changes))
        module.run_command.return_value = (0, '{"status": 200, "headers": {}, "body": "e30="}', "")
        return module, _client.connect(module).transport

    def test_over_the_network(self) -> None:
        _module, transport = self.connect(connect_to="127.0.0.1:8443")
        assert isinstance(transport, HttpTransport)
        assert (transport.address, transport.timeout, transport.retries) == (("127.0.0.1", 8443), 7, 1)

    @pytest.mark.parametrize(
        ("url", "used"),
        [
            (None, "http://127.0.0.1:3000"),
            ("https://lago.example.com", "http://127.0.0.1:3000"),
            ("http://localhost:3001", "http://localhost:3001"),
        ],
    )
    def test_inside_a_container(self, url: str | None, used: str) -> None:
        module, transport = self.connect(api_url=url, container="lago-api-1")
        assert isinstance(transport, ContainerTransport) and transport.url == used
        assert transport.send("GET", "/health").status == 200
        command, options = module.run_command.call_args.args[0], module.run_command.call_args.kwargs
        assert command[6:10] == ["-i", "lago-api-1", "ruby", "-e"] and options["expand_user_and_vars"] is False

    def test_no_url(self) -> None:
        with pytest.raises(LagoError, match="api_url must be"):
            self.connect(api_url="")
