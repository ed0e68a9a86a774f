# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole test bed: up, down and status."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from docker.errors import APIError

from testbed import containers, engine, images, registry, repositories, servers
from testbed.engine import client
from testbed.settings import LABEL, STATE, alone, last_up, say


def up() -> dict[str, Any]:
    """Make what is missing of engine, images, registry and repositories; return the status."""
    started = time.monotonic()
    with alone():
        engine.start()
        source = registry.images_from()
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(images.build_base, ("12", "13")))
        stack = images.published()
        built = images.build_all((*images.SERVICES, *stack, *images.SERVERS))
        pushed: list[str] = []
        if source == "stand-ins":
            registry.start()
            with ThreadPoolExecutor(max_workers=2) as pool:
                pushed = [name for names in pool.map(registry.push, stack) for name in names]
        repositories.start()
        took = round(time.monotonic() - started, 1)
        last = {"images_from": source, "built": built, "pushed": pushed, "seconds": took}
        STATE.write_text(json.dumps(last))
    say(f"up after {took} s: {len(built)} images built, {len(pushed)} pushed; the stack's images come from {source}")
    return status()


def down(everything: bool = False) -> None:
    """Remove servers and services. `everything` also removes volumes and images and stops our own engine."""
    if not engine.answers():
        say("no engine answers: there is nothing to remove")
        return
    with alone():
        for kind in ("server", "service"):
            for container in containers.all_of(kind):
                containers.remove(container.name)
        if everything:
            _forget()


def _forget() -> None:
    for volume in client().volumes.list(filters={"label": f"{LABEL}=1"}):
        volume.remove()
    for _ in range(10):  # children keep their parents from going: each round removes the leaves
        found = client().images.list(all=True, filters={"label": f"{LABEL}=1"})
        if not found:
            break
        for image in found:
            for tag in image.tags or [image.id]:
                _remove_image(tag)
    STATE.unlink(missing_ok=True)
    engine.stop()


def _remove_image(name: str) -> None:
    with suppress(APIError):  # a parent of another image, or already gone with its last tag
        client().images.remove(name)


def status() -> dict[str, Any]:
    """Return what is there, as data: engine, where images come from, images and digests, addresses, servers."""
    if not engine.answers():
        return {"engine": None}
    last = last_up()
    address = engine.address()
    served = {
        name: {"local": image.alias, "id": found.id, "digest": registry.digest(name)}
        for image in images.published()
        if (found := images.find(image.alias)) is not None
        for name in image.published
    }
    return {
        "engine": client().version()["Version"],
        "images_from": last.get("images_from"),
        "last_up": last,
        "registry": registry.mirror(),
        "repositories": repositories.addresses(address),
        "images": served,
        "missing": sorted(image.alias for image in images.published() if images.find(image.alias) is None),
        "servers": [server.as_dict() for server in servers.servers()],
    }
