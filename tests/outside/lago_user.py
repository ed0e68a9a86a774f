# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser's or an API client's way into Lago: HTTP to one address, TLS with the deployment's own root."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LOGIN = "mutation loginUser($input: LoginUserInput!) { loginUser(input: $input) { token user { id email } } }"
ADYEN = "mutation add($input: AddAdyenPaymentProviderInput!) { addAdyenPaymentProvider(input: $input) { id } }"
PROVIDERS = "query { paymentProviders { collection { ... on AdyenProvider { code apiKey } } } }"
ME = "query currentUser { currentUser { id email memberships { id organization { id name } } } }"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers (lower-case names) and the body as text."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class LagoUser:
    """Somebody outside the server.

    :param url: The public origin, such as ``https://lago.localhost:8443``.
    :param connect_to: Address that the name stands for, since a test's name is in nobody's DNS.
    :param cafile: Root certificate to trust; the system's when not given.
    :param timeout: Seconds without a word after which it gives up.
    """

    def __init__(self, url: str, connect_to: str = "127.0.0.1", cafile: str | None = None, timeout: float = 60) -> None:
        self.url = url.rstrip("/")
        self._parts = urlsplit(self.url)
        self._connect_to = connect_to
        self._timeout = timeout
        self._context = ssl.create_default_context(cafile=cafile) if self._parts.scheme == "https" else None

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        host, port = self._parts.hostname or "", self._parts.port or (443 if self._context else 80)
        connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        plain = socket.create_connection((self._connect_to, port), timeout=self._timeout)
        connection.sock = self._context.wrap_socket(plain, server_hostname=host) if self._context else plain
        payload = None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if payload is not None else {}
        sent["Host"] = self._parts.netloc
        try:
            connection.request(method, path, payload, {**sent, **(headers or {})})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)
        finally:
            connection.close()

    def graphql(
        self, query: str, variables: dict[str, Any] | None = None, token: str = "", organization: str = ""
    ) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"x-lago-organization": organization} if organization else {}
        return self.request("POST", "/graphql", {"query": query, "variables": variables or {}}, headers).json

    def login(self, email: str, password: str) -> str | None:
        """The token, or nothing when the address or the password is refused."""
        data = self.graphql(LOGIN, {"input": {"email": email, "password": password}}).get("data")
        return data["loginUser"]["token"] if data and data["loginUser"] else None

    def asked(self, email: str, password: str, query: str, variables: dict[str, Any] | None = None) -> Any:
        """What somebody gets in the pages of the organization, where nothing is refused."""
        token = self.login(email, password) or ""
        me = self.graphql(ME, token=token)["data"]["currentUser"]
        answer = self.graphql(query, variables, token, me["memberships"][0]["organization"]["id"])
        if "errors" in answer:
            raise AssertionError(answer)
        return answer["data"]

    def connect(self, email: str, password: str, code: str) -> None:
        """Connects a payment provider, whose key is kept encrypted."""
        given = {"apiKey": f"canary-{code}", "code": code, "merchantAccount": "acme", "name": code}
        self.asked(email, password, ADYEN, {"input": given})

    def connected(self, email: str, password: str) -> list[str]:
        """The payment providers by their codes, read with their keys."""
        found = self.asked(email, password, PROVIDERS)["paymentProviders"]["collection"]
        return [one["code"] for one in found]

    def rest(self, method: str, path: str, key: str, body: Any = None) -> Answer:
        return self.request(method, f"/api/v1/{path}", body, {"Authorization": f"Bearer {key}"})

    def meter(self, key: str, units: int = 1) -> dict[str, Any]:
        """Sends one event for a customer on a plan, and returns that customer's current usage of it."""
        code = f"smoke-{uuid.uuid4().hex[:8]}"
        metric = {"name": code, "code": code, "aggregation_type": "sum_agg", "field_name": "n"}
        made = self._done(self.rest("POST", "billable_metrics", key, {"billable_metric": metric}))["billable_metric"]
        charge = {"billable_metric_id": made["lago_id"], "charge_model": "standard", "properties": {"amount": "2"}}
        plan = {"name": code, "code": code, "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
        plan |= {"pay_in_advance": False, "charges": [charge]}
        self._done(self.rest("POST", "plans", key, {"plan": plan}))
        self._done(
            self.rest("POST", "customers", key, {"customer": {"external_id": code, "name": code, "currency": "EUR"}})
        )
        subscription = {"external_customer_id": code, "plan_code": code, "external_id": code}
        self._done(self.rest("POST", "subscriptions", key, {"subscription": subscription}))
        event = {"transaction_id": code, "external_subscription_id": code, "code": code, "properties": {"n": units}}
        self._done(self.rest("POST", "events", key, {"event": event}))
        usage = self._done(self.rest("GET", f"customers/{code}/current_usage?external_subscription_id={code}", key))
        return dict(usage["customer_usage"]["charges_usage"][0])

    @staticmethod
    def _done(answer: Answer) -> Any:
        if answer.status != 200:
            raise AssertionError(f"Lago answered {answer.status}: {answer.text[:500]}")
        return answer.json
