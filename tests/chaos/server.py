# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that runs are killed on: emptied, struck, and looked over for what must and must not be there."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

import docker

from chaos.runs import INVENTORY
from outside.deployment import Deployment
from testbed import servers

NAME = "testbed-chaos"
SERVICES = {"api", "clock", "db", "front", "pdf", "proxy", "redis", "redis-cache", "worker"}
VOLUMES = {f"lago_{name}" for name in ("db-data", "proxy-config", "proxy-data", "redis-data", "storage")}
NETWORKS = {"bridge", "host", "none", "lago_data", "lago_edge"}
FILES = {
    "api_key.json",
    "ca.crt",
    "compose.yml",
    "env/api.env",
    "env/backend.env",
    "env/clock.env",
    "env/db.env",
    "env/front.env",
    "env/postgres.env",
    "env/redis-cache.env",
    "env/redis.env",
    "env/runtime.env",
    "env/workers.env",
    "migrated.json",
    "proxy/Caddyfile",
    "redis/cache.conf",
    "redis/queue.conf",
    "secrets.json",
}
#: What is there too once a backup was taken.
OF_BACKUPS = ("backup.json", "program/")
#: Of these, what is left when the rest is removed.
KEPT_FILES = {"secrets.json", "api_key.json", "migrated.json"}
WIPE = r"""
docker ps -aq | xargs -r docker rm -fv >/dev/null
docker volume ls -q | xargs -r docker volume rm -f >/dev/null
docker network ls --filter type=custom -q | xargs -r docker network rm >/dev/null
rm -rf /opt/lago /var/backups/lago /root/.ansible /tmp/ansible*
"""
#: Copies what is deployed, at rest, and puts the copy in the place of whatever is there by then.
SET_ASIDE = r"""
cd /opt/lago && docker compose -f compose.yml stop && mkdir -p /srv/aside/volumes &&
cp -a . /srv/aside/lago && cp -a /var/lib/docker/volumes/lago_* /srv/aside/volumes &&
docker compose -f compose.yml up --detach --wait
"""
BRING_BACK = r"""
docker ps -aq | xargs -r docker rm -fv >/dev/null
rm -rf /opt/lago /var/backups/lago /var/lib/docker/volumes/lago_*/* &&
cp -a /srv/aside/lago /opt/lago && cp -a /srv/aside/volumes/* /var/lib/docker/volumes &&
cd /opt/lago && docker compose -f compose.yml up --detach --wait
"""
WORK = "ps -eo pid=,args= | grep -E '[d]ocker (compose|exec|run|wait)|[d]ocker-compose|[a]nsible|[p]ython3$' || true"


@dataclass(frozen=True)
class Kept:
    """What must be the same after a kill: fingerprints of the secrets and of the key, None where there was none."""

    secrets: str | None
    key: str | None


class Server(Deployment):
    """The server and the deployment on it."""

    def __init__(self) -> None:
        servers.create(NAME, "docker")
        super().__init__(NAME, INVENTORY)

    def wait_for_engine(self, seconds: float = 90) -> None:
        until = time.monotonic() + seconds
        while "ready" not in self.shell("sh", "-c", "docker version >/dev/null 2>&1 && echo ready", check=False):
            assert time.monotonic() < until, self.shell("journalctl", "-u", "docker", "-n", "30", check=False)
            time.sleep(0.3)

    def wipe(self, images: bool = False) -> None:
        """Make the server as it was before the first run; pulled images may stay."""
        self.wait_for_engine()
        # What a killed run left working would go on in the emptied server
        self.shell("sh", "-c", "while pgrep -f '[d]ocker-compose|[p]ython3$' >/dev/null; do sleep 0.2; done; " + WIPE)
        if images:
            self.shell("sh", "-c", "docker images -aq | sort -u | xargs -r docker rmi -f >/dev/null")

    def set_aside(self) -> None:
        """Keep a copy of what is deployed."""
        self.shell("sh", "-c", SET_ASIDE)

    def bring_back(self) -> bool:
        """Deploy that copy, where there is one: quicker than a first run. Return whether there was one."""
        there = self.exists("/srv/aside")
        if there:
            self.shell("sh", "-c", BRING_BACK)
        return there

    def strike_engine(self) -> None:
        """Kill the engine where it stands; systemd starts it again."""
        self.shell("sh", "-c", "kill -KILL $(pidof dockerd)", check=False)

    def strike_power(self) -> None:
        """Restart the server without a word of warning."""
        docker.from_env().api.kill(NAME, "KILL")
        self._container.wait()
        servers.create(NAME, "docker")

    def restart(self) -> None:
        """Restart the server as its operator would."""
        self._container.restart(timeout=90)
        servers.create(NAME, "docker")

    def kept(self) -> Kept:
        """Return what is there to be kept."""
        return Kept(self._fingerprint("secrets.json", "secrets"), self._fingerprint("api_key.json", "api_key"))

    def _fingerprint(self, name: str, entry: str) -> str | None:
        text = self.shell("cat", f"{self.directory}/{name}", check=False)
        if not text.startswith("{"):
            return None
        return hashlib.sha256(json.dumps(json.loads(text)[entry], sort_keys=True).encode()).hexdigest()

    def counts(self) -> dict[str, int]:
        """Return how many of them are in the database."""
        tables = ("users", "organizations", "memberships", "api_keys")
        columns = ", ".join(f"'{table}', (SELECT count(*) FROM {table})" for table in tables)
        return dict(json.loads(self.sql(f"SELECT json_build_object({columns})")))

    def state(self) -> dict[str, Any]:
        """Return what a run that has nothing to do must leave as it is."""
        files = self.shell("find", self.directory, "!", "-path", self.directory, "-printf", r"%P %T@ %C@ %i %m %U\n")
        # With the transaction that wrote each row last
        rows = "(SELECT md5(string_agg(xmin || table_::text, ' ' ORDER BY table_::text)) FROM {0} table_)"
        tables = ("users", "organizations", "memberships", "api_keys", "schema_migrations", "roles")
        database = self.sql("SELECT " + ", ".join(rows.format(table) for table in tables))
        return {"containers": self.running(), "files": sorted(files.splitlines()), "database": database}

    def running(self) -> dict[str, str]:
        """Return by service which container it is and since when it runs."""
        names = [f"lago-{service}-1" for service in sorted(SERVICES)]
        lines = self.shell("docker", "inspect", "-f", "{{.Name}} {{.Id}} {{.State.StartedAt}}", *names).splitlines()
        told = dict(line.split(" ", 1) for line in lines)
        return {name.removeprefix("/lago-").removesuffix("-1"): rest for name, rest in told.items()}

    def containers(self) -> dict[str, str]:
        """Return all containers by name with their states."""
        lines = self.shell("docker", "ps", "-a", "--format", "{{.Names}} {{.State}}").splitlines()
        return dict(sorted(line.split() for line in lines))

    def litter(self) -> list[str]:
        """Return all that lies about or runs and is no part of a deployment at rest."""
        found = [f"container {name} {state}" for name, state in self.containers().items()
                 if state != "running" or name not in {f"lago-{service}-1" for service in SERVICES}]  # fmt: skip
        found += [f"network {name}" for name in self.networks() - NETWORKS]
        found += [f"unused volume {name}" for name in self._lines("docker", "volume", "ls", "-qf", "dangling=true")]
        further = {name for name in self.files() - FILES if not name.startswith(OF_BACKUPS)}
        found += [f"file {self.directory}/{name}" for name in further]
        found += [f"no file {self.directory}/{name}" for name in FILES - self.files()]
        temporary = "find /root/.ansible/tmp /tmp -mindepth 1 -maxdepth 1 -name 'ansible*' 2>/dev/null || true"
        found += [f"file {path}" for path in self._lines("sh", "-c", temporary)]
        return found + [f"process {line}" for line in self._lines("sh", "-c", WORK)]

    def volumes(self) -> set[str]:
        return self._lines("docker", "volume", "ls", "-q")

    def networks(self) -> set[str]:
        return self._lines("docker", "network", "ls", "--format", "{{.Name}}")

    def files(self) -> set[str]:
        """Return all files of the deployment."""
        return self._lines("sh", "-c", f"cd {self.directory} 2>/dev/null && find . ! -type d -printf '%P\\n' || true")

    def missing(self) -> set[str]:
        """Return the services and volumes that should be there and are not."""
        names = {name.removeprefix("lago-").removesuffix("-1") for name in self.containers()}
        return (SERVICES - names) | (VOLUMES - self.volumes())

    def _lines(self, *argv: str) -> set[str]:
        return {line.strip() for line in self.shell(*argv).splitlines() if line.strip()}
