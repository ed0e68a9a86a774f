# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the checkout importable as a collection and runs modules inside the test's own process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import typing as t
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".cache" / "collections"


def _make_importable() -> None:
    """Let C(ansible_collections.selfhosted.lago) be this checkout, beside the installed collections."""
    home = COLLECTIONS / "ansible_collections" / "selfhosted"
    home.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (home / "lago").symlink_to(ROOT)
    if str(COLLECTIONS) not in sys.path:
        sys.path.insert(0, str(COLLECTIONS))
    try:
        import ansible_collections
    except ImportError:
        return
    if str(home.parent) not in list(ansible_collections.__path__):
        ansible_collections.__path__.insert(0, str(home.parent))


_make_importable()

try:  # since ansible-core 2.19
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, t.Any] | None = None) -> t.Iterator[None]:
        from ansible.module_utils import basic

        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()):
            yield


@pytest.fixture
def module_args() -> t.Any:
    """Return core's context manager that hands parameters to C(AnsibleModule), or its double on core 2.18."""
    return patch_module_args


class Ran(dict):
    """A module's result, with all that it wrote (to look for what must not be there) as C(text)."""

    text: str = ""


RunModule = t.Callable[..., Ran]


@pytest.fixture
def run_module() -> RunModule:
    """Return a function that runs a module of the collection: C(run_module("organization", args, check=True, diff=True))."""

    def run(name: str, args: dict[str, t.Any], check: bool = False, diff: bool = False) -> Ran:
        module = importlib.import_module(f"ansible_collections.selfhosted.lago.plugins.modules.{name}")
        given = dict(args, _ansible_check_mode=check, _ansible_diff=diff, _ansible_remote_tmp="/tmp")
        output = io.StringIO()
        with patch_module_args(given), mock.patch("sys.stdout", output), pytest.raises(SystemExit):
            module.main()
        ran = Ran(json.loads(output.getvalue()))
        ran.text = output.getvalue()
        return ran

    return run


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
        if operation == "/api/v1/organizations":
            for key in self.keys:
                if headers["Authorization"] == f"Bearer {key['value']}" and not key["expiresAt"]:
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
