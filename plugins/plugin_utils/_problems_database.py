# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the database and the connections to it. PRIVATE to the collection."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_known import workers
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, release, shown, valid_host
from ansible_collections.selfhosted.lago.plugins.plugin_utils._processes import POOL, THREADS, concurrency, connections

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
#: Without them nothing of what the collection promises of the bundled server holds.
_OURS = ("pg_partman_bgw.dbname", "pg_partman_bgw.role", "listen_addresses", "port", "data_directory")
_TIMEOUTS = {
    "lago_postgres_statement_timeout": "statement_timeout",
    "lago_postgres_lock_timeout": "lock_timeout",
    "lago_postgres_idle_transaction_timeout": "idle_in_transaction_session_timeout",
}
_TLS = (
    "lago_postgres_sslmode",
    "lago_postgres_ca_file",
    "lago_postgres_certificate_file",
    "lago_postgres_key_file",
)
#: What a URL cannot say here, and why not.
_IN_URL = {
    "search_path": "Lago does not heed (it works in public alone)",
    "schema_search_path": "Lago does not heed (it works in public alone)",
    "sslrootcert": "names a file that Lago's containers do not have (lago_postgres_ca_file puts it there)",
    "sslcert": "names a file that Lago's containers do not have (lago_postgres_certificate_file puts it there)",
    "sslkey": "names a file that Lago's containers do not have (lago_postgres_key_file puts it there)",
}


def bundled(case: Case) -> bool:
    """Tell whether the database is the collection's own."""
    return blank(case.given.get("lago_postgres_host")) and blank(case.given.get("lago_postgres_url"))


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
        if bundled(case) and not _NAME.match(value):
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
    if bundled(case) and most.isdigit() and int(most) < needed:
        yield (
            "lago_postgres_settings",
            f"lago_postgres_settings: max_connections {most} is less than the {needed} connections that all pools "
            "together may open: raise it, leave it out, or lower lago_postgres_pool.",
        )


@rule("settings")
def bad_postgres_url(case: Case) -> Found:
    for name, text in case.texts("lago_postgres_url", "lago_postgres_pooler_url"):
        try:
            url = urlsplit(text)
            good = url.scheme in ("postgres", "postgresql") and bool(url.hostname) and url.port != 0
            good = good and not url.fragment and bool(re.fullmatch(r"/[^/]+", url.path))
        except ValueError:
            good = False
        if not good or not text.isascii() or not text.isprintable() or " " in text:
            yield (
                name,
                f"{name} is no URL of a PostgreSQL: write postgresql://USER:PASSWORD@db.example.com:5432/lago, with "
                "every sign in user and password that is neither letter nor digit percent-encoded.",
            )


@rule("settings")
def parameter_in_url(case: Case) -> Found:
    for name, text in case.texts("lago_postgres_url", "lago_postgres_pooler_url"):
        for parameter, instead in _IN_URL.items():
            if re.search(rf"[?&]{parameter}=", text):
                yield name, f"{name} holds {parameter}, which {instead}: remove it there."


@rule("settings")
def postgres_twice(case: Case) -> Found:
    if case.text("lago_postgres_url") and case.text("lago_postgres_host"):
        yield "lago_postgres_host", "lago_postgres_host is given and lago_postgres_url too: remove one of them."


@rule("settings")
def bad_postgres_host(case: Case) -> Found:
    host = case.text("lago_postgres_host")
    if host and not valid_host(host):
        yield (
            "lago_postgres_host",
            f"lago_postgres_host {shown(host)} is no host name: write it plainly, the port is lago_postgres_port.",
        )


@rule("settings")
def tls_of_the_bundled_one(case: Case) -> Found:
    for name, _value in case.texts(*_TLS):
        if case.text(name) and bundled(case):
            yield (
                name,
                f"{name} is for a database of yours, and the bundled one is not reached by TLS: set lago_postgres_host "
                "or lago_postgres_url, or remove it.",
            )


@rule("settings")
def pooler_alone(case: Case) -> Found:
    if case.text("lago_postgres_pooler_url") and bundled(case):
        yield (
            "lago_postgres_pooler_url",
            "lago_postgres_pooler_url is given, and no database of yours behind it: set lago_postgres_host or "
            "lago_postgres_url, by which migrations go.",
        )


def _by_transaction(case: Case) -> bool:
    return bool(case.text("lago_postgres_pooler_url")) and case.text("lago_postgres_pooler_mode") == "transaction"


@rule("settings")
def prepared_by_transaction(case: Case) -> Found:
    if _by_transaction(case) and case.values.get("lago_postgres_prepared_statements"):
        yield (
            "lago_postgres_prepared_statements",
            "lago_postgres_prepared_statements is true, and a pooler by transaction would lose them: remove it, or set "
            "lago_postgres_pooler_mode to session if that is how it runs.",
        )


@rule("settings")
def timeout_by_transaction(case: Case) -> Found:
    for name, parameter in _TIMEOUTS.items():
        if _by_transaction(case) and name in case.values:
            yield (
                name,
                f"{name} would hold for some connections and not for others behind a pooler by transaction: remove it, "
                f"and set it for the role instead: ALTER ROLE lago SET {parameter} = {case.values[name]};",
            )


@rule("settings")
def certificate_by_halves(case: Case) -> Found:
    pair = ("lago_postgres_certificate_file", "lago_postgres_key_file")
    for given, missing in (pair, pair[::-1]):
        if case.text(given) and not case.text(missing):
            yield missing, f"Set {missing}: {given} is given, and one is of no use without the other."


@rule("settings")
def nothing_to_verify_by(case: Case) -> Found:
    asked = f"?sslmode={case.text('lago_postgres_sslmode')} {case.text('lago_postgres_url')}"
    if (match := re.search(r"[?&]sslmode=(verify-\w+)", asked)) and not case.text("lago_postgres_ca_file"):
        yield (
            "lago_postgres_ca_file",
            f"Set lago_postgres_ca_file: with sslmode {match[1]} the server's certificate is checked against it.",
        )
