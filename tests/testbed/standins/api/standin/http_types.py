# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes in and what goes out over HTTP, and the answers that all paths share."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

from standin.failures import RubyError

JSON = "application/json; charset=utf-8"
FAILURE_JSON = "application/json; charset=UTF-8"  # from another layer of Rails, which writes it in capitals
_PROXIES = [
    ipaddress.ip_network(network)
    for network in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_proxy(address: str) -> bool:
    return not address or any(ipaddress.ip_address(address) in network for network in _PROXIES)


@dataclass(frozen=True)
class Request:
    """A request: the path as it came, header names in lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    @property
    def client(self) -> str:
        """Who asks, as Rails has it: private addresses are proxies, and the nearest other one is the client.
        Where all are private, it is the one that is furthest away."""
        hops = [hop.strip() for hop in self.headers.get("x-forwarded-for", "").split(",")]
        addresses = [hop for hop in reversed(hops) if _is_address(hop)]
        strangers = [address for address in [*addresses, self.peer] if not _is_proxy(address)]
        return (strangers or addresses[-1:] or [self.peer])[0]

    @property
    def bearer(self) -> str:
        """What stands after `Bearer` in the Authorization header, or nothing."""
        kind, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if kind.lower() == "bearer" else ""

    def json(self) -> Any:
        """:raises RubyError: answered 400, when the body is no JSON."""
        try:
            return json.loads(self.body) if self.body.strip() else {}
        except ValueError as error:
            raise RubyError(
                "ActionDispatch::Http::Parameters::ParseError", "the body is no JSON", status=400
            ) from error


@dataclass(frozen=True)
class Response:
    status: int
    body: Any = None
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


def no_route() -> Response:
    return Response(404, {"status": 404, "error": "Not Found", "code": "resource_not_found"})


def failed(error: Exception) -> Response:
    """The page for what nobody caught."""
    status = error.status if isinstance(error, RubyError) else 500
    if status == 404:
        return no_route()
    title = "Bad Request" if status == 400 else "Internal Server Error"
    return Response(status, {"status": status, "error": title}, FAILURE_JSON)
