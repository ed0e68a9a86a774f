# SPDX-License-Identifier: GPL-3.0-or-later
"""What the test bed promises of itself: built once, named by content, served as pushed, servers that run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from docker.errors import ContainerError

from testbed import bed, containers, engine, images, registry, servers
from testbed.settings import TestbedError

SERVER = "testbed-selftest"


@pytest.fixture(scope="module", autouse=True)
def testbed() -> dict[str, Any]:
    """The whole test bed, up."""
    return bed.up()


@pytest.fixture(scope="module")
def server(testbed: dict[str, Any]) -> Iterator[servers.Server]:
    """A server with Docker, removed afterwards."""
    yield servers.create(SERVER, image="docker", publish=("127.0.0.1:18999:8999",))
    servers.remove(SERVER)


def run(*command: str) -> str:
    """Run a command on the server and return what it printed."""
    code, output = engine.client().containers.get(SERVER).exec_run(list(command))
    assert code == 0, output.decode()
    return str(output.decode().strip())


def test_a_second_up_makes_nothing(testbed: dict[str, Any]) -> None:
    again = bed.up()
    assert (again["last_up"]["built"], again["last_up"]["pushed"]) == ([], [])
    assert again["images"] == testbed["images"]
    assert again["missing"] == []


def test_an_image_is_known_by_its_content(tmp_path: Path) -> None:
    real = images.REAL[0]
    context = tmp_path / "context"
    shutil.copytree(real.context, context)
    copy = images.Image(real.name, context, real.parents, published=real.published)
    assert images.fingerprint(copy) == images.fingerprint(real)
    script = context / "entrypoint.sh"
    script.chmod(0o644)
    not_executable = images.fingerprint(copy)
    script.write_text("#!/bin/sh\n")
    changed = images.fingerprint(copy)
    other = images.Image(real.name, context, real.parents, {"LAGO_VERSION": "v1.51.0"})
    assert len({images.fingerprint(real), not_executable, changed, images.fingerprint(other)}) == 4


def test_a_failed_build_shows_its_log(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM testbed/debian:13\nRUN echo the reason >&2 && false\n")
    with pytest.raises(TestbedError, match="the reason"):
        images.build(images.Image("broken", tmp_path, ("testbed/debian:13",)))


@pytest.mark.parametrize(("said", "expected"), [("hub", "hub"), ("stand-ins", "stand-ins")])
def test_where_images_come_from_can_be_said(said: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTBED_IMAGES_FROM", said)
    assert registry.images_from() == expected


def test_another_origin_of_images_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESTBED_IMAGES_FROM", "elsewhere")
    with pytest.raises(TestbedError, match="elsewhere"):
        registry.images_from()


def test_a_foreign_container_is_left_alone() -> None:
    foreign = engine.client().containers.create("testbed/debian:13", name="testbed-foreign")
    try:
        with pytest.raises(TestbedError, match="left alone"):
            servers.remove("testbed-foreign")
    finally:
        foreign.remove()


def test_a_server_runs_without_a_failed_unit(server: servers.Server) -> None:
    assert run("systemctl", "is-system-running") == "running"
    assert run("cat", "/proc/1/comm") == "systemd"
    assert server.ports == ("127.0.0.1:18999:8999",)
    assert server.address in run("ip", "-4", "addr", "show", "eth0")


def test_creating_a_server_again_keeps_it(server: servers.Server) -> None:
    before = run("cat", "/proc/sys/kernel/random/boot_id"), engine.client().containers.get(SERVER).id
    assert servers.create(SERVER, image="docker") == server
    assert (run("cat", "/proc/sys/kernel/random/boot_id"), engine.client().containers.get(SERVER).id) == before


def test_a_server_of_another_kind_is_not_taken_for_it(server: servers.Server) -> None:
    with pytest.raises(TestbedError, match="docker"):
        servers.create(SERVER, image="bare")


def test_a_server_pulls_true_names_by_the_digest_that_status_tells(
    server: servers.Server, testbed: dict[str, Any]
) -> None:
    if testbed["images_from"] == "hub":
        pytest.skip("the mirror is there where Docker Hub is not")
    run("docker", "pull", "--quiet", "redis:7-alpine")
    pulled = run("docker", "image", "inspect", "--format", "{{index .RepoDigests 0}}", "redis:7-alpine")
    assert pulled == f"redis@{testbed['images']['redis:7-alpine']['digest']}"


def test_the_proxy_starts_only_with_its_capability() -> None:
    hardened = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "remove": True}
    run = engine.client().containers.run
    with pytest.raises(ContainerError, match="operation not permitted"):
        run("testbed/proxy:latest", ["caddy", "version"], **hardened)
    assert run("testbed/proxy:latest", ["caddy", "version"], cap_add=["NET_BIND_SERVICE"], **hardened)


def test_the_repositories_are_laid_out_like_the_originals(testbed: dict[str, Any]) -> None:
    urls = testbed["repositories"]
    assert requests.get(f"{urls['docker_debian']}/gpg", timeout=5).text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK")
    release = requests.get(f"{urls['docker_debian']}/dists/trixie/InRelease", timeout=5).text
    assert "stable/binary-" in release and "BEGIN PGP SIGNATURE" in release
    refs = requests.get(f"{urls['git']}/info/refs?service=git-upload-pack", timeout=5).text
    assert "refs/tags/v1.50.0" in refs and "refs/tags/v1.51.0" in refs


def test_a_removed_server_leaves_no_volume() -> None:
    name = "testbed-selftest-gone"
    servers.create(name)
    container = containers.find(name)
    assert container is not None
    volumes = [mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"]
    assert len(volumes) == 1
    assert servers.remove(name)
    assert not servers.remove(name)
    assert volumes[0] not in [volume.name for volume in engine.client().volumes.list()]
