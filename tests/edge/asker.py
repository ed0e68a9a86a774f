# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who asks a proxy at an address for any host, and keeps the connection."""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def who(self) -> str:
        """Who answered: "api", "front", or "edge" for the proxy itself."""
        return self.headers.get("x-who", "edge")


class Asker(http.client.HTTPConnection):
    """:param context: what it trusts, for TLS; None for plain HTTP."""

    def __init__(self, address: str, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        super().__init__(host, port, timeout=20)
        self._address, self._context = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), timeout=20)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host) if self._context else plain

    @property
    def chosen(self) -> str | None:
        """The protocol that client and server agreed on over TLS."""
        return self.sock.selected_alpn_protocol() if isinstance(self.sock, ssl.SSLSocket) else None

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Names of headers are given with underscores."""
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        self.request(method, path, headers={"accept-encoding": "identity", **sent})
        response = self.getresponse()
        body = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
