# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What can be asked of a Lago API, as methods."""

from __future__ import annotations

import json
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.selfhosted.lago.plugins.module_utils._container import ContainerTransport, Run
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport, Transport, split_url
from ansible_collections.selfhosted.lago.plugins.module_utils._refusals import graphql_data, rest_data, unusable

INSIDE = "http://127.0.0.1:3000"
LOOPBACKS = ("127.0.0.1", "::1", "localhost")

_LOGIN = "mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { token user { id email } } }"
_REGISTER = (
    "mutation registerUser($input: RegisterUserInput!) {"
    " registerUser(input: $input) { token user { id email } organization { id name } } }"
)
_CURRENT_USER = "query currentUser { currentUser { id email memberships { id organization { id name%s } } } }"
_API_KEYS = (
    "query apiKeys($page: Int, $limit: Int) { apiKeys(page: $page, limit: $limit) {"
    " collection { id name value expiresAt } metadata { currentPage totalPages } } }"
)
_API_KEY = "query apiKey($id: ID!) { apiKey(id: $id) { id name value expiresAt } }"
_CREATE_KEY = (
    "mutation createApiKey($input: CreateApiKeyInput!) { createApiKey(input: $input) { id name value expiresAt } }"
)
_ROTATE_KEY = (
    "mutation rotateApiKey($input: RotateApiKeyInput!) { rotateApiKey(input: $input) { id name value expiresAt } }"
)

_STARTING = ("unreachable", "no_answer", "unavailable", "server_error")

Data = dict[str, t.Any]


def connection_spec() -> Data:
    """Return the options that say how to reach the API (documented in the fragment C(selfhosted.lago.api))."""
    return {
        "api_url": {"type": "str", "fallback": (env_fallback, ["LAGO_API_URL"])},
        "connect_to": {"type": "str", "fallback": (env_fallback, ["LAGO_CONNECT_TO"])},
        "container": {"type": "str"},
        "validate_certs": {"type": "bool", "default": True, "fallback": (env_fallback, ["LAGO_VALIDATE_CERTS"])},
        "ca_path": {"type": "path", "fallback": (env_fallback, ["LAGO_CA_PATH"])},
        "timeout": {"type": "int", "default": 30},
        "retries": {"type": "int", "default": 3},
    }


CONNECTION_REQUIRED = [("api_url", "container")]


def runner(module: AnsibleModule) -> Run:
    """Return a function that runs a command with some standard input through I(module)."""

    def command(arguments: list[str], data: str) -> tuple[int, str, str]:
        # what is run is full of what would be expanded
        done: tuple[int, str, str] = module.run_command(arguments, data=data, expand_user_and_vars=False)
        return done

    return command


def connect(module: AnsibleModule) -> LagoClient:
    """Return a client for what the module's connection options say. Nothing is sent yet.

    :raises LagoError: when an option cannot be used.
    """
    params = module.params
    transport: Transport
    if params["container"]:
        url = params["api_url"] or INSIDE
        if split_url(url)[1] not in LOOPBACKS:  # the public one, perhaps from module_defaults or the environment
            url = INSIDE
        transport = ContainerTransport(params["container"], runner(module), url, params["timeout"], params["retries"])
    else:
        transport = http_transport(params, "api_url")
    return LagoClient(transport)


def http_transport(params: Data, option: str) -> HttpTransport:
    """Return a transport for the URL in I(option) that uses the module's other connection options."""
    return HttpTransport(
        params[option] or "",
        connect_to=params["connect_to"] or None,
        validate_certs=params["validate_certs"],
        ca_path=params["ca_path"] or None,
        timeout=params["timeout"],
        retries=params["retries"],
        option=option,
    )


class LagoClient:
    """One API and, after L(login) or L(register), one session in it.

    All methods raise L(LagoError): the transport's codes, and those of C(_refusals).
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.user: Data | None = None
        self._token: str | None = None
        self._credentials: tuple[str, str] | None = None

    def health(self) -> Data:
        """Return C(status), C(version), C(message) and C(details) of C(/health): the release, not that Lago works."""
        response = self.transport.send("GET", "/health")
        body = response.json
        if not isinstance(body, dict) or "version" not in body:
            raise unusable("/health", self.transport.url, response)
        told = (body.get("details") or "").strip().partition("\n")[0][:300] or None
        return {"status": response.status, "version": body["version"], "message": body.get("message"), "details": told}

    def wait_until_up(self, seconds: float) -> Data:
        """Ask C(/health) until it is well, but no longer than I(seconds); return what it said.

        A container that ended, a certificate that is not trusted and what is no Lago are not waited for.
        """
        end = time.monotonic() + seconds
        retries, self.transport.retries = self.transport.retries, 0
        try:
            while True:
                try:
                    health = self.health()
                    if health["status"] == 200:
                        return health
                    error = LagoError(
                        f"{self.transport.url} is up but unhealthy: does the API reach its database? Its log tells.",
                        "unhealthy",
                        health["status"],
                        {"version": health["version"]},
                    )
                except LagoError as caught:
                    if caught.code not in _STARTING:
                        raise
                    error = caught
                if time.monotonic() >= end:
                    raise error
                time.sleep(0.4)
        finally:
            self.transport.retries = retries

    def login(self, email: str, password: str) -> Data:
        """Start a session; return the user's C(id) and C(email)."""
        given = {"input": {"email": email, "password": password}}
        session = self._send("loginUser", _LOGIN, given)
        return self._begin(session, email, password)

    def register(self, email: str, password: str, organization: str) -> Data:
        """Make a user with an organization and start a session; return the user's C(id) and C(email).

        It is sent once: Lago would make a second user and organization. After C(no_answer), C(unavailable) and
        C(server_error) only a login tells whether it happened.
        """
        given = {"input": {"email": email, "password": password, "organizationName": organization}}
        session = self._send("registerUser", _REGISTER, given, safe=False)
        return self._begin(session, email, password)

    def signup_is_closed(self) -> bool:
        """Find out by registering with a blank password: where sign-up is open, Lago fails (500) and makes nothing."""
        given = {"input": {"email": "signup-check@example.invalid", "password": "", "organizationName": "signup check"}}
        try:
            self._send("registerUser", _REGISTER, given, safe=False)
        except LagoError as error:
            if error.code == "signup_disabled":
                return True
            if error.code not in ("server_error", "roles_not_seeded", "user_already_exists"):
                raise
        return False

    def _begin(self, session: Data, email: str, password: str) -> Data:
        self._token = session["token"]
        self._credentials = (email, password)
        self.user = {"id": session["user"]["id"], "email": session["user"]["email"]}
        return self.user

    def organizations(self) -> list[Data]:
        """Return C(id), C(name) and C(slug) (None before v1.45) of the organizations the user is a member of."""
        try:
            user = self.ask("currentUser", _CURRENT_USER % " slug", {})
        except LagoError as error:
            if error.code != "undefinedField":
                raise
            user = self.ask("currentUser", _CURRENT_USER % "", {})
        found = [membership["organization"] for membership in user["memberships"]]
        return [{"id": one["id"], "name": one["name"], "slug": one.get("slug")} for one in found]

    def api_keys(self, organization: str) -> list[Data]:
        """Return the keys of the organization of this id, with masked values."""
        keys: list[Data] = []
        page = 1
        while True:
            answer = self.ask("apiKeys", _API_KEYS, {"page": page, "limit": 100}, organization)
            keys += answer["collection"]
            if page >= answer["metadata"]["totalPages"]:
                return keys
            page += 1

    def api_key(self, organization: str, key: str) -> Data:
        """Return one key by its id, with its real value."""
        return self.ask("apiKey", _API_KEY, {"id": key}, organization)

    def create_api_key(self, organization: str, name: str) -> Data:
        """Make a further key (C(feature_unavailable) without a premium licence)."""
        return self.ask("createApiKey", _CREATE_KEY, {"input": {"name": name}}, organization, safe=False)

    def rotate_api_key(self, organization: str, key: str, name: str | None) -> Data:
        """Replace a key, which dies at once, by a new one of that name; return the new one."""
        return self.ask("rotateApiKey", _ROTATE_KEY, {"input": {"id": key, "name": name}}, organization, safe=False)

    def organization_of(self, key: str) -> Data | None:
        """Use an API key: return C(id) and C(name) of its organization, None when Lago refuses the key."""
        try:
            found = self.rest("/api/v1/organizations", key)["organization"]
        except LagoError as error:
            if error.code == "key_refused":
                return None
            raise
        return {"id": found["lago_id"], "name": found["name"]}

    def rest(self, path: str, key: str) -> Data:
        """Read a REST path with an API key."""
        response = self.transport.send("GET", path, {"Authorization": f"Bearer {key}"})
        return rest_data(path, self.transport.url, response)

    def ask(self, field: str, query: str, variables: Data, organization: str | None = None, safe: bool = True) -> Data:
        """Ask GraphQL within the session, which is renewed once when Lago no longer accepts it.

        :param field: the one field that I(query) asks for, also the name of the operation.
        :param organization: id of the organization to ask in.
        :param safe: whether nothing is lost when it is carried out twice.
        """
        try:
            return self._send(field, query, variables, organization, safe)
        except LagoError as error:
            if error.code not in ("unauthorized", "expired_jwt_token") or self._credentials is None:
                raise
        self.login(*self._credentials)
        return self._send(field, query, variables, organization, safe)

    def _send(
        self, field: str, query: str, variables: Data, organization: str | None = None, safe: bool = True
    ) -> Data:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token and field not in ("loginUser", "registerUser"):
            headers["Authorization"] = f"Bearer {self._token}"
        if organization:
            headers["x-lago-organization"] = organization
        body = json.dumps({"operationName": field, "query": query, "variables": variables}).encode()
        response = self.transport.send("POST", "/graphql", headers, body, safe)
        data: Data = graphql_data(field, self.transport.url, response)
        self._token = response.headers.get("x-lago-token") or self._token
        return data
