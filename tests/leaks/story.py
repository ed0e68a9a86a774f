# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a deployment while it is watched: the ordinary way, and every way in which it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from leaks import canaries
from leaks.canaries import Canary
from leaks.server import Server

from outside.authority import Authority

FOREIGN_LEASE = {
    "owner": "grace@elsewhere", "machine": "0" * 64, "boot_id": "b", "pid_namespace": "pid:[1]", "pid": 1,
    "process_start": 1, "token": "t" * 32, "acquired": 4000000000, "expires": 4100000000,
}  # fmt: skip
HARMLESS: dict[str, Any] = {
    "lago_domain": "billing.example.com",
    "lago_admin_email": "ada@example.com",
    "lago_organization_name": "Acme Billing",
    "lago_docker_source": "distribution",
    "lago_docker_registry_mirrors": ["http://172.17.0.1:5000"],
    "lago_acme_eab_key_id": "ada",
    "lago_extra_paths": ["sidekiq"],
    "lago_extra_paths_user": "ada",
    "lago_google_client_id": "ada",
    "lago_registry_username": "ada",
}
GIVEN = (
    "secret_key_base", "encryption_primary_key", "encryption_deterministic_key", "encryption_key_derivation_salt",
    "postgres_password", "redis_password", "redis_cache_password",
)  # fmt: skip
RSA = "rsa_private_key"
HALF = ("encryption_primary_key", "postgres_password", "redis_password", RSA)
#: The ansible-cores of a round, and the secrets of the deployment that are given in it; the others are made.
ROUNDS = {
    "turns": (("oldest", "newest"), HALF),
    "oldest": (("oldest",), (*GIVEN, RSA)),
    "newest": (("newest",), ()),
}


class Vault:
    """The secrets of an operator, in variables and in files, and others that come along on the way."""

    def __init__(self, given: tuple[str, ...], files: Path) -> None:
        self.admin = canaries.make("lago_admin_password")
        self.wrong = canaries.make("a wrong password")
        self.foreign = canaries.make("a key of somebody else")
        self.later = canaries.make("an encryption key given later")
        self.rsa = canaries.make_rsa(f"lago_{RSA}") if RSA in given else []
        self.given = [canaries.make(f"lago_{name}") for name in GIVEN if name in given] + self.rsa[:1]
        self.found: list[Canary] = []
        # Further ones of every run, and those that belong to something that only some runs have
        self.eab = canaries.make_plain("lago_acme_eab_hmac_key")
        self.environment = canaries.make("lago_extra_env")
        names = ("lago_extra_paths_password", "lago_google_client_secret", "lago_registry_password")
        self.always = [self.eab, *map(canaries.make, names)]
        others = ("lago_license", "lago_smtp_password", "lago_redis_cable_url", "lago_postgres_pooler_url")
        self.services = [canaries.make_plain("lago_s3_secret_access_key"), *map(canaries.make, others)]
        self.services += [canaries.make(f"lago_{kind}_url") for kind in STORES if f"{kind}_password" not in given]
        self.bucket: Canary = canaries.make("lago_backup_s3_secret_access_key")
        self.identity: Canary = canaries.make_identity("lago_backup_identity")
        issued = Authority().issue(HARMLESS["lago_domain"], kind="rsa")
        google, pem = {"type": "service_account", "project_id": "acme"}, canaries.rsa()
        shown = Authority().issue("lago", kind="rsa")
        self.files = {
            "lago_gcs_key_file": json.dumps({**google, "private_key": pem}, indent=2),
            "lago_postgres_certificate_file": shown.chain,
            "lago_postgres_key_file": shown.key,
            "lago_tls_certificate": issued.chain,
            "lago_tls_certificate_key": issued.key,
        }
        for name, text in self.files.items():
            (files / name).write_text(text)
        self.paths: dict[str, str] = {name: str(files / name) for name in self.files}
        self.keys = [
            canaries.inside_rsa("lago_gcs_key_file", pem),
            canaries.inside_rsa("lago_postgres_key_file", shown.key),
            canaries.inside_rsa("lago_tls_certificate_key", issued.key),
        ]

    @property
    def all(self) -> list[Canary]:
        own = [self.wrong, self.foreign, self.later, self.admin, self.identity]
        return [*own, *self.deployed, *self.rsa[1:], *self.found]

    @property
    def deployed(self) -> list[Canary]:
        """What the operator gives, and a deployment keeps while it has a use for it."""
        return [*self.given, *self.always, self.environment, *self.services, self.bucket, *self.keys]

    @property
    def rotated(self) -> list[str]:
        """What lago_rotate may name: what is not given."""
        given = {one.name for one in self.given}
        made = [name for name in (*GIVEN, RSA) if f"lago_{name}" not in given and "encryption" not in name]
        return ["api_key", *made]

    @property
    def variables(self) -> dict[str, Any]:
        """What the operator's inventory says, whatever else is asked for."""
        values = {one.name: one.value for one in [self.admin, *self.given, *self.always]}
        return {**values, "lago_extra_env": {"backend": {"ADAS_OWN": self.environment.value}}}


STORES = ("postgres", "redis", "redis_cache")


def services_elsewhere(vault: Vault) -> dict[str, Any]:
    """Everything that Lago can be connected to, with a secret each: a store has its URL or a password that is given."""
    found: dict[str, Any] = {
        "lago_storage": "s3", "lago_s3_bucket": "acme", "lago_s3_access_key_id": "ada",
        "lago_smtp_address": "mail.example.com", "lago_smtp_username": "ada", "lago_from_email": "lago@example.com",
        **{f"lago_{kind}_host": "db.example.com" for kind in STORES if f"lago_{kind}_password" in vault.variables},
        **{name: path for name, path in vault.paths.items() if "_postgres_" in name},
    }  # fmt: skip
    for one in vault.services:
        login = f":{quote(one.value, safe='')}@db.example.com"
        url = f"postgresql://lago{login}:5432/lago" if "_postgres_" in one.name else f"redis://{login}:6379/0"
        found[one.name] = url if one.name.endswith("_url") else one.value
    return found


def files_of_keys(vault: Vault) -> dict[str, Any]:
    """What is read from files of the controller: a certificate's key, and that of Google's storage."""
    bucket = {"lago_storage": "gcs", "lago_gcs_project": "acme", "lago_gcs_bucket": "acme"}
    files = {name: path for name, path in vault.paths.items() if "_postgres_" not in name}
    return {**files, **bucket, "lago_tls_mode": "provided"}


@contextmanager
def nothing(server: Server, vault: Vault) -> Iterator[None]:
    yield


@contextmanager
def key_file_lost(server: Server, vault: Vault) -> Iterator[None]:
    path = f"{server.directory}/api_key.json"
    server.shell("mv", path, f"{path}.kept")
    yield
    server.shell("mv", f"{path}.kept", path)


@contextmanager
def key_file_broken(server: Server, vault: Vault) -> Iterator[None]:
    with key_file_lost(server, vault):
        server.write(f"{server.directory}/api_key.json", f'{{"api_key": {json.dumps(vault.foreign.value)}, oops')
        yield


@contextmanager
def key_of_somebody_else(server: Server, vault: Vault) -> Iterator[None]:
    with key_file_lost(server, vault):
        content = {"api_key": vault.foreign.value, "id": None, "organization_id": None, "organization_name": None}
        server.write(f"{server.directory}/api_key.json", json.dumps(content))
        yield


@contextmanager
def api_down(server: Server, vault: Vault) -> Iterator[None]:
    server.shell("docker", "stop", "-t", "1", "lago-api-1")
    yield
    server.shell("docker", "start", "lago-api-1")


@contextmanager
def another_run_works(server: Server, vault: Vault) -> Iterator[None]:
    server.write(f"{server.directory}/lease.json", json.dumps(FOREIGN_LEASE))
    yield
    server.shell("rm", f"{server.directory}/lease.json")


@contextmanager
def images_that_tell_everything(server: Server, vault: Vault) -> Iterator[None]:
    """Images that print their environment, where the secrets are, and end."""
    tell = '[ "$1" = chown ] && exec "$@"; exec >&2; cat /etc/caddy/tls/*; env | tr "\\n" " "; echo; '
    tell += "echo That was everything.; exit 1"
    for image in ("getlago/api:v1.51.0", "redis:7-alpine", "caddy:2-alpine"):
        text = f"FROM {image}\nENTRYPOINT {json.dumps(['sh', '-c', tell, '--'])}\n"
        server.build(f"talkative/{image.rpartition('/')[2]}", text)
    yield


@dataclass(frozen=True)
class Step:
    """A run: what it plays, what is done to the server before and undone after, and how the run has to end.

    `verb` is the one at which it fails, for a person to read.
    """

    name: str
    play: str
    ends: int = 0
    says: str = ""
    arranged: Callable[[Server, Vault], Any] = nothing
    arguments: tuple[str, ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    secrets: Callable[[Vault], dict[str, Any]] = lambda vault: {}
    verb: str = ""
    rare: bool = False
    """Left out where the steps take turns, to save time: another one goes nearly the same way."""


FAILED = 2
STEPS = (
    Step("check mode on a bare server", "selfhosted.lago.site", arguments=("--check",)),
    Step("converge", "selfhosted.lago.site"),
    Step("nothing to do", "stack", says="changed=0", rare=True),
    Step(
        "check mode of a change", "stack", arguments=("--check",), variables={"lago_telemetry": True},
        secrets=services_elsewhere,
    ),
    # Nobody is there to be asked: a converge would be refused before it writes these files
    Step("files for services elsewhere", "stack", variables={"verb": "render"}, secrets=services_elsewhere),
    Step("files of keys", "stack", variables={"verb": "render"}, secrets=files_of_keys),
    Step("refused", "stack", FAILED, "lago_domain", variables={"lago_domain": "https://x/"}, verb="preflight"),
    Step(
        "another encryption key", "stack", FAILED, "lago_encryption_primary_key", verb="secrets",
        secrets=lambda vault: {"lago_encryption_primary_key": vault.later.value},
    ),
    Step("lease held", "stack", FAILED, "grace@elsewhere", another_run_works, verb="lease"),
    Step(
        "variable that fails", "stack", FAILED, "nothing", # in core's own check of the role's arguments
        variables={"lago_pdf_image": "{{ lago_admin_password.nothing }}"}, rare=True,
    ),
    Step(
        "template that fails", "stack", FAILED, "In template env/", verb="render",
        variables={"_lago_oauth_proxy_url": "{{ lago_admin_password.nothing }}"},
    ),
    Step(
        "certificate that cannot be had", "stack", FAILED, "Nothing was ordered", verb="render",
        variables={"lago_tls_mode": "letsencrypt", "lago_acme_directory": "https://acme.example.com/directory"},
    ),
    Step(
        "image that is not there", "stack", FAILED, "refused", verb="pull",
        variables={"lago_pdf_image": "localhost:1/nothing:1"}, secrets=files_of_keys,
    ),
    Step(
        "migration that tells everything", "stack", FAILED, "That was everything.", images_that_tell_everything,
        variables={"lago_api_image": "talkative/api"}, verb="migrate",
    ),
    Step(
        "questions that tell everything", "stack", FAILED, "That was everything.", verb="outside",
        variables={"lago_api_image": "talkative/api"}, secrets=services_elsewhere,
    ),
    Step(
        "queue that tells everything", "stack", FAILED, "That was everything.", verb="migrate",
        variables={"lago_redis_image": "talkative/redis:7-alpine", "lago_start_timeout": 10},
    ),
    Step(
        "proxy that tells everything", "stack", FAILED, "That was everything.", verb="up",
        variables={
            "lago_proxy_image": "talkative/caddy:2-alpine", "lago_tls_mode": "provided", "lago_start_timeout": 10,
        },
        secrets=lambda vault: {name: path for name, path in vault.paths.items() if "_tls_" in name},
    ),
    Step("bundle of a broken deployment", "selfhosted.lago.support", 0, "lago-support-testbed-leaks-", rare=True),
    Step("mended", "stack"),
    Step(
        "wrong password", "bootstrap", FAILED, "Lago refused lago_admin_password", key_file_lost, verb="registration",
        secrets=lambda vault: {"lago_admin_password": vault.wrong.value},
    ),
    Step("broken key file", "bootstrap", FAILED, "api_key.json", key_file_broken, verb="key"),
    Step("key of somebody else", "bootstrap", 0, "", key_of_somebody_else, rare=True),
    Step("container down", "bootstrap", FAILED, "does not run", api_down, verb="key"),
    Step(
        "backup that cannot be sent", "selfhosted.lago.backup", FAILED, "could not be sent to the bucket",
        verb="backup",
        variables={
            "lago_backup_s3_bucket": "backups", "lago_backup_s3_endpoint": "http://127.0.0.1:9",
            "lago_backup_s3_access_key_id": "lago", "lago_backup_unencrypted": True,
        },
        secrets=lambda vault: {"lago_backup_s3_secret_access_key": vault.bucket.value},
    ),
    Step(
        "restore of a backup that is not there", "selfhosted.lago.restore", FAILED, "is no backup",
        verb="restore_check",
        variables={"lago_restore_backup": "lago-20200101T000000Z"},
        secrets=lambda vault: {"lago_backup_identity": vault.identity.value},
    ),
    Step("support bundle", "selfhosted.lago.support", 0, "lago-support-testbed-leaks-"),
    Step("rotation", "selfhosted.lago.rotate", 0, "failed=0", secrets=lambda vault: {"lago_rotate": vault.rotated}),
)  # fmt: skip
