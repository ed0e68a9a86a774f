# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about a PostgreSQL of the operator's own, by what it says itself. PRIVATE to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_known import workers
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_outside import scrubber
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_releases import FIRST_POSTGRES
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, numbers, release
from ansible_collections.selfhosted.lago.plugins.plugin_utils._processes import connections

#: What Lago's migrations make by themselves, where they may (pg_trgm and btree_gin from v1.48.0 on).
EXTENSIONS = ("pgcrypto", "unaccent", "pg_trgm", "btree_gin")
FIRST_PARTMAN = 5
#: Of what the server, or libpq, says: the variable that it is about.
_BLAMED = (
    ("password", "lago_postgres_password"),
    ("role ", "lago_postgres_user"),
    ("database ", "lago_postgres_database"),
    ("root certificate", "lago_postgres_ca_file"),
    ("certificate verify failed", "lago_postgres_ca_file"),
    ("server certificate for", "lago_postgres_host"),
    ("certificate", "lago_postgres_certificate_file"),
    ("SSL", "lago_postgres_sslmode"),
)
_IN_URL = ("lago_postgres_host", "lago_postgres_database", "lago_postgres_user", "lago_postgres_password")


def _said(case: Case) -> dict[str, Any]:
    """Return what the database said, empty where it did not."""
    reading = case.server.get("database") or {}
    return dict(reading) if reading.get("reachable") else {}


def _names(case: Case) -> tuple[str, str]:
    """Return the database and its owner, as SQL names them."""
    reading = case.server.get("database") or {}
    return f'"{reading.get("name", "lago")}"', f'"{reading.get("owner", "lago")}"'


def _variable(case: Case, name: str) -> str:
    """Return the variable to name: a URL says host, database, user and password itself."""
    return "lago_postgres_url" if name in _IN_URL and not blank(case.given.get("lago_postgres_url")) else name


@rule("database")
def database_refuses(case: Case) -> Found:
    reading = case.server.get("database") or {}
    if not _said(case):
        said = " ".join(str(reading.get("error") or "it gave no answer").split())
        said = scrubber(case.given).text(said)
        name = next((variable for part, variable in _BLAMED if part in said), "lago_postgres_host")
        name = _variable(case, name)
        yield name, f"{name}: the database cannot be used. What was said: {said}"


@rule("database")
def old_server(case: Case) -> Found:
    version = _said(case).get("server_version")
    if version and numbers(version)[0] < FIRST_POSTGRES:
        yield (
            (name := _variable(case, "lago_postgres_host")),
            f"{name} is PostgreSQL {version}: Lago needs {FIRST_POSTGRES} or newer.",
        )


@rule("database")
def no_right_to_create(case: Case) -> Found:
    database, owner = _names(case)
    if _said(case).get("may_create") is False:
        yield (
            (name := _variable(case, "lago_postgres_user")),
            f"{name} may not make tables in schema public. An administrator runs, in database {database}: "
            f"GRANT USAGE, CREATE ON SCHEMA public TO {owner};",
        )


@rule("database")
def extension_missing(case: Case) -> Found:
    said = _said(case)
    available, installed = said.get("available") or {}, said.get("installed") or {}
    missing = [name for name in EXTENSIONS if said and name not in available and name not in installed]
    if missing:
        yield (
            (name := _variable(case, "lago_postgres_host")),
            f"{name} lacks {', '.join(missing)}: install PostgreSQL's contrib package on it, or have the "
            "provider allow them.",
        )


@rule("database")
def extension_not_allowed(case: Case) -> Found:
    said = _said(case)
    available, installed = said.get("available") or {}, said.get("installed") or {}
    wanted = [name for name in EXTENSIONS if name in available and name not in installed]
    if said.get("may_extend") is False and wanted:
        database, _owner = _names(case)
        commands = " ".join(f"CREATE EXTENSION IF NOT EXISTS {name};" for name in wanted)
        yield (
            (name := _variable(case, "lago_postgres_user")),
            f"{name} may not make extensions. An administrator runs, in database {database}: {commands}",
        )


@rule("database")
def partman_not_allowed(case: Case) -> Found:
    said = _said(case)
    available, installed = said.get("available") or {}, said.get("installed") or {}
    if said.get("may_extend") is False and "pg_partman" in available and "pg_partman" not in installed:
        database, owner = _names(case)
        yield (
            (name := _variable(case, "lago_postgres_user")),
            f"{name} may not make pg_partman, which is on the server, so that a migration would fail. An "
            f"administrator runs, in database {database}: CREATE SCHEMA partman; "
            f"CREATE EXTENSION pg_partman SCHEMA partman; {_grants(owner)}",
        )


def _grants(owner: str) -> str:
    """Return what makes a pg_partman that an administrator made one that Lago's migrations can use."""
    return (
        f"GRANT USAGE, CREATE ON SCHEMA partman TO {owner}; GRANT ALL ON ALL TABLES IN SCHEMA partman TO {owner}; "
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA partman TO {owner}; "
        f"GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA partman TO {owner};"
    )


@rule("database")
def partman_not_usable(case: Case) -> Found:
    if _said(case).get("partman_usable") is False:
        database, owner = _names(case)
        yield (
            (name := _variable(case, "lago_postgres_user")),
            f"{name} may not use the pg_partman that somebody else made, so that a migration would fail. An "
            f"administrator runs, in database {database}: {_grants(owner)} If it is in another schema than partman: "
            "DROP EXTENSION pg_partman; and Lago makes it by itself.",
        )


@rule("database")
def old_partman(case: Case) -> Found:
    said = _said(case)
    version = {**(said.get("available") or {}), **(said.get("installed") or {})}.get("pg_partman")
    if version and numbers(version)[0] < FIRST_PARTMAN:
        yield (
            (name := _variable(case, "lago_postgres_host")),
            f"{name} has pg_partman {version}, with which Lago's migrations fail: install {FIRST_PARTMAN} "
            "or newer there, or remove it, which Lago can do without.",
        )


@rule("database")
def few_connections(case: Case) -> Found:
    most = _said(case).get("max_connections")
    needed = connections(
        workers(case),
        case.values.get("lago_postgres_pool"),
        case.values.get("lago_puma_workers"),
        release(case.text("lago_api_version")),
    )
    if most is not None and most < needed and blank(case.given.get("lago_postgres_pooler_url")):
        yield (
            "lago_postgres_pool",
            f"lago_postgres_pool: all pools together may open {needed} connections, and the server takes {most}. Lower "
            "it, raise max_connections there, or put a pooler before it (lago_postgres_pooler_url).",
        )


@rule("database")
def foreign_database(case: Case) -> Found:
    organizations = _said(case).get("organizations")
    recorded = (case.server.get("files") or {}).get("migrated")
    if organizations and not (recorded or case.restoring) and blank(case.given.get("lago_encryption_primary_key")):
        yield (
            "lago_encryption_primary_key",
            f"Set lago_encryption_primary_key and its two sisters: the database holds organizations ({organizations}) "
            "of a deployment that was not made from this server, and what is encrypted in it is lost without its keys.",
        )
