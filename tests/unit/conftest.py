# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Lago in the test's own process, for the modules that talk to one."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import typing as t

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is, and what else it does, is no property of a function.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture
def started() -> t.Iterator[t.Callable[[socketserver.BaseServer], None]]:
    """Start servers in threads of their own; they end with the test."""
    servers: list[socketserver.BaseServer] = []

    def start(server: socketserver.BaseServer) -> None:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        return int(unheard.getsockname()[1])


class FakeLago:
    """A Lago that lives in the test's process: the part of its behaviour that the client meets, vices included.

    It is a transport of the client. C(log) holds every request, C(trouble) what a test wants to go wrong: a function of
    the operation (or path) that returns an answer, raises, or returns None for nothing special.
    """

    url = "http://lago.test"
    retries = 0

    def __init__(self) -> None:
        self.log: list[str] = []
        self.trouble: t.Callable[[str], t.Any] = lambda operation: None
        self.after: t.Callable[[str], t.Any] = lambda operation: None
        self.slugs = True
        self.signup_open = True
        self.premium = False
        self.users: dict[str, dict[str, t.Any]] = {}
        self.organizations: dict[str, str] = {}
        self.keys: list[dict[str, t.Any]] = []
        self._made = 0

    def new_id(self) -> str:
        self._made += 1
        return f"00000000-0000-4000-8000-{self._made:012d}"

    def add_user(self, email: str, password: str, *organizations: str) -> list[str]:
        ids = []
        for name in organizations:
            ids.append(self.new_id())
            self.organizations[ids[-1]] = name
            self.add_key(ids[-1], None)
        self.users[email] = {"id": self.new_id(), "password": password, "organizations": ids}
        return ids

    def add_key(self, organization: str, name: str | None, expires: str | None = None) -> dict[str, t.Any]:
        key = {"id": self.new_id(), "name": name, "value": f"key-{self.new_id()}", "expiresAt": expires}
        self.keys.append(dict(key, organization=organization))
        return self.keys[-1]

    def send(self, method: str, path: str, headers: t.Any = None, body: t.Any = None, safe: bool = True) -> t.Any:
        from ansible_collections.selfhosted.lago.plugins.module_utils._http import Response

        asked = json.loads(body) if body else {}
        operation = asked.get("operationName") or path
        self.log.append(operation)
        answer = self.trouble(operation)
        if answer is None:
            answer = self.answer(operation, asked, headers or {})
            answer = self.after(operation) or answer
        status, content = answer
        return Response(status, {"content-type": "application/json"}, json.dumps(content).encode())

    def answer(self, operation: str, asked: dict[str, t.Any], headers: dict[str, str]) -> tuple[int, t.Any]:
        if operation == "/health":
            return 200, {"version": "v1.51.0", "message": "Success"}
        if operation.startswith("/api/v1/"):
            for key in self.keys:
                if headers["Authorization"] == f"Bearer {key['value']}" and not key["expiresAt"]:
                    if "billable_metrics" in operation:
                        return 200, {"billable_metrics": []}
                    name = self.organizations[key["organization"]]
                    return 200, {"organization": {"lago_id": key["organization"], "name": name}}
            return 401, {"status": 401, "error": "Unauthorized"}
        method = getattr(self, "on_" + operation)
        given = asked["variables"].get("input") or asked["variables"]
        result = method(given, headers, asked["query"])
        return 200, result if "errors" in result else {"data": {operation: result}}

    def refusal(self, code: str, status: t.Any = 422, message: str = "refused", **more: t.Any) -> dict[str, t.Any]:
        return {"errors": [{"message": message, "extensions": dict(more, status=status, code=code)}], "data": None}

    def on_loginUser(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        user = self.users.get(given["email"])
        if user is None or user["password"] != given["password"]:
            return self.refusal("unprocessable_entity", details={"base": ["incorrect_login_or_password"]})
        return {"token": f"token {given['email']}", "user": {"id": user["id"], "email": given["email"]}}

    def on_registerUser(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        if not self.signup_open:
            return self.refusal("signup_disabled", 405)
        if given["email"] in self.users:
            return self.refusal("unprocessable_entity", details={"email": ["user_already_exists"]})
        self.add_user(given["email"], given["password"], given["organizationName"])
        return dict(self.on_loginUser(given, headers, query), organization={})

    def on_currentUser(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        if not self.slugs and "slug" in query:
            return self.refusal("undefinedField", None, typeName="Organization", fieldName="slug")
        user = self.users[headers["Authorization"][len("Bearer token ") :]]
        found = [{"id": one, "name": self.organizations[one]} for one in user["organizations"]]
        if self.slugs:
            found = [dict(one, slug=one["name"].lower()) for one in found]
        return {"id": user["id"], "email": "", "memberships": [{"organization": one} for one in found]}

    def on_apiKeys(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        found = [key for key in self.keys if key["organization"] == headers["x-lago-organization"]]
        shown = [dict(key, value="••••••••" + key["value"][-3:]) for key in found]
        return {"collection": [shown[given["page"] - 1]], "metadata": {"currentPage": 1, "totalPages": len(shown)}}

    def on_apiKey(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        return next(key for key in self.keys if key["id"] == given["id"])

    def on_createApiKey(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        if not self.premium:
            return self.refusal("feature_unavailable", 403)
        return self.add_key(headers["x-lago-organization"], given["name"])

    def on_rotateApiKey(self, given: t.Any, headers: t.Any, query: str) -> t.Any:
        old = self.on_apiKey(given, headers, query)
        old["expiresAt"] = "2020-01-01T00:00:00Z"
        return self.add_key(old["organization"], given["name"])


@pytest.fixture
def lago(monkeypatch: pytest.MonkeyPatch) -> FakeLago:
    """A Lago that answers every module that is run in the test, and no waiting."""
    from ansible_collections.selfhosted.lago.plugins.module_utils import _client

    fake = FakeLago()
    monkeypatch.setattr(_client, "HttpTransport", lambda *args, **kwargs: fake)
    monkeypatch.setattr(_client.time, "sleep", lambda seconds: None)
    return fake
