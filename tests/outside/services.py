# SPDX-License-Identifier: GPL-3.0-or-later
"""A server with everything that Lago can be connected to, and the variables that connect it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import docker

from outside.deployment import CACHE, ROOT, Deployment, Run, password

SCENARIO = ROOT / "molecule" / "external"
ACCOUNTS: dict[str, dict[str, str]] = json.loads(
    (ROOT / "tests" / "testbed" / "images" / "server-services" / "accounts.json").read_text()
)
TLS = CACHE / "external-tls"
URL = "https://billing.example.com"
EMAIL = "ada@example.com"
DATABASE = ACCOUNTS["postgres"]
POOLER = "pooler.services.test:6432"
REGISTRY = "registry.services.test:5443"
RESET = "mutation reset($input: CreatePasswordResetInput!) { createPasswordReset(input: $input) { id } }"
SENT = "query webhooks($id: String!) { webhooks(webhookEndpointId: $id) { collection { payload status } } }"

# PostgreSQL with pg_partman behind a pooler, Sentinels, a cache with TLS and an ACL, S3 over TLS, SMTP with STARTTLS, a
# registry that wants a login.
POOLED: dict[str, Any] = {
    "lago_registry": REGISTRY,
    "lago_registry_username": ACCOUNTS["registry"]["user"],
    "lago_registry_password": ACCOUNTS["registry"]["password"],
    "lago_proxy_image": "library/caddy:2-alpine",
    "lago_postgres_host": "db.services.test",
    "lago_postgres_password": DATABASE["password"],
    "lago_postgres_sslmode": "verify-full",
    "lago_postgres_ca_file": str(TLS / "ca.crt"),
    "lago_postgres_pooler_url": f"postgresql://lago:{quote(DATABASE['password'], safe='')}@{POOLER}/lago",
    "lago_redis_sentinels": [f"redis.services.test:{port}" for port in (26379, 26380, 26381)],
    "lago_redis_master_name": "lago",
    "lago_redis_password": ACCOUNTS["redis"]["password"],
    "lago_redis_cache_host": "cache.services.test",
    "lago_redis_cache_port": 6390,
    "lago_redis_cache_tls": True,
    "lago_redis_cache_user": ACCOUNTS["cache"]["user"],
    "lago_redis_cache_password": ACCOUNTS["cache"]["password"],
    "lago_storage": "s3",
    "lago_s3_endpoint": "https://s3.services.test:9443",
    "lago_s3_path_style": True,
    "lago_s3_bucket": "lago",
    "lago_s3_access_key_id": ACCOUNTS["s3"]["user"],
    "lago_s3_secret_access_key": ACCOUNTS["s3"]["password"],
    "lago_ca_file": str(TLS / "ca.crt"),
    "lago_google_client_id": "acme.apps.googleusercontent.com",
    "lago_google_client_secret": "of-google",
    "lago_from_email": "billing@services.test",
    "lago_smtp_address": "smtp.services.test",
    "lago_smtp_port": 587,
    "lago_smtp_username": ACCOUNTS["smtp"]["user"],
    "lago_smtp_password": ACCOUNTS["smtp"]["password"],
}
# PostgreSQL without pg_partman that wants to see a certificate, asked directly and under limits; one Redis for the
# queue, memcached, Google's storage, SMTP without TLS, a maker of PDFs, and a licence.
DIRECT: dict[str, Any] = {
    "lago_postgres_host": "db.services.test",
    "lago_postgres_port": 5433,
    "lago_postgres_password": DATABASE["password"],
    "lago_postgres_sslmode": "verify-full",
    "lago_postgres_ca_file": str(TLS / "ca.crt"),
    "lago_postgres_certificate_file": str(TLS / "client.crt"),
    "lago_postgres_key_file": str(TLS / "client.key"),
    "lago_postgres_pool": 7,
    "lago_postgres_statement_timeout": 4000,
    "lago_postgres_lock_timeout": 1500,
    "lago_postgres_idle_transaction_timeout": 60000,
    "lago_workers": [{"name": "default", "concurrency": 7}],
    "lago_redis_host": "redis.services.test",
    "lago_redis_password": ACCOUNTS["redis"]["password"],
    "lago_redis_database": 3,
    "lago_memcached_servers": ["memcached.services.test:11211"],
    "lago_storage": "gcs",
    "lago_gcs_project": "acme",
    "lago_gcs_bucket": "lago",
    "lago_gcs_key_file": str(TLS / "gcs.json"),
    "lago_signup": True,
    "lago_license": "0f0e-licence-of-acme",
    "lago_pdf_url": "http://pdf.services.test:3000",
    "lago_ca_file": str(TLS / "ca.crt"),
    "lago_extra_env": {
        "backend": {
            "STORAGE_EMULATOR_HOST": "http://gcs.services.test:4443",
            # Where Lago itself looks; its stand-in looks nowhere unless told.
            "LAGO_LICENSE_URL": "https://license.getlago.com",
        }
    },
    "lago_from_email": "billing@services.test",
    "lago_smtp_address": "smtp.services.test",
    "lago_smtp_port": 2525,
    "lago_smtp_username": ACCOUNTS["smtp"]["user"],
    "lago_smtp_password": ACCOUNTS["smtp"]["password"],
}


class Connected(Deployment):
    """A deployment on a server of its own, connected to the services of another."""

    def __init__(self) -> None:
        super().__init__("testbed-external", SCENARIO / "inventory.yml")
        self.variables: dict[str, Any] = POOLED
        self._services = docker.from_env().containers.get("testbed-services")

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        return super().run(*arguments, playbook=playbook, **{**self.variables, **variables})

    def stack(self, *verbs: str, **variables: Any) -> Run:
        """Verbs of role stack in somebody's play."""
        return self.run(playbook=str(SCENARIO / "stack.yml"), verbs=list(verbs), **variables)

    def there(self, *argv: str, check: bool = True) -> str:
        """What a command prints on the server with the services."""
        code, output = self._services.exec_run(list(argv))
        text = str(output.decode("utf-8", "replace")).strip()
        assert not (check and code), f"{' '.join(argv)} ended with {code}: {text}"
        return text

    def ask(self, statement: str) -> str:
        """What the administrator of the deployment's database is told."""
        url = urlsplit(self.variables.get("lago_postgres_url", ""))
        port = str(url.port or self.variables.get("lago_postgres_port", 5432))
        return self.there("runuser", "-u", "postgres", "--", "psql", "-p", port, "-d", "lago", "-qAtc", statement)

    def redis(self, port: int, *arguments: str, password: bool = True) -> str:
        """What a Redis server or a Sentinel answers. The database is the queue's."""
        environment = [f"REDISCLI_AUTH={ACCOUNTS['redis']['password']}"] if password else []
        path = urlsplit(self.variables.get("lago_redis_url", "")).path
        number = ["-n", path.strip("/") or str(self.variables.get("lago_redis_database", 0))] if password else []
        return self.there("env", *environment, "redis-cli", "-p", str(port), *number, "--raw", *arguments)

    def master(self) -> int:
        """The port of the queue's master, as a Sentinel knows it; 0 while there is none."""
        place = self.redis(26381, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "lago", password=False).split()
        return int(place[1]) if len(place) == 2 else 0

    def enqueue(self, job: str, **given: Any) -> None:
        """A job as Lago enqueues it."""
        record = {"class": "Sidekiq::ActiveJob::Wrapper", "wrapped": job, "jid": "0", "queue": "default"}
        self.redis(self.master(), "LPUSH", "queue:default", json.dumps({**record, "args": [{"arguments": [given]}]}))

    def said(self, service: str) -> str:
        return self.shell("docker", "logs", f"lago-{service}-1")

    def containers(self) -> dict[str, str]:
        """Name and time of start of everything that runs."""
        lines = self.shell("docker", "ps", "-q").split()
        shown = self.shell("docker", "inspect", "-f", "{{.Name}} {{.State.StartedAt}}", *lines) if lines else ""
        return dict(line.split() for line in shown.splitlines())

    def file_comes_back(self) -> None:
        """A webhook's payload is written by a worker and read by the API; the endpoint itself need not be there."""
        user = self.user(URL)
        wanted = {"webhook_endpoint": {"webhook_url": "http://hooks.services.test:1/"}}
        made = user.rest("POST", "webhook_endpoints", self.key, wanted).json["webhook_endpoint"]
        code = user.meter(self.key)["billable_metric"]["code"]
        headers = {"Authorization": f"Bearer {user.login(EMAIL, password('external'))}"}
        headers["x-lago-organization"] = made["lago_organization_id"]
        asked = {"query": SENT, "variables": {"id": made["lago_id"]}}

        def webhooks() -> list[dict[str, str]]:
            return list(user.request("POST", "/graphql", asked, headers).json["data"]["webhooks"]["collection"])

        found = until(lambda: [webhook for webhook in webhooks() if webhook["status"] == "failed"])
        assert json.loads(found[0]["payload"])["subscription"]["external_id"] == code

    def cache_hits(self) -> int:
        """How often the cache with TLS had what its user asked for."""
        environment = ["env", f"REDISCLI_AUTH={ACCOUNTS['cache']['password']}"]
        command = ["redis-cli", "--tls", "--cacert", "/srv/tls/ca.crt", "-p", "6390", "--user", "lago", "INFO", "stats"]
        return int(re.findall(r"keyspace_hits:(\d+)", self.there(*environment, *command))[0])

    def mails(self) -> str:
        """All that the relay took."""
        return self.there("sh", "-c", "cat /srv/mails/*.eml", check=False)

    def mail_arrives(self) -> None:
        """With a link to this deployment in it."""

        def links() -> int:
            return self.mails().count(f"{URL}/reset-password/")

        before = links()
        self.user(URL).graphql(RESET, {"input": {"email": EMAIL}})
        until(lambda: links() > before)


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """The condition's answer once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s"
    return found
