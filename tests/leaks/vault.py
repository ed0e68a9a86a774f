# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator says and gives: variables that are no secret, and secrets of every kind, each a canary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from leaks import canaries
from leaks.canaries import Canary

from outside.authority import Authority

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
STORES = ("postgres", "redis", "redis_cache")
#: A former release, in which all is deployed, that of somebody else's Lago, and the collection's own.
FORMER, FOREIGN, PRESENT = "v1.50.0", "v1.45.2", "v1.51.0"
HALF = ("encryption_primary_key", "postgres_password", "redis_password", RSA)
#: What somebody else's Lago is told beside its RSA key.
TOLD = (
    "SECRET_KEY_BASE", "LAGO_ENCRYPTION_PRIMARY_KEY", "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT", "POSTGRES_PASSWORD", "GRACES_OWN",
)  # fmt: skip
#: The ansible-cores of a round, and the secrets of the deployment that are given in it; the others are made.
ROUNDS = {
    "turns": (("oldest", "newest"), HALF),
    "oldest": (("oldest",), (*GIVEN, RSA)),
    "newest": (("newest",), ()),
}


class Vault:
    """The secrets of an operator, in variables and in files, and others that come along on the way."""

    def __init__(self, given: tuple[str, ...], files: Path) -> None:
        self.release = FORMER
        #: The backup that is restored, when there is one.
        self.backup = ""
        self.former: list[Canary] = []
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
        # What somebody else's Lago was told: in URLs as it is, and in a key that this project knows nothing of
        self.told = [canaries.make_plain(name) for name in TOLD]
        self.told_rsa = canaries.make_rsa("LAGO_RSA_PRIVATE_KEY")

    @property
    def all(self) -> list[Canary]:
        own = [self.wrong, self.foreign, self.later, self.admin, self.identity]
        return [*own, *self.deployed, *self.rsa[1:], *self.former, *self.told, *self.told_rsa, *self.found]

    @property
    def deployed(self) -> list[Canary]:
        """What the operator gives, and a deployment keeps while it has a use for it."""
        return [*self.given, *self.always, self.environment, *self.services, self.bucket, *self.keys]

    def rotates(self) -> dict[str, Any]:
        """Give others of what is given and may be another, and say what is rotated: all but the keys that encrypt."""
        self.former += [one for one in [*self.given, *self.rsa[1:]] if "encryption" not in one.name]
        if self.rsa:
            self.rsa = canaries.make_rsa(self.rsa[0].name)
        others = [
            one if "encryption" in one.name else canaries.make(one.name) for one in self.given if "rsa" not in one.name
        ]
        self.given = [*others, *self.rsa[:1]]
        names = [name for name in (*GIVEN, RSA) if "encryption" not in name]
        return {"lago_rotate": ["api_key", *names]}

    def upgrades(self) -> dict[str, Any]:
        """Go to the present release, and stay with it."""
        self.release = PRESENT
        return {}

    def forgets(self) -> dict[str, Any]:
        """Give nothing any more that is a deployment's own."""
        self.former += [*self.given, *self.rsa[1:]]
        self.given, self.rsa, self.release = [], [], FOREIGN
        return {}

    @property
    def variables(self) -> dict[str, Any]:
        """What the operator's inventory says, whatever else is asked for."""
        values = {one.name: one.value for one in [self.admin, *self.given, *self.always]}
        return {
            **values,
            "lago_version": self.release,
            "lago_extra_env": {"backend": {"ADAS_OWN": self.environment.value}},
        }
