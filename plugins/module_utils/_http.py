# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""One HTTP request and its answer.

Core's C(ansible.module_utils.urls) is not used, for two things that it cannot tell or do: whether a failed request had
been sent at all (a registration that may have happened must never be repeated), and to connect to another address than
the URL's host while certificate and C(Host) stay those of the URL. Proxies named by the environment are not used.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import ssl
import time
import typing as t
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

LARGEST_ANSWER = 8 * 1024 * 1024
PASSING = frozenset((502, 503, 504))


class Response:
    """An answer. That its status is an error is no exception: the caller may know a way on."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """:param headers: by their names in lower case."""
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> t.Any:
        """The body as data, None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Transport(t.Protocol):
    """What carries a request to a Lago API."""

    url: str
    retries: int

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        safe: bool = True,
    ) -> Response:
        """Send one request.

        :param path: appended to the transport's URL.
        :param safe: whether nothing is lost when the request is carried out twice.
        :returns: the answer, whatever its status.
        :raises LagoError: C(unreachable) when nothing was sent, C(no_answer) when it was but the answer is missing.
        """
        ...  # pylint: disable=unnecessary-ellipsis


def split_url(url: str, option: str = "api_url") -> tuple[str, str, int, str]:
    """Take a URL apart.

    :returns: scheme, host, port and path (without a slash at its end).
    :raises LagoError: C(invalid_url), naming I(option).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise LagoError(
            f"{option} must be like https://lago.example.com, without user, query and fragment.", "invalid_url"
        )
    return parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")


def split_address(address: str, port: int) -> tuple[str, int]:
    """Take C(host), C(host:port), C([v6]) or C([v6]:port) apart; I(port) stands in for one that is not given."""
    host, rest = address, ""
    if address.startswith("["):
        host, _bracket, rest = address[1:].partition("]")
    elif address.count(":") == 1:
        host, _colon, rest = address.partition(":")
        rest = ":" + rest
    if not host or (rest and not (rest[0] == ":" and rest[1:].isdigit())):
        raise LagoError("connect_to must be an address, for instance 127.0.0.1 or 127.0.0.1:8443.", "invalid_address")
    return host, int(rest[1:]) if rest else port


def repeat(once: t.Callable[[], Response], retries: int, safe: bool) -> Response:
    """Call I(once), and again with growing pauses where that does no harm.

    That is after a refused connection, because nothing was sent, and for I(safe) requests also when a proxy missed its
    server or the server hung up. Never after a time-out: what took long once takes long again.
    """
    attempt = 0
    while True:
        last = attempt >= retries
        try:
            response = once()
            if last or not safe or response.status not in PASSING:
                return response
        except LagoError as error:
            again = error.details.get("refused") or (safe and error.details.get("hung_up"))
            if last or not again:
                raise
        time.sleep(min(4.0, 0.25 * 2.0**attempt) * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
        attempt += 1


class HttpTransport:
    """Sends requests over the network."""

    def __init__(
        self,
        url: str,
        connect_to: str | None = None,
        validate_certs: bool = True,
        ca_path: str | None = None,
        timeout: float = 30,
        retries: int = 3,
        option: str = "api_url",
    ) -> None:
        """:raises LagoError: when the URL, the address or the file of the CA cannot be used."""
        self.url = url.rstrip("/")
        self.option = option
        self.scheme, self.host, self.port, self.base = split_url(url, option)
        self.address = split_address(connect_to, self.port) if connect_to else (self.host, self.port)
        self.timeout = timeout
        self.retries = retries
        self._context = _context(validate_certs, ca_path) if self.scheme == "https" else None

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        safe: bool = True,
    ) -> Response:
        """See L(Transport.send)."""
        return repeat(lambda: self._send_once(method, path, headers or {}, body), self.retries, safe)

    def _send_once(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> Response:
        deadline = time.monotonic() + 2 * self.timeout
        sock = self._connect()
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = sock  # never connects by itself, so that it is known what failed
        usual = self.port == (443 if self.scheme == "https" else 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        given = {"Host": host if usual else f"{host}:{self.port}", "Connection": "close", **headers}
        try:
            connection.request(method, self.base + path, body=body, headers=given)
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, names, _read(response, deadline))
        except (ValueError, UnicodeError):
            # The text of this exception holds the header, which may be a key.
            raise LagoError(
                "The request cannot be sent: a key, token or path holds an impossible character.", "invalid_request"
            ) from None
        except (TimeoutError, socket.timeout):
            raise self._no_answer(f"within {self.timeout} s", False) from None
        except (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionError, ssl.SSLError):
            raise self._no_answer("because the connection was closed", True) from None
        except http.client.HTTPException as error:
            raise LagoError(
                f"What answers at {self.url} does not speak HTTP: is {self.option} the address of Lago?",
                "not_lago",
                details={"reason": type(error).__name__},
            ) from None
        except OSError as error:
            raise self._no_answer(f"({error.strerror or type(error).__name__})", True) from None
        finally:
            connection.close()

    def _no_answer(self, why: str, hung_up: bool) -> LagoError:
        return LagoError(
            f"{self.url} took the request but did not answer {why}: look at the API's log, or raise timeout.",
            "no_answer",
            details={"hung_up": hung_up},
        )

    def _connect(self) -> socket.socket:
        name = ":".join(map(str, self.address))
        try:
            sock = socket.create_connection(self.address, self.timeout)
        except (OSError, UnicodeError) as error:
            slow = isinstance(error, (TimeoutError, socket.timeout))
            reason = "timed out" if slow else getattr(error, "strerror", None) or "no such host"
            raise LagoError(
                f"{self.url} cannot be reached at {name} ({reason}): is Lago running, and are {self.option} and"
                " connect_to right?",
                "unreachable",
                details={"address": name, "reason": reason, "refused": isinstance(error, ConnectionRefusedError)},
            ) from None
        if self._context is None:
            return sock
        try:
            return self._context.wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise LagoError(
                f"The certificate of {self.host} at {name} is not trusted ({error.verify_message}): set ca_path"
                " to the file"
                " of the CA that signed it, or correct the host name.",
                "tls_not_trusted",
                details={"reason": error.verify_message, "address": name},
            ) from None
        except OSError as error:  # ssl.SSLError is one
            sock.close()
            reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
            raise LagoError(
                f"No TLS connection to {self.host} at {name} ({reason}): is {self.option} https where only http"
                " is spoken,"
                " or is its host name not one that the server has a certificate for?",
                "tls_failed",
                details={"reason": str(reason), "address": name},
            ) from None


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read a body, but neither without end nor for ever."""
    expected = response.length
    parts: list[bytes] = []
    size = 0
    while True:
        part = response.read1(65536)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            raise http.client.HTTPException
        if time.monotonic() > deadline:
            raise TimeoutError
    if expected is not None and size < expected:
        raise http.client.IncompleteRead(b"", expected - size)
    return b"".join(parts)


def _context(validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    if not validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        reason = "no PEM certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise LagoError(f"ca_path {ca_path} cannot be used: {reason}.", "ca_path_unusable") from None
