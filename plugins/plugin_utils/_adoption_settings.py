# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the environment of a Lago to the variables that would make it: the way back of templates/env. PRIVATE."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.module_utils import _secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils._environment import VARIABLES
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Problem, problem
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_specs import secrets as secret_variables
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import shown

Told = Mapping[str, str]

#: In Lago's environment the older names win.
_SECRETS = {
    "secret_key_base": ("SECRET_KEY_BASE",),
    "encryption_primary_key": ("ENCRYPTION_PRIMARY_KEY", "LAGO_ENCRYPTION_PRIMARY_KEY"),
    "encryption_deterministic_key": ("ENCRYPTION_DETERMINISTIC_KEY", "LAGO_ENCRYPTION_DETERMINISTIC_KEY"),
    "encryption_key_derivation_salt": ("ENCRYPTION_KEY_DERIVATION_SALT", "LAGO_ENCRYPTION_KEY_DERIVATION_SALT"),
}
#: Said by the opposite of a variable.
_FLAGS = {
    "LAGO_DISABLE_LIFETIME_USAGE_REFRESH": "lago_lifetime_usage_refresh",
    "LAGO_DISABLE_PDF_GENERATION": "lago_pdf",
    "LAGO_DISABLE_SEGMENT": "lago_telemetry",
    "LAGO_DISABLE_WALLET_REFRESH": "lago_wallet_refresh",
}
#: Read otherwise, decided anew, or of no use beyond upstream's own file.
_OTHERWISE = {
    *("API_URL", "APP_ENV", "DATABASE_URL", "HOME", "LAGO_API_URL", "LAGO_CREATE_ORG", "LAGO_DISABLE_SIGNUP"),
    *("LAGO_DISABLE_SSL", "LAGO_DOMAIN", "LAGO_FRONT_URL", "LAGO_OAUTH_PROXY_URL", "LAGO_ORG_API_KEY"),
    *("LAGO_ORG_NAME", "LAGO_ORG_USER_EMAIL", "LAGO_ORG_USER_PASSWORD", "LAGO_PDF_URL", "LAGO_RAILS_STDOUT"),
    *("LAGO_REDIS_CABLE_URL", "LAGO_REDIS_CACHE_PASSWORD", "LAGO_REDIS_CACHE_URL", "LAGO_RSA_PRIVATE_KEY"),
    *("LAGO_SIDEKIQ_WEB", "LAGO_USE_AWS_S3", "LAGO_USE_GCS", "POSTGRES_SCHEMA", "RAILS_ENV", "RAILS_LOG_TO_STDOUT"),
    *("REDIS_PASSWORD", "REDIS_URL"),
    *(name for names in _SECRETS.values() for name in names),
}
#: Upstream's own defaults that mean nothing.
_NOTHING = {"LAGO_DATA_API_URL": "http://data-api", "LAGO_PDF_URL": "http://pdf:3000"}
#: What cannot be changed by the way, whatever lago_adopt_changes says.
_FIXED = ("lago_api_version", "lago_postgres_database", "lago_postgres_user")


def secrets(told: Told, database: Told, rsa_file: str | None) -> dict[str, str]:
    """Return the secrets that are in use, by their names; what is not found is not there.

    :param told: the environment of the API.
    :param database: that of PostgreSQL.
    :param rsa_file: the key of the file that Lago prefers.
    """
    found = {name: next((told[one] for one in names if one in told), "") for name, names in _SECRETS.items()}
    found["postgres_password"] = database.get("POSTGRES_PASSWORD", "")
    found[_secrets.RSA] = _one_line(rsa_file.encode() if rsa_file else _decoded(told.get("LAGO_RSA_PRIVATE_KEY", "")))
    return {name: value for name, value in found.items() if value}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _one_line(pem: bytes) -> str:
    return base64.b64encode(pem).decode("ascii") if b" PRIVATE KEY-----" in pem else ""


def found(told: Told, workers: Sequence[tuple[str, Told]]) -> dict[str, Any]:
    """Return the variables that an environment comes to; those of no variable are in C(lago_extra_env).

    :param told: the environment of the API, without what is blank.
    :param workers: name and environment of each worker.
    """
    made: dict[str, Any] = {variable: told.get(name) != "true" for name, variable in _FLAGS.items()}
    made["lago_storage"] = next(
        (kind for name, kind in (("LAGO_USE_AWS_S3", "s3"), ("LAGO_USE_GCS", "gcs")) if told.get(name) == "true"),
        "local",
    )
    extra = {}
    for name, value in told.items():
        if name in _OTHERWISE or name in _FLAGS or _unused(name, told, made["lago_storage"]):
            continue
        if name in VARIABLES:
            made[VARIABLES[name]] = value
        elif value != _NOTHING.get(name):
            extra[name] = value
    if told.get("LAGO_PDF_URL") not in (None, _NOTHING["LAGO_PDF_URL"]):
        made["lago_pdf_url"] = told["LAGO_PDF_URL"]
    if extra:
        made["lago_extra_env"] = {"backend": extra}
    rows = [_worker(name, environment) for name, environment in sorted(workers, key=lambda one: one[0])]
    rows = [row for row in rows if row != {"name": "default"}]
    return made | _domains(told) | ({"lago_workers": rows} if rows else {})


def _unused(name: str, told: Told, storage: str) -> bool:
    """Tell whether it belongs to something that is switched off."""
    off = {
        "LAGO_AWS_S3_": storage != "s3",
        "LAGO_GCS_": storage != "gcs",
        "LAGO_SMTP_": "LAGO_SMTP_ADDRESS" not in told,
        # The flags of workers, who are known by themselves
        "SIDEKIQ_": True,
    }
    return any(name.startswith(prefix) for prefix, unused in off.items() if unused)


def _worker(name: str, environment: Told) -> dict[str, Any]:
    concurrency = environment.get("SIDEKIQ_CONCURRENCY", "")
    return {"name": name, **({"concurrency": int(concurrency)} if concurrency.isdigit() else {})}


def _domains(told: Told) -> dict[str, str]:
    front, api = (urlsplit(told.get(name, "")).hostname for name in ("LAGO_FRONT_URL", "LAGO_API_URL"))
    made = {"lago_domain": front} if front else {}
    return made | ({"lago_api_domain": api} if api and api != front else {})


def public(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that may be shown; of others only their names."""
    hidden = {*secret_variables()}
    shown_extra = {"backend": dict.fromkeys(found.get("lago_extra_env", {}).get("backend", {}), "(as it is there)")}
    made = {name: "(as it is there)" if name in hidden else value for name, value in sorted(found.items())}
    return made | ({"lago_extra_env": shown_extra} if "lago_extra_env" in found else {})


def differences(found: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what would be changed by the way: what is there and declared otherwise, unless that is wanted."""
    wanted = [name for name in settings.get("lago_adopt_changes") or [] if name not in _FIXED]
    hidden = {*secret_variables(), "lago_extra_env"}
    for name, there in sorted(found.items()):
        declared = settings.get(name)
        if name in wanted or _same(name, there, declared):
            continue
        how = "is another one" if name in hidden else f"is {shown(_text(declared))}, and {shown(_text(there))} there"
        what = f" ({', '.join(sorted(there['backend']))})" if name == "lago_extra_env" else ""
        way = "" if name in _FIXED else f", or name {name} in lago_adopt_changes when it is to change"
        yield problem(name, "would_change", f"{name} {how}{what}: declare what is there{way}.")


def _same(name: str, there: Any, declared: Any) -> bool:
    if name == "lago_extra_env":
        given = (declared or {}).get("backend") or {}
        return all(_text(given.get(one)) == value for one, value in there["backend"].items())
    if name == "lago_workers":
        return sorted(map(_text, there)) == sorted(map(_text, declared or []))
    return _text(there).lower() == _text(declared).lower()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, sort_keys=True) if isinstance(value, (list, dict)) else str(value)
