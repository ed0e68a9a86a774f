# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the test bed with a deployment on it, and the playbook as its operator runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker

from outside.lago_user import LagoUser
from testbed import containers

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "molecule"
COUNTING, STARTS = "/usr/local/bin/counting-python", "/run/module-starts"


@dataclass(frozen=True)
class Run:
    """One run of a playbook: its exit code, what it printed, and the recap's figures."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, int]:
        line = re.findall(r"^\S+\s+: (ok=.*)$", self.output, re.MULTILINE)[-1]
        return {name: int(figure) for name, figure in re.findall(r"(\w+)=(\d+)", line)}


class Deployment:
    """A server by name, and what its operator and its users can see of it."""

    def __init__(self, server: str, inventory: Path, directory: str = "/opt/lago") -> None:
        self.server = server
        self.inventory = inventory
        self.directory = directory
        self.collections = ROOT / ".cache" / "collections"
        self._container = docker.from_env().containers.get(server)

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        """Runs a playbook as the operator would; further variables go in as extra variables."""
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_FORCE_COLOR": "false",
            "PYTHONPATH": str(ROOT / "tests"),
        }
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            playbook,
            "-i",
            str(self.inventory),
            *arguments,
        ]
        if variables:
            command += ["--extra-vars", json.dumps(variables)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    def shell(self, *argv: str, check: bool = True) -> str:
        """What a command prints on the server, run as root."""
        code, text = containers.run(self.server, *argv)
        if check and code:
            raise AssertionError(f"{' '.join(argv)} on {self.server} ended with {code}:\n{text}")
        return text

    def sql(self, statement: str) -> str:
        argv = ["docker", "exec", "lago-db-1", "psql", "-U", "lago", "-d", "lago", "-Atc", statement]
        return self.shell(*argv).strip()

    def read(self, path: str) -> str:
        return self.shell("cat", path)

    def exists(self, path: str) -> bool:
        return containers.run(self.server, "test", "-e", path)[0] == 0

    def written(self) -> set[str]:
        """Paths of the server that differ from its image, but for what any login leaves."""
        noise = re.compile(
            r"/(root/\.ansible|tmp|run|var/tmp|var/log/journal|var/lib/systemd|root$|var$|var/log$|var/lib$|etc$)"
        )
        return {entry["Path"] for entry in self._container.diff() or [] if not noise.match(entry["Path"])}

    def count_starts(self) -> str:
        """Begin to count the starts of modules; returns the interpreter with which they are counted."""
        counting = f'#!/bin/sh\necho start >> {STARTS}\nexec /usr/bin/python3 "$@"\n'
        write = 'printf %s "$1" > "$2"; chmod 755 "$2"; true > "$3"'
        self.shell("sh", "-c", write, "sh", counting, COUNTING, STARTS)
        return COUNTING

    def starts(self) -> int:
        """How many modules were started with that interpreter."""
        return len(self.read(STARTS).split())

    @property
    def address(self) -> str:
        self._container.reload()
        return str(self._container.attrs["NetworkSettings"]["IPAddress"])

    @property
    def key(self) -> str:
        return str(json.loads(self.read(f"{self.directory}/api_key.json"))["api_key"])

    def user(self, url: str) -> LagoUser:
        """Somebody outside the server who trusts the deployment's root certificate."""
        CACHE.mkdir(parents=True, exist_ok=True)
        cafile = CACHE / f"{self.server}.crt"
        cafile.write_text(self.read(f"{self.directory}/ca.crt"))
        return LagoUser(url, connect_to=self.address, cafile=str(cafile))


def password(name: str) -> str:
    """The administrator's password of a scenario, as its inventory made it."""
    return (CACHE / f"{name}.password").read_text().split()[0] + "aA1!"
