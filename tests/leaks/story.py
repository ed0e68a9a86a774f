# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a deployment while it is watched: the ordinary way, and every way in which it fails."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from leaks import canaries
from leaks.canaries import Canary
from leaks.server import Server

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
}
GIVEN = (
    "secret_key_base", "encryption_primary_key", "encryption_deterministic_key", "encryption_key_derivation_salt",
    "postgres_password", "redis_password", "redis_cache_password",
)  # fmt: skip
RSA = "rsa_private_key"
HALF = ("encryption_primary_key", "postgres_password", "redis_password", RSA)


class Vault:
    """The secrets of an operator, and others that come along on the way."""

    def __init__(self, given: tuple[str, ...]) -> None:
        self.admin = canaries.make("lago_admin_password")
        self.wrong = canaries.make("a wrong password")
        self.foreign = canaries.make("a key of somebody else")
        self.later = canaries.make("an encryption key given later")
        self.rsa = canaries.make_rsa(RSA) if RSA in given else []
        self.given = [canaries.make(name) for name in GIVEN if name in given] + self.rsa[:1]
        self.found: list[Canary] = []

    @property
    def all(self) -> list[Canary]:
        return [self.admin, self.wrong, self.foreign, self.later, *self.given, *self.rsa[1:], *self.found]

    @property
    def variables(self) -> dict[str, str]:
        """What the operator's inventory says."""
        return {"lago_admin_password": self.admin.value, **{f"lago_{one.name}": one.value for one in self.given}}


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
    tell = '[ "$1" = chown ] && exec "$@"; env >&2; echo That was everything. >&2; exit 1'
    for image in ("getlago/api:v1.51.0", "redis:7-alpine"):
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
    secrets: Callable[[Vault], dict[str, str]] = lambda vault: {}
    verb: str = ""
    rare: bool = False
    """Left out where the steps take turns, to save time: another one goes nearly the same way."""


FAILED = 2
STEPS = (
    Step("check mode on a bare server", "selfhosted.lago.site", arguments=("--check",)),
    Step("converge", "selfhosted.lago.site"),
    Step("nothing to do", "stack", says="changed=0", rare=True),
    Step("check mode of a change", "stack", arguments=("--check",), variables={"lago_telemetry": True}),
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
        "migration that tells everything", "stack", FAILED, "That was everything.", images_that_tell_everything,
        variables={"lago_api_image": "talkative/api"}, verb="migrate",
    ),
    Step(
        "service that tells everything", "stack", FAILED, "That was everything.", verb="up",
        variables={"lago_redis_image": "talkative/redis:7-alpine", "lago_start_timeout": 10},
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
    Step("support bundle", "selfhosted.lago.support", 0, "lago-support-testbed-leaks-"),
    Step("rotation", "rotate", 0, "changed=1"),
)  # fmt: skip
