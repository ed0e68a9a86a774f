# SPDX-License-Identifier: GPL-3.0-or-later
"""Two servers, one after the other the home of one deployment."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outside.deployment import Deployment, Run
from testbed import containers, servers

INVENTORY = Path(__file__).parents[1] / "inventory.yml"
URL = "https://billing.example.com"


FIRST, SECOND, STORE = "testbed-backup-first", "testbed-backup-second", "testbed-backup-store"


class Server(Deployment):
    """One of the two servers; playbooks run on it alone."""

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        return super().run("--limit", self.server, *arguments, playbook=playbook, **variables)

    def redis(self, *arguments: str) -> str:
        return self.shell("docker", "exec", "lago-redis-1", "redis-cli", *arguments).strip()

    def backups(self) -> list[str]:
        """What has a final name."""
        return self.shell("ls", "/var/backups/lago").split()

    def program(self, *arguments: str, check: bool = True) -> str:
        """What the program on the server says, without Ansible."""
        script = 'cd /opt/lago/program && python3 -B -m lago_backup "$@" 2>&1'
        return self.shell("sh", "-c", script, "sh", *arguments, check=check)

    def whole_backups(self) -> list[str]:
        return sorted(backup["name"] for backup in json.loads(self.program("list"))["backups"])

    def until(self, script: str, seconds: float = 300) -> None:
        """Wait until a script of the server's shell succeeds."""
        end = time.monotonic() + seconds
        while containers.run(self.server, "sh", "-c", script)[0]:
            assert time.monotonic() < end, f"not within {seconds} s: {script}"
            time.sleep(0.5)

    def databases(self, prefix: str) -> list[str]:
        return self.sql(f"SELECT datname FROM pg_database WHERE starts_with(datname, '{prefix}')").split()

    def rows(self, database: str, condition: str) -> int:
        argv = ["docker", "exec", "lago-db-1", "psql", "-U", "lago", "-d", database, "-Atc"]
        return int(self.shell(*argv, f"SELECT count(*) FROM events WHERE {condition}"))

    def table(self, name: str) -> str:
        """What is in a table, row by row."""
        return self.sql(f'SELECT t FROM public."{name}" t ORDER BY t::text')

    def files(self, volume: str) -> str:
        """What is in a volume, file by file: name, owner, mode and content."""
        script = (
            "cd /var/lib/docker/volumes/$0/_data && find . -printf '%P %U:%G %m %y\\n' | sort && "
            "find . -type f -print0 | sort -z | xargs -0r sha256sum"
        )
        return self.shell("sh", "-c", script, volume)


@pytest.fixture(scope="session")
def first() -> Server:
    return Server(FIRST, INVENTORY)


@pytest.fixture(scope="session")
def second() -> Server:
    return Server(SECOND, INVENTORY)


@pytest.fixture(scope="session")
def bucket() -> Iterator[dict[str, Any]]:
    """A bucket elsewhere, as variables."""
    store = Server(servers.create(STORE, image="services").name, INVENTORY)
    account = json.loads(store.read("/srv/accounts.json"))["s3"]
    yield {
        "lago_backup_s3_bucket": "lago",
        "lago_backup_s3_endpoint": f"http://{store.address}:9000",
        "lago_backup_s3_access_key_id": account["user"],
        "lago_backup_s3_secret_access_key": account["password"],
    }
    servers.remove(STORE)
