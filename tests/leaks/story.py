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

from leaks.server import Server
from leaks.vault import FORMER, HARMLESS, PRESENT, STORES, Vault

UPSTREAM = "/srv/upstream"
REGISTER = "mutation registerUser($input: RegisterUserInput!) { registerUser(input: $input) { token user { id } } }"
FOREIGN_LEASE = {
    "owner": "grace@elsewhere", "machine": "0" * 64, "boot_id": "b", "pid_namespace": "pid:[1]", "pid": 1,
    "process_start": 1, "token": "t" * 32, "acquired": 4000000000, "expires": 4100000000,
}  # fmt: skip


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
    # At once: whoever looks meanwhile sees the end of it, of the start before
    tell = '[ "$1" = chown ] && exec "$@"; told=$(cat /etc/caddy/tls/* 2>&1; env | tr "\\n" " "); '
    tell += 'printf "%s\\n" "$told" "That was everything." >&2; exit 1'
    for image in (f"getlago/api:{FORMER}", f"getlago/api:{PRESENT}", "redis:7-alpine", "caddy:2-alpine"):
        text = f"FROM {image}\nENTRYPOINT {json.dumps(['sh', '-c', tell, '--'])}\n"
        server.build(f"talkative/{image.rpartition('/')[2]}", text)
    yield


@contextmanager
def the_last_backup(server: Server, vault: Vault) -> Iterator[None]:
    vault.backup = sorted(server.shell("ls", "/var/backups/lago").split())[-1]
    yield


@contextmanager
def another_s_lago(server: Server, vault: Vault) -> Iterator[None]:
    """One that upstream's own file would have started, with secrets of its own."""
    told = {one.name: one.value for one in [*vault.told, vault.told_rsa[0]]}
    server.shell("mkdir", "-p", UPSTREAM)
    server.write(f"{UPSTREAM}/.env", "".join(f"{name}={value}\n" for name, value in told.items()))
    server.write(f"{UPSTREAM}/docker-compose.yml", (Path(__file__).parent / "upstream.yml").read_text())
    server.shell("docker", "compose", "--project-directory", UPSTREAM, "up", "--detach", "--wait", "api")
    given = {"email": HARMLESS["lago_admin_email"], "password": vault.admin.value, "organizationName": "Acme Billing"}
    server.write(f"{UPSTREAM}/register.json", json.dumps({"query": REGISTER, "variables": {"input": given}}))
    post = "curl -sf -H Content-Type:application/json -d @- http://localhost:3000/graphql"
    server.shell("sh", "-c", f"docker exec -i upstream-api-1 {post} < {UPSTREAM}/register.json")
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
ADOPTION: dict[str, Any] = {
    "lago_adopt_project": "upstream",
    "lago_adopt_changes": ["lago_domain", "lago_extra_env", "lago_front_version", "lago_telemetry"],
}
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
    Step(
        "mail that cannot be sent", "selfhosted.lago.test_mail", FAILED, "lago_smtp_address", verb="test_mail",
        variables={"lago_test_mail_to": "ada@example.com"}, secrets=services_elsewhere,
    ),
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
        variables={"lago_pdf_image": "localhost:1/nothing:1"}, secrets=files_of_keys, rare=True,
    ),
    Step(
        "migration that tells everything", "stack", FAILED, "That was everything.", images_that_tell_everything,
        variables={"lago_api_image": "talkative/api"}, verb="migrate", rare=True,
    ),
    Step(
        "upgrade that tells everything", "selfhosted.lago.upgrade", FAILED, "That was everything.",
        images_that_tell_everything, verb="upgrade", variables={"lago_api_image": "talkative/api"},
        secrets=lambda vault: {"lago_version": PRESENT},
    ),
    Step(
        "questions that tell everything", "stack", FAILED, "That was everything.", verb="outside",
        variables={"lago_api_image": "talkative/api"}, secrets=services_elsewhere, rare=True,
    ),
    Step(
        "queue that tells everything", "stack", FAILED, "That was everything.", verb="migrate",
        variables={"lago_redis_image": "talkative/redis:7-alpine", "lago_start_timeout": 10},
        rare=True,
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
    Step("rotation", "selfhosted.lago.rotate", 0, "failed=0", secrets=lambda vault: vault.rotates()),
    Step("nothing to mend", "selfhosted.lago.mend_partitions", 0, "failed=0"),
    Step("upgrade", "selfhosted.lago.upgrade", 0, "was upgraded", secrets=lambda vault: vault.upgrades(), rare=True),
    Step("refresh", "selfhosted.lago.refresh", 0, "nothing newer", variables={"lago_refresh": ["proxy"]}, rare=True),
    Step("backup", "selfhosted.lago.backup", 0, "failed=0", rare=True),
    Step(
        "restore", "selfhosted.lago.restore", 0, "failed=0", the_last_backup,
        secrets=lambda vault: {"lago_restore_backup": vault.backup}, rare=True,
    ),
    Step(
        "everything removed", "stack", 0, "failed=0", rare=True,
        variables={"verb": "remove", "lago_remove_data": True, "lago_remove_confirm": "lago"},
    ),
    Step(
        "look at another's Lago", "selfhosted.lago.adopt", 0, "lago_adopt_confirm=upstream", another_s_lago, rare=True,
        variables=ADOPTION, secrets=lambda vault: vault.forgets(),
    ),
    Step(
        "another's Lago that cannot be taken over", "selfhosted.lago.adopt", FAILED, "localhost:1", verb="adopt",
        variables={**ADOPTION, "lago_adopt_confirm": "upstream", "lago_pdf_image": "localhost:1/nothing:1"}, rare=True,
    ),
    Step(
        "another's Lago is taken over", "selfhosted.lago.adopt", 0, "was taken over", rare=True,
        variables={**ADOPTION, "lago_adopt_confirm": "upstream"},
    ),
)  # fmt: skip
