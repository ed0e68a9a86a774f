# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What the running services say of themselves: the database, the proxy; and the files of the deployment."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._patience import Told, patiently
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Answer, Machine, parsed

_SEPARATOR = "---- and ----"
#: One exec for all questions, because each costs a start in the container.
_PROXY = f"""wget -q -T 5 -O - http://127.0.0.1:2020/revision; printf '\\n%s\\n' '{_SEPARATOR}'
cat /data/caddy/pki/authorities/local/root.crt 2>/dev/null; printf '\\n%s\\n' '{_SEPARATOR}'
wget -q -T 5 -O - http://127.0.0.1:2019/config/; printf '\\n%s\\n' '{_SEPARATOR}'
caddy adapt --config /etc/caddy/Caddyfile --adapter caddyfile 2>/dev/null; printf '\\n%s\\n' '{_SEPARATOR}'
for file in /data/caddy/certificates/*/*/*.crt; do echo "$file"; cat "$file" 2>/dev/null; done"""
_STORED = re.compile(
    r"/certificates/([^/\s]+)/([^/\s]+)/\S+\.crt\n(-----BEGIN.+?-----END CERTIFICATE-----\n)", re.DOTALL
)

#: As the database's own user, over its socket, and unable to write whatever the statement says. Then once more with the
#: password, over the address that others reach it by: from the socket and from loopback everybody is let in.
_PSQL = """if test -n "$PGHOST"; then
export PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}"
psql -X -A -t -w -c "$0" || exit; echo "password accepted"; exit; fi
user=${POSTGRES_USER:-postgres}; base=${POSTGRES_DB:-$user}
psql -X -A -t -U "$user" -d "$base" -c "$0" || exit
address=$(hostname -i) PGPASSWORD=$POSTGRES_PASSWORD PGCONNECT_TIMEOUT=5
export PGPASSWORD PGCONNECT_TIMEOUT
psql -X -A -t -w -h "${address%% *}" -U "$user" -d "$base" -c "SELECT 'password accepted'" 2>&1 || true"""
_PGOPTIONS = "PGOPTIONS=-c default_transaction_read_only=on -c statement_timeout=10000 -c lock_timeout=3000"

#: A number of rows that is null, not an error, where the table is missing; or where a column of it is.
_COUNT = (
    "CASE WHEN to_regclass('public.{table}') IS NOT NULL THEN (xpath('/row/n/text()', query_to_xml("
    "'SELECT count(*) AS n FROM public.{table}', false, true, '')))[1]::text::bigint END"
)
_COUNT_SET = (
    "CASE WHEN '{column}' IN (SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.{table}')) "
    "THEN (xpath('/row/n/text()', query_to_xml("
    "'SELECT count({column}) AS n FROM public.{table}', false, true, '')))[1]::text::bigint END"
)
_LAST = (
    "CASE WHEN to_regclass('public.{table}') IS NOT NULL THEN (xpath('/row/m/text()', query_to_xml("
    "'SELECT max({column}) AS m FROM public.{table}', false, true, '')))[1]::text END"
)
#: Whether the user can do all that Lago's migrations do with pg_partman, null where nobody made it yet.
_PARTMAN = (
    "(SELECT nspname = 'partman' AND has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')"
    " AND coalesce((SELECT bool_and(has_table_privilege(oid, 'INSERT')) FROM pg_class"
    " WHERE relnamespace = n.oid AND relkind = 'r'), true)"
    " AND coalesce((SELECT bool_and(has_function_privilege(oid, 'EXECUTE')) FROM pg_proc WHERE pronamespace = n.oid),"
    " true) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_partman')"
)
_READINGS = {
    "name": "current_database()",
    "user": "session_user",
    "server_version": "current_setting('server_version')",
    "identifier": "(SELECT system_identifier FROM pg_control_system())::text || '-'"
    " || (SELECT oid FROM pg_database WHERE datname = current_database())::text",
    "tables": "(SELECT count(*) FROM pg_tables WHERE schemaname = 'public')",
    "migrations": _COUNT.format(table="schema_migrations"),
    "last_migration": _LAST.format(table="schema_migrations", column="version"),
    "organizations": _COUNT.format(table="organizations"),
    "users": _COUNT.format(table="users"),
    "payment_providers": _COUNT_SET.format(table="payment_providers", column="secrets"),
    "integrations": _COUNT_SET.format(table="integrations", column="secrets"),
    "invalid_indexes": "(SELECT count(*) FROM pg_index WHERE NOT indisvalid)",
    "max_connections": "current_setting('max_connections')::int",
    "may_create": "has_schema_privilege('public', 'CREATE')",
    "may_extend": "has_database_privilege(current_database(), 'CREATE')",
    "available": "(SELECT json_object_agg(name, default_version) FROM pg_available_extensions WHERE name IN"
    " ('pgcrypto', 'unaccent', 'pg_trgm', 'btree_gin', 'pg_partman'))",
    "installed": "(SELECT json_object_agg(extname, extversion) FROM pg_extension)",
    "partman_usable": _PARTMAN,
}
#: One statement, because each costs a start of psql.
QUERY = "SELECT json_build_object(" + ", ".join(f"'{name}', {reading}" for name, reading in _READINGS.items()) + ")"

#: What is told as it was read: what the user may do, and what there is to use.
_RIGHTS = ("max_connections", "may_create", "may_extend", "available", "installed", "partman_usable")
#: What the API says of itself, by whichever client its image carries (there was one that carried no curl).
_HEALTH = """url=http://127.0.0.1:3000/health
if command -v curl >/dev/null; then exec curl -sS -m 10 "$url"; fi
exec ruby -rnet/http -e 'print Net::HTTP.get(URI(ARGV[0]))' "$url\""""
_MIGRATIONS = "SELECT array_to_json(array_agg(version ORDER BY version)) FROM public.schema_migrations"

#: What is not known of a database that does not answer.
_FACTS = (
    "name",
    "user",
    "server_version",
    "identifier",
    "tables",
    "schema_migrations",
    "organizations",
    "users",
    "encrypted_rows",
    "invalid_indexes",
    "password_accepted",
    *_RIGHTS,
)


def database(machine: Machine, container: str) -> dict[str, t.Any]:
    """Return what is in the database of a running container; C(reachable) is false when it does not say."""
    answer = _ask(machine, container, QUERY)
    told, _newline, login = answer.output.strip().partition("\n")
    row = parsed(told)
    if answer.code != 0 or not isinstance(row, dict):
        reason = answer.complaint or "the database gave no answer"
        return {"reachable": False, "error": reason, **dict.fromkeys(_FACTS)}
    migrations = row["migrations"]
    encrypted = [row[table] for table in ("payment_providers", "integrations") if row[table] is not None]
    return {
        "reachable": True,
        "error": None,
        "name": row["name"],
        "user": row["user"],
        "server_version": str(row["server_version"]).split()[0],
        "identifier": row["identifier"],
        "tables": row["tables"],
        "schema_migrations": None if migrations is None else {"count": migrations, "max": row["last_migration"]},
        "organizations": row["organizations"],
        "users": row["users"],
        "encrypted_rows": sum(encrypted) if encrypted else None,
        "invalid_indexes": row["invalid_indexes"],
        "password_accepted": _accepted(login),
        **{name: row[name] for name in _RIGHTS},
    }


def _ask(machine: Machine, container: str, statement: str) -> Answer:
    """Return what a database answers."""

    def once() -> Told:
        answer = machine.run("docker", "exec", "-e", _PGOPTIONS, container, "sh", "-c", _PSQL, statement)
        return answer.code, answer.output, answer.error

    return Answer(*patiently(once))


def release(machine: Machine, api: str | None, db: str | None) -> dict[str, t.Any]:
    """Return which release runs by its own word, and which migrations are done; C(None) where nobody says."""
    health = machine.run("docker", "exec", api, "sh", "-c", _HEALTH).output if api else ""
    told = _ask(machine, db, _MIGRATIONS).output if db else ""
    migrations = parsed(told.partition("\n")[0])
    return {
        "api": (parsed(health.strip()) or {}).get("version"),
        "migrations": migrations if isinstance(migrations, list) else None,
    }


def _accepted(login: str) -> bool | None:
    """Return whether the password was taken, C(None) where something else kept it from being tried."""
    if "password authentication failed" in login:
        return False
    return True if "password accepted" in login else None


def proxy(machine: Machine, container: str) -> dict[str, t.Any] | None:
    """Return which configuration a running proxy follows, and the certificates that are in its storage.

    None of one that ended before it answered: Docker starts one that cannot run again and again.
    """
    output = machine.run("docker", "exec", container, "sh", "-c", _PROXY).output
    if output.count(_SEPARATOR) < _PROXY.count(_SEPARATOR):
        return None
    revision, authority, runs, there, stored = (*output.split(_SEPARATOR), "", "", "", "")[:5]
    wanted, running = parsed(there.strip()), parsed(runs.strip())
    return {
        "revision": revision.strip() or None,
        "root_certificate": _pem(authority),
        "follows_file": None if wanted is None else running == wanted,
        "acme_directory": _acme_directory(running),
        # The first of a file is the name's own, those after it lead to its root
        "certificates": [{"issuer": issuer, "name": name, "pem": pem} for issuer, name, pem in _STORED.findall(stored)],
    }


def _acme_directory(running: t.Any) -> str | None:
    """Return the ACME server that a proxy's configuration orders from."""
    try:
        policies = running["apps"]["tls"]["automation"]["policies"]
        found = [issuer.get("ca") for policy in policies for issuer in policy["issuers"] if issuer["module"] == "acme"]
    except (KeyError, TypeError):
        return None
    return found[0] if found else None


def files(machine: Machine, directory: str) -> dict[str, t.Any]:
    """Return what lies in the deployment's directory; of secret files only whether they are there."""
    base = directory.rstrip("/")
    return {
        "directory": machine.is_directory(base),
        "touched": machine.touched(base),
        "compose": machine.exists(f"{base}/compose.yml"),
        "secrets": machine.exists(f"{base}/secrets.json"),
        "api_key": machine.exists(f"{base}/api_key.json"),
        "migrated": machine.json(f"{base}/migrated.json"),
        "restoring": machine.json(f"{base}/restoring.json"),
        "upgrade": machine.json(f"{base}/upgrade.json"),
        "adopted": machine.json(f"{base}/adopted.json"),
        "ca": _pem(machine.text(f"{base}/ca.crt")),
    }


def _pem(text: str | None) -> str | None:
    return text.strip() + "\n" if text and text.strip() else None
