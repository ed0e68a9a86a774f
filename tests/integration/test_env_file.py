# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person may choose reaches a process unchanged: through a real Compose into a real container."""

from __future__ import annotations

import io
import itertools
import random
import string
import tarfile
import typing as t

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.env import compose_literal, env_file

docker = pytest.importorskip("docker")

SERVER = "testbed-env-file"
FOLDER = "/root/env-file"
COMPOSE = """\
services:
  probe:
    image: redis:7-alpine
    entrypoint: [cat, /proc/self/environ]
    env_file: [probe.env]
"""
SPECIAL = "\\\"'$`#=:%@/ !&;{}()\n\r\t"
WORDS = [
    "it's",
    '"quoted"',
    "${HOME}",
    "$HOME",
    "$$",
    "${",
    "a b # c",
    " padded ",
    "\\n is no line feed",
    "\\\\",
    "\\0101",
    "line\nfeed\r\n",
    "naïve 😀 \u2028",
    "\ufeffmark",
    "\x01\x7f\x1b[31m",
    "",
    "x" * 10_000,
]


def values() -> list[str]:
    """Every printable character, every pair of special ones, words that bit somebody, and a few hundred mixtures."""
    chance = random.Random(20220)  # the same ones every time
    mixtures = ["".join(chance.choices(SPECIAL + "abnrtv0x1_é€", k=chance.randint(1, 24))) for dummy in range(300)]
    pairs = ["".join(pair) for pair in itertools.product(SPECIAL, repeat=2)]
    return [*string.printable, *pairs, *WORDS, *mixtures]


@pytest.fixture(scope="module")
def server() -> t.Iterator[t.Any]:
    """A server of the test bed with the distribution's Compose, 2.26: nearly the oldest that is supported."""
    try:
        client = docker.from_env()
        client.ping()
    except docker.errors.DockerException:
        pytest.skip("there is no Docker here")
    from testbed.servers import create, remove

    remove(SERVER)
    create(SERVER, "docker")
    yield client.containers.get(SERVER)
    remove(SERVER)


def put(server: t.Any, files: dict[str, str]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"{FOLDER}/{name}".lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o600
            archive.addfile(entry, io.BytesIO(text.encode()))
    assert server.put_archive("/", packed.getvalue())


def environment(server: t.Any) -> dict[str, str]:
    command = ["docker", "compose", "run", "--rm", "-T", "--quiet-pull", "probe"]
    code, (output, errors) = server.exec_run(command, workdir=FOLDER, demux=True)
    assert code == 0, (errors or b"").decode()
    return dict(entry.split("=", 1) for entry in output.decode().split("\0") if entry)


def test_every_value_reaches_the_process_unchanged(server: t.Any) -> None:
    wanted = {f"LAGO_{at}": value for at, value in enumerate(values())}
    assert len(wanted) > 500
    put(server, {"compose.yml": COMPOSE, "probe.env": env_file(wanted)})
    found = environment(server)
    assert {name: found.get(name) for name in wanted} == wanted


def test_a_literal_of_the_compose_file_is_not_interpolated(server: t.Any) -> None:
    import yaml

    wanted = {f"LAGO_{at}": value for at, value in enumerate(WORDS)}
    service = {"image": "redis:7-alpine", "entrypoint": ["cat", "/proc/self/environ"], "environment": wanted}
    put(server, {"compose.yml": yaml.safe_dump({"services": {"probe": compose_literal(service)}})})
    found = environment(server)
    assert {name: found.get(name) for name in wanted} == wanted
