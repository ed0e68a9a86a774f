# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins, run with a real PostgreSQL and a real Redis on a network of their own."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from testbed import containers, engine, images
from testbed.engine import client, wait_for
from testbed.settings import alone

RELEASES = ("v1.42.0", "v1.44.0", "v1.45.2", "v1.50.0", "v1.51.0")
NEWEST = RELEASES[-1]
USER = "10001:10001"
OWN = "uid=10001,gid=10001"
TMPFS = {"/tmp": "mode=1777", "/app/tmp": OWN, "/app/log": OWN, "/app/storage": OWN}
SUPERUSER = "postgresql://lago:lagopw@{host}:5432/{database}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


def _api_image(release: str) -> images.Image:
    known = {image.version: image for image in images.stand_ins() if image.name == "api"}
    newest = known[NEWEST]
    return known.get(release) or images.Image(
        newest.name, newest.context, newest.parents, {"LAGO_VERSION": release}, version=release
    )


def build() -> None:
    """Build what the tests run, unless it is there."""
    with alone():
        engine.start()
        for debian in ("12", "13"):
            images.build_base(debian)
        others = [
            image for image in (*images.REAL, *images.stand_ins()) if image.name in ("db", "redis", "front", "pdf")
        ]
        images.build_all((*others, *(_api_image(release) for release in RELEASES)))


class Bed:
    """Containers of one test run. Names start with `contract-`; `close` removes all of them."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(3)
        self.network = client().networks.create(f"contract-{self.mark}", labels=containers.labels("contract"))
        self._made: list[Any] = []
        self._copies = 0
        key = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, check=True).stdout
        self.environment = {
            "REDIS_URL": "redis://redis:6379",
            "LAGO_REDIS_CACHE_URL": "redis://redis:6379/1",
            "SECRET_KEY_BASE": secrets.token_hex(32),
            "LAGO_RSA_PRIVATE_KEY": base64.b64encode(key).decode(),
            "LAGO_ENCRYPTION_PRIMARY_KEY": secrets.token_hex(16),
            "LAGO_ENCRYPTION_DETERMINISTIC_KEY": secrets.token_hex(16),
            "LAGO_ENCRYPTION_KEY_DERIVATION_SALT": secrets.token_hex(16),
            "LAGO_FRONT_URL": "http://localhost",
            "RAILS_LOG_TO_STDOUT": "true",
        }
        self.db = self._run_db()
        self.redis = self.run("testbed/redis:latest", "redis", ["redis-server", "--save", ""])
        wait_for("PostgreSQL", lambda: self.db.exec_run("pg_isready -q -h 127.0.0.1").exit_code == 0, 30)

    def _run_db(self) -> Any:
        settings = {"POSTGRES_DB": "lago", "POSTGRES_USER": "lago", "POSTGRES_PASSWORD": "lagopw"}
        settings["POSTGRES_INITDB_ARGS"] = "--auth-host=scram-sha-256"  # the server's own loopback is no exception
        return self.run("testbed/db:latest", "db", ["postgres", "-c", "fsync=off"], settings)

    def run(self, image: str, name: str, command: Any = None, environment: Any = None, **more: Any) -> Any:
        """Start a container that the others reach by this name."""
        network = {} if "network_mode" in more else {"network": self.network.name}
        made = client().containers.create(
            image,
            command,
            name=f"contract-{self.mark}-{name}",
            hostname=None if "network_mode" in more else name,
            labels=containers.labels("contract"),
            environment=environment or {},
            **network,
            **more,
        )
        self._made.append(made)
        if network:
            self.network.disconnect(made)
            self.network.connect(made, aliases=[name])
        made.start()
        return made

    def close(self) -> None:
        for made in reversed(self._made):
            made.remove(force=True, v=True)
        self.network.remove()

    def lago(
        self, name: str, command: list[str], database: str = "lago", release: str = NEWEST, **environment: Any
    ) -> Any:
        """Start a container of the API's image as a hardened deployment does; None leaves a variable out."""
        settings = {**self.environment, "DATABASE_URL": SUPERUSER.format(host="db", database=database), **environment}
        settings = {key: value for key, value in settings.items() if value is not None}
        hardened = {"user": USER, "read_only": True, "tmpfs": TMPFS, "cap_drop": ["ALL"], "init": True}
        # By its content: its name may be another tree's by now.
        image = f"testbed/api:{images.fingerprint(_api_image(release))}"
        return self.run(image, name, command, settings, **hardened)

    def api(self, name: str, **more: Any) -> Api:
        return Api(self.lago(name, ["./scripts/start.api.sh"], **more))

    def sql(self, statement: str, database: str = "lago") -> str:
        command = ["psql", "-U", "lago", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", statement]
        code, said = containers.run(self.db.name, *command)
        assert code == 0, said
        return said.strip()

    def copy(self, database: str, of: str | None = None) -> str:
        """Make a database: a copy of another, or an empty one."""
        self.sql(f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{of}"' if of else ""), "postgres")
        return database

    def prepare(self, database: str) -> str:
        """Make an empty database that knows that it is to be migrated step by step."""
        self.copy(database)
        self.sql("CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY)", database)
        return database

    def finish(self, container: Any, seconds: int = 90) -> tuple[int, str]:
        """Wait for a container to end; return its status and what it said."""
        status = container.wait(timeout=seconds)["StatusCode"]
        return int(status), container.logs().decode()

    def migrate_all(self) -> None:
        """One migrated database per release, `roles-RELEASE` with the predefined roles and `bare-RELEASE` without."""

        def one(release: str) -> None:
            database = self.prepare(f"roles-{release}")
            command = ["bundle", "exec", "rails", "db:migrate", "roles:seed_predefined"]
            status, said = self.finish(self.lago(f"migrate-{release}", command, database, release))
            assert status == 0, said
            self.sql("DELETE FROM roles", self.copy(f"bare-{release}", database))

        with ThreadPoolExecutor(max_workers=len(RELEASES)) as pool:
            list(pool.map(one, RELEASES))


class Api:
    """A running API, asked over HTTP."""

    def __init__(self, container: Any) -> None:
        self.container = container
        container.reload()
        self.address = next(iter(container.attrs["NetworkSettings"]["Networks"].values()))["IPAddress"]
        wait_for("the API", self._listens, 30, every=0.05)

    def _listens(self) -> bool:
        try:
            return self.ask("GET", "/ready").status == 200
        except OSError:
            self.container.reload()
            assert self.container.status == "running", self.container.logs().decode()
            return False

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:
        """Send a request; a body is sent as JSON, or as it is when it is bytes. A text comes back as `__text__`."""
        connection = http.client.HTTPConnection(self.address, 3000, timeout=60)
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, payload, headers or {})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        try:
            found = json.loads(text) if text else None
        except ValueError:
            found = {"__text__": text}
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, found)

    def graphql(self, query: str, variables: dict[str, Any], token: str = "", organization: str = "") -> Any:
        sent = {"Content-Type": "application/json"}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {"x-lago-organization": organization} if organization else {}
        return self.ask("POST", "/graphql", sent, {"query": query, "variables": variables})

    def register(self, email: str, organization: str, password: str = "Correct-Horse-1!") -> Answer:
        fields = "token user { id } organization { id name }"
        query = f"mutation registerUser($input: RegisterUserInput!) {{ registerUser(input: $input) {{ {fields} }} }}"
        given = {"email": email, "password": password, "organizationName": organization}
        answer: Answer = self.graphql(query, {"input": given})
        return answer


def until(what: str, condition: Any, seconds: float = 20) -> Any:
    return wait_for(what, condition, seconds, every=0.1)
