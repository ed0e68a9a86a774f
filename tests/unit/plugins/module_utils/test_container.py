# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program runs for real, in Ruby, behind an executable that only looks like docker."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _http
from ansible_collections.selfhosted.lago.plugins.module_utils._container import ContainerTransport
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

CANARY = "canary-4711"
needs_ruby = pytest.mark.skipif(shutil.which("ruby") is None, reason="there is no ruby here")


@pytest.fixture(autouse=True)
def quick() -> t.Iterator[list[float]]:
    waits: list[float] = []
    with mock.patch.object(_http.time, "sleep", waits.append):
        yield waits


class Docker:
    """Runs commands with a C(docker) of the test's own in front of the path."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.commands: list[list[str]] = []
        self.inputs: list[str] = []
        self.script('shift 3; exec "$@"')

    def script(self, text: str) -> None:
        docker = self.place / "docker"
        docker.write_text(f"#!/bin/sh\n{text}\n")
        docker.chmod(0o755)

    def __call__(self, command: list[str], data: str) -> tuple[int, str, str]:
        self.commands.append(command)
        self.inputs.append(data)
        environment = dict(os.environ, PATH=f"{self.place}:{os.environ['PATH']}", http_proxy="http://127.0.0.1:1")
        done = subprocess.run(command, input=data, capture_output=True, text=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def failure(transport: ContainerTransport, **kwargs: t.Any) -> LagoError:
    with pytest.raises(LagoError) as caught:
        transport.send("POST", "/x", **kwargs)
    return caught.value


@needs_ruby
def test_sends_what_it_is_given(docker: Docker, serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(422, '{"a": "é"}'.encode(), {"X-Lago-Token": "t"})
    transport = ContainerTransport("lago-register", docker, f"http://127.0.0.1:{server.port}/base")
    body = ('{"password": "' + CANARY + ' ö"}').encode()
    response = transport.send("POST", "/graphql", {"Authorization": f"Bearer {CANARY}", "Content-Type": "a/b"}, body)
    assert (response.status, response.json, response.headers["x-lago-token"]) == (422, {"a": "é"}, "t")
    method, path, headers, sent = server.seen[0]
    assert (method, path, sent) == ("POST", "/base/graphql", body)
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["authorization"] == f"Bearer {CANARY}" and headers["content-type"] == "a/b"
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert docker.commands[0][4:8] == ["docker", "exec", "-i", "lago-register"]
    assert CANARY not in " ".join(docker.commands[0])


@needs_ruby
def test_reads_without_a_body(docker: Docker, serve: t.Any) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(200, b"[1]")
    assert ContainerTransport("c", docker, f"http://127.0.0.1:{server.port}").send("GET", "/health").json == [1]
    assert server.seen[0][0] == "GET"


@needs_ruby
def test_refused_connections_are_retried(docker: Docker, closed_port: int, quick: list[float]) -> None:
    error = failure(ContainerTransport("c", docker, f"http://127.0.0.1:{closed_port}", retries=1), safe=False)
    assert error.code == "unreachable" and "container c" in error.message and error.details["refused"] is True
    assert len(quick) == 1


@needs_ruby
@pytest.mark.parametrize(("safe", "sent"), [(True, 2), (False, 1)])
def test_after_a_hang_up_only_safe_requests_are_repeated(docker: Docker, serve: t.Any, safe: bool, sent: int) -> None:
    server = serve()
    server.script = lambda handler, body: handler.connection.shutdown(2)
    error = failure(ContainerTransport("c", docker, f"http://127.0.0.1:{server.port}", retries=1), safe=safe)
    assert error.code == "no_answer" and len(server.seen) == sent


@needs_ruby
def test_a_timeout_is_not_repeated(docker: Docker, serve: t.Any) -> None:
    server, over = serve(), threading.Event()
    server.script = lambda handler, body: over.wait(10)
    error = failure(ContainerTransport("c", docker, f"http://127.0.0.1:{server.port}", timeout=1))
    over.set()
    assert error.code == "no_answer" and error.details["hung_up"] is False and len(server.seen) == 1


@needs_ruby
@pytest.mark.parametrize(("safe", "sent"), [(True, 2), (False, 1)])
def test_503(docker: Docker, serve: t.Any, safe: bool, sent: int) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(503)
    transport = ContainerTransport("c", docker, f"http://127.0.0.1:{server.port}", retries=1)
    assert transport.send("POST", "/", safe=safe).status == 503 and len(server.seen) == sent


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ('echo "Error: No such container: c" >&2; exit 1', "container_not_running"),
        ('echo "Error response from daemon: No such container: c" >&2; exit 1', "container_not_running"),
        ('echo "Error response from daemon: Container 0af is not running" >&2; exit 1', "container_not_running"),
        (
            'echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock." >&2; exit 1',
            "container_not_running",
        ),
        ("echo \"timeout: failed to run command 'docker': No such file\" >&2; exit 127", "container_not_running"),
        ('echo "Got permission denied while trying to connect" >&2; exit 1', "container_unusable"),
        ('echo "exec: \\"ruby\\": executable file not found in \\$PATH" >&2; exit 127', "container_unusable"),
        ("exit 126", "container_unusable"),
        ('echo "OCI runtime exec failed: exec: \\"ruby\\": executable file not found"; exit 127', "container_unusable"),
        ("exit 137", "no_answer"),
    ],
)
def test_what_docker_says(docker: Docker, script: str, code: str) -> None:
    docker.script(script)
    transport = ContainerTransport("c", docker, "http://127.0.0.1:3000", retries=1)
    error = failure(transport, safe=False)
    assert error.code == code and "container c" in error.message and len(docker.commands) == 1


def test_a_request_that_docker_did_not_even_begin_is_made_again(docker: Docker, quick: list[float]) -> None:
    docker.script(
        'echo "OCI runtime exec failed: exec failed: waiting for init: read init-p: connection reset"; exit 126'
    )
    error = failure(ContainerTransport("c", docker, "http://127.0.0.1:3000", retries=2), safe=False)
    assert error.code == "unreachable" and "container c" in error.message and len(docker.commands) == 3


def test_a_docker_that_hangs(docker: Docker) -> None:
    docker.script("exec sleep 60")
    transport = ContainerTransport("c", docker, "http://127.0.0.1:3000", timeout=-14)
    error = failure(transport)
    assert error.code == "no_answer" and error.details == {"hung_up": False, "exit_status": 124}


def test_plain_http_only(docker: Docker) -> None:
    with pytest.raises(LagoError) as caught:
        ContainerTransport("c", docker, "https://127.0.0.1:3000")
    assert caught.value.code == "invalid_url"
