# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment and its operator, who keeps one set of variables over stories told in the order of their files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from outside.deployment import Deployment, Run
from outside.lago_user import LagoUser

SCENARIO = Path(__file__).parents[2] / "molecule" / "lifecycle"
URL = "https://billing.example.com"
EMAIL = "ada@example.com"
ORGANIZATION = "Acme Billing"
#: Asks for a way into the database as anybody on the network would; the password is on nobody's command line.
LOGIN = "PGPASSWORD=$(cat) psql -w -h db -U lago -d lago -Atc 'SELECT 1'"
LONG_RUNNING = {"api", "clock", "db", "front", "pdf", "proxy", "redis", "redis-cache", "worker"}


class Lifecycle(Deployment):
    """A deployment whose operator has variables of his own beside the inventory's, and may change them."""

    def __init__(
        self, server: str = "testbed-lifecycle", scenario: Path = SCENARIO, lago_version: str = "v1.51.0"
    ) -> None:
        super().__init__(server, scenario / "inventory.yml")
        self.variables: dict[str, Any] = {"lago_version": lago_version}

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        return super().run(*arguments, playbook=playbook, **{**self.variables, **variables})

    def stack(self, *verbs: str, check: bool = False, **variables: Any) -> Run:
        """Role stack alone in somebody's play: as a whole, or verbs of it."""
        arguments = ["--check"] if check else []
        verbs = verbs or ("main",)
        return self.run(*arguments, playbook=str(SCENARIO / "stack.yml"), verbs=list(verbs), **variables)

    def bootstrap(self, **variables: Any) -> Run:
        """Role bootstrap alone in somebody's play."""
        return self.run(playbook=str(SCENARIO / "bootstrap.yml"), **variables)

    def docker(self, *arguments: str, check: bool = True) -> str:
        return self.shell("docker", *arguments, check=check).strip()

    def compose(self, *arguments: str) -> str:
        return self.docker("compose", "--project-directory", self.directory, *arguments)

    def inside(self, service: str, script: str, check: bool = True) -> str:
        return self.docker("exec", f"lago-{service}-1", "sh", "-c", script, check=check)

    def enters(self, password: str) -> bool:
        """Whether somebody on the database's network is let in with it."""
        script = f'printf %s "$1" | docker exec -i lago-api-1 sh -c "{LOGIN}"'.replace("$(cat)", "\\$(cat)")
        return self.shell("sh", "-c", script, "sh", password, check=False).strip() == "1"

    def containers(self) -> dict[str, dict[str, Any]]:
        """What Docker says of each container, by service."""
        ids = self.docker("ps", "-aq", "--no-trunc").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"].get("com.docker.compose.service", one["Name"]): one for one in found}

    def ids(self) -> dict[str, str]:
        return {service: one["Id"] for service, one in self.containers().items()}

    def running(self) -> set[str]:
        return {service for service, one in self.containers().items() if one["State"]["Running"]}

    def rows(self) -> str:
        """How much of everything that anybody made is in the database."""
        tables = (
            "users",
            "organizations",
            "memberships",
            "api_keys",
            "billable_metrics",
            "plans",
            "customers",
            "events",
        )
        return self.sql("SELECT " + " || ' ' || ".join(f"(SELECT count(*) FROM {table})" for table in tables))

    def until(self, statement: str, seconds: float = 60) -> None:
        """Wait until the database says `t`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            argv = ["exec", "lago-db-1", "psql", "-U", "lago", "-d", "lago", "-Atc", statement]
            if self.docker(*argv, check=False) == "t":
                return
        raise AssertionError(f"not true within {seconds} s: {statement}")

    def member(self) -> LagoUser:
        """Somebody outside, now."""
        return self.user(URL)


def done(run: Run) -> Run:
    """The run, when it went through."""
    assert run.code == 0, run.output
    return run


def refused(run: Run, *words: str) -> Run:
    """The run, when it failed and said these words, however its lines are broken."""
    assert run.code != 0, run.output
    said = " ".join(run.output.split())
    for word in words:
        assert word in said, f"{word!r} is not said in:\n{run.output}"
    return run
