# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that servers use as a mirror: every image of the stack under its true name."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import docker
import requests
from docker.errors import DockerException

from testbed import containers, images
from testbed.engine import address, client, http_answers, wait_for
from testbed.images import Image
from testbed.settings import REGISTRY_PORT, TestbedError, say

NAME = "testbed-registry"
LOCAL = f"127.0.0.1:{REGISTRY_PORT}"
"""Pushes go through loopback, which an engine trusts without TLS and without being configured."""

_KINDS = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)


def mirror() -> str:
    """Return the address to put into a server's `registry-mirrors`."""
    return f"http://{address()}:{REGISTRY_PORT}"


def hub_answers() -> bool:
    """Ask the engine for one image of Docker Hub, for three seconds at most."""
    try:
        api = docker.from_env(timeout=3)
        try:
            return bool(api.images.get_registry_data("redis:7-alpine").id)
        finally:
            api.close()
    except (DockerException, requests.RequestException):
        return False


def images_from() -> str:
    """Return "hub" where Docker Hub answers, else "stand-ins"; TESTBED_IMAGES_FROM decides without asking."""
    wanted = os.environ.get("TESTBED_IMAGES_FROM", "")
    if wanted not in ("", "hub", "stand-ins"):
        raise TestbedError(f"TESTBED_IMAGES_FROM is {wanted!r}; it must be hub or stand-ins.")
    return wanted or ("hub" if hub_answers() else "stand-ins")


def _repository(name: str) -> tuple[str, str]:
    repository, _, tag = name.partition(":")
    return (repository if "/" in repository else f"library/{repository}"), tag


def digest(name: str) -> str | None:
    """Return the digest under which the registry serves an image ("redis:7-alpine"), or None."""
    repository, tag = _repository(name)
    try:
        answer = requests.head(
            f"http://{LOCAL}/v2/{repository}/manifests/{tag}", headers={"Accept": _KINDS}, timeout=10
        )
    except requests.RequestException:
        return None
    return answer.headers.get("Docker-Content-Digest") if answer.ok else None


def start() -> None:
    """Run the registry; what it holds outlives it in a volume."""
    containers.volume(NAME)
    data = {NAME: {"bind": "/var/lib/testbed-registry", "mode": "rw"}}
    containers.keep_running(NAME, images.REGISTRY.alias, REGISTRY_PORT, address(), data)
    wait_for("the registry to answer", lambda: http_answers(f"http://{LOCAL}/v2/"), 30)


def push(image: Image) -> list[str]:
    """Push an image under its true names where the registry does not serve this very image; return those names."""
    found = client().images.get(image.alias)
    pushed = []
    for name in image.published:
        repository, tag = _repository(name)
        target = f"{LOCAL}/{repository}"
        served = digest(name)
        if served and f"{target}@{served}" in found.attrs["RepoDigests"]:
            continue
        started = time.monotonic()
        found.tag(target, tag)
        _check(client().images.push(target, tag=tag), name)
        say(f"pushed {name} in {time.monotonic() - started:.0f} s")
        pushed.append(name)
    return pushed


def _check(answer: Any, name: str) -> None:
    for line in str(answer).splitlines():
        error = json.loads(line).get("error")
        if error:
            raise TestbedError(f"Pushing {name} failed: {error}")
