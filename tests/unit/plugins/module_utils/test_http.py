# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _http
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._http import HttpTransport


@pytest.fixture(autouse=True)
def quick() -> t.Iterator[list[float]]:
    """Do not wait between attempts, but remember how long one would have."""
    waits: list[float] = []
    with mock.patch.object(_http.time, "sleep", waits.append):
        yield waits


def failure(transport: HttpTransport, *args: t.Any, **kwargs: t.Any) -> LagoError:
    with pytest.raises(LagoError) as caught:
        transport.send(*(args or ("GET", "/x")), **kwargs)
    return caught.value


def test_sends_what_it_is_given(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(201, b'{"a": "\xc3\xa9"}', {"X-Lago-Token": "t"})
    transport = HttpTransport(f"http://127.0.0.1:{server.port}/base/")
    response = transport.send("POST", "/graphql", {"Authorization": "Bearer k"}, b'{"q": 1}')
    assert (response.status, response.json, response.headers["x-lago-token"]) == (201, {"a": "é"}, "t")
    assert response.text == '{"a": "é"}'
    method, path, headers, body = server.seen[0]
    assert (method, path, body) == ("POST", "/base/graphql", b'{"q": 1}')
    assert headers["Authorization"] == "Bearer k" and headers["Host"] == f"127.0.0.1:{server.port}"


def test_a_status_is_no_exception_and_no_json_is_none(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(404, b"<html>")
    response = HttpTransport(f"http://127.0.0.1:{server.port}").send("GET", "/x")
    assert response.status == 404 and response.json is None


def test_usual_ports_are_not_in_the_host_header(serve: t.Any) -> None:
    server = serve()
    HttpTransport("http://lago.example.test", connect_to=f"127.0.0.1:{server.port}").send("GET", "/")
    HttpTransport("http://[::1]:80", connect_to=f"127.0.0.1:{server.port}").send("GET", "/")
    assert [seen[2]["Host"] for seen in server.seen] == ["lago.example.test", "[::1]"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_safe_requests_are_repeated_while_a_proxy_waits(serve: t.Any, quick: list[float], status: int) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(status if len(server.seen) < 3 else 200)
    assert HttpTransport(f"http://127.0.0.1:{server.port}").send("GET", "/").status == 200
    assert len(server.seen) == 3 and len(quick) == 2 and quick[1] > quick[0] * 1.1


def test_the_last_answer_counts(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(503)
    assert HttpTransport(f"http://127.0.0.1:{server.port}", retries=2).send("GET", "/").status == 503
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_mutation_is_never_repeated_once_sent(serve: t.Any, status: int) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(status)
    assert HttpTransport(f"http://127.0.0.1:{server.port}").send("POST", "/", safe=False).status == status
    assert len(server.seen) == 1


def test_500_is_never_repeated(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(500)
    assert HttpTransport(f"http://127.0.0.1:{server.port}").send("GET", "/").status == 500
    assert len(server.seen) == 1


@pytest.mark.parametrize("safe", [True, False])
def test_refused_connections_are_retried(closed_port: int, quick: list[float], safe: bool) -> None:
    error = failure(HttpTransport(f"http://127.0.0.1:{closed_port}", retries=2), "POST", "/", safe=safe)
    assert error.code == "unreachable" and error.details["refused"] is True
    assert "api_url" in error.message and len(quick) == 2


def test_a_server_that_starts_meanwhile_is_met(serve: t.Any) -> None:
    server = serve()
    transport = HttpTransport(f"http://127.0.0.1:{server.port}")
    real, calls = socket.create_connection, []

    def refuse_once(*args: t.Any) -> socket.socket:
        calls.append(args)
        if len(calls) == 1:
            raise ConnectionRefusedError(111, "Connection refused")
        return real(*args)

    with mock.patch.object(_http.socket, "create_connection", refuse_once):
        assert transport.send("POST", "/", safe=False).status == 200
    assert len(calls) == 2 and len(server.seen) == 1


def hang_up(handler: t.Any, body: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(("safe", "sent"), [(True, 3), (False, 1)])
def test_after_a_hang_up_only_safe_requests_are_repeated(serve: t.Any, safe: bool, sent: int) -> None:
    server = serve()
    server.script = hang_up
    error = failure(HttpTransport(f"http://127.0.0.1:{server.port}", retries=2), "POST", "/", safe=safe)
    assert error.code == "no_answer" and len(server.seen) == sent


def test_a_timeout_is_not_repeated(serve: t.Any, quick: list[float]) -> None:
    server, over = serve(), threading.Event()
    server.script = lambda handler, body: over.wait(10)
    error = failure(HttpTransport(f"http://127.0.0.1:{server.port}", timeout=0.2))
    over.set()
    assert error.code == "no_answer" and "0.2 s" in error.message and len(server.seen) == 1 and quick == []


def test_a_dripping_answer_ends(serve: t.Any) -> None:
    server, over = serve(), threading.Event()

    def drip(handler: t.Any, body: bytes) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not over.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    server.script = drip
    error = failure(HttpTransport(f"http://127.0.0.1:{server.port}", timeout=0.2))
    over.set()  # until here it would have dripped on for ever
    assert error.code == "no_answer"


def test_an_endless_answer_ends(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(200, b"x" * 2000)
    with mock.patch.object(_http, "LARGEST_ANSWER", 1000):
        assert failure(HttpTransport(f"http://127.0.0.1:{server.port}")).code == "not_lago"


def test_a_cut_answer_is_none(serve: t.Any) -> None:
    server = serve()

    def cut(handler: t.Any, body: bytes) -> None:
        handler.answer(200, b"{", {"Content-Length": "5"})
        handler.close_connection = True
        handler.connection.shutdown(socket.SHUT_RDWR)

    server.script = cut
    error = failure(HttpTransport(f"http://127.0.0.1:{server.port}"), "POST", "/", safe=False)
    assert error.code == "no_answer" and len(server.seen) == 1


def test_chunks_are_joined(serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(
        200, b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked"}
    )
    assert HttpTransport(f"http://127.0.0.1:{server.port}").send("GET", "/").json == [1, 2]


def raw_server(answer: bytes) -> int:
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with listener:
            sock, _address = listener.accept()
            with sock:
                sock.recv(65536)
                sock.sendall(answer)

    threading.Thread(target=run, daemon=True).start()
    return int(listener.getsockname()[1])


def test_what_speaks_no_http(serve: t.Any) -> None:
    port = raw_server(b"SSH-2.0-OpenSSH_9.2\r\n")
    assert failure(HttpTransport(f"http://127.0.0.1:{port}")).code == "not_lago"


def test_other_network_errors(serve: t.Any) -> None:
    transport = HttpTransport(f"http://127.0.0.1:{serve().port}", retries=0)
    with mock.patch.object(_http.http.client.HTTPConnection, "getresponse", side_effect=OSError(113, "No route")):
        error = failure(transport)
    assert error.code == "no_answer" and "No route" in error.message


def test_an_impossible_header_is_not_told() -> None:
    port = raw_server(b"")
    error = failure(HttpTransport(f"http://127.0.0.1:{port}"), "GET", "/", {"Authorization": "Bearer secret\nx"})
    assert error.code == "invalid_request" and "secret" not in error.message
    assert error.__cause__ is None and error.__suppress_context__


def test_unknown_hosts() -> None:
    with mock.patch.object(
        _http.socket, "create_connection", side_effect=socket.gaierror(-2, "Name or service not known")
    ):
        error = failure(HttpTransport("http://lago.invalid"))
    assert error.code == "unreachable" and "Name or service not known" in error.message
    assert error.details["refused"] is False
    assert failure(HttpTransport(f"http://{'x' * 70}.example.test")).code == "unreachable"


def test_connections_that_take_too_long() -> None:
    with mock.patch.object(_http.socket, "create_connection", side_effect=TimeoutError()) as connect:
        error = failure(HttpTransport("http://192.0.2.1", timeout=7))
    assert error.code == "unreachable" and error.details["reason"] == "timed out"
    connect.assert_called_once_with(("192.0.2.1", 80), 7)


class TestTls:
    def test_trusted_by_ca_path_under_another_address(self, serve: t.Any, authority: t.Any) -> None:
        server = serve(authority.context)
        transport = HttpTransport(
            "https://lago.example.test", connect_to=f"127.0.0.1:{server.port}", ca_path=str(authority.ca)
        )
        assert transport.send("GET", "/").status == 200
        assert server.seen[0][2]["Host"] == "lago.example.test"

    def test_unknown_authority(self, serve: t.Any, authority: t.Any) -> None:
        server = serve(authority.context)
        error = failure(HttpTransport("https://lago.example.test", connect_to=f"127.0.0.1:{server.port}"))
        assert error.code == "tls_not_trusted" and "ca_path" in error.message and server.seen == []

    def test_wrong_name(self, serve: t.Any, authority: t.Any) -> None:
        server = serve(authority.context)
        error = failure(
            HttpTransport("https://other.test", connect_to=f"127.0.0.1:{server.port}", ca_path=str(authority.ca))
        )
        assert error.code == "tls_not_trusted" and "other.test" in error.message

    def test_not_validated_when_told_so(self, serve: t.Any, authority: t.Any) -> None:
        server = serve(authority.context)
        transport = HttpTransport(f"https://127.0.0.1:{server.port}", validate_certs=False)
        assert transport.send("GET", "/").status == 200

    def test_no_tls_there(self, serve: t.Any) -> None:
        error = failure(HttpTransport(f"https://127.0.0.1:{serve().port}", timeout=2))
        assert error.code == "tls_failed" and "api_url" in error.message

    def test_http_to_a_tls_port(self, serve: t.Any, authority: t.Any) -> None:
        error = failure(HttpTransport(f"http://127.0.0.1:{serve(authority.context).port}", timeout=2, retries=0))
        assert error.code in ("no_answer", "not_lago")

    def test_unusable_ca_path(self, tmp_path: Path) -> None:
        with pytest.raises(LagoError, match="No such file") as caught:
            HttpTransport("https://x.test", ca_path=str(tmp_path / "missing.pem"))
        assert caught.value.code == "ca_path_unusable"
        (tmp_path / "empty.pem").write_text("no certificate")
        with pytest.raises(LagoError, match="no PEM certificate"):
            HttpTransport("https://x.test", ca_path=str(tmp_path / "empty.pem"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "lago.example.com",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://u:p@x",
        "http://x/?a=1",
        "http://x/#f",
        "http://[",
    ],
)
def test_impossible_urls(url: str) -> None:
    with pytest.raises(LagoError) as caught:
        HttpTransport(url, option="front_url")
    assert caught.value.code == "invalid_url" and "front_url" in caught.value.message


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://Lago.example.com", ("https", "lago.example.com", 443, "")),
        ("http://x:8080/api/", ("http", "x", 8080, "/api")),
        ("http://[::1]:3000", ("http", "::1", 3000, "")),
    ],
)
def test_urls(url: str, parts: tuple[str, str, int, str]) -> None:
    assert _http.split_url(url) == parts


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("10.0.0.1", ("10.0.0.1", 443)),
        ("server:8443", ("server", 8443)),
        ("::1", ("::1", 443)),
        ("[::1]", ("::1", 443)),
        ("[::1]:8443", ("::1", 8443)),
    ],
)
def test_addresses(address: str, parts: tuple[str, int]) -> None:
    assert _http.split_address(address, 443) == parts


@pytest.mark.parametrize("address", [":80", "x:", "x:y", "[::1]x", "[::1]80"])
def test_impossible_addresses(address: str) -> None:
    with pytest.raises(LagoError) as caught:
        _http.split_address(address, 443)
    assert caught.value.code == "invalid_address"
