# SPDX-License-Identifier: GPL-3.0-or-later
"""One server for all stories, and the Lago that was on it before."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

import pytest

from outside.deployment import CACHE
from outside.lago_user import LagoUser
from outside.lifecycle import Lifecycle

PLACE = "/root/lago"
#: The administrator's, who registers before any run of ours; the inventory reads it too.
PASSWORD = CACHE / "adopt.password"


class Adopted(Lifecycle):
    """A server on which somebody started Lago with a compose file of upstream's kind."""

    def __init__(self) -> None:
        super().__init__("testbed-adopt", Path(__file__).parents[1], "v1.45.2")
        if not PASSWORD.exists():
            CACHE.mkdir(parents=True, exist_ok=True)
            PASSWORD.touch(mode=0o600)
            PASSWORD.write_text(secrets.token_hex(12))
        self.variables |= {"lago_telemetry": True, "lago_adopt_project": "lago", "lago_adopt_changes": ["lago_domain"]}

    def put(self, path: str, text: str) -> None:
        command = ["docker", "exec", "-i", self.server, "sh", "-c", 'umask 077; cat > "$0"', path]
        subprocess.run(command, input=text.encode(), check=True)

    def upstream(self, *arguments: str) -> str:
        """Compose, in the folder where it was started from."""
        return self.shell("sh", "-c", f'cd {PLACE} && docker compose "$@"', "sh", *arguments)

    @property
    def plain(self) -> LagoUser:
        """Somebody outside, at the port that the former API had."""
        return LagoUser("http://localhost:3000", connect_to=self.address)

    def listens(self) -> set[int]:
        """The ports that can be reached from outside."""
        lines = self.shell("ss", "-ltnH").splitlines()
        places = [line.split()[3] for line in lines]
        return {int(place.rpartition(":")[2]) for place in places if not place.startswith(("127.", "[::1]"))}

    def row(self, statement: str) -> str:
        """What whichever database works says."""
        (name,) = [
            name for name in ("lago-db", "billing-db-1") if name in self.docker("ps", "--format", "{{.Names}}").split()
        ]
        return self.docker("exec", name, "psql", "-U", "lago", "-d", "lago", "-Atc", statement)


@pytest.fixture(scope="session")
def lago() -> Adopted:
    return Adopted()
