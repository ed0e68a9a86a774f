# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed's own containers: found by label, never by guessing."""

from __future__ import annotations

import subprocess
from typing import Any, BinaryIO

from docker.errors import NotFound

from testbed.engine import answers, client
from testbed.settings import LABEL, TestbedError

KIND = f"{LABEL}.kind"


def labels(kind: str) -> dict[str, str]:
    """Return the labels of a container, volume or network of the test bed."""
    return {LABEL: "1", KIND: kind}


def all_of(kind: str) -> list[Any]:
    """Return the containers of a kind ("server", "service"), running or not."""
    return list(client().containers.list(all=True, filters={"label": [f"{LABEL}=1", f"{KIND}={kind}"]}))


def find(name: str) -> Any | None:
    """Return the test bed's container of this name, or None; refuse one that is somebody else's."""
    try:
        container = client().containers.get(name)
    except NotFound:
        return None
    if KIND not in container.labels:
        raise TestbedError(f"A container named {name} exists and is not the test bed's: it is left alone.")
    return container


def run(name: str, *argv: str) -> tuple[int, str]:
    """Run a command in a container; return its exit code and what it said.

    By the command line: docker-py loses words that come together with the head of the engine's answer.
    """
    command = ["docker", "exec", name, *argv]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode("utf-8", "replace")


def stream(name: str, file: BinaryIO, *argv: str) -> None:
    """Run a command in a container, with what it prints in a file."""
    subprocess.run(["docker", "exec", name, *argv], stdin=subprocess.DEVNULL, stdout=file, check=True)


def remove(name: str) -> bool:
    """Remove the container and its anonymous volumes; return whether there was one, which needs an engine."""
    container = find(name) if answers() else None
    if container is None:
        return False
    container.remove(force=True, v=True)
    return True


def volume(name: str) -> None:
    """Make a volume that outlives its container, unless it is there."""
    try:
        client().volumes.get(name)
    except NotFound:
        client().volumes.create(name, labels=labels("volume"))


def keep_running(name: str, image: str, port: int, address: str, volumes: dict[str, dict[str, str]]) -> bool:
    """Run a service of the test bed on loopback and on the bridge; return whether it had to be made anew.

    One that runs from the same image on the same address stays as it is.
    """
    found = find(name)
    wanted = client().images.get(image).id
    if found is not None:
        bound = {entry["HostIp"] for entries in found.attrs["HostConfig"]["PortBindings"].values() for entry in entries}
        if found.image.id == wanted and address in bound:
            if found.status != "running":
                found.start()
            return False
        remove(name)
    client().containers.run(
        image,
        name=name,
        detach=True,
        labels=labels("service"),
        ports={f"{port}/tcp": [(address, port), ("127.0.0.1", port)]},
        volumes=volumes,
    )
    return True
