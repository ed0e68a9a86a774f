# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers: containers of Debian 13 with systemd as PID 1, on which Docker can be installed and run."""

from __future__ import annotations

import io
import json
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docker.types import Mount

from testbed import containers, images, registry
from testbed.engine import client, wait_for
from testbed.settings import LABEL, TestbedError, alone, last_up, say

IMAGES = {
    "bare": "testbed/server-bare:latest",
    "docker": "testbed/server-docker:latest",
    "services": images.EXTERNAL.alias,
}
CAP_SYS_RESOURCE = 24
SERVER_IMAGE = f"{LABEL}.server"


@dataclass(frozen=True)
class Server:
    """A server of the test bed: its container's name, its address on the bridge and what it was made from."""

    name: str
    address: str
    image: str
    status: str
    ports: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def _describe(container: Any) -> Server:
    container.reload()
    bindings = container.attrs["HostConfig"]["PortBindings"] or {}
    ports = [
        f"{entry['HostIp']}:{entry['HostPort']}:{inside.split('/')[0]}"
        for inside, entries in bindings.items()
        for entry in entries
    ]
    image = container.labels.get(SERVER_IMAGE, "")
    address = container.attrs["NetworkSettings"]["IPAddress"]
    return Server(container.name, address, image, container.status, tuple(sorted(ports)))


def _ports(publish: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    ports: dict[str, list[tuple[str, int]]] = {}
    for text in publish:
        try:
            address, outside, inside = text.rsplit(":", 2)
            ports.setdefault(f"{int(inside)}/tcp", []).append((address, int(outside)))
        except ValueError as error:
            raise TestbedError(f"--publish {text}: wanted ADDRESS:PORT:PORT, as in 127.0.0.1:8443:8443.") from error
    return ports


def _put(container: Any, path: str, content: str) -> None:
    """Write a root-owned file into the container before it starts."""
    packed, now = io.BytesIO(), int(time.time())
    with tarfile.open(fileobj=packed, mode="w") as archive:
        parent = tarfile.TarInfo(path.rsplit("/", 1)[0].lstrip("/"))
        parent.type, parent.mode, parent.mtime = tarfile.DIRTYPE, 0o755, now
        archive.addfile(parent)
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.size, entry.mode, entry.mtime = len(content.encode()), 0o644, now
        archive.addfile(entry, io.BytesIO(content.encode()))
    container.put_archive("/", packed.getvalue())


def _booted(container: Any) -> str:
    """Return systemd's word once it has one: `running`, `degraded`, `maintenance` ..."""
    container.reload()
    if container.status != "running":
        raise TestbedError(f"{container.name} ended while it booted:\n{container.logs(tail=30).decode()}")
    word = str(container.exec_run(["systemctl", "is-system-running", "--wait"]).output.decode().strip())
    return word if word in ("running", "degraded", "maintenance", "stopping") else ""


def _out_of_reach() -> list[str]:
    """Return the capability to drop from ALL: Engine 20.10 asks for it even where this machine does not have it.

    Engine 23 and newer take ALL for what there is, and refuse to drop what there is not.
    """
    status = Path("/proc/self/status").read_text()
    bounding = int(next(line for line in status.splitlines() if line.startswith("CapBnd:")).split()[1], 16)
    there = bool(bounding >> CAP_SYS_RESOURCE & 1)
    older = int(client().version()["Version"].split(".")[0]) < 23
    return ["SYS_RESOURCE"] if there or older else []


def _make(name: str, image: str, ports: dict[str, list[tuple[str, int]]]) -> Any:
    """Create the container with what systemd and an engine inside it need, short of --privileged.

    That one fails where CAP_SYS_RESOURCE is out of reach. The two empty lists are what the command line's
    `--security-opt systempaths=unconfined` stands for.
    """
    api = client().api
    host = api.create_host_config(
        cap_add=["ALL"],
        cap_drop=_out_of_reach(),
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        binds=["/sys/fs/cgroup:/sys/fs/cgroup:rw"],
        tmpfs={"/run": "", "/run/lock": ""},
        mounts=[Mount(target="/var/lib/docker", source=None, type="volume")],
        port_bindings=ports,
    )
    host |= {"CgroupnsMode": "host", "MaskedPaths": [], "ReadonlyPaths": []}
    made = api.create_container(
        IMAGES[image],
        name=name,
        hostname=name,
        labels={**containers.labels("server"), SERVER_IMAGE: image},
        ports=[(int(inside.split("/")[0]), "tcp") for inside in ports],
        stop_signal="SIGRTMIN+3",
        host_config=host,
    )
    return client().containers.get(made["Id"])


def create(name: str, image: str = "bare", publish: tuple[str, ...] = (), mirrored: bool | None = None) -> Server:
    """Make a server and return it once its systemd says `running`; one of this name that is there is kept.

    `image` is "bare" (nothing of Docker), "docker" (Engine, Compose and Git installed) or "services" (databases and all
    else that Lago can be connected to; built here where it is missing). `publish` are texts as in 127.0.0.1:8443:8443.
    `mirrored` (for "docker") lets its engine pull through the test bed's registry; by default
    it does where the last `up` found no Docker Hub.
    """
    if image not in IMAGES:
        raise TestbedError(f"There is no server image {image!r}: {', '.join(IMAGES)}.")
    container = containers.find(name)
    if container is not None and container.labels.get(SERVER_IMAGE) != image:
        there = container.labels.get(SERVER_IMAGE) or "something else"
        raise TestbedError(f"{name} is there and was made from {there}, not {image}: remove it first.")
    if image == "services":
        with alone():
            images.build(images.EXTERNAL)
    if container is None:
        container = _make(name, image, _ports(publish))
        if mirrored is None:
            mirrored = last_up().get("images_from") == "stand-ins"
        if image == "docker" and mirrored:
            _put(container, "/etc/docker/daemon.json", json.dumps({"registry-mirrors": [registry.mirror()]}) + "\n")
    if container.status != "running":
        container.start()
    word = wait_for(f"systemd in {name}", lambda: _booted(container), 90)
    if word != "running":
        failed = container.exec_run(["systemctl", "list-units", "--failed", "--no-legend", "--plain"]).output.decode()
        raise TestbedError(f"{name} booted, but systemd says {word}:\n{failed}")
    return _describe(container)


def remove(name: str) -> bool:
    """Remove a server with all it holds; return whether there was one."""
    gone = containers.remove(name)
    say(f"{name} is removed" if gone else f"there is no server {name}")
    return gone


def servers() -> list[Server]:
    """Return the test bed's servers, running or not."""
    return [_describe(container) for container in containers.all_of("server")]
