# SPDX-License-Identifier: GPL-3.0-or-later
"""Two servers, one after the other the home of one deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outside.deployment import Deployment, Run

INVENTORY = Path(__file__).parents[1] / "inventory.yml"
URL = "https://billing.example.com"


class Server(Deployment):
    """One of the two servers; playbooks run on it alone."""

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        return super().run("--limit", self.server, *arguments, playbook=playbook, **variables)

    def redis(self, *arguments: str) -> str:
        return self.shell("docker", "exec", "lago-redis-1", "redis-cli", *arguments).strip()

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
    return Server("testbed-backup-first", INVENTORY)


@pytest.fixture(scope="session")
def second() -> Server:
    return Server("testbed-backup-second", INVENTORY)
