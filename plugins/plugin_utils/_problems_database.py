# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the database and the connections to it. PRIVATE to the collection."""

from __future__ import annotations

import re

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_known import workers
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import release, shown
from ansible_collections.selfhosted.lago.plugins.plugin_utils._processes import POOL, THREADS, concurrency, connections

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
#: Without them nothing of what the collection promises of the bundled server holds.
_OURS = ("pg_partman_bgw.dbname", "pg_partman_bgw.role", "listen_addresses", "port", "data_directory")


@rule("settings")
def schema_not_public(case: Case) -> Found:
    schema = case.text("lago_postgres_schema")
    if schema not in ("", "public"):
        yield (
            "lago_postgres_schema",
            f"lago_postgres_schema {shown(schema)}: Lago works in public alone. Its migrations name public themselves, "
            "fail in any other schema and litter both. Give Lago a database of its own instead.",
        )


@rule("settings")
def bad_database_name(case: Case) -> Found:
    for name, value in case.texts("lago_postgres_database", "lago_postgres_user"):
        if not _NAME.match(value):
            yield (
                name,
                f"{name} {shown(value)}: the bundled database takes lower-case letters, digits and _ only, 63 of them "
                "at most, and no digit first.",
            )


@rule("settings")
def bad_parameter(case: Case) -> Found:
    for name, value in case.values.get("lago_postgres_settings", {}).items():
        if not _PARAMETER.match(str(name)) or name in _OURS or isinstance(value, (list, dict)) or value is None:
            yield (
                "lago_postgres_settings",
                f"lago_postgres_settings: {shown(name)} cannot be set here: write a parameter of PostgreSQL with a "
                "text or a number, such as shared_buffers: 512MB.",
            )


def _pool(case: Case) -> int:
    return int(case.values.get("lago_postgres_pool", POOL))


@rule("settings")
def pool_below_concurrency(case: Case) -> Found:
    pool = _pool(case)
    rows = workers(case) or [{"name": "default"}]
    for row in rows:
        if pool > 0 and concurrency(row) > pool:
            yield (
                "lago_postgres_pool",
                f"lago_postgres_pool {pool} is less than {concurrency(row)} jobs at a time of worker {row['name']}: "
                "they would wait for connections and fail. Raise it, or lower its concurrency.",
            )


@rule("settings")
def pool_below_threads(case: Case) -> Found:
    pool, threads = _pool(case), int(case.values.get("lago_puma_threads", THREADS))
    if 0 < pool < threads:
        yield (
            "lago_postgres_pool",
            f"lago_postgres_pool {pool} is less than lago_puma_threads {threads}: raise it, or lower those.",
        )


@rule("settings")
def pools_above_max_connections(case: Case) -> Found:
    most = str(case.values.get("lago_postgres_settings", {}).get("max_connections", ""))
    needed = connections(
        workers(case),
        case.values.get("lago_postgres_pool"),
        case.values.get("lago_puma_workers"),
        release(case.text("lago_api_version")),
    )
    if most.isdigit() and int(most) < needed:
        yield (
            "lago_postgres_settings",
            f"lago_postgres_settings: max_connections {most} is less than the {needed} connections that all pools "
            "together may open: raise it, leave it out, or lower lago_postgres_pool.",
        )
